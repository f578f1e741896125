// Engine time is told, never asked.
#include "base/time.h"

#include <gtest/gtest.h>

#include <limits>
#include <type_traits>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

struct HostClock;  // any other clock, even one with the same ticks
static_assert(!std::is_convertible_v<std::chrono::time_point<HostClock, Duration>, Instant>);
static_assert(std::is_convertible_v<std::chrono::seconds, Duration>);

TEST(Deadline, TheSoonerWinsAndTheFirstWinsATie) {
    const Deadline idle;
    const Deadline refresh{Instant{} + 2s, "refresh"};
    const Deadline probe{Instant{} + 2s, "probe"};
    EXPECT_EQ(idle.at, never);
    EXPECT_EQ(sooner(idle, refresh).reason, "refresh");
    EXPECT_EQ(sooner(refresh, idle).reason, "refresh");
    EXPECT_EQ(sooner(refresh, probe).reason, "refresh");
    EXPECT_EQ(sooner(probe, refresh).reason, "probe");
}

TEST(Duration, InSecondsAndScaled) {
    EXPECT_DOUBLE_EQ(seconds_of(1500ms), 1.5);
    EXPECT_EQ(scaled(300s, 0.75), 225s);
    EXPECT_EQ(scaled(3us, 0.5), 1us);
    EXPECT_EQ(scaled(-3us, 0.5), -1us);
    EXPECT_EQ(scaled(0s, 1e300), 0s);
}

// A back-off that doubles for ever must not leave the range of its type.
TEST(Duration, ScalingSaturates) {
    EXPECT_EQ(scaled(30s, 0x1p60), Duration::max());
    EXPECT_EQ(scaled(-30s, 0x1p60), Duration::min());
    EXPECT_EQ(scaled(1s, std::numeric_limits<double>::infinity()), Duration::max());
    EXPECT_EQ(scaled(1s, std::numeric_limits<double>::quiet_NaN()), Duration::max());
}

}  // namespace
}  // namespace holdfast
