// Running phones, driven from outside by the command as a person or a script has it: holdfast phone
// and holdfast ctl, through a registrar's proxy on loopback. Not tested here: what is heard
// (two_phones_test.cpp).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "apps/phone/running_phones.h"
#include "runtime/descriptor.h"

namespace holdfast::phone {
namespace {

using namespace testing_phones;

// The whole of a call by the control socket, and what is left of it: both histories say the same
// from their sides.
TEST_F(RunningPhones, ACallFromDiallingToItsHistory) {
    auto& alice = phone("alice");
    auto& bob = phone("bob");
    connect(alice, bob);

    EXPECT_EQ(ctl("alice", {"hold"}), "call 1\n");
    ASSERT_TRUE(hears(bob, R"("reason":"by the other side")")) << story(bob);
    ASSERT_TRUE(hears(alice, "\"held\"")) << story(alice);
    EXPECT_NE(ctl("alice", {"status"}).find(", on hold"), std::string::npos);
    EXPECT_NE(ctl("bob", {"status"}).find("on hold by the other side"), std::string::npos);
    ctl("alice", {"hold"}, 24);  // it is
    EXPECT_EQ(ctl("alice", {"resume", "1"}), "call 1\n");
    ASSERT_TRUE(hears(alice, "\"resumed\"")) << story(alice);

    EXPECT_EQ(ctl("alice", {"dtmf", "4,2"}), "call 1\n");
    ASSERT_TRUE(run_until([&] {
        return bob.output().find(R"("reason":"4")") < bob.output().find(R"("reason":"2")") &&
               bob.said(R"("reason":"2")");
    })) << story(bob);
    EXPECT_EQ(ctl("alice", {"mute"}), "call 1\n");
    EXPECT_NE(ctl("alice", {"status"}).find("microphone muted"), std::string::npos);
    EXPECT_EQ(ctl("alice", {"unmute"}), "call 1\n");
    EXPECT_EQ(ctl("alice", {"status"}).find("muted"), std::string::npos);

    EXPECT_EQ(ctl("bob", {"hangup"}).substr(0, 13), "Hung up: call");
    ASSERT_TRUE(hears(alice, "\"call_ended\"")) << story(alice);
    ASSERT_TRUE(run_until([&] { return ctl("alice", {"status"}).ends_with("no call\n"); }));
    ASSERT_TRUE(run_until([&] { return ctl("bob", {"status"}).ends_with("no call\n"); }));

    const auto of_alice = ctl("alice", {"history", "--json"});
    EXPECT_NE(of_alice.find(R"("direction":"out","peer":"sip:bob@example.test")"),
              std::string::npos)
        << of_alice;
    EXPECT_NE(of_alice.find(R"("outcome":"answered")"), std::string::npos) << of_alice;
    const auto of_bob = ctl("bob", {"history", "--csv", "--search", "alice"});
    EXPECT_EQ(of_bob.find("started,account,direction,peer,outcome,seconds,status,reason\r\n"), 0U);
    EXPECT_NE(of_bob.find(",sip:bob@example.test,in,sip:alice@example.test,answered,"),
              std::string::npos)
        << of_bob;
    EXPECT_EQ(ctl("bob", {"history", "nobody"}), "no call\n");
    quits(alice, "alice");
    quits(bob, "bob");
    EXPECT_TRUE(world->cluster().bindings("sip:bob@example.test").empty());
}

// What rings is rejected with the status that is asked for, and remembered as what it was.
TEST_F(RunningPhones, ARejectedCallAndAMissedOne) {
    auto& alice = phone("alice");
    auto& bob = phone("bob");
    ctl("alice", {"dial", "sip:bob@example.test"});
    ASSERT_TRUE(hears(bob, "\"ring\"")) << story(bob);
    ctl("bob", {"reject", "603"});
    ASSERT_TRUE(hears(alice, "\"status\":603")) << story(alice);
    ASSERT_TRUE(run_until([&] { return ctl("alice", {"status"}).ends_with("no call\n"); }));
    bob.forget_output();
    ctl("alice", {"dial", "bob"});
    ASSERT_TRUE(hears(bob, "\"ring\"")) << story(bob);
    ctl("alice", {"hangup", "calling"});
    ASSERT_TRUE(hears(bob, "\"call_ended\"")) << story(bob);
    ASSERT_TRUE(run_until([&] { return ctl("alice", {"status"}).ends_with("no call\n"); }));
    const auto of_bob = ctl("bob", {"history"});
    EXPECT_LT(of_bob.find("missed"), of_bob.find("rejected")) << of_bob;
    const auto of_alice = ctl("alice", {"history"});
    EXPECT_LT(of_alice.find("cancelled"), of_alice.find("failed: 603")) << of_alice;
}

// Several accounts and several calls in one process; each verb is for the call that is named.
TEST_F(RunningPhones, ManyAccountsAndCallsAtOnce) {
    std::ofstream(file("many.toml")) << "[[account]]\naor = \"sip:alice@example.test\"\n"
                                        "password = \"secret\"\n"
                                        "[[account]]\naor = \"sip:carol@example.test\"\n"
                                        "password = \"secret\"\n";
    ::chmod(file("many.toml").c_str(), 0600);
    Words words{"phone", "--config", file("many.toml")};
    for (const auto& word : usual("alice")) words.push_back(word);
    auto& both = runs.emplace_back(words, environment());
    ASSERT_TRUE(run_until([&] {
        return world->cluster().bindings("sip:alice@example.test").size() +
                   world->cluster().bindings("sip:carol@example.test").size() ==
               2U;
    })) << story(both);
    ASSERT_TRUE(run_until([&] { return !both.ended() && both.said("carol"); }));
    auto& bob = phone("bob");
    ctl("alice", {"dial", "bob", "carol"});
    ASSERT_TRUE(hears(bob, "sip:carol@example.test")) << story(bob) << story(both);
    ctl("bob", {"answer"});
    ASSERT_TRUE(hears(both, "\"answered\"")) << story(both);
    bob.forget_output();
    ctl("alice", {"dial", "bob"});
    ASSERT_TRUE(hears(bob, "sip:alice@example.test")) << story(bob);
    ctl("bob", {"answer"});  // the one that rings
    ASSERT_TRUE(hears(bob, "\"answered\"")) << story(bob);
    ASSERT_TRUE(run_until([&] {
        const auto status = ctl("alice", {"status"});
        const auto first = status.find("talking");
        return first != std::string::npos && status.find("talking", first + 1) != std::string::npos;
    }));
    EXPECT_NE(ctl("alice", {"hangup"}, 24).find("several"), std::string::npos);
    ctl("alice", {"hold", "2"});
    ASSERT_TRUE(hears(both, "\"held\"")) << story(both);
    EXPECT_EQ(ctl("alice", {"hangup", "all"}), "Hung up: call 1, 2\n");
    ASSERT_TRUE(run_until([&] { return ctl("bob", {"status"}).ends_with("no call\n"); }));
    EXPECT_NE(ctl("alice", {"dial", "bob", "nobody"}, 24).find("no account"), std::string::npos);
    quits(both, "alice");
}

// docs/events.md: nothing comes after `stopped`, though a hook has to be ended first.
TEST_F(RunningPhones, StoppedIsTheLastEvent) {
    std::ofstream(file("hook.toml")) << "aor = \"sip:alice@example.test\"\n"
                                        "password = \"secret\"\n"
                                        "[[hook]]\nevents = [\"unregistered\"]\n"
                                        "command = [\"/bin/sh\", \"-c\", \"exit 3\"]\n";
    ::chmod(file("hook.toml").c_str(), 0600);
    Words words{"phone", "--config", file("hook.toml")};
    for (const auto& word : usual("alice")) words.push_back(word);
    auto& alice = runs.emplace_back(words, environment());
    ASSERT_TRUE(hears(alice, "\"registered\"")) << story(alice);
    auto& events = start_ctl("alice", {"events", "--json"});
    ASSERT_TRUE(run_until([&] { return !ctl("alice", {"hello"}).empty(); }));
    quits(alice, "alice");
    const auto last = alice.output().rfind("\"event\":\"");
    EXPECT_EQ(alice.output().substr(last, 17), "\"event\":\"stopped\"") << story(alice);
    EXPECT_NE(alice.output().find("\"notice\""), std::string::npos)
        << "the hook that failed was not said: " << story(alice);
    ASSERT_TRUE(run_until([&] { return events.ended(); }));
}

// A phone that ends hangs up first, whoever ends it.
TEST_F(RunningPhones, ASignalHangsUpAndUnregisters) {
    auto& alice = phone("alice");
    auto& bob = phone("bob");
    connect(alice, bob);
    alice.signal(SIGTERM);
    ASSERT_TRUE(hears(bob, "\"call_ended\"")) << story(bob);
    ASSERT_TRUE(run_until([&] { return alice.ended(); })) << story(alice);
    EXPECT_EQ(alice.exit_code(), 0) << story(alice);
    EXPECT_TRUE(world->cluster().bindings("sip:alice@example.test").empty());
    EXPECT_NE(ctl("bob", {"history"}).find("answered"), std::string::npos);
}

// A second one for the same socket disturbs nothing; one that was killed is no obstacle.
TEST_F(RunningPhones, OneListensAtAPlaceAndADeadOneMakesWay) {
    auto& alice = phone("alice");
    auto& second = start_phone("alice");
    ASSERT_TRUE(run_until([&] { return second.ended(); }));
    EXPECT_EQ(second.exit_code(), 22) << story(second);
    EXPECT_TRUE(second.complained("another phone listens there already")) << story(second);
    EXPECT_NE(ctl("alice", {"status"}).find("sip:alice@example.test: registered"),
              std::string::npos);
    alice.signal(SIGKILL);
    ASSERT_TRUE(run_until([&] { return alice.ended(); }));
    EXPECT_TRUE(std::filesystem::exists(file("alice.sock")));
    EXPECT_NE(ctl("alice", {"status"}, 23).find("No phone listens on"), std::string::npos);
    phone("alice");
    EXPECT_EQ(ctl("alice", {"hello"}).find("Holdfast "), 0U);
}

// Without --socket both find each other in XDG_RUNTIME_DIR.
TEST_F(RunningPhones, TheUsualPlaceIsTheUsers) {
    auto words = usual("alice");
    words.resize(words.size() - (world->ports() != live::Ports{} ? 4 : 2));
    if (world->ports() != live::Ports{}) {
        words.emplace_back("--registrar");
        words.push_back("sip:example.test:" + std::to_string(world->ports().sip));
    }
    words.insert(words.begin(), {"phone", "alice@example.test"});
    auto with_place = environment();
    with_place["XDG_RUNTIME_DIR"] = scratch.path().string();
    auto& alice = runs.emplace_back(words, with_place);
    ASSERT_TRUE(hears(alice, "\"registered\"")) << story(alice);
    auto& asks = runs.emplace_back(Words{"ctl", "status"}, with_place);
    ASSERT_TRUE(run_until([&] { return asks.ended(); }));
    EXPECT_EQ(asks.exit_code(), 0) << story(asks);
    EXPECT_TRUE(asks.said("sip:alice@example.test: registered")) << story(asks);
    with_place["XDG_RUNTIME_DIR"] = "";
    auto& lost = runs.emplace_back(Words{"ctl", "status"}, with_place);
    ASSERT_TRUE(run_until([&] { return lost.ended(); }));
    EXPECT_EQ(lost.exit_code(), 23) << story(lost);
    EXPECT_TRUE(lost.complained("--socket PATH")) << story(lost);
}

// The stream of events ends with the phone.
TEST_F(RunningPhones, EventsAreStreamed) {
    auto& alice = phone("alice");
    auto& bob = phone("bob");
    auto& words = start_ctl("bob", {"events"});
    auto& json = start_ctl("bob", {"events", "--json", "ring", "stopped"});
    // Whoever subscribes is told of what comes after: one that answered later subscribed later.
    ASSERT_TRUE(run_until(
        [&] {
            ctl("bob", {"hello"});
            ctl("alice", {"dial", "bob"});
            const bool heard =
                run_until([&] { return words.said("Incoming call") && json.said("ring"); }, 2s);
            ctl("alice", {"hangup", "all"});
            return heard;
        },
        60s))
        << story(words) << story(json);
    EXPECT_NE(json.output().find(R"("event":"ring","account":"sip:bob@example.test")"),
              std::string::npos)
        << story(json);
    EXPECT_EQ(json.output().find("\"words\""), std::string::npos) << "docs/events.md has no such";
    EXPECT_EQ(json.output().find("\"call_ended\""), std::string::npos) << "not asked for";
    ctl("alice", {"hangup", "all"});
    quits(bob, "bob");
    ASSERT_TRUE(run_until([&] { return words.ended() && json.ended(); }));
    EXPECT_EQ(words.exit_code(), 0) << story(words);
    EXPECT_EQ(json.exit_code(), 0) << story(json);
    EXPECT_TRUE(words.said("The call has ended")) << story(words);
    EXPECT_NE(ctl("alice", {"events", "rang"}, 24).find("no event \"rang\""), std::string::npos);
    quits(alice, "alice");
}

// What is typed does what ctl does.
TEST_F(RunningPhones, TheConsoleDrivesThePhone) {
    ASSERT_EQ(::mkfifo(file("typed").c_str(), 0600), 0);
    Words words{"phone", "sip:alice@example.test"};
    for (const auto& word : usual("alice"))
        if (word != "--json") words.push_back(word);
    auto& alice = runs.emplace_back(
        words, environment(),
        Words{"/bin/sh", "-c", "exec \"$0\" \"$@\" <'" + file("typed") + "'", HOLDFAST_COMMAND});
    runtime::Descriptor typed;
    ASSERT_TRUE(run_until([&] {
        typed =
            runtime::Descriptor{::open(file("typed").c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)};
        return static_cast<bool>(typed);
    }));
    const auto type = [&](const std::string& text) {
        EXPECT_EQ(::write(typed.get(), text.data(), text.size()),
                  static_cast<ssize_t>(text.size()));
    };
    auto& bob = phone("bob");
    ASSERT_TRUE(hears(alice, "Registered at")) << story(alice);
    type("help\n");
    ASSERT_TRUE(hears(alice, "take a call that rings here")) << story(alice);
    type("dail bob\n");
    ASSERT_TRUE(hears(alice, "There is no verb \"dail\"")) << story(alice);
    type("answer\n");
    ASSERT_TRUE(hears(alice, "There is no call that rings here")) << story(alice);
    type("dial bob\n");
    ASSERT_TRUE(hears(bob, "\"ring\"")) << story(alice) << story(bob);
    ctl("bob", {"answer"});
    ASSERT_TRUE(hears(alice, "call 1: The call is answered")) << story(alice);
    type(std::string(5000, 'x') + "\n");
    ASSERT_TRUE(hears(alice, "too long")) << story(alice);
    type("hangup\nhistory\nquit\n");
    ASSERT_TRUE(run_until([&] { return alice.ended(); })) << story(alice);
    EXPECT_EQ(alice.exit_code(), 0) << story(alice);
    EXPECT_TRUE(hears(bob, "\"call_ended\"")) << story(bob);
}

TEST_F(RunningPhones, WhoCannotRegisterCannotCallAndItIsSaid) {
    world->answer_with(0, 503);
    auto& alice = start_phone("alice");
    ASSERT_TRUE(hears(alice, "\"waiting\"")) << story(alice);
    EXPECT_NE(ctl("alice", {"dial", "bob"}, 24).find("is not registered"), std::string::npos);
    alice.signal(SIGINT);
    ASSERT_TRUE(run_until([&] { return alice.ended(); })) << story(alice);
    EXPECT_EQ(alice.exit_code(), 0) << story(alice);
}

TEST_F(RunningPhones, WhatIsTypedWrongIsSaidBeforeAnythingIsSent) {
    EXPECT_NE(ctl("nobody", {"dail", "bob"}, 2).find("There is no verb \"dail\""),
              std::string::npos);
    EXPECT_NE(ctl("nobody", {}, 2).find("What shall the phone do?"), std::string::npos);
    EXPECT_NE(ctl("nobody", {"status", "--csv"}, 2).find("holdfast ctl history"),
              std::string::npos);
    EXPECT_NE(ctl("nobody", {"status"}, 23).find("No phone listens on"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::phone
