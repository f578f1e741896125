// What shards share. How they run is tested with real threads, in tests/loopback.
#include "runtime/shards.h"

#include <gtest/gtest.h>

namespace holdfast::runtime {
namespace {

std::uint32_t of_all(std::uint32_t rate, std::size_t shards) {
    std::uint32_t sum = 0;
    for (std::size_t number = 0; number < shards; ++number)
        sum += registers_per_second_of(rate, shards, number);
    return sum;
}

TEST(ShardRates, S3TogetherTheyHaveTheRateThatIsAllowed) {
    for (const std::uint32_t rate : {4U, 5U, 7U, 200U, 1001U})
        for (const std::size_t shards : {1U, 2U, 3U, 4U})
            EXPECT_EQ(of_all(rate, shards), rate) << shards;
    EXPECT_EQ(registers_per_second_of(7, 4, 0), 2U);
    EXPECT_EQ(registers_per_second_of(7, 4, 3), 1U);
}

TEST(ShardRates, S3NoneIsWithoutALimitUnlessAllAre) {
    EXPECT_EQ(of_all(0, 4), 0U);
    for (std::size_t number = 0; number < 4; ++number)
        EXPECT_EQ(registers_per_second_of(1, 4, number), 1U);
}

}  // namespace
}  // namespace holdfast::runtime
