#include "apps/cli/config_tables.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "apps/cli/command_line.h"
#include "registration/policy_values.h"

namespace holdfast::cli {

namespace {

using Settings = std::vector<Setting>;

std::optional<EventKind> event_kind_of(std::string_view name) {
    for (auto kind = EventKind::resolved;;
         kind = static_cast<EventKind>(std::to_underlying(kind) + 1)) {
        if (name_of(kind) == name) return kind;
        if (kind == EventKind::stopped) return std::nullopt;
    }
}

std::vector<std::string_view> event_names() {
    std::vector<std::string_view> names;
    for (auto kind = EventKind::resolved; kind != EventKind::stopped;
         kind = static_cast<EventKind>(std::to_underlying(kind) + 1))
        names.push_back(name_of(kind));
    return names;
}

std::expected<void, std::string> apply(runtime::Hook& hook, const Setting& setting) {
    const auto& [key, value, where] = setting;
    if (key == "events") {
        const auto kind = event_kind_of(value);
        if (!kind)
            return std::unexpected(where + ": there is no event \"" + value + "\"" +
                                   suggestion(value, event_names()) +
                                   " (docs/events.md lists them)");
        hook.events.push_back(*kind);
    } else if (key == "command") {
        hook.command.push_back(value);
    } else if (key == "url") {
        if (!value.starts_with("http://") && !value.starts_with("https://"))
            return std::unexpected(where + ": \"" + value + "\" is no http:// or https:// URL");
        hook.url = value;
    } else if (key == "timeout") {
        const auto timeout = registration::parse_duration(value);
        if (!timeout || *timeout < std::chrono::milliseconds{100} ||
            *timeout > std::chrono::minutes{10})
            return std::unexpected(where + ": \"" + value +
                                   "\" is no duration from 100ms to 10min");
        hook.timeout = *timeout;
    }
    return {};
}

std::expected<runtime::Hook, std::string> hook_of(const ConfigTable& table) {
    runtime::Hook hook;
    for (const auto& setting : table.settings)
        if (const auto applied = apply(hook, setting); !applied)
            return std::unexpected(applied.error());
    if (!hook.command.empty() && !hook.command.front().starts_with('/'))
        return std::unexpected(table.where +
                               ": the program of a command is named by its whole path, and \"" +
                               hook.command.front() + "\" is none");
    if (const auto problem = runtime::problem_of(hook); !problem.empty())
        return std::unexpected(table.where + ": " + problem);
    return hook;
}

// What the file says of all, then the account's own, which counts more, then the command line.
std::expected<ConfiguredAccount, std::string> account_of(const ConfigTable& table,
                                                         const Settings& common,
                                                         const Settings& command_line) {
    Settings all = common;
    for (const auto& own : table.settings)  // a list of the account's own replaces the common one
        if (own.key != "set")
            std::erase_if(all, [&](const Setting& setting) { return setting.key == own.key; });
    all.insert(all.end(), table.settings.begin(), table.settings.end());
    all.insert(all.end(), command_line.begin(), command_line.end());
    Options options;
    if (const auto applied = apply_settings(options, all); !applied)
        return std::unexpected(applied.error());
    if (options.account.aor.empty())
        return std::unexpected(table.where + ": an account needs an aor (\"sip:USER@DOMAIN\")");
    if (!options.password_given)
        return std::unexpected(table.where + ": " + options.account.aor +
                               " needs a password (\"\" for an account without one)");
    return ConfiguredAccount{std::move(options.account), std::move(options.dialling)};
}

// The others are the process's, which has read them: each account need not again.
Settings of_an_account_among(const Settings& settings) {
    Settings own;
    for (const auto& setting : settings) {
        const auto option = std::ranges::find(option_table(), setting.key, &OptionText::name);
        if (option == option_table().end() || (option->commands & of_an_account) != 0)
            own.push_back(setting);
    }
    return own;
}

}  // namespace

// What belongs to one account, or to `register` alone, does not stand above all.
std::expected<void, std::string> check_common(const Settings& settings) {
    for (const auto& setting : settings) {
        if (setting.key == "aor" || setting.key == "password")
            return std::unexpected(setting.where +
                                   ": this belongs to one account: write it below [[account]]");
        if (setting.key == "record")
            return std::unexpected(setting.where +
                                   ": one account is recorded, by `holdfast register`");
    }
    return {};
}

std::expected<std::vector<ConfiguredAccount>, std::string> accounts_of(
    const Configuration& file, const std::vector<Setting>& command_line) {
    std::vector<ConfiguredAccount> accounts;
    std::map<std::string, std::string> places;
    const auto common = of_an_account_among(file.settings);
    for (const auto& table : file.accounts) {
        auto account = account_of(table, common, command_line);
        if (!account) return std::unexpected(account.error());
        const auto& aor = account->account.aor;
        const auto [known, is_new] = places.emplace(aor, table.where);
        if (!is_new)
            return std::unexpected(table.where + ": " + aor +
                                   " is there already: " + known->second);
        accounts.push_back(*std::move(account));
    }
    return accounts;
}

std::expected<std::vector<runtime::Hook>, std::string> hooks_of(const Configuration& file) {
    std::vector<runtime::Hook> hooks;
    for (const auto& table : file.hooks) {
        auto hook = hook_of(table);
        if (!hook) return std::unexpected(hook.error());
        hooks.push_back(*std::move(hook));
    }
    return hooks;
}

}  // namespace holdfast::cli
