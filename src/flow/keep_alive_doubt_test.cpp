#include "flow/keep_alive.h"

#include <gtest/gtest.h>

#include <vector>

#include "flow/keep_alive_fixture.h"

namespace holdfast::flow {
namespace {

using enum KeepAliveOutcome;

using KeepAliveDoubtTest = KeepAliveTest;

// A network change or a wake verifies the flow after 0–500 ms, and silence is suspect 2 s later
// (K5).
TEST_F(KeepAliveDoubtTest, VerifiesWithinHalfASecond) {
    begin(Transport::udp);
    Duration least = 1h;
    Duration most{};
    for (int i = 0; i < 200; ++i) {
        const Instant changed = now;
        machine.verify_now(now, random);
        ASSERT_EQ(next(), send);
        EXPECT_EQ(machine.ping(), Ping::options);
        least = std::min(least, now - changed);
        most = std::max(most, now - changed);
        machine.answered(now, Ping::options);
    }
    EXPECT_LT(least, 25ms);
    EXPECT_GT(most, 475ms);
    EXPECT_LE(most, 500ms);
}

// Silence to a verification is suspect, also if this kind was never answered (K5).
TEST_F(KeepAliveDoubtTest, VerificationDoubtsWithoutEarlierAnswers) {
    begin(Transport::udp);
    machine.verify_now(now, random);
    ASSERT_EQ(next(), send);
    const Instant sent = now;
    EXPECT_EQ(steps(sent, 3).back(), (Step{2s, suspect}));
    EXPECT_TRUE(machine.holds_only());

    machine.verify_now(now, random);  // now only a REGISTER can prove anything: at once
    const Instant changed = now;
    EXPECT_EQ(next(), suspect);
    EXPECT_LE(now - changed, 500ms);
}

// A ping that waits when the network changes is asked anew: its answer would come by the old way
// (K5).
TEST_F(KeepAliveDoubtTest, VerificationReplacesAWaitingPing) {
    begin(Transport::udp);
    answered_round(Ping::options);
    ASSERT_EQ(next(), send);
    machine.verify_now(now, random);
    while (next() == send && machine.is_repetition()) {
    }
    const Instant sent = now;
    EXPECT_FALSE(machine.is_repetition());
    EXPECT_EQ(steps(sent, 3), (std::vector<Step>{{500ms, send, Ping::options, true},
                                                 {1500ms, send, Ping::options, true},
                                                 {2s, suspect}}));
}

// A server that talks in those two seconds is not suspect (K2, F6).
TEST_F(KeepAliveDoubtTest, OtherTrafficAnswersTheDoubt) {
    begin(Transport::udp);
    answered_round(Ping::options);
    ASSERT_EQ(next(), send);
    machine.heard();
    const auto round = steps(now, 3);
    EXPECT_EQ(round[1], (Step{1500ms, send, Ping::options, true}));
    EXPECT_EQ(round[2].outcome, send);  // the next interval's ping
    EXPECT_FALSE(round[2].repetition);
}

// A server that stops answering OPTIONS but lives is suspect three times, not for ever (K2, S2).
TEST_F(KeepAliveDoubtTest, DoubtDoesNotRepeatForEver) {
    begin(Transport::udp);
    answered_round(Ping::options);
    int suspicions = 0;
    for (KeepAliveOutcome outcome = quiet; outcome != hold_only && suspicions < 10;) {
        outcome = next();
        if (outcome == suspect) ++suspicions;
        if (outcome == suspect) machine.heard();  // the REGISTER that verified it was answered
    }
    EXPECT_EQ(suspicions, 4);
    EXPECT_TRUE(machine.holds_only());
}

// A dead one stays suspect: nothing was heard (K2).
TEST_F(KeepAliveDoubtTest, SilenceStaysSuspect) {
    begin(Transport::udp);
    answered_round(Ping::options);
    int suspicions = 0;
    for (int i = 0; i < 40; ++i) {
        const auto outcome = next();
        EXPECT_NE(outcome, hold_only);
        if (outcome == suspect) ++suspicions;
    }
    EXPECT_EQ(suspicions, 10);
}

// After a late wake-up the copies are still sent before the verdict, one by one (K2).
TEST_F(KeepAliveDoubtTest, LateWakeUpDoesNotJudgeUnaskedCopies) {
    begin(Transport::udp);
    answered_round(Ping::options);
    ASSERT_EQ(next(), send);
    now += 1h;
    const Instant woke = now;
    EXPECT_EQ(steps(woke, 3), (std::vector<Step>{{0s, send, Ping::options, true},
                                                 {1s, send, Ping::options, true},
                                                 {1500ms, suspect}}));
}

// A server that talks during the verification needs no doubt, even if it answers no ping (K5).
TEST_F(KeepAliveDoubtTest, OtherTrafficAnswersTheVerification) {
    begin(Transport::udp);
    machine.verify_now(now, random);
    ASSERT_EQ(next(), send);
    machine.heard();
    const Instant sent = now;
    EXPECT_EQ(steps(sent, 3).back(), (Step{2s, hold_only}));
}

}  // namespace
}  // namespace holdfast::flow
