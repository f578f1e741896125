// Runs a scenario in virtual time with one preset and one seed, and says what it came to. The same
// scenario, preset and seed give the same outcome, always (I7).
//
//     const auto outcome = scenario::run(scenario, {.preset = "microsip", .seed = 7});
//     outcome.total.worst_gap … outcome.verdicts …
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lab/scenario.h"
#include "lab/scenario_figures.h"
#include "lab/scenario_stage.h"

namespace holdfast::lab::scenario {

struct Chronicle;  // scenario_chronicle.h

struct PhoneFindings {
    std::string name;
    std::string preset;
    Figures figures;
};

struct Verdict {
    std::string phone;                         // whom it is about
    const Expectation* expectation = nullptr;  // of the scenario that was run
    std::optional<Window> window{};            // nothing: all of it
    double seen = 0;                           // in the unit of its measure
    std::string seen_node{};
    bool holds = false;
};

struct Findings {
    std::string preset;
    std::uint64_t seed = 1;
    std::vector<std::string> events{};  // their labels, in order
    std::vector<bool> hit{};            // whether an event was about anybody, in the same order
    std::vector<PhoneFindings> phones{};
    Figures total{};
    std::size_t bans = 0;
    std::vector<Verdict> verdicts{};  // of each phone by what is expected of the preset it runs
    std::string story{};              // events of the phones, then the ladder; "" if all holds
    std::uint64_t trace_hash = 0;     // I7
    std::shared_ptr<const Chronicle> chronicle{};  // if it was asked for

    [[nodiscard]] bool holds() const;
};

// The scenario stays where it is for as long as the outcome is used.
Findings run(const Scenario& scenario, const RunOptions& options);

}  // namespace holdfast::lab::scenario
