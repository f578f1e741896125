#include "registration/backoff.h"

#include <gtest/gtest.h>

namespace holdfast::registration {
namespace {

using namespace std::chrono_literals;

Target target(int host) {
    return {Transport::udp, {IpAddress::v4(203, 0, 113, static_cast<std::uint8_t>(host)), 5060}};
}
Backoff backoff() { return Backoff{{.base = 30s, .base_other_flow = 90s, .most = 1800s}}; }

// wait = min(1800 s, base · 2^failures), drawn from 50–100 % of it (S1; RFC 5626 §4.5).
TEST(Backoff, DoublesUpToHalfAnHour) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        Random random{seed_from_number(seed)};
        auto it = backoff();
        Instant now{1000s};
        for (const Duration longest : {30s, 60s, 120s, 240s, 480s, 960s, 1800s, 1800s}) {
            it.begin(now, false, {}, random);
            EXPECT_GE(it.until() - now, longest / 2);
            EXPECT_LE(it.until() - now, longest);
            now = it.until();
        }
    }
}

// Base 90 s while another flow still works (S1).
TEST(Backoff, IsPatientWhileAnotherFlowWorks) {
    Random random{seed_from_number(1)};
    auto it = backoff();
    it.begin(Instant{1000s}, true, {}, random);
    EXPECT_GE(it.until() - Instant{1000s}, 45s);
    EXPECT_LE(it.until() - Instant{1000s}, 90s);
}

// Only a target that was silent when the wait began ends it, once per wait (S1).
TEST(Backoff, OneSilentTargetThatAnswersEndsTheWaitOnce) {
    Random random{seed_from_number(1)};
    auto it = backoff();
    it.begin(Instant{1000s}, false, {target(11), target(12)}, random);
    EXPECT_FALSE(it.on_alive(target(13)));
    EXPECT_TRUE(it.on_alive(target(11)));
    EXPECT_FALSE(it.on_alive(target(12)));
}

// Who refused its REGISTER and answers OPTIONS as before has said nothing new; where its last
// OPTIONS failed too, something has changed (S1).
TEST(Backoff, ARefusalIsNoLifeUnlessOptionsFailedToo) {
    Random random{seed_from_number(1)};
    for (const bool failed : {false, true}) {
        auto it = backoff();
        it.begin(Instant{1000s}, false, {target(11)}, random);
        if (failed) it.on_dead(target(11));
        it.on_refused(target(11));
        EXPECT_EQ(it.on_alive(target(11)), failed);
    }
}

// A round that the budget does not allow is made as soon as it does (I5).
TEST(Backoff, ARoundIsPutOff) {
    Random random{seed_from_number(1)};
    auto it = backoff();
    it.begin(Instant{1000s}, false, {}, random);
    it.round_at(Instant{1009s});
    EXPECT_TRUE(it.take_due(Instant{1008s}, random, true).empty());
    EXPECT_EQ(it.take_due(Instant{1009s}, random, true), std::vector{Backoff::Due::probe_round});
}

// Never before Retry-After (S1, F5).
TEST(Backoff, RetryAfterWins) {
    Random random{seed_from_number(1)};
    auto it = backoff();
    it.not_before(Instant{1500s});
    it.begin(Instant{1000s}, false, {}, random);
    EXPECT_EQ(it.until(), Instant{1500s});
}

// Rounds of probes every 4–8 s for 5 min, then every 20–30 s (S1).
TEST(Backoff, ProbesOftenAtFirst) {
    Random random{seed_from_number(3)};
    auto it = backoff();
    const Instant began{1000s};
    it.begin(began, false, {}, random);
    Instant last = began;
    for (Instant now = began; now < began + 20min;) {
        now = it.next_deadline().at;
        for (const auto due : it.take_due(now, random, true)) {
            if (due == Backoff::Due::search) it.begin(now, false, {}, random);
            if (due != Backoff::Due::probe_round) continue;
            EXPECT_GE(now - last, last < began + 5min ? 4s : 20s);
            EXPECT_LE(now - last, last < began + 5min ? 8s : 30s);
            last = now;
        }
    }
    EXPECT_GT(last, began + 19min);
}

// Where OPTIONS was never answered, one REGISTER every 20–30 s for 5 min instead (S1).
TEST(Backoff, RegistersWhereOptionsIsNotAnswered) {
    Random random{seed_from_number(3)};
    auto it = backoff();
    const Instant began{1000s};
    it.begin(began, false, {}, random);
    int rounds = 0;
    for (Instant now = began; now < began + 20min;) {
        now = it.next_deadline().at;
        for (const auto due : it.take_due(now, random, false)) {
            if (due == Backoff::Due::search) it.begin(now, false, {}, random);
            rounds += due == Backoff::Due::register_round ? 1 : 0;
        }
    }
    EXPECT_GE(rounds, 10);
    EXPECT_LE(rounds, 16);
}

// The 4 best, then the next 4, and around (S1).
TEST(Backoff, RoundsGoThroughAllTargetsByFour) {
    auto it = backoff();
    std::vector<Target> ranked;
    for (int host = 1; host <= 6; ++host) ranked.push_back(target(host));
    EXPECT_EQ(it.round(ranked), (std::vector{target(1), target(2), target(3), target(4)}));
    EXPECT_EQ(it.round(ranked), (std::vector{target(5), target(6)}));
    EXPECT_EQ(it.round(ranked), (std::vector{target(1), target(2), target(3), target(4)}));
}

}  // namespace
}  // namespace holdfast::registration
