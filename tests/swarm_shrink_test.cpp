// A world that fails becomes small: of what was drawn only that stays without which it would not
// fail, and what stays is as it was drawn. Here it is said outright what makes a world fail; with a
// broken rule: tools/check-broken-rules.
#include "lab/swarm_shrink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "lab/swarm.h"

namespace holdfast::lab {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Ge;
using testing::Le;
using testing::UnorderedElementsAre;

bool has_part(const WorldPlan& plan, std::string_view part) {
    const auto parts = parts_of(plan);
    return std::ranges::find(parts, part) != parts.end();
}

WorldPlan large_world() {
    auto plan = draw_world(4, 10min);
    for (std::uint64_t number = 5; plan.phones.size() < 3 || plan.nodes.size() < 3 ||
                                   plan.faults.size() < 12 || !plan.has_nat;
         ++number)
        plan = draw_world(number, 10min);
    return plan;
}

TEST(SwarmShrink, OnlyWhatMakesItFailStays) {
    const auto plan = large_world();
    const auto last = plan.faults.back().number;
    const auto culprit = "fault" + std::to_string(last);
    const auto needs = std::set<std::string>{"fault3", culprit, "phone2", "node3"};
    const auto run = [&](const WorldPlan& world) -> Complaints {
        // With the time go the faults that are not reached: nobody is told of them.
        EXPECT_TRUE(std::ranges::all_of(
            world.faults, [&](const PlannedFault& fault) { return fault.at < world.ends; }));
        const bool all =
            std::ranges::all_of(needs, [&](const auto& part) { return has_part(world, part); });
        return all ? Complaints{"I1: phone2 is not registered"} : Complaints{"I2: something else"};
    };
    // The two faults must be about what stays anyway.
    auto simple = plan;
    for (auto& fault : simple.faults) fault.kind = FaultKind::all_silent;

    const auto small = shrink(simple, "I1", run);

    EXPECT_TRUE(small.is_minimal);
    EXPECT_THAT(parts_of(small.plan), UnorderedElementsAre("fault3", culprit, "phone2", "node3"));
    EXPECT_THAT(small.complaints, ElementsAre("I1: phone2 is not registered"));
    const auto& stayed = small.plan.faults;
    ASSERT_EQ(stayed.size(), 2u);
    EXPECT_EQ(stayed[0].at, simple.faults[2].at);
    EXPECT_EQ(stayed[1].at, simple.faults[last - 1].at);
    EXPECT_THAT(small.plan.ends,
                AllOf(Ge(stayed[1].at), Le(stayed[1].at + stayed[1].lasts + 2 * shortest_time)));
}

TEST(SwarmShrink, TimeAloneMayBeWhatCounts) {
    const auto small = shrink(large_world(), "I5", [](const WorldPlan& world) {
        return world.ends >= 100s ? Complaints{"I5: too many"} : Complaints{};
    });
    EXPECT_TRUE(small.is_minimal);
    EXPECT_THAT(parts_of(small.plan).size(), 2u);  // a phone and a node
    EXPECT_EQ(small.plan.ends, 102s);              // in steps of 3 s
}

TEST(SwarmShrink, LimitOfTriesIsKept) {
    std::size_t runs = 0;
    const auto small = shrink(
        large_world(), "I1",
        [&](const WorldPlan&) {
            ++runs;
            return Complaints{"I1: always"};
        },
        5);
    EXPECT_EQ(runs, 5u);
    EXPECT_EQ(small.tries, 5u);
    EXPECT_FALSE(small.is_minimal);
}

TEST(SwarmShrink, UnknownPartIsAnErrorAndChangesNothing) {
    auto plan = large_world();
    const auto parts = parts_of(plan);
    EXPECT_FALSE(keep_only(plan, {"phone1", "node1", "fault4711"}));
    EXPECT_FALSE(keep_only(plan, {"phone1"}));
    EXPECT_FALSE(keep_only(plan, {"node1"}));
    EXPECT_EQ(parts_of(plan), parts);
    EXPECT_TRUE(keep_only(plan, {"phone1", "node1"}));
    EXPECT_THAT(parts_of(plan), UnorderedElementsAre("phone1", "node1"));
}

// A fault needs what it is about.
TEST(SwarmShrink, FaultsOfWhatIsLeftOutGoWithIt) {
    auto plan = large_world();
    plan.faults = {{.number = 1, .kind = FaultKind::node_silent, .whom = 2},
                   {.number = 2, .kind = FaultKind::phone_crashes, .whom = 2},
                   {.number = 3, .kind = FaultKind::nat_rebinds},
                   {.number = 4, .kind = FaultKind::node_silent, .whom = 0},
                   {.number = 5, .kind = FaultKind::phone_crashes, .whom = 0},
                   {.number = 6, .kind = FaultKind::dns_fails}};
    const auto faults_without = [&](const std::set<std::string>& gone) {
        std::set<std::string> kept;
        for (const auto& part : parts_of(plan))
            if (!gone.contains(part)) kept.insert(part);
        auto smaller = plan;
        EXPECT_TRUE(keep_only(smaller, kept));
        std::vector<std::size_t> numbers;
        for (const auto& fault : smaller.faults) numbers.push_back(fault.number);
        return numbers;
    };
    EXPECT_THAT(faults_without({}), ElementsAre(1, 2, 3, 4, 5, 6));
    EXPECT_THAT(faults_without({"node3"}), ElementsAre(2, 3, 4, 5, 6));
    EXPECT_THAT(faults_without({"phone3"}), ElementsAre(1, 3, 4, 5, 6));
    EXPECT_THAT(faults_without({"nat"}), ElementsAre(1, 2, 4, 5, 6));
    EXPECT_THAT(faults_without({"fault4"}), ElementsAre(1, 2, 3, 5, 6));
}

// What is left out takes nothing with it that was drawn for the rest: ports, tags and the like stay
// the same.
TEST(SwarmShrink, WhatStaysIsAsItWas) {
    const auto first_registers = [](const WorldPlan& plan, std::size_t phone) {
        RandomWorld run(plan);
        run.world().run_for(5s);
        std::vector<std::string> call_ids;
        for (const auto& sent : run.world().phones()[phone]->sent())
            if (sent.method == "REGISTER") call_ids.push_back(sent.call_id);
        return call_ids.empty() ? std::string{} : call_ids.front();
    };
    const auto plan = large_world();
    auto alone = plan;
    ASSERT_TRUE(keep_only(alone, {"phone3", "node1", "node2", "node3", "nat"}));
    EXPECT_FALSE(first_registers(plan, 2).empty());
    EXPECT_EQ(first_registers(alone, 2), first_registers(plan, 2));
    EXPECT_EQ(first_registers(alone, 0), "");
}

// The shorter time draws the same beginning.
TEST(SwarmPlan, ShorterTimeIsTheSameBeginning) {
    const auto whole = draw_world(17, 10min);
    const auto part = draw_world(17, 3min);
    ASSERT_LT(part.faults.size(), whole.faults.size());
    for (std::size_t i = 0; i < part.faults.size(); ++i) {
        EXPECT_EQ(part.faults[i].at, whole.faults[i].at);
        EXPECT_EQ(part.faults[i].kind, whole.faults[i].kind);
    }
}

TEST(SwarmPlan, EveryLifeOfAPartlyWorldHolds) {
    for (std::uint64_t number = 0; number < 20; ++number) {
        auto plan = draw_world(number, 3min);
        ASSERT_TRUE(keep_only(plan, {"phone1", "node1"}));
        const auto result = live_and_repeat(plan);
        EXPECT_TRUE(result.complaints.empty()) << result.complaints.front() << "\n" << result.text;
    }
}

}  // namespace
}  // namespace holdfast::lab
