// What `holdfast lab WORD` can do; each word is in a file of its name.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/cli/exit_code.h"
#include "apps/cli/options.h"

namespace holdfast::cli {

struct LabWord {
    std::string_view name;
    std::string_view operand;                   // "FILE…"; "": none
    std::string_view meaning;                   // a menu's line
    std::span<const std::string_view> options;  // of those of `lab`: any other means nothing to it
    // operands: those after the word.
    ExitCode (*run)(const std::vector<std::string>& operands,
                    const std::vector<Setting>& settings) = nullptr;
};
std::span<const LabWord> lab_words();

ExitCode run_lab_run(const std::vector<std::string>& operands,
                     const std::vector<Setting>& settings);
ExitCode run_lab_list(const std::vector<std::string>& operands,
                      const std::vector<Setting>& settings);
ExitCode run_lab_swarm(const std::vector<std::string>& operands,
                       const std::vector<Setting>& settings);
ExitCode run_lab_replay(const std::vector<std::string>& operands,
                        const std::vector<Setting>& settings);

}  // namespace holdfast::cli
