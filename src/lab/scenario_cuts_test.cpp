// Ways that are cut between a phone, or a whole network, and one server.
#include <gtest/gtest.h>

#include <string>

#include "lab/scenario_stage.h"
#include "lab/scenario_testing.h"

namespace holdfast::lab::scenario {
namespace {

using namespace std::chrono_literals;

// Two phones behind one NAT, which is behind another; one in the internet.
Scenario three_phones() {
    auto scenario = a_minute();
    scenario.nats.front().behind = "carrier";
    scenario.nats.insert(scenario.nats.begin(), NatOptions{.name = "carrier"});
    scenario.phones.push_back({.name = "bob", .transport = Transport::udp, .behind = "home"});
    scenario.phones.push_back({.name = "carol", .transport = Transport::udp});
    scenario.callers.clear();
    return scenario;
}

EventPlan cut_of(const std::string& one, const std::string& node, Deed deed = Deed::cut_both_ways) {
    auto plan = event(1s, deed, node);
    plan.cut_off = one;
    return plan;
}

// Who is cut off from the node: "alice carol".
std::string cut_off_from(Stage& stage, const char* node) {
    std::string names;
    for (const auto& actor : stage.actors())
        if (stage.world().is_cut_off(*actor.phone, *IpAddress::parse(node)))
            names += (names.empty() ? "" : " ") + actor.plan;
    return names;
}

TEST(ScenarioCuts, OneIsCutOffAndItsNeighboursAreNot) {
    const auto scenario = three_phones();
    Stage stage(scenario, {});
    const struct {
        std::string one;
        std::string cut_off;
    } cases[] = {{"alice", "alice"},
                 {"carol", "carol"},
                 {"home", "alice bob"},
                 {"carrier", "alice bob"},
                 {"node2", ""}};
    for (const auto& [one, cut_off] : cases) {
        EXPECT_TRUE(stage.perform(cut_of(one, "node1")));
        EXPECT_EQ(cut_off_from(stage, "203.0.113.11"), cut_off) << one;
        EXPECT_EQ(cut_off_from(stage, "203.0.113.12"), "") << one;
        EXPECT_TRUE(stage.perform(cut_of(one, "node1", Deed::cut_heals)));
        EXPECT_EQ(cut_off_from(stage, "203.0.113.11"), "") << one;
        EXPECT_FALSE(stage.perform(cut_of(one, "node1", Deed::cut_heals))) << "nothing was cut";
    }
}

TEST(ScenarioCuts, AWorldThatHealsHasAllWays) {
    const auto scenario = three_phones();
    Stage stage(scenario, {});
    for (const auto* one : {"alice", "home", "carol"}) stage.perform(cut_of(one, "node1"));
    EXPECT_EQ(cut_off_from(stage, "203.0.113.11"), "alice bob carol");
    stage.perform(event(2s, Deed::world_heals, ""));
    EXPECT_EQ(cut_off_from(stage, "203.0.113.11"), "");
}

struct Heard {
    std::size_t by_node = 0;
    std::size_t by_phone = 0;
};

// What a datagram each way becomes, through the phone's own NAT and all others.
Heard heard_between(Stage& stage, const std::string& name) {
    auto& world = stage.world();
    std::size_t number = 0;
    while (stage.actors()[number].plan != name) ++number;
    const auto* const lost_line = "hello  ✗ the way is cut";  // not an answer to it
    const auto lost = [&] {
        const auto text = world.ladder();
        std::size_t found = 0;
        for (auto at = text.find(lost_line); at != std::string::npos;
             at = text.find(lost_line, at + 1))
            ++found;
        return found;
    };
    auto& phone = *stage.actors()[number].phone;
    const Endpoint own{phone.addresses().front(), 40'000};
    const Endpoint node{*IpAddress::parse("203.0.113.11"), 5060};
    auto* nat = phone.options().behind;
    auto before = lost();
    auto& uplink = nat != nullptr ? static_cast<Uplink&>(*nat) : world.internet();
    uplink.send({.from = own, .to = node, .bytes = "hello"});
    world.run_for(100ms);
    Heard heard;
    heard.by_node = 1 - (lost() - before);
    auto to = own;
    for (; nat != nullptr; nat = nat->outer()) to = *nat->mapping_of(false, to, node);
    before = lost();
    world.internet().send({.from = node, .to = to, .bytes = "hello"});
    world.run_for(100ms);
    heard.by_phone = 1 - (lost() - before);
    return heard;
}

TEST(ScenarioCuts, OneWayIsLostAndTheOtherIsNot) {
    const auto scenario = three_phones();
    for (const auto* one : {"alice", "home", "carrier", "carol"}) {
        Stage stage(scenario, {});
        const std::string phone = std::string(one) == "carol" ? "carol" : "alice";
        const auto check = [&](bool node_hears, bool phone_hears) {
            const auto heard = heard_between(stage, phone);
            EXPECT_EQ(heard.by_node, node_hears ? 1U : 0U) << one;
            EXPECT_EQ(heard.by_phone, phone_hears ? 1U : 0U) << one;
        };
        check(true, true);
        stage.perform(cut_of(one, "node1", Deed::cut_way_out));
        check(false, true);
        EXPECT_EQ(cut_off_from(stage, "203.0.113.11").substr(0, 5), phone);  // no answer, no call
        stage.perform(cut_of(one, "node1", Deed::cut_heals));
        stage.perform(cut_of(one, "node1", Deed::cut_way_in));
        check(true, false);
        EXPECT_EQ(cut_off_from(stage, "203.0.113.11").substr(0, 5), phone);
        stage.perform(cut_of(one, "node1", Deed::cut_heals));
        check(true, true);
        stage.perform(cut_of(one, "node1"));
        check(false, false);
    }
}

// It moves out of the broken network, and the way back in it is broken still, until it heals.
TEST(ScenarioCuts, WhoMovesAwayIsOutOfIt) {
    const auto scenario = three_phones();
    Stage stage(scenario, {});
    stage.perform(cut_of("alice", "node1"));
    stage.perform(event(2s, Deed::phone_moves, "alice"));
    EXPECT_EQ(cut_off_from(stage, "203.0.113.11"), "");
    EXPECT_TRUE(stage.perform(cut_of("alice", "node1", Deed::cut_heals)));
}

// Nobody is there to be cut off: the table says so.
TEST(ScenarioCuts, WhoIsUnpluggedIsNotHit) {
    const auto scenario = three_phones();
    Stage stage(scenario, {});
    stage.perform(event(1s, Deed::phone_is_unplugged, "carol"));
    EXPECT_FALSE(stage.perform(cut_of("carol", "node1")));
}

}  // namespace
}  // namespace holdfast::lab::scenario
