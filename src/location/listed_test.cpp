// Listed is what any of the last 3 answers or the last 10 minutes had, whichever is more (L4).
#include "location/listed.h"

#include <gtest/gtest.h>

#include "location/limits.h"
#include "location/testing.h"

namespace holdfast::location {
namespace {

std::vector<Candidate> answer(const std::vector<std::string>& targets) {
    std::vector<Candidate> candidates;
    for (const auto& text : targets)
        candidates.push_back({target(text), 0, 0, 0, "example.test", ""});
    return candidates;
}

const std::string one = "udp:192.0.2.1:5060";
const std::string two = "udp:192.0.2.2:5060";

// Answers an hour apart: the last three count (L4).
TEST(ListedTargets, LastThreeAnswersCount) {
    ListedTargets listed;
    CandidatePool pool;
    listed.note(Instant{}, answer({one, two}), pool);
    EXPECT_TRUE(
        listed.is_listed(target(one), Instant{24h}));  // a long TTL: still the latest answer
    listed.note(Instant{1h}, answer({two}), pool);
    listed.note(Instant{2h}, answer({two}), pool);
    EXPECT_TRUE(listed.is_listed(target(one), Instant{2h}));
    listed.note(Instant{3h}, answer({two}), pool);
    EXPECT_FALSE(listed.is_listed(target(one), Instant{3h}));
    EXPECT_TRUE(listed.is_listed(target(two), Instant{3h}));
    EXPECT_THAT(lines_of(listed.listed(Instant{3h})), ::testing::ElementsAre("0 " + two));
}

// Answers a minute apart: ten minutes count (L4).
TEST(ListedTargets, LastTenMinutesCount) {
    ListedTargets listed;
    CandidatePool pool;
    listed.note(Instant{}, answer({one, two}), pool);
    for (int minute = 1; minute <= 10; ++minute)
        listed.note(Instant{minute * 1min}, answer({two}), pool);
    EXPECT_TRUE(listed.is_listed(target(one), Instant{10min}));
    EXPECT_FALSE(listed.is_listed(target(one), Instant{10min + 1us}));
    listed.note(Instant{11min}, answer({two}), pool);
    EXPECT_FALSE(listed.is_listed(target(one), Instant{11min}));
}

// The latest answer's rank and weight count.
TEST(ListedTargets, KeepsTheLatestDescription) {
    ListedTargets listed;
    CandidatePool pool;
    listed.note(Instant{}, answer({one}), pool);
    auto better = answer({one});
    better.front().tier = 3;
    listed.note(Instant{1s}, better, pool);
    EXPECT_EQ(listed.listed(Instant{1s}).at(0).tier, 3U);
    listed.clear();
    EXPECT_FALSE(listed.is_listed(target(one), Instant{1s}));
}

TEST(ListedTargets, AtTheLimitAndPastIt) {
    ListedTargets listed;
    CandidatePool pool;
    for (std::size_t i = 0; i <= limits::listed_targets; ++i)
        listed.note(Instant{}, answer({"udp:10.0.0." + std::to_string(i) + ":5060"}), pool);
    EXPECT_EQ(listed.listed(Instant{}).size(), limits::listed_targets);
    EXPECT_FALSE(listed.is_listed(target("udp:10.0.0.0:5060"), Instant{}));  // the oldest made room
    EXPECT_TRUE(listed.is_listed(target("udp:10.0.0.1:5060"), Instant{}));
}

}  // namespace
}  // namespace holdfast::location
