// What an event of a scenario does to its world.
#include "lab/scenario_stage.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "lab/scenario_testing.h"

namespace holdfast::lab::scenario {
namespace {

using namespace std::chrono_literals;

// Whoever moves without saying where gets an address that nobody has or had, each time.
TEST(ScenarioStage, WhoMovesGetsAnAddressThatNobodyHas) {
    auto scenario = a_minute();
    scenario.phones.push_back({.name = "crowd", .count = 200, .transport = Transport::udp});
    Stage stage(scenario, {});
    std::set<std::string> seen;
    for (const auto& actor : stage.actors())
        for (const auto& address : actor.phone->addresses()) seen.insert(address.to_string());
    auto moves = event(1s, Deed::phone_moves, "alice");
    for (auto i = 0; i < 500; ++i) {
        moves.behind = i % 2 == 0 ? "" : "home";
        stage.perform(moves);
        const auto address = stage.actors().front().phone->addresses().front().to_string();
        EXPECT_TRUE(seen.insert(address).second) << address;
    }
}

dns::Status status_of(Stage& stage, const std::string& name) {
    return stage.world().dns().ask({.name = name, .type = dns::RecordType::a}).answer.status;
}

// As docs/lab.md lists it: failures and names that have vanished, not what was changed.
TEST(ScenarioStage, AWorldThatHealsHasItsNames) {
    auto scenario = a_minute();
    scenario.dns.push_back(scenario.dns.front());
    scenario.dns.back().name = "other.test";
    Stage stage(scenario, {});
    stage.perform(event(1s, Deed::dns_removes, "Example.test"));
    EXPECT_EQ(status_of(stage, "example.test"), dns::Status::nxdomain);
    stage.perform(event(2s, Deed::world_heals, ""));
    EXPECT_EQ(status_of(stage, "example.test"), dns::Status::ok);
    auto changes = event(3s, Deed::dns_changes, "other.test");
    changes.records.name = "other.test";
    changes.records.addresses = {*IpAddress::parse("203.0.113.12")};
    stage.perform(changes);
    stage.perform(event(4s, Deed::world_heals, ""));
    const auto answer =
        stage.world().dns().peek({.name = "other.test", .type = dns::RecordType::a});
    EXPECT_EQ(answer.records.size(), 1U);
}

// One name heals; the others do not.
TEST(ScenarioStage, ANameInDnsHealsAlone) {
    auto scenario = a_minute();
    scenario.dns.push_back(scenario.dns.front());
    scenario.dns.back().name = "other.test";
    Stage stage(scenario, {});
    const auto both = [&] {
        return std::pair{status_of(stage, "example.test"), status_of(stage, "other.test")};
    };
    const auto ok = dns::Status::ok;
    const auto servfail = dns::Status::servfail;
    stage.perform(event(1s, Deed::dns_fails, "Example.test"));
    stage.perform(event(1s, Deed::dns_fails, "other.test"));
    EXPECT_EQ(both(), std::pair(servfail, servfail));
    stage.perform(event(2s, Deed::dns_heals, "other.test"));
    EXPECT_EQ(both(), std::pair(servfail, ok));
    stage.perform(event(3s, Deed::dns_fails, ""));
    EXPECT_EQ(both(), std::pair(servfail, servfail));
    stage.perform(event(4s, Deed::dns_heals, "example.test"));
    EXPECT_EQ(both(), std::pair(ok, servfail));
    stage.perform(event(5s, Deed::dns_removes, "example.test"));
    stage.perform(event(6s, Deed::dns_heals, "example.test"));
    EXPECT_EQ(both(), std::pair(ok, servfail));
}

// More callers than fit into one net, and whoever moves among them.
TEST(ScenarioStage, WhoMovesTakesNoCallersAddress) {
    auto scenario = a_minute();
    scenario.phones.push_back({.name = "crowd", .count = 60, .transport = Transport::udp});
    scenario.callers = {{.every = 1s}};
    Stage stage(scenario, {});
    stage.world().run_for(100ms);
    std::set<std::string> callers;
    for (const auto& actor : stage.actors())
        for (const auto* caller : actor.callers) callers.insert(caller->options().address);
    ASSERT_EQ(callers.size(), 61U);
    for (auto i = 0; i < 200; ++i) {
        stage.perform(event(1s, Deed::phone_moves, "alice"));
        const auto address = stage.actors().front().phone->addresses().front().to_string();
        EXPECT_FALSE(callers.contains(address)) << address;
    }
}

TEST(ScenarioStage, AWorldThatHealsHasGoodCertificates) {
    auto scenario = a_minute();
    Stage stage(scenario, {});
    const auto& node = *stage.world().clusters().front()->nodes().front();
    stage.perform(event(1s, Deed::node_certificate_expires, "node1"));
    EXPECT_TRUE(node.certificate().expired);
    stage.perform(event(2s, Deed::world_heals, ""));
    EXPECT_FALSE(node.certificate().expired);
}

}  // namespace
}  // namespace holdfast::lab::scenario
