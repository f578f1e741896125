// Sound made without a device, two mono streams as one, and what we offer.
#include "media/waveform.h"

#include <gtest/gtest.h>

#include <array>

#include "media/local_stream.h"
#include "media/two_channels.h"

namespace holdfast::media {
namespace {

using namespace std::chrono_literals;

std::vector<std::int16_t> frame_of(Waveform& waveform, std::size_t size, bool ends = false) {
    std::vector<std::int16_t> frame(size, 99);
    EXPECT_EQ(waveform.fill(frame), ends);
    return frame;
}

TEST(Waveform, ClipEndsOnceAndSilenceFollows) {
    Waveform waveform{8000};
    waveform.play(std::make_shared<Clip>(Clip{.rate = 8000, .samples = {1, 2, 3, 4, 5}}), false);
    EXPECT_EQ(frame_of(waveform, 4), (std::vector<std::int16_t>{1, 2, 3, 4}));
    EXPECT_EQ(frame_of(waveform, 4, true), (std::vector<std::int16_t>{5, 0, 0, 0}));
    EXPECT_EQ(frame_of(waveform, 4), (std::vector<std::int16_t>(4, 0)));
}

TEST(Waveform, LoopHasNoSeam) {
    Waveform waveform{8000};
    waveform.play(std::make_shared<Clip>(Clip{.rate = 8000, .samples = {1, 2, 3}}), true);
    EXPECT_EQ(frame_of(waveform, 7), (std::vector<std::int16_t>{1, 2, 3, 1, 2, 3, 1}));
}

TEST(Waveform, ToneHasItsPitchAndItsPauses) {
    Waveform waveform{8000};
    waveform.play(Tone{.hertz = {1000, 0}, .level = -6, .on = 10ms, .off = 10ms});
    const auto frame = frame_of(waveform, 160);
    EXPECT_NEAR(frame[2], 32767 * 0.5012, 2) << "a quarter of a period";
    EXPECT_EQ(frame[8], frame[0]) << "a period is 8 samples";
    for (std::size_t n = 80; n < 160; ++n) EXPECT_EQ(frame[n], 0);
}

TEST(TwoChannels, HolesAreSilenceAndPlacesAreKept) {
    TwoChannels channels{100, 0};
    channels.add(Side::left, 98,
                 std::array<std::int16_t, 4>{1, 2, 3, 4});  // begins before the origin
    channels.add(Side::right, 103, std::array<std::int16_t, 1>{9});
    EXPECT_EQ(channels.take(104), (std::vector<std::int16_t>{3, 0, 4, 0, 0, 0, 0, 9}));
    EXPECT_EQ(channels.take(105), (std::vector<std::int16_t>{0, 0}));
    channels.add(Side::left, 104, std::array<std::int16_t, 1>{7});
    EXPECT_EQ(channels.take(106), (std::vector<std::int16_t>{0, 0})) << "too late";
}

TEST(TwoChannels, ClocksThatDifferALittleMakeNoClicks) {
    TwoChannels channels{0, 10};
    channels.add(Side::left, 0, std::array<std::int16_t, 2>{1, 2});
    channels.add(Side::left, 5, std::array<std::int16_t, 2>{3, 4});
    EXPECT_EQ(channels.take(4), (std::vector<std::int16_t>{1, 0, 2, 0, 3, 0, 4, 0}));
}

TEST(TwoChannels, WhatIsFarAheadIsDropped) {
    TwoChannels channels{0, 0};
    channels.add(Side::left, TwoChannels::furthest - 1, std::array<std::int16_t, 2>{1, 2});
    const auto all = channels.take(TwoChannels::furthest + 1);
    EXPECT_EQ(all[all.size() - 4], 1);
    EXPECT_EQ(all[all.size() - 2], 0);
}

// What is missing is said, what is there is offered in the order asked for (RFC 3264 §5.1), with
// digits for each clock (RFC 4733 §2.1).
TEST(LocalStream, OffersWhatIsThereInTheOrderAskedFor) {
    const std::vector<CodecSupport> support{
        {.name = "opus", .clock_rate = 48000, .installed = true, .missing = {}},
        {.name = "G722",
         .clock_rate = 8000,
         .installed = false,
         .missing = "no avenc_g722: install gstreamer1.0-libav"},
        {.name = "PCMA", .clock_rate = 8000, .installed = true, .missing = {}}};
    const auto offered = offered_codecs(support, {"pcma", "G722", "Opus", "G729"});
    ASSERT_EQ(offered.codecs.size(), 2U);
    EXPECT_EQ(offered.codecs[0]->name, "PCMA");
    ASSERT_EQ(offered.missing.size(), 2U);
    EXPECT_EQ(offered.missing[0], "codec G722: no avenc_g722: install gstreamer1.0-libav");
    EXPECT_NE(offered.missing[1].find("G729"), std::string::npos);

    const Endpoint rtp{.address = IpAddress::v4(127, 0, 0, 1), .port = 4000};
    const Endpoint rtcp{.address = rtp.address, .port = 4001};
    const auto stream =
        local_stream({.advertise = IpAddress::v4(192, 0, 2, 9)}, offered.codecs, rtp, rtcp);
    EXPECT_EQ(stream.rtp.to_string(), "192.0.2.9:4000");
    ASSERT_EQ(stream.codecs.size(), 4U);
    EXPECT_EQ(stream.codecs[0].payload_type, 8);
    EXPECT_EQ(stream.codecs[1].payload_type, 96);
    EXPECT_EQ(stream.codecs[1].channels, 2);
    EXPECT_EQ(stream.codecs[2].name, "telephone-event");
    EXPECT_EQ(stream.codecs[2].payload_type, 101);
    EXPECT_EQ(stream.codecs[3].clock_rate, 48000U);
    EXPECT_EQ(stream.codecs[3].payload_type, 97);
}

TEST(AudioEnd, ReadsWhatItWrites) {
    for (const auto* text : {"null", "default", "tone:440", "file:a b.wav", "loop:x", "pulse:n",
                             "alsa:hw:0", "pipewire:5"}) {
        const auto end = AudioEnd::parse(text);
        ASSERT_TRUE(end) << text;
        EXPECT_EQ(end->to_string(), text);
    }
    for (const auto* text : {"", "tone:", "file", "oss:x"})
        EXPECT_FALSE(AudioEnd::parse(text)) << text;
}

}  // namespace
}  // namespace holdfast::media
