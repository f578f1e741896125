// That the swarm looks where it says it does (docs/swarm.md): worlds in which an invariant cannot
// hold, made by hand, and what is complained of. With broken rules: tools/check-broken-rules.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "lab/swarm.h"
#include "lab/swarm_shrink.h"

namespace holdfast::lab {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::Each;
using testing::IsEmpty;
using testing::Not;
using testing::ResultOf;
using testing::StartsWith;

// Two nodes that share their bindings, behind SRV without priorities, and one phone over UDP.
WorldPlan plain_world() {
    auto plan = draw_world(1, 1min);
    plan.link = {.one_way_delay = 20ms};
    plan.nodes = {{.addresses = "203.0.113.11"}, {.addresses = "203.0.113.12"}};
    plan.families = 2;
    plan.cluster = {.location = Location::shared};
    plan.records = {.ttl = 5s, .rotate = true};
    plan.srv = plan.priorities = false;
    plan.nat.reset();
    plan.has_nat = false;
    plan.phones = {{.transport = Transport::udp, .expires = 120s}};
    plan.faults.clear();
    return plan;
}

auto is_about(std::string_view invariant) {
    return ResultOf([](const std::string& complaint) { return kind_of(complaint); }, invariant);
}

TEST(SwarmChecks, PlainWorldHolds) {
    EXPECT_THAT(live_and_repeat(plain_world()).complaints, IsEmpty());
}

// I3. A failure in the life of rotating answers must fail again when the shrinker lives that life.
TEST(SwarmChecks, UnregisteredAtRestIsI3) {
    RandomWorld run(plain_world());
    run.cluster().silence();
    const auto complaints = run.rotate_only(1min);
    EXPECT_THAT(complaints, Not(IsEmpty()));
    EXPECT_THAT(complaints, Each(is_about("I3")));
}

// The worlds whose servers send a phone away are looked at too: here it never gets in.
TEST(SwarmChecks, FullServerIsLookedAtAtRest) {
    auto plan = plain_world();
    plan.cluster.server.rules.max_contacts = 1;
    plan.phones.front().has_other_device = true;
    EXPECT_THAT(live_and_repeat(plan).complaints, Contains(is_about("I3")));
}

// Drawn worlds: in two a refresh is refused for the number of Contacts, in the other two a
// connection is given up without its pong, and the phone goes to another server.
TEST(SwarmChecks, WhoIsSentAwayMayMove) {
    std::size_t moves = 0;
    for (const std::uint64_t number : {799ULL, 2108ULL, 1918ULL, 2688ULL}) {
        RandomWorld run(number);
        EXPECT_THAT(run.rotate_only(10min), IsEmpty()) << number;
        for (const auto& phone : run.world().phones()) moves += phone->count(EventKind::moved);
    }
    EXPECT_GT(moves, 0u) << "they are no examples any more";
}

// Its server falls silent: a reason to move, but none of those two.
std::size_t moves_complained_of(const WorldPlan& plan) {
    RandomWorld run(plan);
    auto& world = run.world();
    world.at(20s, [&] {
        run.cluster()
            .node_at(world.phones().front()->current_target()->endpoint.address)
            ->silence();
    });
    const auto complaints = run.rotate_only(2min);
    return static_cast<std::size_t>(std::ranges::count_if(
        complaints, [](const std::string& c) { return c.contains("moved"); }));
}

TEST(SwarmChecks, NoOtherMoveAtRestIsExcused) {
    auto plan = plain_world();
    EXPECT_EQ(moves_complained_of(plan), 1u);
    plan.cluster.server.rules.outbound = true;  // two flows: a third node to go to
    plan.nodes.push_back({.addresses = "203.0.113.13"});
    plan.cluster.server.pong = false;
    EXPECT_EQ(moves_complained_of(plan), 1u) << "no pong, and over UDP none is missed";
    plan = plain_world();
    plan.cluster.server.rules.max_contacts = 2;
    EXPECT_EQ(moves_complained_of(plan), 1u) << "there is room for two Contacts";
    plan.phones.front().has_other_device = true;
    EXPECT_EQ(moves_complained_of(plan), 1u) << "nothing was refused";
}

// I2. A NAT that forgets a mapping in 5 s of silence gives each keep-alive another one: the Contact
// rests (K3) for ever. What the bad minutes did is over at some time; this is not.
TEST(SwarmChecks, MappingThatNeverRestsIsNoExcuse) {
    auto plan = plain_world();
    plan.ends = 3min;
    plan.has_nat = true;
    plan.nat = NatOptions{.mapping = Dependence::address_and_port_dependent,
                          .filtering = Dependence::address_and_port_dependent,
                          .ports = PortChoice::random,
                          .udp_timeout = 5s};
    const auto result = live(plan);
    EXPECT_THAT(result.complaints, Contains(StartsWith("I2: stale binding of phone1")))
        << result.text;
}

// I7 compares all that was sent, after healing too.
TEST(SwarmChecks, TraceGoesToTheEnd) {
    const auto plan = plain_world();
    RandomWorld run(plan);
    run.suffer();
    const auto at_healing = run.world().trace_hash();
    run.heal_and_check();
    EXPECT_EQ(live(plan).trace, run.world().trace_hash());
    EXPECT_NE(live(plan).trace, at_healing);
}

TEST(SwarmChecks, NumbersInWordsAreWhole) {
    EXPECT_EQ(short_seconds(12'340ms), "12.34");
    EXPECT_EQ(short_number(0.0213), "0.021");
    EXPECT_EQ(short_seconds(1'234'567ms), "1234");
    EXPECT_EQ(short_seconds(604'800s), "604800");  // the longest time that --minutes takes
}

}  // namespace
}  // namespace holdfast::lab
