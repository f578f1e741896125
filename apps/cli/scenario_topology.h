// The parts of a scenario file that say what there is: servers, DNS, NATs, phones, callers.
#pragma once

#include "apps/cli/scenario_names.h"
#include "apps/cli/toml_tree.h"
#include "lab/scenario.h"

namespace holdfast::cli {

void read_link(TableReader& table, lab::LinkOptions& link);
lab::scenario::ClusterPlan read_cluster(const TomlValue& table, ScenarioNames& names,
                                        Problems& problems);
// The keys of records alone; the reader of the table finishes it.
void read_records(TableReader& table, lab::scenario::RecordsPlan& records,
                  const lab::scenario::Scenario& scenario);
lab::scenario::RecordsPlan read_dns(const TomlValue& table, const lab::scenario::Scenario& scenario,
                                    Problems& problems);
lab::NatOptions read_nat(const TomlValue& table, ScenarioNames& names, Problems& problems);
// The scenario has its length, and the phones before this one.
lab::scenario::PhonePlan read_phone(const TomlValue& table, ScenarioNames& names,
                                    const lab::scenario::Scenario& scenario, Problems& problems);
lab::scenario::CallerPlan read_caller(const TomlValue& table, const ScenarioNames& names,
                                      const lab::scenario::Scenario& scenario, Problems& problems);
// That the moment lies in the scenario, if the key is there.
void must_be_in_time(TableReader& table, std::string_view key, Duration at,
                     const lab::scenario::Scenario& scenario);

}  // namespace holdfast::cli
