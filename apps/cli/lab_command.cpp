// holdfast lab: which of its words is meant.
#include "apps/cli/lab_command.h"

#include <algorithm>
#include <array>

#include "apps/cli/command_line.h"
#include "apps/cli/commands.h"

namespace holdfast::cli {

namespace {

constexpr std::array table_of_words{
    LabWord{"run", "FILE...", "runs scenarios and judges them", run_lab_run},
    LabWord{"list", "", "lists the scenarios that come with Holdfast", run_lab_list},
    LabWord{"swarm", "", "random worlds, in which the invariants must hold", run_lab_swarm},
    LabWord{"replay", "RECORDING", "what was recorded, through the engine again", run_lab_replay},
};

}  // namespace

std::span<const LabWord> lab_words() { return table_of_words; }

ExitCode run_lab(const std::vector<std::string>& operands, const std::vector<Setting>& settings) {
    if (operands.empty())
        return complain(ExitCode::usage,
                        "What shall the lab do? holdfast lab --help lists its words");
    const auto word = std::ranges::find(table_of_words, operands.front(), &LabWord::name);
    if (word != table_of_words.end())
        return word->run({operands.begin() + 1, operands.end()}, settings);
    std::vector<std::string_view> known;
    known.reserve(table_of_words.size());
    for (const auto& one : table_of_words) known.push_back(one.name);
    return complain(ExitCode::usage, "The lab knows no \"" + operands.front() + "\"" +
                                         suggestion(operands.front(), known) +
                                         " (holdfast lab --help lists its words)");
}

}  // namespace holdfast::cli
