// The commands there are; what each does is in a file of its name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/cli/exit_code.h"
#include "apps/cli/options.h"

namespace holdfast::cli {

struct Command {
    std::string_view name;
    std::string_view operand;   // "AOR"; "" : none
    std::string_view summary;   // one line
    std::string_view text;      // of --help: what it does
    std::uint16_t options = 0;  // which of the table (Commands)
    // operands: as typed; settings: the command line's.
    ExitCode (*run)(const std::vector<std::string>& operands,
                    const std::vector<Setting>& settings) = nullptr;
    std::size_t operands_most = 1;  // if there is an operand at all
};

std::span<const Command> commands();

ExitCode run_register(const std::vector<std::string>& operands,
                      const std::vector<Setting>& settings);
ExitCode run_call(const std::vector<std::string>& operands, const std::vector<Setting>& settings);
ExitCode run_answer(const std::vector<std::string>& operands, const std::vector<Setting>& settings);
ExitCode run_phone(const std::vector<std::string>& operands, const std::vector<Setting>& settings);
ExitCode run_ctl(const std::vector<std::string>& operands, const std::vector<Setting>& settings);
ExitCode run_devices(const std::vector<std::string>& operands,
                     const std::vector<Setting>& settings);
ExitCode run_resolve(const std::vector<std::string>& operands,
                     const std::vector<Setting>& settings);
ExitCode run_doctor(const std::vector<std::string>& operands, const std::vector<Setting>& settings);
ExitCode run_presets(const std::vector<std::string>& operands,
                     const std::vector<Setting>& settings);
ExitCode run_policy(const std::vector<std::string>& operands, const std::vector<Setting>& settings);
// Only comes back if it cannot begin.
ExitCode run_fleet(const std::vector<std::string>& operands, const std::vector<Setting>& settings);
ExitCode run_lab(const std::vector<std::string>& operands, const std::vector<Setting>& settings);
ExitCode run_trace(const std::vector<std::string>& operands, const std::vector<Setting>& settings);
ExitCode run_demo(const std::vector<std::string>& operands, const std::vector<Setting>& settings);

// The whole program; arguments without the program's name.
ExitCode run(const std::vector<std::string>& arguments);

// "holdfast: …" on standard error.
ExitCode complain(ExitCode code, std::string_view sentence);

}  // namespace holdfast::cli
