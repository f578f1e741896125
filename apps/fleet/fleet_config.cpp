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

std::expected<void, std::string> apply(runtime::Hook& hook, const cli::Setting& setting) {
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

std::expected<runtime::Hook, std::string> hook_of(const cli::ConfigTable& table) {
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

// What the file says of all, then the account's own, which counts more.
std::expected<registration::AccountConfig, std::string> account_of(const cli::ConfigTable& table,
                                                                   const Settings& common) {
    Settings all = common;
    for (const auto& own : table.settings)  // a list of the account's own replaces the common one
        if (own.key != "set")
            std::erase_if(all, [&](const cli::Setting& setting) { return setting.key == own.key; });
    all.insert(all.end(), table.settings.begin(), table.settings.end());
    cli::Options options;
    if (const auto applied = cli::apply_settings(options, all); !applied)
        return std::unexpected(applied.error());
    if (options.account.aor.empty())
        return std::unexpected(table.where + ": an account needs an aor (\"sip:USER@DOMAIN\")");
    if (!options.password_given)
        return std::unexpected(table.where + ": " + options.account.aor +
                               " needs a password (\"\" for an account without one)");
    return std::move(options.account);
}

std::expected<cli::Options, cli::Refusal> host_of(const Settings& of_file,
                                                  const Settings& command_line) {
    cli::Options options;
    options.driver.user_agent = "Holdfast/" HOLDFAST_VERSION;
    // By itself first, as every command does: what is wrong in the file is the file's error.
    auto alone = options;
    if (const auto applied = cli::apply_each(alone, of_file); !applied)
        return std::unexpected(cli::Refusal{cli::ExitCode::config, applied.error()});
    Settings all = of_file;
    all.insert(all.end(), command_line.begin(), command_line.end());
    if (const auto applied = cli::apply_settings(options, all); !applied)
        return std::unexpected(cli::Refusal{cli::ExitCode::usage, applied.error()});
    const auto& local = options.driver.local;
    if (local && local->port != 0 && options.fleet.shards != 1)
        return std::unexpected(
            cli::Refusal{cli::ExitCode::usage, "--local " + local->to_string() +
                                                   ": each shard has a UDP port of its own: leave "
                                                   "the port away, or take --shards 1"});
    return options;
}

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

// The others are the process's: host_of() has read them, and each account need not again.
Settings of_an_account(const Settings& settings) {
    Settings own;
    for (const auto& setting : settings) {
        const auto option =
            std::ranges::find(cli::option_table(), setting.key, &cli::OptionText::name);
        if (option == cli::option_table().end() || (option->commands & cli::of_an_account) != 0)
            own.push_back(setting);
    }
    return own;
}

std::expected<void, std::string> read_tables(const cli::Configuration& file, FleetConfig& config) {
    std::map<std::string, std::string> places;
    const auto common = of_an_account(file.settings);
    for (const auto& table : file.accounts) {
        auto account = account_of(table, common);
        if (!account) return std::unexpected(account.error());
        const auto [known, is_new] = places.emplace(account->aor, table.where);
        if (!is_new)
            return std::unexpected(table.where + ": " + account->aor +
                                   " is there already: " + known->second);
        auto aor = account->aor;
        config.accounts.emplace(std::move(aor), *std::move(account));
    }
    for (const auto& table : file.hooks) {
        auto hook = hook_of(table);
        if (!hook) return std::unexpected(hook.error());
        config.hooks.push_back(*std::move(hook));
    }
    return {};
}

}  // namespace

std::expected<FleetConfig, cli::Refusal> read_fleet(const Settings& command_line) {
    const auto bad_file = [](std::string sentence) {
        return std::unexpected(cli::Refusal{cli::ExitCode::config, std::move(sentence)});
    };
    const auto named = std::ranges::find(command_line, "config", &cli::Setting::key);
    if (named == command_line.end())
        return std::unexpected(
            cli::Refusal{cli::ExitCode::usage, "Which accounts? holdfast run --config FILE"});
    const auto file = cli::read_config_file(named->value);
    if (!file) return bad_file(file.error());
    if (const auto checked = check_common(file->settings); !checked)
        return bad_file(checked.error());
    auto host = host_of(file->settings, command_line);
    if (!host) return std::unexpected(host.error());
    FleetConfig config{.host = *std::move(host), .accounts = {}, .hooks = {}};
    if (const auto read = read_tables(*file, config); !read) return bad_file(read.error());
    if (config.accounts.empty())
        return bad_file(named->value + ": no account is named in it: [[account]]");
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
