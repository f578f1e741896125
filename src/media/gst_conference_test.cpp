// Calls that are joined hear each other and not themselves. Three calls of one phone, each with its
// peer in the same process, on loopback sockets.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numbers>
#include <optional>
#include <string>

#include "media/test_pair.h"
#include "media/test_sound.h"

namespace holdfast::media {
namespace {

constexpr std::size_t calls = 3;

// How much of this tone is in the sound, 0 – 1 of full scale (a Fourier sum at one frequency).
double share_of(double hertz, std::span<const std::int16_t> sound, std::uint32_t rate) {
    double real = 0;
    double imaginary = 0;
    for (std::size_t n = 0; n < sound.size(); ++n) {
        const double angle = 2 * std::numbers::pi * hertz * static_cast<double>(n) / rate;
        real += sound[n] / 32768.0 * std::cos(angle);
        imaginary += sound[n] / 32768.0 * std::sin(angle);
    }
    return 2 * std::hypot(real, imaginary) / static_cast<double>(sound.size());
}

// The most of this tone in any 40 ms of what was heard: of all three, a whole number of waves.
double most_of(double hertz, std::span<const std::int16_t> sound, std::uint32_t rate) {
    double most = 0;
    const std::size_t window = rate / 25;
    for (std::size_t at = 0; at + window <= sound.size(); at += window)
        most = std::max(most, share_of(hertz, sound.subspan(at, window), rate));
    return most;
}

// A phone's calls (1, 2, 3) and the people at their other ends (11, 12, 13), who whistle one tone
// each.
class Conference : public testing::Test {
protected:
    static constexpr std::array<int, calls> tones{500, 800, 1100};
    static constexpr std::array codecs{"PCMA", "L16", "PCMU"};  // of two rates

    // A busy host is late; what a recording holds back for late pieces is a little longer.
    static constexpr std::chrono::milliseconds jitter{200};

    static SessionId call(std::size_t n) { return SessionId{static_cast<std::uint32_t>(n + 1)}; }
    static SessionId person(std::size_t n) { return SessionId{static_cast<std::uint32_t>(n + 11)}; }

    void SetUp() override {
        for (std::size_t n = 0; n < calls; ++n) {
            const auto here = pair.open(call(n), {.jitter = jitter});
            const auto there = pair.open(
                person(n), {.source = {.kind = EndKind::tone, .name = std::to_string(tones[n])},
                            .jitter = jitter});
            pair.submit(
                in::Agreed{.session = call(n), .stream = Pair::agreed(here, there, codecs[n])});
            pair.submit(
                in::Agreed{.session = person(n), .stream = Pair::agreed(there, here, codecs[n])});
            ASSERT_TRUE(pair.next<out::FirstPacket>(call(n))) << pair.failures();
            ASSERT_TRUE(pair.next<out::FirstPacket>(person(n))) << pair.failures();
        }
    }
    // How much of each tone person `n` hears within a second from now; nothing: a busy host did not
    // let us know.
    std::optional<std::array<double, calls>> heard_by(std::size_t n) {
        const auto path = folder / "heard.wav";
        // What was sent before has been heard: a digit comes after it, in the order of the stream.
        pair.submit(in::SendDtmf{.session = call(n), .digits = "0"});
        if (!pair.next<out::DtmfHeard>(person(n))) return std::nullopt;
        pair.submit(in::Record{.session = person(n), .path = path});
        pair.submit(in::SendDtmf{.session = call(n), .digits = ",1"});
        const bool paced = pair.next<out::DtmfHeard>(person(n)).has_value();
        pair.submit(in::StopRecording{person(n)});
        // Ends in one or the other.
        while (!pair.next<out::Recorded>(person(n), std::chrono::milliseconds{500})) {
            if (pair.has<out::Failed>(person(n))) return std::nullopt;
        }
        const auto wav = read_wav(path);
        if (!paced || wav.rate == 0) return std::nullopt;
        const auto heard = wav.channel(1);
        std::array<double, calls> shares{};
        for (std::size_t tone = 0; tone < calls; ++tone)
            shares[tone] = most_of(tones[tone], heard, wav.rate);
        return shares;
    }
    void join(std::size_t n, std::size_t with) {
        pair.submit(in::Join{.session = call(n), .with = call(with)});
        EXPECT_TRUE(pair.next<out::Joined>(call(n))) << pair.failures();
    }
    // Person `n` comes to hear these tones and no other. At once on a host that is not busy; on one
    // that is, a second in which too much of the sound was late proves nothing, and another may.
    void expect_hears(std::size_t n, std::array<bool, calls> expected) {
        std::string heard;
        for (int attempt = 0; attempt < 8; ++attempt) {
            const auto shares = heard_by(n);
            if (!shares) continue;
            bool fits = true;
            heard.clear();
            for (std::size_t tone = 0; tone < calls; ++tone) {
                const bool is_there = (*shares)[tone] > 0.15;
                const bool is_away = (*shares)[tone] < 0.05;
                fits = fits && (expected[tone] ? is_there : is_away);
                heard += " " + std::to_string((*shares)[tone]);
            }
            if (fits) return;
        }
        ADD_FAILURE() << "person " << n << " hears of the tones" << heard;
    }

    TestFolder folder;
    Pair pair;
};

TEST_F(Conference, EveryoneHearsAllButOneself) {
    expect_hears(0, {false, false, false});
    join(1, 0);
    join(2, 1);
    expect_hears(0, {false, true, true});
    expect_hears(1, {true, false, true});
    expect_hears(2, {true, true, false});

    pair.submit(in::Split{call(1)});
    ASSERT_TRUE(pair.next<out::Parted>(call(1)));
    expect_hears(1, {false, false, false});
    expect_hears(0, {false, false, true});

    pair.close(call(2));  // a call that ends leaves
    expect_hears(0, {false, false, false});
}

TEST_F(Conference, WhatCannotBeJoinedIsSaid) {
    const SessionId fresh{4};
    pair.open(fresh, {});
    for (const auto& [session, with] :
         {std::pair{call(0), fresh}, {call(0), call(0)}, {call(0), SessionId{99}}}) {
        pair.submit(in::Join{.session = session, .with = with});
        const auto failed = pair.next<out::Failed>(session);
        ASSERT_TRUE(failed);
        EXPECT_EQ(failed->kind, out::FailureKind::conference);
        EXPECT_FALSE(failed->ends);
        EXPECT_NE(failed->sentence.find("no conference"), std::string::npos) << failed->sentence;
    }
}

}  // namespace
}  // namespace holdfast::media
