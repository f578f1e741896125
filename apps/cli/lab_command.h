// holdfast lab WORD …: what there is, once, for the command, its help and the completions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/cli/exit_code.h"
#include "apps/cli/options.h"

namespace holdfast::cli {

struct LabWord {
    std::string_view word;
    std::string_view operand;  // "RECORDING"; "": none
    std::string_view meaning;
    // operands: those after the word.
    ExitCode (*run)(const std::vector<std::string>& operands,
                    const std::vector<Setting>& settings) = nullptr;
};

std::span<const LabWord> lab_words();

ExitCode run_lab_swarm(const std::vector<std::string>& operands,
                       const std::vector<Setting>& settings);
ExitCode run_lab_replay(const std::vector<std::string>& operands,
                        const std::vector<Setting>& settings);

}  // namespace holdfast::cli
