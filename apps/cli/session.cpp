#include "apps/cli/session.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "apps/cli/config_file.h"
#include "apps/cli/terminal.h"

namespace holdfast::cli {

std::expected<Options, Refusal> gather(const std::vector<Setting>& command_line) {
    std::vector<Setting> settings;
    const auto config = std::ranges::find(command_line, "config", &Setting::key);
    if (config != command_line.end()) {
        auto read = read_config_file(config->value);
        if (!read) return std::unexpected(Refusal{ExitCode::config, read.error()});
        if (!read->accounts.empty())
            return std::unexpected(Refusal{
                ExitCode::config,
                read->accounts.front().where + ": several accounts are for `holdfast run`"});
        settings = std::move(read->settings);
        // By itself first: what is wrong in the file is the file's error, whatever the command line
        // adds.
        Options of_file;
        if (const auto applied = apply_each(of_file, settings); !applied)
            return std::unexpected(Refusal{ExitCode::config, applied.error()});
    }
    settings.insert(settings.end(), command_line.begin(), command_line.end());
    Options options;
    options.driver.user_agent = "Holdfast/" HOLDFAST_VERSION;
    if (const auto applied = apply_settings(options, settings); !applied) {
        const bool of_file =
            config != command_line.end() && applied.error().starts_with(config->value);
        return std::unexpected(
            Refusal{of_file ? ExitCode::config : ExitCode::usage, applied.error()});
    }
    return options;
}

std::expected<void, Refusal> find_password(Options& options) {
    if (char* const password = std::getenv("HOLDFAST_PASSWORD"); password != nullptr) {
        options.account.password = Redacted{std::string(password)};
        // /proc/PID/environ shows these very octets for as long as the process lives; and whoever
        // it starts has no business with them.
        ::explicit_bzero(password, std::strlen(password));
        ::unsetenv("HOLDFAST_PASSWORD");
        return {};
    }
    if (options.password_given) return {};
    if (!is_terminal(STDIN_FILENO))
        return std::unexpected(Refusal{
            ExitCode::no_password,
            "No password for " + options.account.aor +
                ", and no terminal to ask on. Set HOLDFAST_PASSWORD (empty for an account without "
                "one), or put "
                "password = \"…\" into a file of mode 0600 and name it with --config FILE."});
    auto typed = ask_secret("Password for " + options.account.aor + ": ");
    if (!typed) return std::unexpected(Refusal{ExitCode::no_password, typed.error()});
    options.account.password = Redacted{*std::move(typed)};
    return {};
}

void keep_memory_private() { ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

}  // namespace holdfast::cli
