#include "apps/fleet/fleet_config.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "apps/cli/command_line.h"
#include "apps/cli/config_file.h"
#include "registration/policy_values.h"

namespace holdfast::fleet {

namespace {

using Settings = std::vector<cli::Setting>;

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

std::expected<void, std::string> apply(HookConfig& hook, const cli::Setting& setting) {
    const auto& [key, value, where] = setting;
    if (key == "events") {
        const auto kind = event_kind_of(value);
        if (!kind)
            return std::unexpected(where + ": there is no event \"" + value + "\"" +
                                   cli::suggestion(value, event_names()) +
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

std::expected<HookConfig, std::string> hook_of(const cli::ConfigTable& table) {
    HookConfig hook;
    for (const auto& setting : table.settings)
        if (const auto applied = apply(hook, setting); !applied)
            return std::unexpected(applied.error());
    if (hook.command.empty() == hook.url.empty())
        return std::unexpected(table.where +
                               ": a hook has either a command or a url (\"http://…\")");
    if (!hook.command.empty() && !hook.command.front().starts_with('/'))
        return std::unexpected(table.where +
                               ": the program of a command is named by its whole "
                               "path, and \"" +
                               hook.command.front() + "\" is none");
    return hook;
}

// The file's, the account's, and the command line's settings: each counts more than those before.
std::expected<registration::AccountConfig, std::string> account_of(const cli::ConfigTable& table,
                                                                   const Settings& common,
                                                                   const Settings& command_line) {
    Settings all = common;
    for (const auto& own : table.settings)  // a list of the account's own replaces the common one
        if (own.key != "set")
            std::erase_if(all, [&](const cli::Setting& setting) { return setting.key == own.key; });
    all.insert(all.end(), table.settings.begin(), table.settings.end());
    all.insert(all.end(), command_line.begin(), command_line.end());
    cli::Options options;
    if (const auto applied = cli::apply_settings(options, all); !applied)
        return std::unexpected(applied.error());
    if (options.account.aor.empty())
        return std::unexpected(table.where + ": an account needs an aor (\"sip:USER@DOMAIN\")");
    return std::move(options.account);
}

}  // namespace

std::expected<FleetConfig, std::string> read_fleet(const Settings& command_line) {
    const auto named = std::ranges::find(command_line, "config", &cli::Setting::key);
    if (named == command_line.end())
        return std::unexpected("Which accounts? holdfast run --config FILE");
    auto file = cli::read_config_file(named->value);
    if (!file) return std::unexpected(file.error());
    for (const auto key : {"aor", "password"})
        if (const auto alone = std::ranges::find(file->settings, key, &cli::Setting::key);
            alone != file->settings.end())
            return std::unexpected(alone->where +
                                   ": this belongs to one account: write it below [[account]]");
    FleetConfig config;
    Settings of_host = file->settings;
    of_host.insert(of_host.end(), command_line.begin(), command_line.end());
    config.host.driver.user_agent = "Holdfast/" HOLDFAST_VERSION;
    if (const auto applied = cli::apply_settings(config.host, of_host); !applied)
        return std::unexpected(applied.error());
    if (!config.host.driver.record_file.empty())
        return std::unexpected(named->value +
                               ": record: one account is recorded, by `holdfast register`");
    const auto& local = config.host.driver.local;
    if (local && local->port != 0 && config.host.fleet.shards != 1)
        return std::unexpected("--local " + local->to_string() +
                               ": each shard has a UDP port of its own: leave the port away, or "
                               "take --shards 1");
    std::map<std::string, std::string> places;
    for (const auto& table : file->accounts) {
        auto account = account_of(table, file->settings, command_line);
        if (!account) return std::unexpected(account.error());
        const auto [known, is_new] = places.emplace(account->aor, table.where);
        if (!is_new)
            return std::unexpected(table.where + ": " + account->aor +
                                   " is there already: " + known->second);
        auto aor = account->aor;
        config.accounts.emplace(std::move(aor), *std::move(account));
    }
    if (config.accounts.empty())
        return std::unexpected(named->value + ": no account is named in it: [[account]]");
    for (const auto& table : file->hooks) {
        auto hook = hook_of(table);
        if (!hook) return std::unexpected(hook.error());
        config.hooks.push_back(*std::move(hook));
    }
    return config;
}

bool same_host(const cli::Options& a, const cli::Options& b) {
    return a.driver == b.driver && a.fleet == b.fleet && a.json == b.json;
}

bool same_but_password(const registration::AccountConfig& a, const registration::AccountConfig& b) {
    auto other = b;
    other.password = a.password;
    return a == other;
}

}  // namespace holdfast::fleet
