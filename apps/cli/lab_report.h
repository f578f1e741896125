// What `holdfast lab run` prints of a scenario's outcomes: a table of the presets beside each
// other, the verdict of each expectation, or JSON.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lab/scenario_run.h"

namespace holdfast::cli {

// Lines of 100 columns at most.
std::string lab_table(const lab::scenario::Scenario& scenario,
                      std::span<const lab::scenario::Findings> outcomes);
// The same of one preset: what is measured, and what it came to.
std::vector<std::pair<std::string, std::string>> lab_figures(
    const lab::scenario::Scenario& scenario, const lab::scenario::Findings& outcome);
// "holdfast alice: worst gap ≤ 1.5 s: 1.1 s".
std::string lab_verdict(const lab::scenario::Verdict& verdict);
// A line for each; those that do not hold in red if there is colour.
std::string lab_verdicts(std::span<const lab::scenario::Findings> outcomes, bool color);
std::string lab_json(const lab::scenario::Scenario& scenario,
                     const lab::scenario::Findings& outcome);  // one line
std::string lab_list_json(const lab::scenario::Scenario& scenario,
                          const std::string& file);  // the same, of one that comes with Holdfast

}  // namespace holdfast::cli
