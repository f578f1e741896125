// Answers that are lost, processes that are killed, DNS that is dead: what a phone must remember
// (F1, B2, B3, L5, L3, B4).
#include <algorithm>

#include "tests/scenario.h"

namespace holdfast::lab {
namespace {

// F1, decision 0001: the binding was stored, only the answer was lost; an equal CSeq at the next
// server would be refused, or answered 200 without being stored.
TEST(AnswerLost, SharedLocationServiceKeepsOneBinding) {
    for (const auto equal : {EqualCseq::refuse, EqualCseq::accept_without_storing}) {
        ScenarioOptions o;
        o.cluster.server.rules.equal_cseq = equal;
        Scenario s(o);
        s.world.node_at(s.phone.first_choice()).lose_answers(1'000);
        ASSERT_TRUE(s.registers_within(5s)) << s.story();
        EXPECT_LE(s.world.elapsed(), 1700ms) << s.story();
        s.world.run_for(60s);
        EXPECT_EQ(s.cluster.bindings(s.phone.aor()).size(), 1u) << s.story();
        EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
        EXPECT_TRUE(s.world.is_reachable(s.phone)) << s.story();
    }
}

// B3: kill -9 at any moment and start again: one binding, CSeq never goes back (I4).
TEST(Killed, StartedAgainItHasOneBinding) {
    const std::vector<Duration> moments{45ms, 65ms, 75ms, 85ms, 105ms, 5s, 100s, 299s};
    for (const auto moment : moments) {
        for (const auto transport : {Transport::udp, Transport::tcp}) {
            Scenario s({.transport = transport});
            s.world.run_for(moment);
            s.phone.crash();
            s.world.run_for(2s);
            s.phone.start();
            ASSERT_TRUE(s.registers_within(5s)) << s.story();
            s.world.run_for(10s);
            EXPECT_EQ(s.cluster.bindings(s.phone.aor()).size(), 1u) << s.story();
            EXPECT_TRUE(s.world.is_reachable(s.phone)) << s.story();
        }
    }
}

// L3: the target that works stays current over a restart, though DNS answers in another order.
TEST(Killed, AffinityOutlivesTheProcess) {
    Scenario s({.rotate = true});
    ASSERT_TRUE(s.registers_within(5s)) << s.story();
    s.world.silence(*s.phone.current_target());
    s.world.run_for(60s);
    const auto second = s.phone.current_target();
    s.cluster.heal();
    s.phone.crash();
    s.phone.start();
    ASSERT_TRUE(s.registers_within(5s)) << s.story();
    EXPECT_EQ(s.phone.current_target(), second) << s.story();
}

// B3, B7: the last run's server is silent when the next one starts, and has a location service of
// its own: what stands there is removed when it is back, and not only from the new server's list.
TEST(Killed, WhatTheLastRunLeftElsewhereIsRemovedThere) {
    struct Row {
        Location location;
        bool rewrites_contact;  // B6: it takes the sender's address for that of the first Contact
    };
    for (const auto& row : {Row{Location::separate, false}, Row{Location::separate, true},
                            Row{Location::shared, false}}) {
        ScenarioOptions o;
        o.cluster.location = row.location;
        o.cluster.server.rules.rewrites_contact = row.rewrites_contact;
        Scenario s(o);
        ASSERT_TRUE(s.registers_within(5s)) << s.story();
        const auto last = *s.phone.current_target();
        s.world.run_for(25s);
        s.phone.crash();
        s.nat.rebind();
        s.world.silence(last);
        s.world.run_for(2s);
        s.phone.start();
        ASSERT_TRUE(s.registers_within(5s)) << s.story();
        ASSERT_NE(s.phone.current_target(), last) << s.story();
        s.world.run_for(10s);
        s.cluster.heal();
        s.world.run_for(60s);
        EXPECT_EQ(s.phone.count(EventKind::moved), 0u) << s.story();
        EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
        EXPECT_GE(s.phone.count(EventKind::binding_removed), 1u) << s.story();
    }
}

// B7: a server from which it cannot be removed, since it takes the sender's address for that of the
// first Contact and reads no second one: three removals, and then it is said, and left to expire.
TEST(Killed, WhatAnOldServerKeepsIsSaid) {
    ScenarioOptions o;
    o.cluster.location = Location::separate;
    o.cluster.server.rules.rewrites_contact = true;
    o.cluster.server.rules.first_contact_only = true;
    Scenario s(o);
    ASSERT_TRUE(s.registers_within(5s)) << s.story();
    const auto last = *s.phone.current_target();
    s.world.run_for(25s);
    s.phone.crash();
    s.nat.rebind();
    s.world.silence(last);
    s.world.run_for(2s);
    s.phone.start();
    ASSERT_TRUE(s.registers_within(5s)) << s.story();
    s.cluster.heal();
    s.world.run_for(60s);
    const auto told_there = [&](EventKind kind, std::string_view words) {
        return std::ranges::count_if(s.phone.events(), [&](const auto& told) {
            return told.event.kind == kind && told.event.target == last &&
                   told.event.reason.contains(words);
        });
    };
    EXPECT_EQ(told_there(EventKind::binding_debt, "in spite of 3 removals"), 1) << s.story();
    EXPECT_EQ(told_there(EventKind::binding_removed, ""), 0) << s.story();
    s.world.run_for(10min);
    EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << "it has expired: " << s.story();
}

// L5: DNS dead at the start, after one good run.
TEST(DnsDead, TheLastGoodAnswerServes) {
    for (const auto status :
         {dns::Status::servfail, dns::Status::timed_out, dns::Status::nxdomain}) {
        Scenario s({});
        ASSERT_TRUE(s.registers_within(5s)) << s.story();
        s.phone.crash();
        s.world.run_for(1h);
        s.phone.fail_dns({.status = status});
        s.phone.start();
        EXPECT_TRUE(s.registers_within(11s)) << s.story();
        s.world.run_for(2h);
        EXPECT_TRUE(s.phone.is_registered()) << s.story();
        EXPECT_EQ(s.phone.count(EventKind::unregistered), 0u) << s.story();
    }
}

// L3, I3: a thousand refreshes under rotating DNS, and not one move.
TEST(Rotation, ThousandRefreshesWithoutAMove) {
    Scenario s({.rotate = true, .ttl = 5s, .expires = 60s});
    ASSERT_TRUE(s.registers_within(5s)) << s.story();
    s.world.run_for(15h);
    EXPECT_GE(s.phone.count(EventKind::refreshed), 1'000u);
    EXPECT_EQ(s.phone.count(EventKind::moved), 0u);
    EXPECT_EQ(s.cluster.removals(), 0u);
    EXPECT_TRUE(s.world.stale_bindings(s.phone).empty());
}

// B4: on exit the removal goes to the server that has the binding, and the process ends within 2 s,
// even alone.
TEST(Exit, UnregistersWithinTwoSeconds) {
    for (const bool server_alive : {true, false}) {
        Scenario s({});
        ASSERT_TRUE(s.registers_within(5s)) << s.story();
        s.world.run_for(5s);
        if (!server_alive) s.cluster.silence();
        s.phone.shut_down();
        ASSERT_EQ(s.world.run_until([&] { return s.phone.is_stopped(); }, 2s), Stop::goal)
            << s.story();
        EXPECT_EQ(s.cluster.bindings(s.phone.aor()).empty(), server_alive) << s.story();
    }
}

}  // namespace
}  // namespace holdfast::lab
