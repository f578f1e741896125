// holdfast lab: which of its words is meant.
#include "apps/cli/lab_command.h"

#include <algorithm>
#include <array>

#include "apps/cli/command_line.h"
#include "apps/cli/commands.h"

namespace holdfast::cli {

namespace {

constexpr std::array<std::string_view, 5> of_run{"preset", "set", "seed", "json", "html"};
constexpr std::array<std::string_view, 1> of_list{"json"};
constexpr std::array<std::string_view, 5> of_swarm{"runs", "seed", "minutes", "keep", "json"};
constexpr std::array<std::string_view, 1> of_replay{"json"};

constexpr std::array table_of_words{
    LabWord{"run", "FILE...", "runs scenarios and judges them", of_run, run_lab_run},
    LabWord{"list", "", "lists the scenarios that come with Holdfast", of_list, run_lab_list},
    LabWord{"swarm", "", "random worlds, in which the invariants must hold", of_swarm,
            run_lab_swarm},
    LabWord{"replay", "RECORDING", "what was recorded, through the engine again", of_replay,
            run_lab_replay},
};

bool takes(const LabWord& word, std::string_view option) {
    return std::ranges::find(word.options, option) != word.options.end();
}

// An option of another word: who gave it believes that it does something.
std::string complaint_of(const LabWord& word, const Setting& setting) {
    std::string others;
    for (const auto& other : table_of_words)
        if (takes(other, setting.key))
            others += (others.empty() ? "" : " and ") + std::string("lab ").append(other.name);
    return setting.where + " means nothing to lab " + std::string(word.name) + ": it is of " +
           others;
}

}  // namespace

std::span<const LabWord> lab_words() { return table_of_words; }

ExitCode run_lab(const std::vector<std::string>& operands, const std::vector<Setting>& settings) {
    if (operands.empty())
        return complain(ExitCode::usage,
                        "What shall the lab do? holdfast lab --help lists its words");
    const auto word = std::ranges::find(table_of_words, operands.front(), &LabWord::name);
    if (word != table_of_words.end()) {
        for (const auto& setting : settings)
            if (!takes(*word, setting.key))
                return complain(ExitCode::usage, complaint_of(*word, setting));
        return word->run({operands.begin() + 1, operands.end()}, settings);
    }
    std::vector<std::string_view> known;
    known.reserve(table_of_words.size());
    for (const auto& one : table_of_words) known.push_back(one.name);
    return complain(ExitCode::usage, "The lab knows no \"" + operands.front() + "\"" +
                                         suggestion(operands.front(), known) +
                                         " (holdfast lab --help lists its words)");
}

}  // namespace holdfast::cli
