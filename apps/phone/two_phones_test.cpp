// Two commands call each other through a registrar's proxy on loopback, with real sound.
#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "apps/cli/command_runs.h"
#include "live/scratch.h"
#include "live/world.h"
#include "media/test_sound.h"

namespace holdfast::phone {
namespace {

using namespace std::chrono_literals;
using cli::testing::CommandRun;

constexpr std::uint32_t rate = 8000;

media::Samples alices_prompt() { return media::sweep(rate, 1.0, 300, 1500); }
media::Samples bobs_prompt() { return media::sweep(rate, 1.0, 2900, 1800); }

// How many of the five pieces of the prompt are heard as they were played. Of five, because a busy
// host may be late with a packet.
int pieces_of(const media::Samples& prompt, const media::Samples& heard) {
    int found = 0;
    const std::size_t piece = prompt.size() / 5;
    for (std::size_t at = 0; at + piece <= prompt.size(); at += piece)
        if (media::likeness(std::span(prompt).subspan(at, piece), heard, rate).correlation >= 0.95)
            ++found;
    return found;
}

class TwoPhones : public testing::Test, protected cli::testing::CommandRuns {
protected:
    TwoPhones() {
        live::WorldOptions options{.servers = 1};
        options.cluster.server.record_route = true;
        auto opened = live::World::open(loop, options);
        if (!opened) throw std::runtime_error(opened.error());
        world = *std::move(opened);
        for (const auto* user : {"alice", "bob", "carol"})
            world->cluster().add_user(user, "secret");
        write_prompt("alice-plays.wav", alices_prompt());
        write_prompt("bob-plays.wav", bobs_prompt());
    }
    CommandRun& start(std::vector<std::string> arguments, const std::string& who) {
        for (const auto& more :
             {std::string("--json"), std::string("--transport"), std::string("udp"),
              std::string("--state"), file("state-" + who), std::string("--dns"),
              world->name_server().to_string(), std::string("--audio"), std::string("null")})
            arguments.push_back(more);
        if (world->ports() != live::Ports{}) {  // the usual ones are taken on this host
            arguments.emplace_back("--registrar");
            arguments.push_back("sip:example.test:" + std::to_string(world->ports().sip));
        }
        return runs.emplace_back(
            arguments, std::map<std::string, std::string>{
                           {"HOLDFAST_PASSWORD", "secret"},
                           // Only so does the leak check see whose GLib's allocations are.
                           {"ASAN_OPTIONS", "fast_unwind_on_malloc=0"},
                           {"LSAN_OPTIONS", "suppressions=" HOLDFAST_TEST_DATA
                                            "/sanitizers/glib.supp:print_suppressions=0"}});
    }
    CommandRun& bob_waits(std::vector<std::string> more = {}) {
        return waits("bob", std::move(more));
    }
    CommandRun& waits(const std::string& who, std::vector<std::string> more = {}) {
        more.insert(more.begin(), {"answer", "sip:" + who + "@example.test"});
        auto& run = start(std::move(more), who);
        EXPECT_TRUE(run_until([&] { return run.said("\"registered\"") || run.ended(); }))
            << story(run);
        return run;
    }
    CommandRun& alice_calls(std::vector<std::string> more = {}, const std::string& who = "alice") {
        more.insert(more.begin(), {"call", "bob", "--account", "sip:alice@example.test"});
        return start(std::move(more), who);
    }
    // After a moment of silence: what is said before the other side's sound is open is lost.
    void write_prompt(const std::string& name, const media::Samples& prompt) const {
        media::Samples samples(rate / 2);
        samples.insert(samples.end(), prompt.begin(), prompt.end());
        media::write_wav(file(name), rate, samples);
    }
    bool run_until_both_end(CommandRun& a, CommandRun& b) {
        return run_until([&] { return a.ended() && b.ended(); }, 60s);
    }
    [[nodiscard]] std::string file(const std::string& name) const {
        return (scratch.path() / name).string();
    }

