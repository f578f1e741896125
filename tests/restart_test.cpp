// Answers that are lost, processes that are killed, DNS that is dead: what a phone must remember
// (F1, B2, B3, L5, L3, B4).
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
