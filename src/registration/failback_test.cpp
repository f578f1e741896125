#include "registration/failback.h"

#include <gtest/gtest.h>

namespace holdfast::registration {
namespace {

using namespace std::chrono_literals;

Target target(int host) {
    return {Transport::udp, {IpAddress::v4(203, 0, 113, static_cast<std::uint8_t>(host)), 5060}};
}
// Hosts by rank, with the tier of each.
std::vector<location::Candidate> ranked(const std::vector<std::pair<int, std::uint32_t>>& hosts) {
    std::vector<location::Candidate> all;
    for (const auto& [host, tier] : hosts)
        all.push_back({.target = target(host), .tier = tier, .host = {}, .reason = {}});
    return all;
}

struct Watching {
    explicit Watching(std::uint64_t seed) : random(seed_from_number(seed)) {}
    // Probes are answered as `alive` says, until something is ready; nothing: not before `end`.
    template <class Ready>
    std::optional<Duration> until(Ready&& ready, Duration end,
                                  ProbeResult result = ProbeResult::alive) {
        const auto began = now;
        while (watch.next_deadline().at <= began + end) {
            const auto due = watch.next_deadline().at;
            EXPECT_GE(due, now);
            gaps.push_back(due - now);
            now = due;
            for (const auto& probed : watch.take_probes(now, random))
                watch.on_probed(now, probed, result, random);
            EXPECT_GT(watch.next_deadline().at, now);
            if (ready()) return now - began;
        }
        now = began + end;
        return std::nullopt;
    }
    std::optional<Duration> until_priority(Duration end, ProbeResult result = ProbeResult::alive) {
        return until([&] { return watch.better_priority(now).has_value(); }, end, result);
    }
    Random random;
    FailbackWatch watch;
    Instant now{1000s};
    std::vector<Duration> gaps;
};

// A better priority: probed every 8–12 s, taken when it has been good for 45–60 s (L7).
TEST(Failback, ToABetterPriorityAfterAMinuteOfGoodProbes) {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        Watching it(seed);
        it.watch.settle(it.now, target(21), ranked({{11, 0}, {21, 1}}), it.random);
        const auto took = it.until_priority(5min);
        ASSERT_TRUE(took);
        for (const auto gap : it.gaps) {
            EXPECT_GE(gap, 8s);
            EXPECT_LE(gap, 12s);
        }
        // The first good probe comes after 8–12 s; 45–60 s later it is taken with the next probe.
        EXPECT_GE(*took, 8s + 45s);
        EXPECT_LE(*took, 12s + 60s + 12s);
        EXPECT_EQ(it.watch.better_priority(it.now), target(11));
    }
}

// One bad probe starts the minute again (L7); a busy one is bad (F9).
TEST(Failback, AnInterruptionStartsAgain) {
    for (const auto bad : {ProbeResult::silent, ProbeResult::busy, ProbeResult::failed}) {
        Watching it(4);
        it.watch.settle(it.now, target(21), ranked({{11, 0}, {21, 1}}), it.random);
        EXPECT_FALSE(it.until_priority(40s));
        it.watch.on_probed(it.now, target(11), bad, it.random);
        EXPECT_FALSE(it.until_priority(44s));
        EXPECT_TRUE(it.until_priority(40s));
    }
}
TEST(Failback, ABusyOrSilentOneIsNeverTaken) {
    for (const auto bad : {ProbeResult::silent, ProbeResult::busy, ProbeResult::failed}) {
        Watching it(4);
        it.watch.settle(it.now, target(21), ranked({{11, 0}, {21, 1}}), it.random);
        EXPECT_FALSE(it.until_priority(1h, bad));
    }
}

// A better rank inside the priority: at a refresh drawn from the hour after 10 min of health (L7),
// and never as a better priority.
TEST(Failback, ToABetterRankWithinTheHourAfterTenMinutes) {
    Duration least = 2h;
    Duration most{};
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        Watching it(seed);
        it.watch.settle(it.now, target(12), ranked({{11, 0}, {12, 0}}), it.random);
        const auto took = it.until(
            [&] {
                EXPECT_FALSE(it.watch.better_priority(it.now));
                return it.watch.better_rank(it.now).has_value();
            },
            2h);
        ASSERT_TRUE(took);
        // Good from the first probe on (at most 70 s), noticed at a probe (at most 70 s later).
        EXPECT_GE(*took, 10min);
        EXPECT_LE(*took, 70min + 140s);
        least = std::min(least, *took);
        most = std::max(most, *took);
    }
    EXPECT_LT(least, 20min);  // drawn from the whole hour, so that a cluster is not stormed (S2)
    EXPECT_GT(most, 60min);
}

