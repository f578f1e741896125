#include "media/lost_device.h"

#include <gtest/gtest.h>

namespace holdfast::media {
namespace {

using namespace std::chrono_literals;

constexpr Instant lost_at{100s};

TEST(LostDevice, IsLookedForEveryTwoSeconds) {
    LostDevice device;
    EXPECT_FALSE(device.is_due(lost_at)) << "it is not lost";
    EXPECT_TRUE(device.failed(lost_at));
    for (auto now = lost_at; now < lost_at + 10min; now += 2s) {
        EXPECT_FALSE(device.is_due(now + 1999ms));
        ASSERT_TRUE(device.is_due(now + 2s));
        device.not_there(now + 2s);
    }
}

TEST(LostDevice, IsBackWhenItDoesNotFailForTwoSeconds) {
    LostDevice device;
    device.failed(lost_at);
    EXPECT_FALSE(device.is_back(lost_at + 1h)) << "nobody has tried it";
    device.tried(lost_at + 2s);
    EXPECT_FALSE(device.is_due(lost_at + 1h)) << "it is used";
    EXPECT_FALSE(device.is_back(lost_at + 3999ms));
    EXPECT_TRUE(device.is_back(lost_at + 4s));
    EXPECT_FALSE(device.is_back(lost_at + 5s)) << "that is told once";
    EXPECT_TRUE(device.failed(lost_at + 6s)) << "and the next loss is told again";
    EXPECT_TRUE(device.is_due(lost_at + 8s));
}

TEST(LostDevice, OneThatCannotBeUsedIsToldOnceAndLeftAloneForLongerEachTime) {
    LostDevice device;
    EXPECT_TRUE(device.failed(lost_at));
    auto now = lost_at;
    for (const auto wait : {2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
        EXPECT_FALSE(device.is_due(now + wait - 1ms));
        now += wait;
        ASSERT_TRUE(device.is_due(now)) << wait.count();
        device.tried(now);
        EXPECT_FALSE(device.failed(now));
    }
}

TEST(LostDevice, IsForgottenWhenAnotherIsGiven) {
    LostDevice device;
    device.failed(lost_at);
    device.forget();
    EXPECT_FALSE(device.is_due(lost_at + 1h));
    EXPECT_TRUE(device.failed(lost_at + 1h)) << "the other one, and that is told";
}

}  // namespace
}  // namespace holdfast::media
