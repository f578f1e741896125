// A file that is whole after each bit of sound; and what the signals sound like.
#include "media/wav_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "media/limits.h"
#include "media/signals.h"
#include "media/test_sound.h"

namespace holdfast::media {
namespace {

using namespace std::chrono_literals;

class WavFileTest : public testing::Test {
protected:
    ~WavFileTest() override {
        std::error_code ignored;
        std::filesystem::remove(path, ignored);
    }
    const std::string path = (std::filesystem::temp_directory_path() /
                              ("holdfast-wav-" + std::to_string(::getpid()) + ".wav"))
                                 .string();
};

TEST_F(WavFileTest, IsWholeAfterEachBit) {
    write_wav(path, 8000, Samples(100, 7));
    auto file = WavFile::create(path, 16000);
    ASSERT_TRUE(file) << file.error();
    EXPECT_EQ(read_wav(path).samples.size(), 0U) << "begun anew";
    ASSERT_TRUE((*file)->append(std::array<std::int16_t, 3>{1, -2, 3}));
    EXPECT_EQ(read_wav(path).samples, (Samples{1, -2, 3}));
    ASSERT_TRUE((*file)->append(std::array<std::int16_t, 2>{4, 5}));
    const auto wav = read_wav(path);
    EXPECT_EQ(wav.samples, (Samples{1, -2, 3, 4, 5}));
    EXPECT_EQ(wav.rate, 16000U);
    EXPECT_EQ(wav.channels, 1);
    EXPECT_EQ(std::filesystem::file_size(path), 44U + 10U);
}

TEST_F(WavFileTest, SaysWhyItCannotBe) {
    const auto file = WavFile::create("/no/such/folder/x.wav", 8000);
    ASSERT_FALSE(file);
    EXPECT_NE(file.error().find("/no/such/folder/x.wav"), std::string::npos);
    EXPECT_NE(file.error().find("No such file"), std::string::npos) << file.error();
}

// A full disk.
TEST_F(WavFileTest, SaysWhenNothingMoreGoesIn) {
    const auto file = WavFile::create("/dev/full", 8000);
    EXPECT_FALSE(file);
}

// I8. What is one past the limit goes nowhere; what is at it is there.
TEST_F(WavFileTest, HasItsLimit) {
    auto file = WavFile::create(path, 16000);
    ASSERT_TRUE(file) << file.error();
    const std::vector<std::int16_t> much(limits::wav_bytes / sizeof(std::int16_t) - 1);
    ASSERT_TRUE((*file)->append(much));
    EXPECT_FALSE((*file)->append(std::array<std::int16_t, 2>{1, 2}));
    EXPECT_TRUE((*file)->append(std::array<std::int16_t, 1>{1}));
    EXPECT_FALSE((*file)->append(std::array<std::int16_t, 1>{1}));
    EXPECT_EQ(std::filesystem::file_size(path), 44U + limits::wav_bytes);
}

// ITU-T E.180 and its Supplement 2.
TEST(Signals, SoundAsAtHome) {
    const auto is = [](const Tone& tone, double first, double second, Duration on, Duration off) {
        EXPECT_EQ(tone.hertz, (std::array<double, 2>{first, second}));
        EXPECT_EQ(tone.on, on);
        EXPECT_EQ(tone.off, off);
        EXPECT_LT(tone.level, -10);
    };
    is(tone_of(Signal::ring_back, Tones::europe), 425, 0, 1s, 4s);
    is(tone_of(Signal::busy, Tones::europe), 425, 0, 480ms, 480ms);
    is(tone_of(Signal::congestion, Tones::europe), 425, 0, 240ms, 240ms);
    is(tone_of(Signal::waiting, Tones::europe), 425, 0, 200ms, 5s);
    is(tone_of(Signal::ring_back, Tones::north_america), 440, 480, 2s, 4s);
    is(tone_of(Signal::busy, Tones::north_america), 480, 620, 500ms, 500ms);
    is(tone_of(Signal::congestion, Tones::north_america), 480, 620, 250ms, 250ms);
    is(tone_of(Signal::waiting, Tones::north_america), 440, 0, 300ms, 9700ms);
    for (const auto tones : {Tones::europe, Tones::north_america}) {
        is(tone_of(Signal::ring, tones), 950, 1200, 1s, 2s);
        EXPECT_EQ(tone_of(Signal::none, tones).hertz, (std::array<double, 2>{}));
    }
}

}  // namespace
}  // namespace holdfast::media
