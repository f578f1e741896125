#include "apps/cli/lab_command.h"

#include <algorithm>
#include <array>

#include "apps/cli/command_line.h"
#include "apps/cli/commands.h"

namespace holdfast::cli {

namespace {

constexpr std::array table{
    LabWord{"swarm", "", "random worlds, in which the invariants must hold", run_lab_swarm},
    LabWord{"replay", "RECORDING", "what was recorded, through the engine again", run_lab_replay},
};

}  // namespace

std::span<const LabWord> lab_words() { return table; }

ExitCode run_lab(const std::vector<std::string>& operands, const std::vector<Setting>& settings) {
    std::vector<std::string_view> known;
    known.reserve(table.size());
    for (const auto& word : table) known.push_back(word.word);
    if (operands.empty())
        return complain(ExitCode::usage,
                        "What shall the lab do? holdfast lab --help lists the words");
    const auto& name = operands.front();
    const auto word = std::ranges::find(table, name, &LabWord::word);
    if (word == table.end())
        return complain(ExitCode::usage, "The lab knows no " + name + suggestion(name, known) +
                                             " (holdfast lab --help lists its words)");
    const std::vector<std::string> rest(operands.begin() + 1, operands.end());
    if (word->operand.empty() && !rest.empty())
        return complain(ExitCode::usage, "\"" + rest.front() + "\" is one argument too many");
    if (!word->operand.empty() && rest.empty())
        return complain(ExitCode::usage,
                        "holdfast lab " + name + " needs " + std::string(word->operand));
    return word->run(rest, settings);
}

}  // namespace holdfast::cli
