// Random worlds: ten bad minutes, then quiet. Whatever was drawn, a healed network converges and
// the invariants hold (I1, I2, I4, I5, I6), and the same seed gives the same bytes (I7). 500
// worlds; a failure names its seed. More of them: tests/hand/swarm.cpp.
#include <gtest/gtest.h>

#include "lab/swarm.h"
#include "tests/break_by_name.h"  // for the whole program

namespace holdfast::lab {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t worlds_per_test = 20;

class Swarm : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Swarm, HealedNetworkConvergesAndInvariantsHold) {
    for (std::uint64_t i = 0; i < worlds_per_test; ++i) {
        RandomWorld run(GetParam() * worlds_per_test + i);
        run.suffer(10min);
        const auto complaints = run.heal_and_check();
        std::string all;
        for (const auto& complaint : complaints) all += complaint + "\n";
        EXPECT_TRUE(complaints.empty()) << all << run.text();
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Swarm, testing::Range<std::uint64_t>(0, 25));

// Answers in another order, and nothing else for an hour: nobody moves (I3, L2, L3).
TEST(SwarmAtRest, PermutedAnswersMoveNobody) {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        RandomWorld run(seed);
        for (const auto& complaint : run.rotate_only(1h))
            ADD_FAILURE() << complaint << "\n" << run.text();
    }
}

TEST(SwarmRepeats, SameSeedSameBytes) {
    const auto trace = [](std::uint64_t seed) {
        RandomWorld run(seed);
        run.suffer(5min);
        return run.world().trace_hash();
    };
    for (const std::uint64_t seed : {1ULL, 2ULL, 3ULL}) EXPECT_EQ(trace(seed), trace(seed));
    EXPECT_NE(trace(1), trace(2));
}

}  // namespace
}  // namespace holdfast::lab
