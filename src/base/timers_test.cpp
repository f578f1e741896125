// The table of timers that every machine has: armed, due, taken once.
#include "base/timers.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

enum class Timer { refresh, keep_alive, patience, count };

constexpr Instant at(Duration since_start) { return Instant{} + since_start; }

TEST(Timers, NothingIsArmedAtFirst) {
    Timers<Timer> timers;
    EXPECT_EQ(timers.next(), never);
    EXPECT_EQ(timers.take_due(at(1h)), std::nullopt);
    EXPECT_FALSE(timers.is_armed(Timer::refresh));
    EXPECT_EQ(timers.at(Timer::refresh), never);
}

TEST(Timers, AreTakenOnceInOrderOfTime) {
    Timers<Timer> timers;
    timers.arm(Timer::refresh, at(3s));
    timers.arm(Timer::keep_alive, at(1s));
    timers.arm(Timer::patience, at(2s));
    EXPECT_EQ(timers.next(), at(1s));
    EXPECT_EQ(timers.take_due(at(1s) - 1us), std::nullopt);
    EXPECT_EQ(timers.take_due(at(2s)), Timer::keep_alive);
    EXPECT_FALSE(timers.is_armed(Timer::keep_alive));  // a fired timer is already stopped
    EXPECT_EQ(timers.take_due(at(2s)), Timer::patience);
    EXPECT_EQ(timers.take_due(at(2s)), std::nullopt);  // a spurious call takes nothing
    EXPECT_EQ(timers.next(), at(3s));
}

TEST(Timers, EnumOrderBreaksATie) {
    Timers<Timer> timers;
    timers.arm(Timer::patience, at(1s));
    timers.arm(Timer::refresh, at(1s));
    EXPECT_EQ(timers.take_due(at(1s)), Timer::refresh);
    EXPECT_EQ(timers.take_due(at(1s)), Timer::patience);
}

TEST(Timers, ArmingAgainMovesAndStoppingStops) {
    Timers<Timer> timers;
    timers.arm(Timer::refresh, at(1s));
    timers.arm(Timer::refresh, at(5s));
    EXPECT_EQ(timers.next(), at(5s));
    timers.arm(Timer::keep_alive, at(2s));
    timers.stop(Timer::refresh);
    EXPECT_EQ(timers.next(), at(2s));
    timers.stop_all();
    EXPECT_EQ(timers.take_due(at(1h)), std::nullopt);
}

// A driver that runs a world "to its end" passes the last instant there is.
TEST(Timers, StoppedOnesAreNotDueAtTheEndOfTime) {
    Timers<Timer> timers;
    EXPECT_EQ(timers.take_due(never), std::nullopt);
    timers.arm(Timer::patience, at(1s));
    EXPECT_EQ(timers.take_due(never), Timer::patience);
    EXPECT_EQ(timers.take_due(never), std::nullopt);
}

}  // namespace
}  // namespace holdfast
