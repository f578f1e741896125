// The parts of a scenario file that say what happens, and what must hold.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "apps/cli/scenario_topology.h"

namespace holdfast::cli {

lab::scenario::EventPlan read_event(const TomlValue& table, const ScenarioNames& names,
                                    const lab::scenario::Scenario& scenario, Problems& problems);
// One for each limit in the table. The scenario has its events.
std::vector<lab::scenario::Expectation> read_expect(const TomlValue& table,
                                                    const ScenarioNames& names,
                                                    const lab::scenario::Scenario& scenario,
                                                    Problems& problems);

}  // namespace holdfast::cli
