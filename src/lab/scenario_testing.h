// What tests of scenarios begin with.
#pragma once

#include <string>

#include "lab/scenario.h"

namespace holdfast::lab::scenario {

// Two servers, one phone behind a NAT, a minute.
inline Scenario a_minute() {
    Scenario scenario;
    scenario.name = "test";
    scenario.length = std::chrono::seconds(60);
    scenario.clusters.push_back({.nodes = {"203.0.113.11", "203.0.113.12"}});
    RecordsPlan records;
    for (const auto* text : {"203.0.113.11", "203.0.113.12"})
        records.addresses.push_back(*IpAddress::parse(text));
    scenario.dns.push_back(records);
    scenario.nats.push_back({.mapping = Dependence::address_and_port_dependent, .name = "home"});
    scenario.phones.push_back({.transport = Transport::udp, .behind = "home"});
    scenario.callers.push_back({.phone = "alice", .every = std::chrono::seconds(1)});
    return scenario;
}

inline EventPlan event(Duration at, Deed deed, const std::string& subject) {
    EventPlan plan;
    plan.at = at;
    plan.deed = deed;
    plan.subject = subject;
    return plan;
}

inline Expectation expectation(Measure measure, double limit) {
    Expectation expectation;
    expectation.measure = measure;
    expectation.limit = limit;
    return expectation;
}

}  // namespace holdfast::lab::scenario
