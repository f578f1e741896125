// Signals as they come out of the pipeline: to a file in the place of a loudspeaker.
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "media/test_pair.h"
#include "media/test_sound.h"
#include "media/test_tones.h"

namespace holdfast::media {
namespace {

class SignalPlayer : public testing::Test {
protected:
    SignalPlayer() {
        auto made = gst::make_engine();
        if (!made) throw std::runtime_error(made.error());
        engine = std::move(*made);
    }
    [[nodiscard]] AudioEnd file(const char* name) const {
        return {.kind = EndKind::file, .name = (folder / name).string()};
    }
    // Until the file has so much sound.
    static Wav after(double seconds, const AudioEnd& file) {
        const auto end = std::chrono::steady_clock::now() + patience;
        for (;;) {
            auto wav = read_wav(file.name);
            const bool is_there =
                wav.rate > 0 && wav.samples.size() >= static_cast<std::size_t>(seconds * wav.rate);
            if (is_there || std::chrono::steady_clock::now() > end) return wav;
            pollfd nothing{.fd = -1, .events = 0, .revents = 0};
            ::poll(&nothing, 1, 50);
        }
    }
    std::optional<out::NotPlayed> not_played() { return next<out::NotPlayed>(); }
    template <class What>
    std::optional<What> next() {
        const auto end = std::chrono::steady_clock::now() + patience;
        while (std::chrono::steady_clock::now() < end) {
            pollfd waiting{.fd = engine->descriptor(), .events = POLLIN, .revents = 0};
            ::poll(&waiting, 1, 1000);
            for (auto& event : engine->take())
                if (auto* found = std::get_if<What>(&event)) return std::move(*found);
        }
        return std::nullopt;
    }

    const TestFolder folder;
    std::unique_ptr<Engine> engine;
};

// The pitch and the cadence of ring-back: a second of 425 Hz, four of silence (ITU-T E.180).
TEST_F(SignalPlayer, RingBackIsHeardAsItIsMeant) {
    const auto sink = file("tone.wav");
    engine->submit(in::Play{.signal = Signal::ring_back, .sink = sink});
    const auto wav = after(5.5, sink);
    const auto sound = wav.channel(0);
    ASSERT_GE(sound.size(), 5.5 * wav.rate);
    EXPECT_EQ(times_on(sound, wav.rate, 425),
              (std::vector<OnTime>{{.from = 0.0, .to = 1.0}, {.from = 5.0, .to = to_the_end}}));
    const auto on = std::span{sound}.subspan(wav.rate / 10, wav.rate * 8 / 10);
    EXPECT_NEAR(amplitude_at(425, on, wav.rate), 32767 * 0.1259, 100) << "18 dB below full scale";
    EXPECT_LT(amplitude_at(440, on, wav.rate), 100) << "nothing beside it";
    engine->submit(in::Play{});
}

// Another signal takes the place of the one before, and a file has them one behind the other.
TEST_F(SignalPlayer, OneSignalAtATime) {
    const auto sink = file("tones.wav");
    engine->submit(in::Play{.signal = Signal::ring, .sink = sink});
    const auto rung = after(0.5, sink).samples.size();
    engine->submit(in::Play{.signal = Signal::busy, .tones = Tones::north_america, .sink = sink});
    const auto wav = after(static_cast<double>(rung) / 16000 + 1, sink);
    const auto bell = times_on(wav.channel(0), wav.rate, 950);
    const auto busy = times_on(wav.channel(0), wav.rate, 620);
    ASSERT_EQ(bell.size(), 1U);
    ASSERT_GE(busy.size(), 1U);
    EXPECT_GE(busy[0].from, bell[0].to - 0.05);
    EXPECT_NEAR(busy[0].to - busy[0].from, 0.5, 0.05);

    engine->submit(in::Play{});
    engine->submit(in::List{});
    const auto listed = next<out::Listed>();  // it is silent by then
    ASSERT_TRUE(listed);
    const auto size = std::filesystem::file_size(sink.name);
    auto another = gst::make_engine();
    ASSERT_TRUE(another);
    (*another)->submit(in::Play{.signal = Signal::ring, .sink = file("other.wav")});
    after(0.3, file("other.wav"));  // so much time has passed
    EXPECT_EQ(std::filesystem::file_size(sink.name), size) << "silence is not written";
}

TEST_F(SignalPlayer, AFileRingsAgainAndAgain) {
    const auto prompt = sweep(16000, 0.4, 500, 2500);
    write_wav(folder / "bell.wav", 16000, prompt);
    const auto sink = file("rung.wav");
    engine->submit(
        in::Play{.signal = Signal::ring, .sink = sink, .file = (folder / "bell.wav").string()});
    const auto sound = after(1.3, sink).channel(0);
    const auto first = likeness(prompt, std::span{sound}.first(prompt.size() + 800), 16000);
    const auto third = likeness(prompt, std::span{sound}.subspan(2 * prompt.size() - 800), 16000);
    EXPECT_GT(first.correlation, 0.95);
    EXPECT_GT(third.correlation, 0.95);
}

// Somebody who calls is heard of all the same.
TEST_F(SignalPlayer, AFileThatIsNoSoundIsSaidAndTheToneRings) {
    std::ofstream{folder / "bell.wav"} << "no sound at all";
    const auto sink = file("rung.wav");
    engine->submit(
        in::Play{.signal = Signal::ring, .sink = sink, .file = (folder / "bell.wav").string()});
    const auto told = not_played();
    ASSERT_TRUE(told);
    EXPECT_TRUE(told->has_tone);
    EXPECT_NE(told->sentence.find("bell.wav"), std::string::npos) << told->sentence;
    const auto wav = after(0.5, sink);
    EXPECT_EQ(times_on(wav.channel(0), wav.rate, 950).size(), 1U);
}

// In words, and calls are none the worse.
TEST_F(SignalPlayer, ADeviceThatIsNotThereIsSaid) {
    for (const auto kind : {EndKind::alsa, EndKind::pulse}) {
        const AudioEnd nowhere{.kind = kind, .name = "no-such-card"};
        engine->submit(in::Play{.signal = Signal::ring, .sink = nowhere});
        const auto missing = not_played();
        ASSERT_TRUE(missing) << name_of(kind);
        EXPECT_EQ(missing->signal, Signal::ring);
        EXPECT_FALSE(missing->has_tone);
        EXPECT_NE(missing->sentence.find(name_of(kind)), std::string::npos) << missing->sentence;
    }

    AudioEnd unwritable = file("no");
    unwritable.name = "/no/such/folder/ring.wav";
    engine->submit(in::Play{.signal = Signal::busy, .sink = unwritable});
    const auto told = not_played();
    ASSERT_TRUE(told);
    EXPECT_EQ(told->signal, Signal::busy);
    EXPECT_NE(told->sentence.find("/no/such/folder/ring.wav"), std::string::npos);

    Pair pair{std::move(engine)};
    pair.connect("PCMA");
    EXPECT_EQ(pair.failures(), "");
}

}  // namespace
}  // namespace holdfast::media
