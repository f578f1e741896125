// From what the user typed to what a command works with: the file, the command line, the password.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "apps/cli/exit_code.h"
#include "apps/cli/options.h"

namespace holdfast::cli {

struct Refusal {
    ExitCode code = ExitCode::usage;
    std::string sentence;
};

// The file that --config names first, then the command line over it. Settings of the file that the
// command has no option for are legal: one file serves register and resolve.
std::expected<Options, Refusal> gather(const std::vector<Setting>& command_line);

// HOLDFAST_PASSWORD, else the file's, else a prompt on the terminal. An empty HOLDFAST_PASSWORD is
// an account without.
std::expected<void, Refusal> find_password(Options& options);

// From here on the process has something to hide: no core dump, and /proc/PID/mem and
// /proc/PID/environ are root's alone (docs/security.md).
void keep_memory_private();

}  // namespace holdfast::cli
