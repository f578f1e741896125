#include "flow/keep_alive.h"

#include <gtest/gtest.h>

#include <vector>

#include "flow/keep_alive_fixture.h"

namespace holdfast::flow {
namespace {

using enum KeepAliveOutcome;

using KeepAliveStreamTest = KeepAliveTest;

// Streams: CRLF ping every 80–100 s; a pong that was agreed is owed within 10 s (K1, RFC 5626
// §4.4.1).
TEST_F(KeepAliveStreamTest, AgreedPongIsDemanded) {
    begin(Transport::tls, {}, {.outbound = true});
    for (int i = 0; i < 20; ++i) {
        const Instant last = now;
        ASSERT_EQ(next(), send);
        EXPECT_EQ(machine.ping(), Ping::double_crlf);
        EXPECT_GE(now - last, 80s);
        EXPECT_LE(now - last, 100s);
        EXPECT_EQ(machine.answered(now + 10s - 1us, Ping::double_crlf), 10s - 1us);
    }
    ASSERT_EQ(next(), send);
    const Instant sent = now;
    machine.heard();  // other traffic is no pong
    EXPECT_EQ(step(sent), (Step{10s, lost}));
    EXPECT_FALSE(machine.is_running());
    EXPECT_EQ(machine.next_deadline().at, never);
}

// A pong that was seen on this flow is demanded from then on (K1).
TEST_F(KeepAliveStreamTest, SeenPongIsDemanded) {
    begin(Transport::tcp);
    answered_round(Ping::double_crlf);
    ASSERT_EQ(next(), send);
    EXPECT_EQ(machine.ping(), Ping::double_crlf);
    EXPECT_EQ(step(now), (Step{10s, lost}));
}

// Neither agreed nor seen: tried once, then OPTIONS at that interval, and no verdict about the flow
// (K1).
TEST_F(KeepAliveStreamTest, WithoutPongOptionsAtTheSameInterval) {
    begin(Transport::tcp);
    ASSERT_EQ(next(), send);
    const Instant sent = now;
    EXPECT_EQ(machine.ping(), Ping::double_crlf);
    EXPECT_EQ(step(sent), (Step{10s, send, Ping::options}));
    EXPECT_EQ(machine.answered(now + 30ms, Ping::options), 30ms);
    for (int i = 0; i < 10; ++i) {
        const Instant last = now;
        ASSERT_EQ(next(), send);
        EXPECT_EQ(machine.ping(), Ping::options);
        EXPECT_GE(now - last, 80s);
        EXPECT_LE(now - last, 100s);
        machine.answered(now, Ping::options);
    }
}

// OPTIONS on a stream is not repeated (RFC 3261 §17.1.2.2); silence is suspect after 2 s, if
// answered before (K2).
TEST_F(KeepAliveStreamTest, OptionsOnAStreamAreSentOnce) {
    begin(Transport::tcp, {.kind = KeepAliveKind::options});
    answered_round(Ping::options);
    ASSERT_EQ(next(), send);
    EXPECT_EQ(step(now), (Step{2s, suspect}));
}

// A stream whose peer answers nothing is held by CRLF; a pong that comes late is owed from then on
// (K1).
TEST_F(KeepAliveStreamTest, SilentStreamIsHeldByCrlf) {
    begin(Transport::tcp);
    ASSERT_EQ(next(), send);
    const Instant sent = now;
    EXPECT_EQ(steps(sent, 2), (std::vector<Step>{{10s, send, Ping::options}, {12s, hold_only}}));
    ASSERT_EQ(next(), send);
    EXPECT_EQ(machine.ping(), Ping::double_crlf);
    EXPECT_FALSE(machine.is_waiting());
    machine.answered(now + 1s, Ping::double_crlf);
    EXPECT_FALSE(machine.holds_only());
    ASSERT_EQ(next(), send);
    EXPECT_EQ(step(now), (Step{10s, lost}));
}

}  // namespace
}  // namespace holdfast::flow
