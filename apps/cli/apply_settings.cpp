// What the user has set, from wherever, becomes Options: each by itself, then all of them together.
#include <algorithm>
#include <set>
#include <utility>

#include "apps/cli/options.h"
#include "registration/policy.h"

namespace holdfast::cli {

namespace {

using Applied = std::expected<void, std::string>;

bool sets_preset(const Setting& setting) {
    if (setting.key == "preset") return true;
    const auto equals = setting.value.find('=');
    return setting.key == "set" && equals != std::string::npos &&
           policy_key(std::string_view(setting.value).substr(0, equals)) == "preset";
}

// What each option alone allows and all of them together do not.
Applied check_together(const Options& options, std::span<const Setting> settings) {
    const auto place = [&](std::string_view key) {
        const auto last = std::ranges::find(settings.rbegin(), settings.rend(), key, &Setting::key);
        return last == settings.rend() ? std::string(key) : last->where;
    };
    const auto& account = options.account;
    const bool plain = account.policy.style == registration::Style::plain;
    for (const auto key : {"contact-address", "stun"}) {
        const auto& value =
            key == std::string_view("stun") ? account.stun : account.contact_address;
        if (plain && !value.empty())
            return std::unexpected(place(key) + ": the preset \"" + account.policy.preset +
                                   "\" does what another phone does, which is not this; use it "
                                   "with the preset holdfast or fleet");
    }
    const bool never_udp = account.aor.starts_with("sips:") ||
                           account.transport.value_or(Transport::udp) != Transport::udp;
    if (never_udp && !account.stun.empty())
        return std::unexpected(place("stun") +
                               ": STUN shows the address of UDP, which this account never uses");
    return {};
}

}  // namespace

std::expected<void, std::string> apply_each(Options& options, std::span<const Setting> settings) {
    const auto table = option_table();
    const Setting* preset = nullptr;
    for (const auto& setting : settings)
        if (sets_preset(setting)) preset = &setting;  // the last one said counts
    std::vector<const Setting*> ordered;
    if (preset != nullptr) ordered.push_back(preset);
    for (const auto& setting : settings)
        if (!sets_preset(setting)) ordered.push_back(&setting);
    std::set<std::pair<std::string, bool>> begun;  // of the file, and of the command line
    for (const auto* setting : ordered) {
        const auto option = std::ranges::find(table, setting->key, &OptionText::name);
        if (option == table.end())
            return std::unexpected(setting->where + ": there is no such option");
        const bool first = begun.emplace(setting->key, setting->where.starts_with("--")).second;
        if (const auto applied = option->apply(options, setting->value, first); !applied)
            return std::unexpected(setting->where + ": " + applied.error());
    }
    return {};
}

std::expected<void, std::string> apply_settings(Options& options,
                                                std::span<const Setting> settings) {
    if (auto applied = apply_each(options, settings); !applied) return applied;
    return check_together(options, settings);
}

}  // namespace holdfast::cli
