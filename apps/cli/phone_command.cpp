// holdfast phone: from what the user said to a running phone.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "apps/cli/call_settings.h"
#include "apps/cli/commands.h"
#include "apps/cli/config_tables.h"
#include "apps/cli/console.h"
#include "apps/cli/no_account.h"
#include "apps/cli/running_phone.h"
#include "apps/cli/session.h"

namespace holdfast::cli {

namespace {

using Settings = std::vector<Setting>;

std::expected<Configuration, Refusal> file_of(const Settings& command_line) {
    const auto named = std::ranges::find(command_line, "config", &Setting::key);
    if (named == command_line.end()) return Configuration{};
    auto read = read_config_file(named->value);
    if (!read) return std::unexpected(Refusal{ExitCode::config, read.error()});
    return *std::move(read);
}

// When somebody calls it is too late to hear of it. What is in it is seen only then: the sound's
// plug-ins are not loaded before.
std::expected<void, Refusal> check_ring_file(const Options& options, const Settings& all) {
    const auto& file = options.call.ring_file;
    if (file.empty()) return {};
    const auto said = std::ranges::find(all.rbegin(), all.rend(), "ring-file", &Setting::key);
    std::error_code error;
    const auto why = [&]() -> std::string {
        if (!std::filesystem::exists(file, error)) return "there is no such file";
        if (!std::filesystem::is_regular_file(file, error)) return "it is no file";
        if (::access(file.c_str(), R_OK) != 0) return "this user may not read it";
        return {};
    }();
    if (why.empty()) return {};
    const bool in_file = !said->where.starts_with("--");
    return std::unexpected(
        Refusal{in_file ? ExitCode::config : ExitCode::usage,
                said->where + ": the phone cannot ring with \"" + file + "\": " + why});
}

std::expected<Options, Refusal> options_of(const Settings& of_file, const Settings& command_line) {
    Options options;
    options.driver.user_agent = "Holdfast/" HOLDFAST_VERSION;
    // By itself first: what is wrong in the file is the file's error.
    auto alone = options;
    if (const auto applied = apply_each(alone, of_file); !applied)
        return std::unexpected(Refusal{ExitCode::config, applied.error()});
    Settings all = of_file;
    all.insert(all.end(), command_line.begin(), command_line.end());
    if (const auto applied = apply_settings(options, all); !applied)
        return std::unexpected(Refusal{ExitCode::usage, applied.error()});
    const auto source = source_of(options.call);
    std::error_code error;
    if (source.kind == media::EndKind::file &&
        !std::filesystem::is_regular_file(source.name, error))
        return std::unexpected(
            Refusal{ExitCode::usage, source.name + ": there is no such file to play"});
    if (const auto rings = check_ring_file(options, all); !rings)
        return std::unexpected(rings.error());
    return options;
}

std::expected<void, Refusal> take_one(PhoneStart& start, const std::vector<std::string>& operands) {
    if (!operands.empty()) {
        auto aor = aor_of(operands.front());
        if (!aor) return std::unexpected(Refusal{ExitCode::usage, aor.error()});
        start.host.account.aor = *std::move(aor);
    }
    const bool has_account = !start.host.account.aor.empty();
    if (!has_account)
        if (auto waits = wait_for_calls(start.host); !waits) return waits;
    // Without an account there is none, but one in the environment is wiped there all the same.
    start.host.password_given = start.host.password_given || !has_account;
    if (auto found = find_password(start.host); !found) return found;
    if (!has_account) start.host.account.password = {};
    start.accounts.push_back(start.host.account);
    start.dialling.push_back(start.host.dialling);
    return {};
}

std::expected<PhoneStart, Refusal> start_of(const std::vector<std::string>& operands,
                                            const Settings& command_line) {
    const auto bad_file = [](const std::string& sentence) {
        return std::unexpected(Refusal{ExitCode::config, sentence});
    };
    const auto file = file_of(command_line);
    if (!file) return std::unexpected(file.error());
    auto host = options_of(file->settings, command_line);
    if (!host) return std::unexpected(host.error());
    PhoneStart start{.host = *std::move(host), .accounts = {}, .dialling = {}, .hooks = {}};
    auto hooks = hooks_of(*file);
    if (!hooks) return bad_file(hooks.error());
    start.hooks = *std::move(hooks);
    if (file->accounts.empty()) {
        if (auto taken = take_one(start, operands); !taken) return std::unexpected(taken.error());
    } else {
        if (!operands.empty())
            return std::unexpected(Refusal{
                ExitCode::usage,
                "\"" + operands.front() + "\" is one account too many: the file names them"});
        if (const auto checked = check_common(file->settings); !checked)
            return bad_file(checked.error());
        auto accounts = accounts_of(*file, command_line);
        if (!accounts) return bad_file(accounts.error());
        for (auto& [account, dialling] : *accounts) {
            start.accounts.push_back(std::move(account));
            start.dialling.push_back(std::move(dialling));
        }
    }
    // Of call and answer, which have one call each.
    start.host.driver.record_file.clear();
    start.host.call.dtmf.clear();
    return start;
}

}  // namespace

ExitCode run_phone(const std::vector<std::string>& operands, const Settings& settings) {
    const auto clock = wall_clock_now();
    keep_memory_private();
    auto start = start_of(operands, settings);
    if (!start) return complain(start.error().code, start.error().sentence);
    auto phone = RunningPhone::open(*std::move(start), clock);
    if (!phone) return phone.error();
    return (*phone)->run();
}

}  // namespace holdfast::cli
