#include "flow/keep_alive.h"

#include <gtest/gtest.h>

#include <vector>

#include "flow/keep_alive_fixture.h"

namespace holdfast::flow {
namespace {

using enum KeepAliveOutcome;

// OPTIONS every 24–29 s at random over UDP where nothing was agreed (K1, S2).
TEST_F(KeepAliveTest, UdpSendsOptionsEvery24To29Seconds) {
    begin(Transport::udp);
    Duration least = 1h;
    Duration most{};
    Instant last = now;
    for (int i = 0; i < 200; ++i) {
        ASSERT_EQ(next(), send);
        ASSERT_EQ(machine.ping(), Ping::options);
        ASSERT_FALSE(machine.is_repetition());
        least = std::min(least, now - last);
        most = std::max(most, now - last);
        last = now;
        EXPECT_EQ(machine.answered(now, Ping::options), Duration{0});
    }
    EXPECT_GE(least, 24s);
    EXPECT_LE(most, 29s);
    EXPECT_LT(least, 24s + 250ms);  // the whole range is used
    EXPECT_GT(most, 29s - 250ms);
}

// No answer: again at 0.5 s and 1.5 s; at 2 s suspect, if this kind was answered on this flow
// before (K2).
TEST_F(KeepAliveTest, SilenceAfterAnswersIsSuspectAfterTwoSeconds) {
    begin(Transport::udp);
    answered_round(Ping::options);
    ASSERT_EQ(next(), send);
    const Instant sent = now;
    EXPECT_EQ(steps(sent, 3), (std::vector<Step>{{500ms, send, Ping::options, true},
                                                 {1500ms, send, Ping::options, true},
                                                 {2s, suspect}}));
    EXPECT_FALSE(machine.holds_only());
    const auto again = step(sent);  // and goes on: the target may be alive after all
    EXPECT_EQ(again.ping, Ping::options);
    EXPECT_GE(again.after, 24s);
    EXPECT_LE(again.after, 29s);
}

// An answer at any moment of the two seconds ends the round; only a single copy gives an RTT (K2).
TEST_F(KeepAliveTest, AnAnswerEndsTheRound) {
    begin(Transport::udp);
    ASSERT_EQ(next(), send);
    EXPECT_EQ(machine.answered(now + 499ms, Ping::options), 499ms);
    EXPECT_TRUE(is_quiet_until(now + 20s));

    ASSERT_EQ(next(), send);
    ASSERT_EQ(next(), send);
    EXPECT_TRUE(machine.is_repetition());
    EXPECT_EQ(machine.answered(now + 10ms, Ping::options), std::nullopt);
    EXPECT_FALSE(machine.is_waiting());
    EXPECT_TRUE(is_quiet_until(now + 20s));
}

// A target that never answered the kind: told once, then CRLFCRLF holds the NAT at the same
// intervals (K1, K2).
TEST_F(KeepAliveTest, NeverAnsweredFallsToHoldingTheNat) {
    begin(Transport::udp);
    ASSERT_EQ(next(), send);
    const Instant sent = now;
    EXPECT_EQ(steps(sent, 3), (std::vector<Step>{{500ms, send, Ping::options, true},
                                                 {1500ms, send, Ping::options, true},
                                                 {2s, hold_only}}));
    EXPECT_TRUE(machine.holds_only());
    for (int i = 0; i < 5; ++i) {
        const Instant last = i == 0 ? sent : now;
        const auto held = step(last);
        EXPECT_EQ(held.ping, Ping::crlf_hold);
        EXPECT_FALSE(held.repetition);
        EXPECT_GE(held.after, 24s);
        EXPECT_LE(held.after, 29s);
    }
}

// The kind is tried again after 10 min, without telling twice; any answer of the kind brings it
// back (K1).
TEST_F(KeepAliveTest, ASilentKindIsTriedAgain) {
    begin(Transport::udp);
    while (next() != hold_only) {
    }
    const Instant fell = now;
    int holds = 0;
    while (next() == send && machine.ping() == Ping::crlf_hold) ++holds;
    EXPECT_EQ(machine.ping(), Ping::options);
    EXPECT_GE(now - fell, 10min);
    EXPECT_LE(now - fell, 10min + 29s);
    EXPECT_GE(holds, 20);
    const Instant sent = now;
    EXPECT_EQ(step(sent), (Step{500ms, send, Ping::options, true}));
    EXPECT_EQ(step(sent), (Step{1500ms, send, Ping::options, true}));
    EXPECT_EQ(step(sent).ping, Ping::crlf_hold);  // no second hold_only
    EXPECT_TRUE(machine.holds_only());

    EXPECT_EQ(machine.answered(now, Ping::options), std::nullopt);  // of a probe (F9)
    EXPECT_FALSE(machine.holds_only());
    EXPECT_EQ(next(), send);
    EXPECT_EQ(machine.ping(), Ping::options);
}

// STUN on the SIP port only where outbound or keep was agreed (K1, RFC 5626 §4.4, RFC 6223 §4).
TEST_F(KeepAliveTest, StunOnlyWhereAgreed) {
    begin(Transport::udp, {}, {.keep = true});
    answered_round(Ping::stun);
    begin(Transport::udp, {}, {.outbound = true});
    answered_round(Ping::stun);
    begin(Transport::udp);
    answered_round(Ping::options);
    begin(Transport::udp, {.kind = KeepAliveKind::options}, {.outbound = true});
    answered_round(Ping::options);
    begin(Transport::udp, {.kind = KeepAliveKind::stun});
    answered_round(Ping::stun);
}

// STUN that was agreed but is not answered: OPTIONS at once, and only if that is silent too, CRLF
// (K1, K2).
TEST_F(KeepAliveTest, SilentStunGivesWayToOptions) {
    begin(Transport::udp, {}, {.outbound = true});
    ASSERT_EQ(next(), send);
    const Instant sent = now;
    EXPECT_EQ(steps(sent, 6), (std::vector<Step>{{500ms, send, Ping::stun, true},
                                                 {1500ms, send, Ping::stun, true},
                                                 {2s, send, Ping::options},
                                                 {2500ms, send, Ping::options, true},
                                                 {3500ms, send, Ping::options, true},
                                                 {4s, hold_only}}));
}

// "Answered before" is of the kind in use: OPTIONS answered says nothing about STUN (K2).
TEST_F(KeepAliveTest, TheKindThatWasAnsweredCounts) {
    begin(Transport::udp, {}, {.outbound = true});
    machine.answered(now, Ping::options);
    while (next() == send && machine.ping() == Ping::stun) {
    }
    EXPECT_EQ(machine.ping(), Ping::options);  // not suspect because of STUN
    while (next() == send) {
    }
    EXPECT_EQ(machine.facts().stun_answered, false);
}

// With Flow-Timer, 80–100 % of it (K1, RFC 5626 §4.4.1), and a shorter one takes effect at once.
TEST_F(KeepAliveTest, FlowTimerSetsTheInterval) {
    begin(Transport::udp, {}, {.outbound = true, .flow_timer = 15s});
    EXPECT_LE(machine.next_deadline().at - now, 15s);
    Duration least = 1h;
    Duration most{};
    for (int i = 0; i < 100; ++i) {
        const Instant last = now;
        ASSERT_EQ(next(), send);
        least = std::min(least, now - last);
        most = std::max(most, now - last);
        machine.answered(now, Ping::stun);
    }
    EXPECT_GE(least, 12s);
    EXPECT_LT(least, 12s + 200ms);
    EXPECT_LE(most, 15s);
    EXPECT_GT(most, 15s - 200ms);
}

// A Flow-Timer without any agreement is no agreement, and none can make us flood (K1).
TEST_F(KeepAliveTest, FlowTimerIsHeldWithinReason) {
    begin(Transport::udp, {}, {.flow_timer = 10s});
    EXPECT_GE(machine.next_deadline().at - now, 24s);
    begin(Transport::udp, {}, {.keep = true, .flow_timer = 1s});
    EXPECT_EQ(machine.next_deadline().at - now, shortest_udp_interval);
    begin(Transport::tcp, {}, {.keep = true, .flow_timer = 1s});
    EXPECT_EQ(machine.next_deadline().at - now, shortest_stream_interval);
}

// The plain client's way: CRLF that expects nothing, on datagrams and streams (presets; K1 does not
// apply).
TEST_F(KeepAliveTest, PlainCrlfExpectsNothing) {
    const KeepAliveSettings plain{.kind = KeepAliveKind::crlf,
                                  .udp_min = 15s,
                                  .udp_max = 15s,
                                  .stream_min = 90s,
                                  .stream_max = 90s,
                                  .demand_pong = false};
    begin(Transport::udp, plain);
    EXPECT_EQ(steps(now, 3), (std::vector<Step>{{15s, send, Ping::crlf_hold},
                                                {30s, send, Ping::crlf_hold},
                                                {45s, send, Ping::crlf_hold}}));
    EXPECT_FALSE(machine.holds_only());
    begin(Transport::tcp, plain, {.outbound = true});
    machine.answered(now, Ping::double_crlf);
    EXPECT_EQ(steps(now, 2),
              (std::vector<Step>{{90s, send, Ping::double_crlf}, {180s, send, Ping::double_crlf}}));
}

// Kind none: nothing, ever.
TEST_F(KeepAliveTest, NoneIsSilent) {
    begin(Transport::udp, {.kind = KeepAliveKind::none});
    EXPECT_EQ(machine.next_deadline().at, never);
    machine.verify_now(now, random);
    EXPECT_EQ(next(), quiet);
    EXPECT_EQ(machine.next_deadline().at, never);
}

// An unstable mapping shortens the interval at once; a learned one lengthens it, but not past a
// Flow-Timer (N5, K4).
TEST_F(KeepAliveTest, ForcedIntervals) {
    begin(Transport::udp);
    machine.force_interval(now, unstable_interval, random);
    for (int i = 0; i < 50; ++i) {
        const Instant last = now;
        ASSERT_EQ(next(), send);
        EXPECT_GE(now - last, 9600ms);
        EXPECT_LE(now - last, 12s);
        machine.answered(now, Ping::options);
    }
    machine.force_interval(now, 110s, random);
    ASSERT_EQ(next(), send);  // armed before
    machine.answered(now, Ping::options);
    EXPECT_GE(machine.next_deadline().at - now, 88s);
    EXPECT_LE(machine.next_deadline().at - now, 110s);
    machine.agree(now, {.outbound = true, .flow_timer = 50s}, random);
    EXPECT_GE(machine.next_deadline().at - now, 40s);
    EXPECT_LE(machine.next_deadline().at - now, 50s);
    machine.force_interval(now, std::nullopt, random);
    machine.agree(now, {.flow_timer = 20s}, random);
    EXPECT_LE(machine.next_deadline().at - now, 20s);
}

// A stopped machine does nothing, and starting twice does not move the ping.
TEST_F(KeepAliveTest, StartAndStop) {
    begin(Transport::udp);
    const auto due = machine.next_deadline().at;
    machine.start(now + 10s, random);
    EXPECT_EQ(machine.next_deadline().at, due);
    EXPECT_EQ(machine.next_deadline().reason, "keep-alive");
    machine.stop();
    machine.verify_now(now, random);
    EXPECT_EQ(machine.next_deadline().at, never);
    EXPECT_EQ(machine.on_time(due, random), quiet);
}

// A late answer brings STUN back too (K1).
TEST_F(KeepAliveTest, StunReturnsWithItsAnswer) {
    begin(Transport::udp, {.kind = KeepAliveKind::stun});
    while (next() != hold_only) {
    }
    EXPECT_EQ(machine.answered(now, Ping::options), std::nullopt);  // of a probe: another kind
    EXPECT_TRUE(machine.holds_only());
    EXPECT_EQ(machine.answered(now, Ping::stun), std::nullopt);
    EXPECT_FALSE(machine.holds_only());
    answered_round(Ping::stun);
}

}  // namespace
}  // namespace holdfast::flow