    live::ScratchDirectory scratch;
    std::unique_ptr<live::World> world;
};

// Alone, from the release build: sound is late on a busy host.
using TimedTwoPhones = TwoPhones;

// The prompt recorded at the far side is the one that was played, in both directions; then one side
// hangs up and both have ended well (RFC 3261 §13).
TEST_F(TimedTwoPhones, HearWhatTheOtherPlays) {
    auto& bob = bob_waits({"--play", file("bob-plays.wav"), "--record", file("bob.wav")});
    auto& alice = alice_calls({"--play", file("alice-plays.wav"), "--record", file("alice.wav"),
                               "--codec", "PCMA", "--duration", "3s"});
    ASSERT_TRUE(run_until_both_end(alice, bob)) << story(alice) << story(bob);
    EXPECT_EQ(alice.exit_code(), 0) << story(alice);
    EXPECT_EQ(bob.exit_code(), 0) << story(bob);

    const auto at_alice = media::read_wav(file("alice.wav"));
    const auto at_bob = media::read_wav(file("bob.wav"));
    ASSERT_EQ(at_alice.channels, 2) << story(alice);
    ASSERT_EQ(at_bob.channels, 2) << story(bob);
    ASSERT_EQ(at_bob.rate, rate) << "PCMA was agreed";
    EXPECT_GE(pieces_of(alices_prompt(), at_bob.channel(1)), 4);
    EXPECT_GE(pieces_of(bobs_prompt(), at_alice.channel(1)), 4);
    EXPECT_EQ(pieces_of(bobs_prompt(), at_bob.channel(1)), 0) << "nobody hears himself";
    EXPECT_TRUE(alice.said("\"measured\"")) << story(alice);
}

// RFC 4733: --dtmf sends once the sound flows.
TEST_F(TwoPhones, DigitsArrive) {
    auto& bob = bob_waits();
    auto& alice = alice_calls({"--dtmf", "42#", "--duration", "2s"});
    ASSERT_TRUE(run_until_both_end(alice, bob)) << story(alice) << story(bob);
    std::string digits;
    const std::string mark = R"("event":"dtmf",)";
    for (auto at = bob.output().find(mark); at != std::string::npos;
         at = bob.output().find(mark, at + 1))
        digits += bob.output().at(bob.output().find("\"reason\":\"", at) + 10);
    EXPECT_EQ(digits, "42#") << story(bob);
}

// RFC 3515 §2.4: --transfer hands Bob on to Carol; Alice's call ends when he has got there, and his
// command lives on with the new call.
TEST_F(TwoPhones, OneIsTransferred) {
    auto& bob = bob_waits();
    auto& carol = waits("carol", {"--duration", "1s"});
    auto& alice = alice_calls({"--transfer", "carol"});
    ASSERT_TRUE(run_until([&] { return alice.ended() && bob.ended() && carol.ended(); }, 60s))
        << story(alice) << story(bob) << story(carol);
    EXPECT_EQ(alice.exit_code(), 0) << story(alice);
    EXPECT_TRUE(alice.said(R"("event":"transferred")")) << story(alice);
    EXPECT_EQ(bob.exit_code(), 0) << story(bob);
    EXPECT_TRUE(bob.said(R"("event":"referred")")) << story(bob);
    EXPECT_EQ(carol.exit_code(), 0) << story(carol);
    EXPECT_TRUE(carol.said(R"("reason":"sip:bob@example.test")")) << story(carol);
}

// Who does not want to be transferred is not; the one who wanted it is told, and its call goes on.
TEST_F(TwoPhones, TransfersAreRefused) {
    auto& bob = bob_waits({"--refuse-transfers"});
    auto& alice = alice_calls({"--transfer", "carol", "--duration", "2s"});
    ASSERT_TRUE(run_until_both_end(alice, bob)) << story(alice) << story(bob);
    EXPECT_EQ(alice.exit_code(), 20) << story(alice);
    EXPECT_TRUE(alice.said(R"("event":"transfer_failed")")) << story(alice);
    EXPECT_TRUE(alice.said("603")) << story(alice);
    EXPECT_EQ(bob.exit_code(), 0) << story(bob);
    EXPECT_FALSE(bob.said(R"("event":"referred")")) << story(bob);
}

// SRTP is agreed on by the commands' own words, and heard: keys in SDP (RFC 4568), or by DTLS (RFC
// 5763). Who requires it and finds a phone without has no call.
TEST_F(TwoPhones, EncryptedSoundIsHeard) {
    for (const std::string keys : {"sdes", "dtls"}) {
        auto& bob = bob_waits({"--srtp", "required", "--srtp-keys", keys});
        auto& alice = alice_calls({"--srtp", "required", "--play", file("alice-plays.wav"),
                                   "--duration", "5s", "--codec", "PCMA", "--trace"});
        ASSERT_TRUE(run_until_both_end(alice, bob)) << story(alice) << story(bob);
        EXPECT_EQ(alice.exit_code(), 0) << keys << story(alice);
        EXPECT_TRUE(bob.said("we hear PCMA")) << keys << story(bob);
        EXPECT_FALSE(bob.said("\"sound_failed\"")) << keys << story(bob);
        // Alice offers both ways, and only an answer with DTLS says who begins its handshake.
        EXPECT_EQ(alice.complained("a=setup:active"), keys == "dtls") << keys << story(alice);
        runs.clear();
    }
}

TEST_F(TwoPhones, RequiredEncryptionIsNotGivenUp) {
    auto& bob = bob_waits();
    auto& alice = alice_calls({"--srtp", "required"});
    ASSERT_TRUE(run_until([&] { return alice.ended(); })) << story(alice);
    EXPECT_EQ(alice.exit_code(), 20) << story(alice) << story(bob);
    EXPECT_TRUE(alice.said("488")) << story(alice);
}

// A signal hangs up: the other side's call has ended, and both are unregistered.
TEST_F(TwoPhones, SignalHangsUp) {
    auto& bob = bob_waits();
    auto& alice = alice_calls();
    ASSERT_TRUE(run_until([&] { return alice.said("\"answered\"") || alice.ended(); }))
        << story(alice) << story(bob);
    bob.signal(SIGINT);
    ASSERT_TRUE(run_until_both_end(alice, bob)) << story(alice) << story(bob);
    EXPECT_EQ(alice.exit_code(), 0) << story(alice);
    EXPECT_EQ(bob.exit_code(), 0) << story(bob);
    EXPECT_TRUE(alice.said("\"call_ended\"")) << story(alice);
    EXPECT_TRUE(world->cluster().bindings("sip:bob@example.test").empty());
}

// The first call goes on; whoever calls meanwhile is told that the line is busy.
TEST_F(TwoPhones, ASecondCallIsBusy) {
    auto& bob = bob_waits();
    auto& alice = alice_calls();
    ASSERT_TRUE(run_until([&] { return alice.said("\"answered\"") || alice.ended(); }))
        << story(alice) << story(bob);
    auto& again = alice_calls({}, "alice-again");
    ASSERT_TRUE(run_until([&] { return again.ended(); })) << story(again);
    EXPECT_EQ(again.exit_code(), 20) << story(again);
    EXPECT_TRUE(again.said("486")) << story(again);
    EXPECT_FALSE(alice.said("\"call_ended\"")) << story(alice);
    alice.signal(SIGINT);
    ASSERT_TRUE(run_until_both_end(alice, bob)) << story(alice) << story(bob);
    EXPECT_EQ(bob.exit_code(), 0) << story(bob);
}

// Who waits for a call goes on waiting when no server registers it, and takes the call afterwards.
TEST_F(TwoPhones, WhoWaitsOutlastsAServerInTrouble) {
    world->answer_with(0, 503);
    auto& bob = start({"answer", "sip:bob@example.test"}, "bob");
    ASSERT_TRUE(run_until([&] { return bob.said("\"waiting\"") || bob.ended(); })) << story(bob);
    ASSERT_TRUE(world->heal(0));
    bob.signal(SIGHUP);  // now, and not after a while
    ASSERT_TRUE(run_until([&] { return bob.said("\"registered\"") || bob.ended(); })) << story(bob);
    auto& alice = alice_calls({"--duration", "1s"});
    ASSERT_TRUE(run_until_both_end(alice, bob)) << story(alice) << story(bob);
    EXPECT_EQ(alice.exit_code(), 0) << story(alice);
    EXPECT_EQ(bob.exit_code(), 0) << story(bob);
}

// Who cannot register makes no call, and says whose fault it is.
TEST_F(TwoPhones, WithoutAServerThereIsNoCall) {
    world->answer_with(0, 503);
    auto& alice = alice_calls();
    ASSERT_TRUE(run_until([&] { return alice.ended(); })) << story(alice);
    EXPECT_EQ(alice.exit_code(), 16) << story(alice);
    EXPECT_FALSE(alice.said("\"dialling\"")) << story(alice);
}

// No port for the sound: nobody is called, and the sentence names the range.
TEST_F(TwoPhones, WithoutAPortThereIsNoCall) {
    const cli::testing::UdpSocket taken;
    const int port = std::stoi(taken.port()) & ~1;  // the pair that it is of
    auto& alice =
        alice_calls({"--rtp-ports", std::to_string(port) + "-" + std::to_string(port + 1)});
    ASSERT_TRUE(run_until([&] { return alice.ended(); })) << story(alice);
    EXPECT_EQ(alice.exit_code(), 21) << story(alice);
    EXPECT_TRUE(alice.said(std::to_string(port))) << story(alice);
    EXPECT_FALSE(alice.said("\"dialling\"")) << story(alice);
}

TEST_F(TwoPhones, AFileThatIsNotThereIsSaidAtOnce) {
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"--play", file("none.wav")},
          {"--audio", "file:" + file("none.wav")}}) {
        std::vector<std::string> arguments{"call", "bob", "--account", "sip:alice@example.test"};
        arguments.insert(arguments.end(), words.begin(), words.end());
        auto& alice = runs.emplace_back(arguments, std::map<std::string, std::string>{});
        ASSERT_TRUE(run_until([&] { return alice.ended(); })) << story(alice);
        EXPECT_EQ(alice.exit_code(), 2) << story(alice);
        EXPECT_TRUE(alice.complained("none.wav: there is no such file to play")) << story(alice);
    }
}

// Nobody there: the words of the server, and a code for scripts.
TEST_F(TwoPhones, NobodyThereIsSaid) {
    auto& alice = alice_calls();
    ASSERT_TRUE(run_until([&] { return alice.ended(); })) << story(alice);
    EXPECT_EQ(alice.exit_code(), 20) << story(alice);
    EXPECT_TRUE(alice.said("\"call_ended\"")) << story(alice);
    EXPECT_TRUE(alice.said("480") || alice.said("404")) << story(alice);
}

}  // namespace
}  // namespace holdfast::phone
