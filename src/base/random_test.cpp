// The engine's random source: ChaCha20 and nothing else, the same bytes for the same seed (I7), no
// bias.
#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/text.h"

namespace holdfast {
namespace {

using namespace std::chrono_literals;

std::string hex_of(Random& random, std::size_t count) {
    std::vector<std::uint8_t> bytes(count);
    random.fill(bytes);
    return hex(std::string(bytes.begin(), bytes.end()));
}

// RFC 8439 Appendix A.1, vectors 1 and 2: key 0, nonce 0, blocks 0 and 1.
TEST(Random, IsChaCha20) {
    Random random{Seed{}};
    EXPECT_EQ(hex_of(random, 64),
              "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
              "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586");
    EXPECT_EQ(hex_of(random, 64),
              "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
              "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f");
}

// Numbers take the stream eight bytes at a time, the lowest first, on every machine.
TEST(Random, NumbersAreTheStreamsBytes) {
    Random random{Seed{}};
    EXPECT_EQ(random.next(), 0x903df1a0ade0b876U);
    EXPECT_EQ(random.next(), 0x28bd8653e56a5d40U);
}

// I7. However the bytes are asked for, also across the pool's end at 256.
TEST(Random, SameSeedSameBytes) {
    Random whole{seed_from_number(7)};
    Random pieces{seed_from_number(7)};
    const auto expected = hex_of(whole, 1000);
    std::string got;
    for (std::size_t size = 1; got.size() < 2000; ++size)
        got += hex_of(pieces, std::min(size, 1000 - got.size() / 2));
    EXPECT_EQ(got, expected);
    Random other{seed_from_number(8)};
    EXPECT_NE(hex_of(other, 1000), expected);
    Random moved_from{seed_from_number(7)};
    Random moved{std::move(moved_from)};
    EXPECT_EQ(hex_of(moved, 1000), expected);
}

TEST(Random, BelowStaysBelowAndReachesAll) {
    Random random{seed_from_number(1)};
    for (int i = 0; i < 100; ++i) EXPECT_EQ(random.below(1), 0U);
    std::vector<int> seen(10);
    for (int i = 0; i < 10'000; ++i) {
        const auto value = random.below(10);
        ASSERT_LT(value, 10U);
        ++seen[value];
    }
    for (const int count : seen) EXPECT_NEAR(count, 1000, 150);  // five standard deviations
    // Just above half of the range, a plain remainder would give the lower half twice as often.
    const std::uint64_t limit = 3ULL << 62U;
    int low = 0;
    for (int i = 0; i < 3000; ++i) {
        const auto value = random.below(limit);
        ASSERT_LT(value, limit);
        low += value < limit / 3 ? 1 : 0;
    }
    EXPECT_NEAR(low, 1000, 130);
    for (int i = 0; i < 100; ++i) EXPECT_LT(random.below(UINT64_MAX), UINT64_MAX);
}

TEST(Random, BetweenIncludesBothEnds) {
    Random random{seed_from_number(2)};
    EXPECT_EQ(random.between(5s, 5s), 5s);
    std::set<Duration> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(random.between(-1us, 2us));
    EXPECT_EQ(seen, (std::set<Duration>{-1us, 0us, 1us, 2us}));
    for (int i = 0; i < 1000; ++i) {
        const auto keep_alive = random.between(24s, 29s);
        ASSERT_TRUE(keep_alive >= 24s && keep_alive <= 29s);
    }
}

TEST(Random, UnitIsHalfOpen) {
    Random random{seed_from_number(3)};
    double sum = 0;
    for (int i = 0; i < 10'000; ++i) {
        const double value = random.unit();
        ASSERT_TRUE(value >= 0 && value < 1);
        sum += value;
    }
    EXPECT_NEAR(sum / 10'000, 0.5, 0.015);
}

// Branches, tags and Call-IDs are made of these (RFC 3261 §19.3: at least 32 bits).
TEST(Random, TokensHaveTheBitsAskedFor) {
    Random random{seed_from_number(4)};
    EXPECT_EQ(random.token(0), "");
    EXPECT_EQ(random.token(1).size(), 1U);
    EXPECT_EQ(random.token(64).size(), 13U);
    EXPECT_EQ(random.token(65).size(), 13U);
    EXPECT_EQ(random.token(66).size(), 14U);
    const auto text = random.token(5000);
    EXPECT_EQ(text.find_first_not_of("0123456789abcdefghijklmnopqrstuv"), std::string::npos);
    EXPECT_EQ(std::set<char>(text.begin(), text.end()).size(), 32U);
}

// RFC 4122 §4.4: version 4, variant 10.
TEST(Random, UuidIsVersion4) {
    Random random{seed_from_number(5)};
    std::set<std::string> all;
    for (int i = 0; i < 200; ++i) {
        const auto uuid = random.uuid();
        ASSERT_EQ(uuid.size(), 36U);
        EXPECT_EQ(uuid[14], '4');
        EXPECT_NE(std::string_view{"89ab"}.find(uuid[19]), std::string_view::npos);
        for (const std::size_t dash : {8U, 13U, 18U, 23U}) EXPECT_EQ(uuid[dash], '-');
        EXPECT_EQ(uuid.find_first_not_of("0123456789abcdef-"), std::string::npos);
        all.insert(uuid);
    }
    EXPECT_EQ(all.size(), 200U);
}

TEST(RandomDeathTest, BelowNothingIsOurMistake) {
    Random random{Seed{}};
    EXPECT_DEATH((void)random.below(0), "limit > 0");
}

}  // namespace
}  // namespace holdfast
