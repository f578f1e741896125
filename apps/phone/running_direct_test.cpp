// Commands without an account that call each other at their addresses, on loopback: `answer` and
// `phone` wait, `call` and `phone` call.
#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "apps/phone/running_phones.h"
#include "runtime/udp_port.h"

namespace holdfast::phone {
namespace {

using namespace testing_phones;

// The kernel knows which port is free, just now.
std::uint16_t free_port(runtime::Loop& loop) {
    const auto port = runtime::UdpPort::open(loop, {IpAddress::v4(127, 0, 0, 1), 0}, {});
    return (*port)->local().port;
}

class RunningDirect : public RunningPhones {
protected:
    static Words without_account(Words words, const std::string& state, const std::string& end) {
        words.insert(words.end(), {"--json", "--audio", "null", "--local", end, "--state", state});
        return words;
    }
    CommandRun& starts(const Words& words) { return runs.emplace_back(words, environment()); }
    std::string own_end() { return "127.0.0.1:" + std::to_string(free_port(loop)); }
    static std::string user() {
        const auto* const entry = ::getpwuid(::geteuid());
        return entry == nullptr ? "anonymous" : entry->pw_name;
    }
    CommandRun& answers(const std::string& end) {
        auto& run = starts(without_account({"answer"}, file("state-answers"), end));
        EXPECT_TRUE(hears(run, "\"contact\":\"sip:" + user() + "@" + end + "\"")) << story(run);
        return run;
    }
    CommandRun& phone_at(const std::string& name, const std::string& end) {
        auto words = without_account({"phone", "--socket", file(name + ".sock")},
                                     file("state-" + name), end);
        auto& run = starts(words);
        EXPECT_TRUE(hears(run, "\"event\":\"connected\"")) << story(run);
        return run;
    }
};

// No password is asked for, nothing is registered; the exit code is the call's.
TEST_F(RunningDirect, AnswerWaitsForACall) {
    const auto end = own_end();
    auto& bob = answers(end);
    auto& alice =
        starts(without_account({"call", "sip:" + user() + "@" + end, "--duration", "500ms"},
                               file("state-calls"), "127.0.0.1"));
    ASSERT_TRUE(run_until([&] { return alice.ended() && bob.ended(); }, 60s))
        << story(alice) << story(bob);
    EXPECT_EQ(alice.exit_code(), 0) << story(alice);
    EXPECT_EQ(bob.exit_code(), 0) << story(bob);
    EXPECT_TRUE(bob.said(R"("account":"direct call")")) << story(bob);
}

// Who waits in vain and is interrupted has done what it was to do.
TEST_F(RunningDirect, AnswerCanBeInterrupted) {
    auto& bob = answers(own_end());
    bob.signal(SIGINT);
    ASSERT_TRUE(run_until([&] { return bob.ended(); })) << story(bob);
    EXPECT_EQ(bob.exit_code(), 0) << story(bob);
}

// Two phones without accounts: either calls the other, and their control sockets know it.
TEST_F(RunningDirect, PhonesCallEachOther) {
    const auto alices_end = own_end();
    const auto bobs_end = own_end();
    auto& alice = phone_at("alice", alices_end);
    auto& bob = phone_at("bob", bobs_end);
    EXPECT_EQ(ctl("alice", {"status"}), "direct call: can be called at sip:" + user() + "@" +
                                            alices_end + " (udp)\nno call\n");
    EXPECT_NE(ctl("alice", {"dial", "bob"}, 24).find("Without an account"), std::string::npos);
    EXPECT_EQ(ctl("alice", {"dial", "sip:" + bobs_end}), "call 1\n");
    ASSERT_TRUE(hears(bob, "\"ring\"")) << story(alice) << story(bob);
    ctl("bob", {"answer"});
    ASSERT_TRUE(hears(alice, "\"answered\"")) << story(alice) << story(bob);
    EXPECT_EQ(ctl("bob", {"dial", "sip:" + user() + "@" + alices_end}), "call 1\n");
    ASSERT_TRUE(hears(alice, "\"ring\"")) << story(alice) << story(bob);
    ctl("alice", {"hangup", "1"});
    ASSERT_TRUE(run_until([&] {
        return ctl("bob", {"history"}).find("answered") != std::string::npos;
    })) << story(bob);
    quits(alice, "alice");
    quits(bob, "bob");
}

// What cannot work is said at once.
TEST_F(RunningDirect, SaysWhyItCannotWait) {
    const auto end = own_end();
    answers(end);
    struct Row {
        Words more;
        int code;
        std::string words;
        std::string end;
    };
    for (const auto& [more, code, words, at] :
         {Row{{}, 7, "UDP port " + end + " is in use by another program", end},
          Row{{}, 8, "The local address 192.0.2.1:5060 cannot be used", "192.0.2.1"},
          Row{{"--transport", "tls"}, 2, "are waited for over UDP only", end},
          Row{{"--registrar", "sip:example.test"}, 2, "registrar is of an account", end}})
        for (const auto* const command : {"answer", "phone"}) {
            Words all{command};
            if (all.front() == "phone") all.insert(all.end(), {"--socket", file("none.sock")});
            all.insert(all.end(), more.begin(), more.end());
            auto& run = starts(without_account(std::move(all), file("state-none"), at));
            ASSERT_TRUE(run_until([&] { return run.ended(); })) << words << story(run);
            EXPECT_EQ(run.exit_code(), code) << words << story(run);
            EXPECT_TRUE(run.complained(words)) << words << story(run);
        }
}

}  // namespace
}  // namespace holdfast::phone
