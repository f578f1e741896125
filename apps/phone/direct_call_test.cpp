// `holdfast call` without an account: to an address, to a domain, and to where nobody is. The
// failover of the INVITE is told in virtual time (tests/direct_calls_test.cpp).
#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "apps/phone/two_phones.h"

namespace holdfast::phone {
namespace {

using namespace testing_phones;

class DirectCall : public TwoPhones {
protected:
    CommandRun& somebody_calls(const std::string& whom, const Words& more = {}) {
        Words words{"call",
                    whom,
                    "--json",
                    "--state",
                    file("state-somebody"),
                    "--dns",
                    world->name_server().to_string(),
                    "--audio",
                    "null"};
        words.insert(words.end(), more.begin(), more.end());
        return runs.emplace_back(words, environment());
    }
    // Where bob is, as his own Contact says it.
    static std::string address_of(const CommandRun& bob) {
        const auto& said = bob.output();
        const auto begin = said.find("\"contact\":\"sip:") + 11;
        return said.substr(begin, said.find_first_of(";\"", begin) - begin);
    }
    [[nodiscard]] std::string domain() const {
        const auto port = world->ports().sip;
        return world->ports() == live::Ports{} ? "example.test"
                                               : "example.test:" + std::to_string(port);
    }
};

// RFC 3261 §8.1: nothing is registered, no password is asked for, and From is who calls, from here.
TEST_F(DirectCall, ReachesAnAddress) {
    auto& bob = bob_waits({"--set", "policy.accept_direct_calls=on"});
    auto& caller = somebody_calls(address_of(bob), {"--duration", "500ms", "--trace"});
    ASSERT_TRUE(run_until_both_end(caller, bob)) << story(caller) << story(bob);
    EXPECT_EQ(caller.exit_code(), 0) << story(caller);
    EXPECT_EQ(bob.exit_code(), 0) << story(bob);
    EXPECT_TRUE(caller.said(R"("event":"connected")")) << story(caller);
    EXPECT_TRUE(caller.said(R"("account":"direct call")")) << story(caller);
    EXPECT_FALSE(caller.complained("REGISTER ")) << story(caller);
    EXPECT_FALSE(caller.complained("OPTIONS ")) << story(caller);
    EXPECT_TRUE(bob.said("@127.")) << story(bob);
    EXPECT_FALSE(bob.said("@0.0.0.0")) << story(bob);
}

// RFC 3263 §4: by the name's servers, which know where bob is.
TEST_F(DirectCall, ReachesADomain) {
    auto& bob = bob_waits({"--duration", "500ms"});
    auto& caller = somebody_calls("sip:bob@" + domain(), {"--transport", "udp"});
    ASSERT_TRUE(run_until_both_end(caller, bob)) << story(caller) << story(bob);
    EXPECT_EQ(caller.exit_code(), 0) << story(caller);
    EXPECT_EQ(bob.exit_code(), 0) << story(bob);
    EXPECT_TRUE(caller.said("the other side hung up")) << story(caller);
}

TEST_F(DirectCall, SaysWhyNot) {
    struct Row {
        std::string whom;
        int code;
        std::string words;
        Words more{};
    };
    for (const auto& row :
         {Row{"sip:bob@no-such-name.test", 13, "no-such-name.test does not exist"},
          Row{"sip:bob@127.0.0.1:9;transport=tcp", 16, "connection refused"},
          Row{"sip:bob@127.0.0.1:9", 20, "port unreachable", {"--local", "127.0.0.1"}},
          Row{"bob", 2, "Without an account only a whole URI can be called"},
          Row{"sip:bob@", 2, "holdfast"},
          Row{"sip:bob@example.test",
              2,
              "outbound-proxy is of an account",
              {"--outbound-proxy", "sip:127.0.0.1"}},
          Row{"sip:bob@example.test", 2, "realm is of an account", {"--realm", "r"}},
          Row{"sip:bob@example.test", 2, "stun is of an account", {"--stun", "127.0.0.1"}},
          Row{"sip:bob@example.test",
              2,
              "contact-address is of an account",
              {"--contact-address", "203.0.113.9"}}}) {
        auto& caller = somebody_calls(row.whom, row.more);
        ASSERT_TRUE(run_until([&] { return caller.ended(); })) << row.whom << story(caller);
        EXPECT_EQ(caller.exit_code(), row.code) << row.whom << story(caller);
        EXPECT_TRUE(caller.said(row.words) || caller.complained(row.words))
            << row.whom << story(caller);
        runs.clear();
    }
}

}  // namespace
}  // namespace holdfast::phone
