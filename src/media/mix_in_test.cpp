// Sound of one rhythm into frames of another.
#include "media/mix_in.h"

#include <gtest/gtest.h>

#include <vector>

namespace holdfast::media {
namespace {

constexpr std::uint32_t rate = 8000;
using Frame = std::vector<std::int16_t>;

// What waits is added, in order, once a reserve of 20 ms is there; full scale is not left.
TEST(MixIn, AddsWhatHasComeOnceThereIsAReserve) {
    MixIn mix{rate};
    Frame frame(160, 100);
    mix.put(Frame(200, 7));
    mix.add_to(frame);
    EXPECT_EQ(frame, Frame(160, 100)) << "less than a frame and the reserve";
    mix.put(Frame(120, 32760));
    mix.add_to(frame);
    EXPECT_EQ(frame, Frame(160, 107));
    mix.add_to(frame);
    EXPECT_EQ(frame[0], 114);
    EXPECT_EQ(frame[40], 32767) << "not more than there can be";
    mix.add_to(frame);
    EXPECT_EQ(frame[0], 114) << "nothing is left";
}

// After a gap the reserve is gathered again.
TEST(MixIn, GathersAgainAfterAGap) {
    MixIn mix{rate};
    Frame frame(160, 0);
    mix.put(Frame(320, 1));
    mix.add_to(frame);
    mix.add_to(frame);
    mix.add_to(frame);  // empty
    mix.put(Frame(160, 1));
    Frame silent(160, 0);
    mix.add_to(silent);
    EXPECT_EQ(silent, Frame(160, 0));
    EXPECT_EQ(mix.waiting(), 160U);
}

// Nobody takes it for a while: delay does not grow, nor memory.
TEST(MixIn, LateSoundIsDropped) {
    MixIn mix{rate};
    for (int n = 0; n < 100; ++n) {
        mix.put(Frame(160, 1));
        EXPECT_LE(mix.waiting(), rate / 5);
    }
}

}  // namespace
}  // namespace holdfast::media
