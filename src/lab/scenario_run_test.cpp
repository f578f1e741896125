// Scenarios are measured as their words say: what a gap is, from when to when, and of whose time; a
// limit is a limit; and the same scenario, preset and seed give the same run (I7).
//
// Not here: how files are read (apps/cli/scenario_file_test.cpp), and what Holdfast does in the
// scenarios that come with it (apps/cli/shipped_scenarios_test.cpp).
#include "lab/scenario_run.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "lab/scenario_testing.h"

namespace holdfast::lab::scenario {
namespace {

using namespace std::chrono_literals;

TEST(ScenarioRun, AQuietMinuteIsReachableFromItsFirstAnswerOn) {
    const auto scenario = a_minute();
    const auto outcome = run(scenario, {});
    const auto& f = outcome.total;
    EXPECT_EQ(f.there, 60);
    EXPECT_GT(f.registered_after, 0);
    EXPECT_LT(f.registered_after, 0.2);
    EXPECT_NEAR(f.reachable, 60 - f.worst_gap, 1e-6);
    EXPECT_LE(f.worst_gap, f.registered_after);  // the binding is there before its 200
    EXPECT_EQ(f.moves, 0U);
    EXPECT_EQ(f.stale_most, 0U);
    EXPECT_EQ(f.bindings_most, 1U);
    EXPECT_EQ(f.registers, 2U);  // and the answer to the challenge
    EXPECT_EQ(f.calls, 60U);
    EXPECT_EQ(f.lost, 1U);  // the one that came with the phone's first REGISTER
}

// The outage of all servers lasts from 10 s to 20 s: from its beginning nobody rings.
TEST(ScenarioRun, AGapLastsFromTheFaultToTheFirstWayBack) {
    auto scenario = a_minute();
    auto dies = event(10s, Deed::node_silent, "");
    dies.choice = NodeChoice::all;
    auto returns = event(20s, Deed::node_heals, "");
    returns.choice = NodeChoice::all;
    returns.label = "they return";
    scenario.events = {dies, returns};
    const auto outcome = run(scenario, {});
    ASSERT_EQ(outcome.events, (std::vector<std::string>{"all silent", "they return"}));
    EXPECT_EQ(outcome.total.worst_gap, 10);  // the binding outlived it
    EXPECT_FALSE(outcome.total.gap_lasts);
    EXPECT_EQ(outcome.total.recovery, (std::vector<double>{10, 0}));
    EXPECT_GE(outcome.total.lost, 10U);
}

TEST(ScenarioRun, AGapToTheEndIsToldAsOne) {
    auto scenario = a_minute();
    auto dies = event(10s, Deed::node_silent, "");
    dies.choice = NodeChoice::all;
    scenario.events = {dies};
    scenario.expectations = {expectation(Measure::gap_at_most, 1000)};
    const auto outcome = run(scenario, {});
    EXPECT_TRUE(outcome.total.gap_lasts);
    EXPECT_TRUE(outcome.total.worst_lasts);
    EXPECT_EQ(outcome.total.worst_gap, 50);
    EXPECT_EQ(outcome.total.recovery, (std::vector<double>{Figures::not_yet}));
    EXPECT_FALSE(outcome.holds());  // whatever the limit: nobody knows when it would have ended
    EXPECT_NE(outcome.story.find("all silent"), std::string::npos);
}

// Who is switched off, asleep or unplugged is missed by nobody.
TEST(ScenarioRun, TimeInWhichThePhoneIsNotThereIsNoGap) {
    auto scenario = a_minute();
    scenario.phones.front().on = 5s;
    scenario.events = {event(20s, Deed::phone_sleeps, "alice"),
                       event(30s, Deed::phone_wakes, "alice")};
    const auto outcome = run(scenario, {});
    EXPECT_EQ(outcome.total.there, 45);
    EXPECT_LT(outcome.total.worst_gap, 0.2);
    EXPECT_LT(outcome.total.registered_after, 0.2);
}

// A window cuts what is counted, shares and gaps alike.
TEST(ScenarioRun, AnExpectationSeesItsWindowOnly) {
    auto scenario = a_minute();
    auto dies = event(10s, Deed::node_silent, "");
    dies.choice = NodeChoice::all;
    auto returns = event(20s, Deed::node_heals, "");
    returns.choice = NodeChoice::all;
    scenario.events = {dies, returns};
    auto before = expectation(Measure::reachable_at_least, 100);
    before.from = 1s;
    before.to = 10s;
    auto during = expectation(Measure::gap_at_most, 5);
    during.from = 15s;
    during.to = 30s;
    auto across = expectation(Measure::gap_at_most, 4.9);
    across.from = 15s;
    across.to = 30s;
    scenario.expectations = {before, during, across};
    const auto outcome = run(scenario, {});
    ASSERT_EQ(outcome.verdicts.size(), 3U);
    EXPECT_TRUE(outcome.verdicts[0].holds);
    EXPECT_TRUE(outcome.verdicts[1].holds) << outcome.verdicts[1].seen;
    EXPECT_FALSE(outcome.verdicts[2].holds) << outcome.verdicts[2].seen;
}

// A comparison does not fail by itself: what no preset is named for is expected of holdfast.
TEST(ScenarioRun, ExpectationsAreOfThePresetTheyName) {
    auto scenario = a_minute();
    auto impossible = expectation(Measure::moves, 7);
    auto others = expectation(Measure::moves, 8);
    others.preset = "microsip";
    scenario.expectations = {impossible, others};
    EXPECT_EQ(run(scenario, {}).verdicts.size(), 1U);
    EXPECT_EQ(run(scenario, {}).verdicts.front().expectation, &scenario.expectations[0]);
    EXPECT_EQ(run(scenario, {.preset = "microsip"}).verdicts.front().expectation,
              &scenario.expectations[1]);
    EXPECT_TRUE(run(scenario, {.preset = "fleet"}).holds());
}

TEST(ScenarioRun, APhoneKeepsThePresetItNames) {
    auto scenario = a_minute();
    scenario.phones.push_back({.name = "bob", .count = 2, .preset = "microsip"});
    const auto outcome = run(scenario, {.preset = "fleet"});
    ASSERT_EQ(outcome.phones.size(), 3U);
    EXPECT_EQ(outcome.phones[0].preset, "fleet");
    EXPECT_EQ(outcome.phones[1].name, "bob1");
    EXPECT_EQ(outcome.phones[2].preset, "microsip");
    for (const auto& phone : outcome.phones) EXPECT_GT(phone.figures.reachable, 59) << phone.name;
}

// So it is judged for the preset that it runs, whatever the others run; and for no other.
TEST(ScenarioRun, APhoneIsJudgedForThePresetItRuns) {
    auto scenario = a_minute();
    scenario.phones.push_back({.name = "bob", .count = 2, .preset = "microsip"});
    auto of_microsip = expectation(Measure::moves, 0);
    of_microsip.preset = "microsip";
    auto of_fleet = expectation(Measure::moves_at_most, 0);
    of_fleet.preset = "fleet";
    scenario.expectations = {of_microsip, of_fleet, expectation(Measure::moves, 7)};
    const auto judged = [&](const std::string& preset) {
        std::string text;
        const auto outcome = run(scenario, {.preset = preset});
        for (const auto& verdict : outcome.verdicts)
            text += verdict.phone + ":" + verdict.expectation->preset + " ";
        return text;
    };
    EXPECT_EQ(judged("fleet"), "bob1:microsip bob2:microsip alice:fleet ");
    EXPECT_EQ(judged("microsip"), "alice:microsip bob1:microsip bob2:microsip ");
}

// Asleep and unplugged at once: to be there again takes both, waking and plugging in.
TEST(ScenarioRun, WhoSleepsUnpluggedIsBackWhenBothAreOver) {
    auto scenario = a_minute();
    scenario.events = {
        event(20s, Deed::phone_sleeps, "alice"), event(25s, Deed::phone_is_unplugged, "alice"),
        event(30s, Deed::phone_wakes, "alice"), event(40s, Deed::phone_is_plugged_in, "alice")};
    EXPECT_EQ(run(scenario, {}).total.there, 40);
}

// Who heals the world does not wake anybody.
TEST(ScenarioRun, AWorldThatHealsLeavesSleepersAsleep) {
    auto scenario = a_minute();
    scenario.events = {event(20s, Deed::phone_sleeps, "alice"), event(25s, Deed::world_heals, ""),
                       event(30s, Deed::phone_wakes, "alice")};
    EXPECT_EQ(run(scenario, {}).total.there, 50);
}

// Who goes to sleep in an outage has not come back.
TEST(ScenarioRun, LeavingIsNoRecovery) {
    auto scenario = a_minute();
    auto dies = event(10s, Deed::node_silent, "");
    dies.choice = NodeChoice::all;
    auto returns = event(40s, Deed::node_heals, "");
    returns.choice = NodeChoice::all;
    scenario.events = {dies, event(12s, Deed::phone_sleeps, "alice"),
                       event(30s, Deed::phone_wakes, "alice"), returns};
    const auto outcome = run(scenario, {});
    ASSERT_EQ(outcome.total.recovery.size(), 4U);
    EXPECT_GE(outcome.total.recovery[0], 30);
    EXPECT_LT(outcome.total.recovery[0], 45);
    EXPECT_EQ(outcome.total.recovery[1], outcome.total.recovery[0] - 2);
}

// A call is of the window in which it began, also if its patience ends behind it.
TEST(ScenarioRun, ACallThatIsLostAfterTheWindowIsOfIt) {
    auto scenario = a_minute();
    auto dies = event(10s, Deed::node_silent, "");
    dies.choice = NodeChoice::all;
    scenario.events = {dies};
    auto none = expectation(Measure::calls_lost_at_most, 0);
    none.from = 15s;
    none.to = 18s;
    scenario.expectations = {none};
    const auto outcome = run(scenario, {});
    EXPECT_EQ(outcome.verdicts.front().seen, 3);
    EXPECT_EQ(outcome.total.calls, 57U);  // the three of the end may still ring
}

// The worst gap has ended; another one has not.
TEST(ScenarioRun, AGapToTheEndIsNotTheWorstBecauseItIsTheLast) {
    auto scenario = a_minute();
    auto dies = event(10s, Deed::node_silent, "");
    dies.choice = NodeChoice::all;
    auto returns = event(30s, Deed::node_heals, "");
    returns.choice = NodeChoice::all;
    auto again = dies;
    again.at = 50s;
    scenario.events = {dies, returns, again};
    const auto outcome = run(scenario, {});
    EXPECT_EQ(outcome.total.worst_gap, 20);
    EXPECT_FALSE(outcome.total.worst_lasts);
    EXPECT_TRUE(outcome.total.gap_lasts);
}

// What recovered_within is about are the events of its window.
TEST(ScenarioRun, ARecoveryIsOfTheEventsOfTheWindow) {
    auto scenario = a_minute();
    auto dies = event(10s, Deed::node_silent, "");
    dies.choice = NodeChoice::all;
    auto returns = event(20s, Deed::node_heals, "");
    returns.choice = NodeChoice::all;
    scenario.events = {dies, returns};
    auto before = expectation(Measure::recovered_within, 1);
    before.to = 10s;
    auto at = expectation(Measure::recovered_within, 1);
    at.from = 10s;
    at.to = 11s;
    auto after = expectation(Measure::recovered_within, 1);
    after.from = 11s;
    scenario.expectations = {before, at, after};
    const auto outcome = run(scenario, {});
    EXPECT_EQ(outcome.verdicts[0].seen, 0);
    EXPECT_EQ(outcome.verdicts[1].seen, 10);
    EXPECT_EQ(outcome.verdicts[2].seen, 0);
}

// Who is registered when the window begins has not to wait; who is not, from there on.
TEST(ScenarioRun, RegisteredWithinCountsFromTheWindowOn) {
    auto scenario = a_minute();
    scenario.events = {event(20s, Deed::phone_loses_power, "alice"),
                       event(30s, Deed::phone_starts, "alice")};
    auto later = expectation(Measure::registered_within, 1);
    later.from = 10s;
    auto off = later;
    off.from = 25s;
    auto again = later;
    again.from = 30s;
    auto too_short = off;
    too_short.to = 30s;
    scenario.expectations = {later, off, again, too_short};
    const auto outcome = run(scenario, {});
    EXPECT_EQ(outcome.verdicts[0].seen, 0);
    EXPECT_GT(outcome.verdicts[1].seen, 5);
    EXPECT_NEAR(outcome.verdicts[2].seen, outcome.verdicts[1].seen - 5, 1e-6);
    EXPECT_EQ(outcome.verdicts[3].seen, Figures::not_yet);
}

// Nobody has come back from what did not happen.
TEST(ScenarioRun, WhatIsExpectedAfterAnEventThatHitNobodyDoesNotHold) {
    auto scenario = a_minute();
    auto third = event(10s, Deed::node_silent, "");
    third.choice = NodeChoice::third_choice;
    third.label = "it dies";
    scenario.events = {third};
    auto after = expectation(Measure::recovered_within, 30);
    after.event = "it dies";
    scenario.expectations = {after};
    EXPECT_FALSE(run(scenario, {}).holds());
}

TEST(ScenarioRun, OfSeveralWorstGapsOneThatLastsIsEnough) {
    Figures lasts;
    lasts.worst_gap = 20;
    lasts.worst_lasts = true;
    Figures ended;
    ended.worst_gap = 20;
    Figures longer;
    longer.worst_gap = 21;
    EXPECT_TRUE(together({lasts, ended}).worst_lasts);
    EXPECT_TRUE(together({ended, lasts}).worst_lasts);
    EXPECT_FALSE(together({lasts, longer}).worst_lasts);
}

// An event that names the node of a phone that is registered nowhere breaks nothing, and says so.
TEST(ScenarioRun, AnEventThatHitsNobodyIsKnown) {
    auto scenario = a_minute();
    auto third = event(10s, Deed::node_silent, "");
    third.choice = NodeChoice::third_choice;
    auto second = third;
    second.choice = NodeChoice::second_choice;
    auto current = event(0s, Deed::node_silent, "");
    current.choice = NodeChoice::current;
    scenario.events = {current, second, third};
    EXPECT_EQ(run(scenario, {}).hit, (std::vector<bool>{false, true, false}));
}

TEST(ScenarioRun, TheSameSeedGivesTheSameRun) {
    auto scenario = a_minute();
    scenario.link.jitter = 20ms;
    const auto first = run(scenario, {.seed = 3});
    EXPECT_EQ(run(scenario, {.seed = 3}).trace_hash, first.trace_hash);
    EXPECT_NE(run(scenario, {.seed = 4}).trace_hash, first.trace_hash);
}

// A call that reaches two bindings has rung twice; two phones of one AOR are two bindings.
TEST(ScenarioRun, CallsThatRingTwiceAreCounted) {
    auto scenario = a_minute();
    scenario.phones.front().aor = "sip:alice@example.test";
    scenario.phones.push_back(
        {.name = "desk", .aor = "sip:alice@example.test", .transport = Transport::udp});
    scenario.callers = {{.phone = "alice", .kind = CallKind::invite, .every = 10s, .from = 5s}};
    const auto outcome = run(scenario, {});
    EXPECT_EQ(outcome.phones[0].figures.calls, 6U);
    EXPECT_EQ(outcome.phones[0].figures.twice, 6U);
    EXPECT_EQ(outcome.phones[0].figures.lost, 0U);
}

// Every key of an expectation has its own name, and every measure its key.
TEST(Measures, EachHasOneKey) {
    for (const auto& text : measures()) {
        EXPECT_EQ(&text_of(text.measure), &text);
        EXPECT_EQ(std::ranges::count(measures(), text.key, &MeasureText::key), 1) << text.key;
    }
}

}  // namespace
}  // namespace holdfast::lab::scenario
