// The parts of a scenario file that say what there is: servers, DNS, NATs, phones, callers.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "apps/cli/toml_tree.h"
#include "lab/scenario.h"

namespace holdfast::cli {

// What others may name. "" is never in it.
struct ScenarioNames {
    std::set<std::string, std::less<>> clusters;
    std::set<std::string, std::less<>> nodes;
    std::set<std::string, std::less<>> nats;
    std::set<std::string, std::less<>> phones;
};

// "there is no NAT \"hme\"; did you mean home?"
std::string unknown_name(std::string_view kind, std::string_view name,
                         const std::set<std::string, std::less<>>& known);

void read_link(TableReader& table, lab::LinkOptions& link);
lab::scenario::ClusterPlan read_cluster(const TomlValue& table, ScenarioNames& names,
                                        Problems& problems);
// The keys of records alone; the reader of the table finishes it.
void read_records(TableReader& table, lab::scenario::RecordsPlan& records,
                  const lab::scenario::Scenario& scenario);
lab::scenario::RecordsPlan read_dns(const TomlValue& table, const lab::scenario::Scenario& scenario,
                                    Problems& problems);
lab::NatOptions read_nat(const TomlValue& table, ScenarioNames& names, Problems& problems);
lab::scenario::PhonePlan read_phone(const TomlValue& table, ScenarioNames& names,
                                    Problems& problems);
lab::scenario::CallerPlan read_caller(const TomlValue& table, const ScenarioNames& names,
                                      Problems& problems);

}  // namespace holdfast::cli
