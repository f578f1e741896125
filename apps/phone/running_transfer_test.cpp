// Calls that running phones hand on: three of them, by the commands. What the engine makes of it is
// in tests/transfers_test.cpp.
#include <gtest/gtest.h>

#include "apps/phone/running_phones.h"

namespace holdfast::phone {
namespace {

using namespace testing_phones;

class RunningTransfers : public RunningPhones {};

// RFC 3515: bob is handed on to carol; alice's call ends when he has got there.
TEST_F(RunningTransfers, ACallIsTransferred) {
    auto& alice = phone("alice");
    auto& bob = phone("bob");
    auto& carol = phone("carol");
    auto& events = start_ctl("alice", {"events", "--json", "transferring", "transferred"});
    connect(alice, bob);
    EXPECT_EQ(ctl("alice", {"transfer", "carol"}), "call 1\n");
    ASSERT_TRUE(hears(carol, "sip:bob@example.test")) << story(carol) << story(bob);
    EXPECT_EQ(ctl("carol", {"answer"}).substr(0, 5), "call ");
    ASSERT_TRUE(hears(alice, "\"transferred\"")) << story(alice);
    ASSERT_TRUE(run_until([&] { return ctl("alice", {"status"}).ends_with("no call\n"); }));
    ASSERT_TRUE(hears(carol, "\"answered\"")) << story(carol);
    EXPECT_TRUE(run_until([&] { return events.said("\"transferred\""); })) << story(events);
    EXPECT_NE(ctl("bob", {"status"}).find("to sip:carol@example.test"), std::string::npos);
    EXPECT_NE(ctl("bob", {"history"}).find("unfinished"), std::string::npos) << "it goes on";
    ctl("alice", {"transfer", "carol"}, 24);  // there is no call any more
}

// RFC 3891: who talked with alice in two calls, bob and carol, talk with each other.
TEST_F(RunningTransfers, TwoCallsAreConnected) {
    auto& alice = phone("alice");
    auto& bob = phone("bob");
    auto& carol = phone("carol");
    connect(alice, bob);
    EXPECT_EQ(ctl("alice", {"hold"}), "call 1\n");
    EXPECT_EQ(ctl("alice", {"dial", "carol"}), "call 2\n");
    ASSERT_TRUE(hears(carol, "\"ring\"")) << story(carol);
    EXPECT_EQ(ctl("carol", {"answer"}).substr(0, 5), "call ");
    ASSERT_TRUE(run_until([&] {
        const auto status = ctl("alice", {"status"});
        return status.find("call 2 to sip:carol@example.test: talking") != std::string::npos;
    })) << story(alice);
    EXPECT_EQ(ctl("alice", {"connect", "1", "2"}), "call 1\n");
    ASSERT_TRUE(hears(alice, "\"transferred\"")) << story(alice) << story(bob) << story(carol);
    ASSERT_TRUE(run_until([&] { return ctl("alice", {"status"}).ends_with("no call\n"); }));
    ASSERT_TRUE(hears(carol, "\"replaced\"")) << story(carol);
    ASSERT_TRUE(run_until([&] {
        return ctl("bob", {"status"}).find("talking") != std::string::npos &&
               ctl("carol", {"status"}).find("talking") != std::string::npos;
    })) << story(bob)
        << story(carol);
    EXPECT_EQ(ctl("bob", {"hangup"}).substr(0, 13), "Hung up: call");
    ASSERT_TRUE(run_until([&] { return ctl("carol", {"status"}).ends_with("no call\n"); }));
}

// A transfer that fails leaves the call as it is.
TEST_F(RunningTransfers, ATransferToNobodyFailsAndTheCallGoesOn) {
    auto& alice = phone("alice");
    auto& bob = phone("bob");
    connect(alice, bob);
    EXPECT_EQ(ctl("alice", {"transfer", "1", "nobody"}), "call 1\n");
    ASSERT_TRUE(hears(alice, "\"transfer_failed\"")) << story(alice) << story(bob);
    EXPECT_NE(ctl("alice", {"status"}).find("talking"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::phone
