#include "registration/proof.h"

#include <gtest/gtest.h>

namespace holdfast::registration {
namespace {

using namespace std::chrono_literals;
using Do = Proof::Do;

// A registration with its proof: every OPTIONS that is wanted is sent, and what comes back is the
// test's business.
struct Proving {
    Random random{seed_from_number(11)};
    Proof proof{10min};
    Instant now{1000s};
    int count = 0;

    // Time passes to the next deadline; an OPTIONS is sent there if one is wanted.
    Do next() {
        EXPECT_NE(proof.next_deadline().at, never);
        now = std::max(now, proof.next_deadline().at);
        const auto what = proof.on_time(now, random);
        if (what == Do::send) proof.sent(now, "call-" + std::to_string(++count));
        return what;
    }
    Do comes_back(Duration after = 40ms) {
        now += after;
        return proof.on_returned(now, proof.call_id(), false, random);
    }
    // Proven once, at rest.
    void prove() {
        proof.start(now);
        ASSERT_EQ(next(), Do::send);
        ASSERT_EQ(comes_back(), Do::reachable);
    }
};

// Registered is what the registrar said; reachable is what was proven: only by the copy that
// arrives here (B5, R1).
TEST(Proof, OnlyTheCopyThatArrivesProvesAnything) {
    Proving it;
    it.proof.start(it.now);
    EXPECT_EQ(it.next(), Do::send);
    EXPECT_EQ(it.now, Instant{1000s});  // at once after a registration (R1)
    it.proof.on_answer(it.proof.call_id(), 200);
    EXPECT_FALSE(it.proof.proven());
    EXPECT_EQ(it.proof.on_returned(it.now, "a stranger's", false, it.random), Do::nothing);
    EXPECT_FALSE(it.proof.proven());
    EXPECT_EQ(it.comes_back(), Do::reachable);
    EXPECT_TRUE(it.proof.proven());
}

// Behind a B2BUA the Call-ID is another: From our AOR within 4 s proves it (R1).
TEST(Proof, BehindAB2buaFromOurAorWithinFourSeconds) {
    Proving it;
    it.proof.start(it.now);
    it.next();
    EXPECT_EQ(it.proof.on_returned(it.now + 4s, "another", true, it.random), Do::reachable);
    Proving late;
    late.proof.start(late.now);
    late.next();
    EXPECT_EQ(late.proof.on_returned(late.now + 4s + 1us, "another", true, late.random),
              Do::nothing);
    // None is on its way: a call of ours to ourselves is no proof.
    Proving idle;
    EXPECT_EQ(idle.proof.on_returned(idle.now, "another", true, idle.random), Do::nothing);
}

// Then every 10 min ± 20 % (R1).
TEST(Proof, RepeatsEveryTenMinutes) {
    Proving it;
    it.prove();
    Duration least = 1h;
    Duration most{};
    for (int i = 0; i < 200; ++i) {
        const auto before = it.now;
        ASSERT_EQ(it.next(), Do::send);
        EXPECT_GE(it.now - before, 8min);
        EXPECT_LE(it.now - before, 12min);
        least = std::min(least, it.now - before);
        most = std::max(most, it.now - before);
        EXPECT_EQ(it.comes_back(), Do::nothing);  // no news
    }
    EXPECT_LT(least, 8min + 30s);  // jittered (S2)
    EXPECT_GT(most, 11min + 30s);
}

// Never seen back, whatever the final answer: not provable here, said once, and no failure (R2).
TEST(Proof, NeverSeenBackIsNoFailure) {
    for (const int status : {0, 200, 404, 405, 480, 501}) {
        Proving it;
        it.proof.start(it.now);
        ASSERT_EQ(it.next(), Do::send);
        if (status != 0) it.proof.on_answer(it.proof.call_id(), status);
        EXPECT_EQ(it.next(), Do::unprovable) << status;
        for (int i = 0; i < 10; ++i) {
            EXPECT_EQ(it.next(), Do::send);
            EXPECT_EQ(it.next(), Do::nothing);
        }
        EXPECT_FALSE(it.proof.proven());
    }
}

// Seen before, not now, twice in 10 s → one REGISTER that refreshes and fetches (R3).
TEST(Proof, LostTwiceWithinTenSecondsAsksForARefresh) {
    Proving it;
    it.prove();
    ASSERT_EQ(it.next(), Do::send);
    const auto first = it.now;
    EXPECT_EQ(it.next(), Do::nothing);  // once is no reason
    ASSERT_EQ(it.next(), Do::send);
    EXPECT_EQ(it.next(), Do::refresh);
    EXPECT_LE(it.now - first, 10s);
    EXPECT_TRUE(it.proof.proven());  // not told yet
}

// One lost OPTIONS that the second makes good is no event (R3).
TEST(Proof, LostOnceIsNothing) {
    Proving it;
    it.prove();
    ASSERT_EQ(it.next(), Do::send);
    EXPECT_EQ(it.next(), Do::nothing);
    ASSERT_EQ(it.next(), Do::send);
    EXPECT_EQ(it.comes_back(), Do::nothing);
    EXPECT_TRUE(it.proof.proven());
}

// Still not: one re-register with a fresh Contact and R1 again; still not: told, once (R3).
TEST(Proof, ThenAFreshContactThenItIsTold) {
    Proving it;
    it.prove();
    it.next();
    it.next();
    it.next();
    ASSERT_EQ(it.next(), Do::refresh);
    it.now += 60ms;
    it.proof.start(it.now);  // the 200 of the refresh
    ASSERT_EQ(it.next(), Do::send);
    EXPECT_EQ(it.next(), Do::fresh_contact);
    it.now += 60ms;
    it.proof.start(it.now);
    ASSERT_EQ(it.next(), Do::send);
    EXPECT_EQ(it.next(), Do::unreachable);
    EXPECT_FALSE(it.proof.proven());
    EXPECT_TRUE(it.proof.ever());
    // It goes on trying, every 10 min, and news is told.
    const auto before = it.now;
    ASSERT_EQ(it.next(), Do::send);
    EXPECT_GE(it.now - before, 8min);
    EXPECT_EQ(it.comes_back(), Do::reachable);
}

// A copy that comes back after the refresh ends the doubt (R3).
TEST(Proof, TheRefreshHelped) {
    Proving it;
    it.prove();
    it.next();
    it.next();
    it.next();
    ASSERT_EQ(it.next(), Do::refresh);
    it.proof.start(it.now);
    ASSERT_EQ(it.next(), Do::send);
    EXPECT_EQ(it.comes_back(), Do::nothing);
    // The next doubt begins at its beginning.
    ASSERT_EQ(it.next(), Do::send);
    EXPECT_EQ(it.next(), Do::nothing);
    ASSERT_EQ(it.next(), Do::send);
    EXPECT_EQ(it.next(), Do::refresh);
}

// The Contact is listed, others are too, and the OPTIONS got 2xx: another device answered; not
// provable now, and no failure (R3).
TEST(Proof, AnotherDeviceAnswered) {
    Proving it;
    it.prove();
    it.next();
    it.next();
    it.next();
    ASSERT_EQ(it.next(), Do::refresh);
    it.proof.others_listed(true);
    it.proof.start(it.now);
    ASSERT_EQ(it.next(), Do::send);
    it.proof.on_answer(it.proof.call_id(), 200);
    EXPECT_EQ(it.next(), Do::other_device);
}

// Other devices listed: only after a move or in doubt, so that they are not asked for ever (R1).
TEST(Proof, WithOtherDevicesOnlyAfterAMove) {
    Proving it;
    it.proof.others_listed(true);
    it.prove();
    EXPECT_EQ(it.proof.next_deadline().at, never);
    it.now += 1h;
    it.proof.start(it.now);  // a move
    EXPECT_EQ(it.next(), Do::send);
}

}  // namespace
}  // namespace holdfast::registration
