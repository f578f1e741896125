// Running phones that ring, and what their callers hear meanwhile: to files in the place of
// loudspeakers.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "apps/phone/running_phones.h"
#include "media/test_sound.h"
#include "media/test_tones.h"

namespace holdfast::phone {
namespace {

using namespace testing_phones;

class RunningSignals : public RunningPhones {
protected:
    bool has_seconds(const std::string& name, double seconds) {
        return run_until([&] { return seconds_of_sound(name) >= seconds; });
    }
    [[nodiscard]] double seconds_of_sound(const std::string& name) const {
        std::error_code error;
        const auto size = std::filesystem::file_size(file(name), error);
        return error ? 0 : static_cast<double>(size) / (2 * 16000);
    }
    [[nodiscard]] std::vector<media::OnTime> times_of(const std::string& name, double hertz) const {
        const auto wav = media::read_wav(file(name));
        return media::times_on(wav.channel(0), wav.rate, hertz);
    }
    // Whether the process has it, and that can be seen (root may).
    static bool has_mapped(const CommandRun& run, const std::string& library) {
        std::ifstream maps{"/proc/" + std::to_string(run.pid()) + "/maps"};
        const std::string text{std::istreambuf_iterator<char>{maps}, {}};
        return text.find(library) != std::string::npos;
    }
};

// ITU-T E.180; RFC 3261 §21.4.24. Until the answer, and not a moment after it.
TEST_F(RunningSignals, WhoCallsHearsRingBackAndBusyAndWhoIsCalledTheBell) {
    auto& caller = phone("alice", {"--tone-device", "file:" + file("tones.wav")});
    auto& callee = phone("bob", {"--ring-device", "file:" + file("bell.wav")});
    EXPECT_FALSE(has_mapped(caller, "libgstreamer")) << "there has been no call";
    EXPECT_FALSE(has_mapped(callee, "libgstreamer"));
    ctl("alice", {"dial", "bob"});
    ASSERT_TRUE(has_seconds("tones.wav", 1.5)) << story(caller) << story(callee);
    ASSERT_TRUE(has_seconds("bell.wav", 1.5)) << story(caller) << story(callee);
    if (::geteuid() == 0) {
        EXPECT_TRUE(has_mapped(callee, "libgstreamer")) << "as can be seen";
    }
    ctl("bob", {"answer"});
    ASSERT_TRUE(hears(caller, "\"answered\"")) << story(caller);
    ASSERT_TRUE(hears(caller, "\"sound\"")) << story(caller);
    ASSERT_TRUE(hears(callee, "\"sound\"")) << story(callee);
    const auto rung = seconds_of_sound("bell.wav");
    const auto heard = seconds_of_sound("tones.wav");
    EXPECT_EQ(times_of("tones.wav", 425).at(0), (media::OnTime{.from = 0, .to = 1}));
    EXPECT_EQ(times_of("bell.wav", 950).at(0), (media::OnTime{.from = 0, .to = 1}));
    EXPECT_TRUE(times_of("bell.wav", 425).empty());

    ctl("alice", {"hangup"});
    ASSERT_TRUE(run_until([&] { return ctl("alice", {"status"}).ends_with("no call\n"); }));
    ASSERT_TRUE(run_until([&] { return ctl("bob", {"status"}).ends_with("no call\n"); }));
    EXPECT_EQ(seconds_of_sound("bell.wav"), rung) << "it stopped with the answer";
    EXPECT_NEAR(seconds_of_sound("tones.wav"), heard, 0.1);

    callee.forget_output();
    ctl("alice", {"dial", "bob"});
    ASSERT_TRUE(hears(callee, "\"ring\"")) << story(callee);
    ctl("bob", {"reject"});
    ASSERT_TRUE(hears(caller, "\"status\":486")) << story(caller);
    const auto before = seconds_of_sound("tones.wav");
    ASSERT_TRUE(has_seconds("tones.wav", before + 1.8)) << story(caller);
    // The first may follow ring-back without a gap, the last be cut off.
    const auto times = times_of("tones.wav", 425);
    EXPECT_TRUE(std::ranges::any_of(times,
                                    [&](const media::OnTime& time) {
                                        return time.from > before + 0.3 &&
                                               std::abs(time.to - time.from - 0.48) <=
                                                   2 * media::OnTime::window;
                                    }))
        << "the busy tone: " << testing::PrintToString(times);
    EXPECT_FALSE(caller.said("not heard")) << story(caller);
}

// With a file of one's own; and one that is not there is said before the first call.
TEST_F(RunningSignals, TheBellIsAFileIfThatIsWanted) {
    const auto bell = file("my bell.wav");
    auto& refused = start_phone("bob", {"--ring-file", bell});
    ASSERT_TRUE(run_until([&] { return refused.ended(); })) << story(refused);
    EXPECT_EQ(refused.exit_code(), 2);
    EXPECT_TRUE(refused.complained("--ring-file: the phone cannot ring with \"" + bell +
                                   "\": there is no such file"))
        << story(refused);
    const auto config = file("phone.toml");
    std::ofstream{config} << "ring-device = \"null\"\nring-file = \"" << scratch.path().string()
                          << "\"\n";
    auto& folder = start_phone("bob", {"--config", config});
    ASSERT_TRUE(run_until([&] { return folder.ended(); })) << story(folder);
    EXPECT_EQ(folder.exit_code(), 3);
    EXPECT_TRUE(folder.complained(config + ":2: ring-file: ")) << story(folder);
    EXPECT_TRUE(folder.complained("it is no file")) << story(folder);

    const auto prompt = media::sweep(16000, 0.5, 500, 2500);
    media::write_wav(bell, 16000, prompt);
    auto& caller = phone("alice");
    auto& callee = phone("bob", {"--ring-file", bell, "--ring-device", "file:" + file("rung.wav")});
    ctl("alice", {"dial", "bob"});
    ASSERT_TRUE(has_seconds("rung.wav", 1.2)) << story(caller) << story(callee);
    ctl("alice", {"hangup"});
    ASSERT_TRUE(hears(callee, "\"call_ended\"")) << story(callee);
    const auto sound = media::read_wav(file("rung.wav")).channel(0);
    EXPECT_GT(media::likeness(prompt, sound, 16000).correlation, 0.95);
}

// RFC 3960 §3.2. The command that has one call: ring-back as well, and no tone holds up its end.
TEST_F(RunningSignals, ACallFromTheCommandLineHasRingBack) {
    auto& callee = phone("bob");
    Words words{"call", "bob", "--account", "sip:alice@example.test"};
    for (const auto& word : WorldOfThree::usual("alice")) words.push_back(word);
    for (const auto& word : {std::string("--tone-device"), "file:" + file("tones.wav"),
                             std::string("--tones"), std::string("north-america")})
        words.push_back(word);
    auto& caller = runs.emplace_back(words, environment());
    ASSERT_TRUE(has_seconds("tones.wav", 1)) << story(caller) << story(callee);
    ctl("bob", {"reject"});
    ASSERT_TRUE(run_until([&] { return caller.ended(); })) << story(caller);
    EXPECT_EQ(caller.exit_code(), 20) << story(caller);
    const auto times = times_of("tones.wav", 480);
    ASSERT_GE(times.size(), 1U);
    EXPECT_EQ(times[0].from, 0);
    EXPECT_TRUE(times_of("tones.wav", 620).empty()) << "no busy tone";
}

// A loudspeaker that is not there is said, and the call is made all the same.
TEST_F(RunningSignals, ACallGoesOnWithoutItsSignals) {
    auto& caller = phone("alice", {"--tone-device", "file:/no/such/folder/tones.wav"});
    auto& callee = phone("bob", {"--ring-device", "file:/no/such/folder/bell.wav"});
    ctl("alice", {"dial", "bob"});
    ASSERT_TRUE(hears(callee, "the phone does not ring: /no/such/folder/bell.wav"))
        << story(callee);
    ASSERT_TRUE(hears(caller, "tones are not heard: /no/such/folder/tones.wav")) << story(caller);
    ctl("bob", {"answer"});
    EXPECT_TRUE(hears(caller, "\"answered\"")) << story(caller) << story(callee);
    EXPECT_TRUE(hears(callee, "\"sound\"")) << story(caller) << story(callee);
}

}  // namespace
}  // namespace holdfast::phone
