// What `holdfast demo` prints at its end: the table of t1 and t2, the seconds without reachability,
// the verdict. All figures are those of this run.
#pragma once

#include <span>
#include <string>

#include "apps/cli/demo_case.h"

namespace holdfast::cli {

std::string refreshes_table(std::span<const DemoOutcome> outcomes);
std::string reachability_table(std::span<const DemoOutcome> outcomes);
std::string verdict(std::span<const DemoOutcome> outcomes, bool color);
std::string demo_json(const DemoOutcome& outcome);  // one line

}  // namespace holdfast::cli
