// Digits as tones: which ones, how long, and what becomes of the voice meanwhile.
#include "media/dtmf_tones.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "media/limits.h"

namespace holdfast::media {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t rate = 8000;

// How much of this tone is in the sound (Goertzel), 0 – 1 of full scale.
double share_of(double hertz, std::span<const std::int16_t> sound) {
    const double factor = 2 * std::cos(2 * std::numbers::pi * hertz / rate);
    double last = 0;
    double before = 0;
    for (const auto sample : sound) {
        const double next = sample / 32768.0 + factor * last - before;
        before = last;
        last = next;
    }
    const double power = last * last + before * before - factor * last * before;
    return 2 * std::sqrt(power) / static_cast<double>(sound.size());
}

// The sound of these digits in frames of 20 ms over a voice of 1000, until they have ended.
std::vector<std::int16_t> sound_of(DtmfTones& tones) {
    std::vector<std::int16_t> sound;
    for (int n = 0; n < 1000; ++n) {
        std::vector<std::int16_t> frame(160, 1000);
        const bool ended = tones.write(frame, rate);
        sound.insert(sound.end(), frame.begin(), frame.end());
        if (ended) return sound;
        EXPECT_FALSE(tones.idle()) << "something is left to be done";
    }
    ADD_FAILURE() << "they never end";
    return sound;
}

// Each key has its two tones and none of the others (ITU-T Q.23), for as long as was asked.
TEST(DtmfTones, EachDigitHasItsTwoTones) {
    for (const char digit : std::string{"0123456789*#ABCDabcd"}) {
        DtmfTones tones;
        ASSERT_TRUE(tones.queue(std::string{digit}, 100ms));
        const auto sound = sound_of(tones);
        const auto own = tones_of_digit(digit);
        ASSERT_TRUE(own);
        const std::span lasting{sound.data(), 800};  // 100 ms
        for (const double hertz : {697, 770, 852, 941, 1209, 1336, 1477, 1633}) {
            const bool is_own = hertz == (*own)[0] || hertz == (*own)[1];
            if (is_own)
                EXPECT_NEAR(share_of(hertz, lasting), 0.3, 0.03) << digit << " " << hertz;
            else
                EXPECT_LT(share_of(hertz, lasting), 0.08) << digit << " " << hertz;
        }
        EXPECT_EQ(sound[800], 0) << "a pause follows";
        EXPECT_EQ(sound[800 + 479], 0) << "of 60 ms";
        ASSERT_EQ(sound.size(), 800U + 480U);
        std::vector<std::int16_t> after(160, 1000);
        tones.write(after, rate);
        EXPECT_EQ(after.front(), 1000) << "then the voice is back";
    }
}

// A comma is a second in which the voice is heard.
TEST(DtmfTones, CommaPauses) {
    DtmfTones tones;
    ASSERT_TRUE(tones.queue("1,1", 40ms));
    const auto sound = sound_of(tones);
    EXPECT_EQ(sound[320 + 480], 1000);
    EXPECT_EQ(sound[320 + 480 + 7999], 1000);
    EXPECT_NE(sound[320 + 480 + 8000 + 3], 1000);
}

TEST(DtmfTones, WhatIsNoDigitIsRefusedWhole) {
    DtmfTones tones;
    EXPECT_FALSE(tones.queue("12x", 100ms));
    EXPECT_TRUE(tones.idle());
    EXPECT_TRUE(tones.queue(std::string(limits::dtmf_digits, '1'), 100ms));
    EXPECT_FALSE(tones.queue("1", 100ms)) << "one too many";
    DtmfTones none;
    std::vector<std::int16_t> frame(160, 1000);
    EXPECT_FALSE(none.write(frame, rate)) << "nothing has ended where nothing was";
    EXPECT_EQ(frame, std::vector<std::int16_t>(160, 1000));
}

}  // namespace
}  // namespace holdfast::media
