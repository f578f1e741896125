// What is heard in the calls of running phones, as their own recordings have it.
#include <gtest/gtest.h>

#include <filesystem>
#include <system_error>

#include "apps/phone/running_phones.h"
#include "media/test_sound.h"

namespace holdfast::phone {
namespace {

using namespace testing_phones;

constexpr std::uint32_t rate = 8000;

media::Samples bobs() { return media::sweep(rate, 1.0, 300, 1500); }
media::Samples carols() { return media::sweep(rate, 1.0, 2900, 1800); }

class RunningSound : public RunningPhones {
protected:
    // Says its prompt again and again.
    CommandRun& speaks(const std::string& name, const media::Samples& prompt) {
        const auto path = file(name + "-says.wav");
        media::write_wav(path, rate, prompt);
        return phone(name, {"--audio", "loop:" + path, "--codec", "PCMA"});
    }
    bool has_seconds(const std::string& path, std::size_t seconds) {
        return run_until([&] {
            std::error_code error;
            const auto size = std::filesystem::file_size(path, error);
            return !error && size > seconds * rate * 2 * 2;
        });
    }
    static double alike(const media::Samples& prompt, const media::Wav& wav, std::size_t channel) {
        return media::likeness(prompt, wav.channel(channel), wav.rate).correlation;
    }
};

// Bob and carol, who have never called each other, hear each other through alice, who says nothing;
// and no more when she takes them apart.
TEST_F(RunningSound, TwoCallsBecomeAConferenceAndAreTakenApart) {
    auto& alice = phone("alice");
    auto& bob = speaks("bob", bobs());
    auto& carol = speaks("carol", carols());
    connect(alice, bob);
    EXPECT_EQ(ctl("alice", {"conference"}, 24).find("call 1"), std::string::npos) << "it is alone";
    EXPECT_EQ(ctl("alice", {"hold"}), "call 1\n");
    ASSERT_TRUE(hears(alice, "\"held\"")) << story(alice);
    EXPECT_EQ(ctl("alice", {"dial", "carol"}), "call 2\n");
    ASSERT_TRUE(hears(carol, "\"ring\"")) << story(carol);
    ctl("carol", {"answer"});
    ASSERT_TRUE(hears(carol, "\"answered\"")) << story(carol);
    ASSERT_TRUE(run_until([&] {
        return ctl("alice", {"status"}).find("carol@example.test: talking") != std::string::npos;
    })) << story(alice);
    EXPECT_EQ(ctl("alice", {"conference"}), "To be in a conference: call 1, 2\n");
    ASSERT_TRUE(hears(alice, "hear each other")) << story(alice);
    ASSERT_TRUE(hears(alice, "\"resumed\"")) << story(alice);
    EXPECT_NE(ctl("alice", {"status"}).find("in a conference with call 2"), std::string::npos);

    // A busy host may delay packets too long in one recording; nobody hears himself in any.
    double carol_heard = 0;
    for (int tries = 0; tries < 3 && carol_heard <= 0.8; ++tries) {
        const auto heard = file("bob-hears-" + std::to_string(tries) + ".wav");
        EXPECT_EQ(ctl("bob", {"record", heard}).substr(0, 5), "call ");
        EXPECT_NE(ctl("bob", {"status"}).find("recorded to " + heard), std::string::npos);
        ASSERT_TRUE(has_seconds(heard, 4)) << story(bob);
        bob.forget_output();
        EXPECT_EQ(ctl("bob", {"stoprecording"}).substr(0, 5), "call ");
        ASSERT_TRUE(hears(bob, "\"recorded\"")) << story(bob);
        const auto together = media::read_wav(heard);
        ASSERT_EQ(together.channels, 2);
        carol_heard = alike(carols(), together, 1);
        EXPECT_LT(alike(bobs(), together, 1), 0.3) << "nobody hears himself";
        EXPECT_GT(alike(bobs(), together, 0), 0.8) << "what bob says is on the left";
    }
    EXPECT_GT(carol_heard, 0.8);

    EXPECT_EQ(ctl("alice", {"split", "1"}), "call 1\n");
    ASSERT_TRUE(hears(alice, "left the conference")) << story(alice);
    const auto alone = file("bob-alone.wav");
    ctl("bob", {"record", alone});
    ASSERT_TRUE(has_seconds(alone, 3)) << story(bob);
    bob.forget_output();
    ctl("bob", {"stoprecording"});
    ASSERT_TRUE(hears(bob, "\"recorded\"")) << story(bob);
    EXPECT_LT(alike(carols(), media::read_wav(alone), 1), 0.3);
}

// Every call has its file when it is over, and a phone that cannot write there does not begin.
TEST_F(RunningSound, EveryCallIsRecordedIfThatIsWanted) {
    const auto folder = file("calls");
    auto& refused = start_phone("bob", {"--record-calls", folder});
    ASSERT_TRUE(run_until([&] { return refused.ended(); })) << story(refused);
    EXPECT_EQ(refused.exit_code(), 10);
    EXPECT_NE(refused.errors().find("there is no such directory"), std::string::npos)
        << story(refused);

    std::filesystem::create_directory(folder);
    auto& alice = phone("alice");
    auto& bob = phone("bob", {"--record-calls", folder});
    for (int n = 0; n < 2; ++n) {
        bob.forget_output();
        ctl("alice", {"dial", "bob"});
        ASSERT_TRUE(hears(bob, "\"ring\"")) << story(alice) << story(bob);
        ctl("bob", {"answer"});
        ASSERT_TRUE(hears(bob, "\"sound\"")) << story(bob);
        ctl("alice", {"hangup"});
        ASSERT_TRUE(hears(bob, "\"recorded\"")) << story(bob);
        ASSERT_TRUE(run_until([&] { return ctl("alice", {"status"}).ends_with("no call\n"); }));
    }
    std::size_t files = 0;
    for (const auto& each : std::filesystem::directory_iterator(folder)) {
        EXPECT_NE(each.path().filename().string().find("_from_alice"), std::string::npos);
        EXPECT_EQ(media::read_wav(each.path()).channels, 2) << each.path();
        ++files;
    }
    EXPECT_EQ(files, 2U);
}

}  // namespace
}  // namespace holdfast::phone
