#include "media/jitter_control.h"

#include <gtest/gtest.h>

namespace holdfast::media {
namespace {

using namespace std::chrono_literals;

// A stream of 50 packets a second, looked at four times a second.
struct Stream {
    JitterControl control;
    JitterControl::Seen seen{};
    Instant now{1000s};
    int changes = 0;

    void live(Duration length, Duration jitter) {
        for (Duration passed{}; passed < length; passed += 250ms) look(jitter, 0);
    }
    void look(Duration jitter, std::uint64_t late) {
        now += 250ms;
        seen.packets += 12;
        seen.late += late;
        seen.jitter = jitter;
        changes += control.look(seen, now);
    }
};

TEST(JitterControl, HoldsNoMoreThanACalmNetworkNeeds) {
    Stream stream;
    EXPECT_EQ(stream.control.held(), 60ms);
    stream.live(5s, 1ms);
    EXPECT_EQ(stream.control.held(), 60ms) << "not before it has been calm for so long";
    stream.live(500ms, 1ms);
    EXPECT_EQ(stream.control.held(), JitterControl::least);
    stream.live(10min, 1ms);
    EXPECT_EQ(stream.changes, 1) << "each change is heard";
}

TEST(JitterControl, HoldsFourTimesTheWorstJitter) {
    Stream stream;
    stream.live(2s, 3ms);
    stream.live(1s, 6ms);
    stream.live(3s, 2ms);
    EXPECT_EQ(stream.control.held(), 34ms);
    Stream rough;
    rough.live(1min, 12ms);
    EXPECT_EQ(rough.control.held(), 60ms) << "for 2 ms less there is no gap";
}

TEST(JitterControl, HoldsMoreAtOnceWhenPacketsComeLate) {
    Stream stream;
    stream.look(1ms, 1);
    EXPECT_EQ(stream.control.held(), 80ms);
    stream.look(1ms, 3);
    EXPECT_EQ(stream.control.held(), 100ms);
    for (int n = 0; n < 20; ++n) stream.look(1ms, 1);
    EXPECT_EQ(stream.control.held(), JitterControl::most);
}

TEST(JitterControl, WhatWasTooLittleIsNotTriedAgainSoon) {
    Stream stream;
    stream.live(6s, 1ms);
    ASSERT_EQ(stream.control.held(), 20ms);
    stream.look(1ms, 1);
    EXPECT_EQ(stream.control.held(), 40ms);
    stream.live(9s, 1ms);
    EXPECT_EQ(stream.control.held(), 40ms);
    stream.live(2s, 1ms);
    EXPECT_EQ(stream.control.held(), 20ms) << "after twice the time";
    for (int n = 0; n < 10; ++n) {
        stream.look(1ms, 1);
        stream.live(5min + 1s, 1ms);
        EXPECT_EQ(stream.control.held(), 20ms) << "five minutes at most";
    }
}

TEST(JitterControl, LearnsNothingFromSilence) {
    Stream stream;
    stream.live(3s, 1ms);
    for (int n = 0; n < 100; ++n) {
        stream.now += 250ms;
        stream.control.look(stream.seen, stream.now);
    }
    EXPECT_EQ(stream.control.held(), 60ms);
    stream.live(4s, 1ms);
    EXPECT_EQ(stream.control.held(), 60ms) << "a hold is no calm network";
    stream.live(2s, 1ms);
    EXPECT_EQ(stream.control.held(), 20ms);
}

TEST(JitterControl, WhatIsFixedStays) {
    Stream stream{.control = JitterControl{500ms}};
    stream.live(1min, 1ms);
    stream.look(1ms, 5);
    EXPECT_EQ(stream.control.held(), 500ms);
    EXPECT_EQ(stream.changes, 0);
}

}  // namespace
}  // namespace holdfast::media
