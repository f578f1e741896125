#include "call/repeater.h"

#include <gtest/gtest.h>

#include <vector>

#include "call/limits.h"

namespace holdfast::call {
namespace {

using namespace std::chrono_literals;

std::vector<Duration> copies_of(Repeater::Ceiling ceiling, Duration* end) {
    const Instant start{1h};
    Repeater repeater;
    repeater.start(start, ceiling);
    std::vector<Duration> copies;
    for (int steps = 0; steps < 100 && repeater.is_running(); ++steps) {
        const auto now = repeater.next();
        switch (repeater.on_time(now)) {
        case Repeater::Do::send_again: copies.push_back(now - start); break;
        case Repeater::Do::give_up: *end = now - start; break;
        case Repeater::Do::nothing: ADD_FAILURE() << "woken for nothing"; break;
        }
    }
    return copies;
}

// RFC 3261 §13.3.1.4: T1, doubling up to T2, for 64·T1.
TEST(Repeater, AnAnswerIsRepeatedUpToT2) {
    Duration end{};
    EXPECT_EQ(copies_of(Repeater::Ceiling::t2, &end),
              (std::vector<Duration>{500ms, 1500ms, 3500ms, 7500ms, 11500ms, 15500ms, 19500ms,
                                     23500ms, 27500ms, 31500ms}));
    EXPECT_EQ(end, 32s);
}

// RFC 3262 §3: doubling without a ceiling, for 64·T1.
TEST(Repeater, AReliableProvisionalAnswerDoublesWithoutACeiling) {
    Duration end{};
    EXPECT_EQ(copies_of(Repeater::Ceiling::none, &end),
              (std::vector<Duration>{500ms, 1500ms, 3500ms, 7500ms, 15500ms, 31500ms}));
    EXPECT_EQ(end, 32s);
}

TEST(Repeater, NothingAfterItIsStoppedAndOneAfterALongSleep) {
    Repeater repeater;
    EXPECT_EQ(repeater.next(), never);
    repeater.start(Instant{1h}, Repeater::Ceiling::t2);
    EXPECT_EQ(repeater.on_time(Instant{1h} + 10s), Repeater::Do::send_again);
    EXPECT_EQ(repeater.on_time(Instant{1h} + 10s), Repeater::Do::nothing);
    repeater.stop();
    EXPECT_EQ(repeater.on_time(Instant{2h}), Repeater::Do::nothing);
    EXPECT_EQ(repeater.next(), never);
    repeater.start(Instant{1h}, Repeater::Ceiling::t2);
    EXPECT_EQ(repeater.on_time(Instant{2h}), Repeater::Do::give_up);
}

}  // namespace
}  // namespace holdfast::call
