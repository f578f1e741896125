#include "apps/fleet/fleet_config.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "apps/cli/config_file.h"
#include "apps/cli/config_tables.h"

namespace holdfast::fleet {

namespace {

using Settings = std::vector<cli::Setting>;

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

std::expected<void, std::string> read_tables(const cli::Configuration& file, FleetConfig& config) {
    auto accounts = cli::accounts_of(file, {});
    if (!accounts) return std::unexpected(accounts.error());
    for (auto& [account, dialling] : *accounts) {  // `holdfast run` dials nobody
        auto aor = account.aor;
        config.accounts.emplace(std::move(aor), std::move(account));
    }
    auto hooks = cli::hooks_of(file);
    if (!hooks) return std::unexpected(hooks.error());
    config.hooks = *std::move(hooks);
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
    if (const auto checked = cli::check_common(file->settings); !checked)
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
