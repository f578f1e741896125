// Two commands call each other through a registrar's proxy on loopback, with real sound.
#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "apps/phone/two_phones.h"

namespace holdfast::phone {
namespace {

using namespace testing_phones;

// RFC 4733, INFO (RFC 6086 §2): --dtmf sends once the sound flows.
class DigitsOfTwoPhones : public TwoPhones, public ::testing::WithParamInterface<const char*> {};

TEST_P(DigitsOfTwoPhones, Arrive) {
    auto& bob = bob_waits();
    auto& alice = alice_calls({"--dtmf", "42#", "--dtmf-by", GetParam()});
    const auto digits = [&] {
        std::string found;
        const std::string mark = R"("event":"dtmf",)";
        for (auto at = bob.output().find(mark); at != std::string::npos;
             at = bob.output().find(mark, at + 1))
            found += bob.output().at(bob.output().find("\"reason\":\"", at) + 10);
        return found;
    };
    // The last INFO has its answer a moment after Bob has the digit.
    const bool by_info = std::string_view(GetParam()).starts_with("info");
    ASSERT_TRUE(run_until([&] {
        return digits().size() >= 3 && (!by_info || alice.said(R"("event":"digits_sent")"));
    })) << story(alice)
        << story(bob);
    alice.signal(SIGINT);
    ASSERT_TRUE(run_until_both_end(alice, bob)) << story(alice) << story(bob);
    EXPECT_EQ(digits(), "42#") << story(bob);
    EXPECT_EQ(alice.said(R"("event":"digits_sent")"), by_info) << story(alice);
}

INSTANTIATE_TEST_SUITE_P(ByEachWay, DigitsOfTwoPhones,
                         ::testing::Values("auto", "info", "info-plain"), [](const auto& test) {
                             std::string name(test.param);
                             std::erase(name, '-');
                             return name;
                         });

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
                                   "--codec", "PCMA", "--trace"});
        ASSERT_TRUE(run_until([&] { return bob.said("we hear PCMA"); }))
            << keys << story(alice) << story(bob);
        alice.signal(SIGINT);
        ASSERT_TRUE(run_until_both_end(alice, bob)) << story(alice) << story(bob);
        EXPECT_EQ(alice.exit_code(), 0) << keys << story(alice);
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
