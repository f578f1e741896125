// What `holdfast lab run` prints of a scenario's outcomes: a table of the presets beside each
// other, the verdict of each expectation, or JSON.
#pragma once

#include <span>
#include <string>

#include "lab/scenario_run.h"

namespace holdfast::cli {

// Lines of 100 columns at most.
std::string lab_table(const lab::scenario::Scenario& scenario,
                      std::span<const lab::scenario::Findings> outcomes);
// A line for each; those that do not hold in red if there is colour.
std::string lab_verdicts(std::span<const lab::scenario::Findings> outcomes, bool color);
std::string lab_json(const lab::scenario::Scenario& scenario,
                     const lab::scenario::Findings& outcome);  // one line
std::string lab_list_json(const lab::scenario::Scenario& scenario,
                          const std::string& file);  // the same, of one that comes with Holdfast

}  // namespace holdfast::cli