// At the best target there is nothing to watch (L7).
TEST(Failback, AtTheBestNothingIsProbed) {
    Watching it(4);
    it.watch.settle(it.now, target(11), ranked({{11, 0}, {12, 0}, {21, 1}}), it.random);
    EXPECT_EQ(it.watch.next_deadline().at, never);
    EXPECT_TRUE(it.watch.take_probes(it.now + 1h, it.random).empty());
}

// A failback undone within 10 min doubles the wait, up to 1 h; one that lasts resets it (L7).
TEST(Failback, UndoneOnesDoubleTheWait) {
    Watching it(9);
    const auto order = ranked({{11, 0}, {21, 1}});
    Duration shortest = 45s;
    Duration longest = 60s;
    for (int round = 0; round < 10; ++round) {
        it.watch.settle(it.now, target(21), order, it.random);
        const auto took = it.until_priority(2h);
        ASSERT_TRUE(took) << round;
        EXPECT_GE(*took, 8s + std::min<Duration>(shortest, 1h)) << round;
        EXPECT_LE(*took, 24s + std::min<Duration>(longest, 1h)) << round;
        it.watch.made(it.now, target(11));
        it.watch.settle(it.now, target(11), order, it.random);
        it.now += 9min;
        it.watch.left(it.now, target(11));
        shortest *= 2;
        longest *= 2;
    }
    it.watch.settle(it.now, target(21), order, it.random);
    ASSERT_TRUE(it.until_priority(2h));
    it.watch.made(it.now, target(11));
    it.watch.settle(it.now, target(11), order, it.random);
    it.now += 10min;
    it.watch.left(it.now, target(11));
    it.watch.settle(it.now, target(21), order, it.random);
    const auto took = it.until_priority(2h);
    ASSERT_TRUE(took);
    EXPECT_LE(*took, 24s + 60s);
}

// A refresh in between (settle again, same place) does not start the wait again (L7).
TEST(Failback, ARefreshDoesNotStartTheWaitAgain) {
    Watching it(4);
    const auto order = ranked({{11, 0}, {21, 1}});
    it.watch.settle(it.now, target(21), order, it.random);
    std::optional<Duration> took;
    Duration total{};
    for (int refresh = 0; refresh < 20 && !took; ++refresh) {
        took = it.until_priority(20s);
        total += took.value_or(20s);
        if (!took) it.watch.settle(it.now, target(21), order, it.random);
    }
    ASSERT_TRUE(took);
    EXPECT_LE(total, 12s + 60s + 12s);
}

// One that DNS no longer lists is watched no more (L4, L7).
TEST(Failback, AnUnlistedTargetIsForgotten) {
    Watching it(4);
    it.watch.settle(it.now, target(21), ranked({{11, 0}, {21, 1}}), it.random);
    EXPECT_FALSE(it.until_priority(30s));
    it.watch.settle(it.now, target(21), ranked({{21, 1}}), it.random);
    EXPECT_FALSE(it.until_priority(1h));
    it.watch.stop();
    EXPECT_EQ(it.watch.next_deadline().at, never);
}

}  // namespace
}  // namespace holdfast::registration
