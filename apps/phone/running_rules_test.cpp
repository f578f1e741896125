// Running phones that do by themselves what was asked of them with calls that come, by the
// commands.
#include <gtest/gtest.h>

#include "apps/phone/running_phones.h"

namespace holdfast::phone {
namespace {

using namespace testing_phones;

class RunningRules : public RunningPhones {
protected:
    bool no_call(const std::string& name) {
        return run_until([&] { return ctl(name, {"status"}).ends_with("no call\n"); });
    }
};

// RFC 3261 §21.4.18. Switched on and off while it runs.
TEST_F(RunningRules, DoNotDisturb) {
    auto& alice = phone("alice");
    auto& bob = phone("bob", {"--dnd"});
    EXPECT_NE(ctl("bob", {"status"}).find("do not disturb"), std::string::npos);
    ctl("alice", {"dial", "bob"});
    ASSERT_TRUE(hears(alice, "\"status\":480")) << story(alice) << story(bob);
    ASSERT_TRUE(no_call("alice"));
    ASSERT_TRUE(no_call("bob"));
    EXPECT_FALSE(bob.said("\"event\":\"ring\"")) << story(bob);
    EXPECT_NE(ctl("bob", {"history"}).find("sip:alice@example.test  refused: do not disturb"),
              std::string::npos)
        << ctl("bob", {"history"});
    EXPECT_EQ(ctl("bob", {"dnd", "off"}), "no rule: calls ring\n");
    EXPECT_EQ(ctl("bob", {"status"}).find("do not disturb"), std::string::npos);
    ctl("alice", {"dial", "bob"});
    EXPECT_TRUE(hears(bob, "\"event\":\"ring\"")) << story(bob);
    EXPECT_NE(ctl("bob", {"dnd", "on"}).find("do not disturb"), std::string::npos);
    EXPECT_EQ(ctl("bob", {"answer"}).substr(0, 5), "call ") << "it rang before";
}

// RFC 3261 §21.4.21 and §21.6.2, and a call that nobody takes by hand.
TEST_F(RunningRules, AnsweredByItselfASecondOneBusyAndWhoIsDeniedDeclined) {
    auto& alice = phone("alice");
    auto& bob = phone("bob", {"--auto-answer", "100ms", "--one-call", "--deny", "eve"});
    auto& carol = phone("carol");
    ctl("alice", {"dial", "bob"});
    ASSERT_TRUE(hears(alice, "\"answered\"")) << story(alice) << story(bob);
    ctl("carol", {"dial", "bob"});
    ASSERT_TRUE(hears(carol, "\"status\":486")) << story(carol) << story(bob);
    EXPECT_NE(ctl("bob", {"status"}).find("talking"), std::string::npos) << "it goes on";
    EXPECT_EQ(ctl("bob", {"deny", "carol@example.test"}),
              "one call at a time: a second one is busy\n"
              "calls are answered by themselves after 100ms\ndenied: eve carol@example.test\n");
    carol.forget_output();
    ASSERT_TRUE(no_call("carol"));
    ctl("carol", {"dial", "bob"});
    ASSERT_TRUE(hears(carol, "\"status\":603")) << story(carol) << story(bob);
    EXPECT_NE(ctl("bob", {"history"}).find("sip:carol@example.test  refused: denied"),
              std::string::npos)
        << ctl("bob", {"history"});
    ctl("bob", {"allow", "nobody"}, 24);
}

}  // namespace
}  // namespace holdfast::phone
