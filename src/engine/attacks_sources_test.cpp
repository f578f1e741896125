// Attacks on who is let in (§11): addresses that a server names, and strangers where anybody may
// call.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "engine/test_driver.h"

namespace holdfast::engine {
namespace {

const AccountId alice{1};
const Target server = udp_target(11);
const Endpoint stranger{IpAddress::v4(198, 51, 100, 66), 5060};

class AttackedSources : public testing::Test {
protected:
    AttackedSources() { driver.resolve("example.test", {server.endpoint.address}); }

    void register_alice(const std::function<void(registration::Policy&)>& tune = {}) {
        driver.add(alice, "sip:alice@example.test", Transport::udp, tune);
        driver.run_for(2s);
        ASSERT_TRUE(driver.status(alice).registered) << driver.words() << driver.trace;
    }
    // What a datagram is answered with; 0: nothing.
    int answer_to_request(const Endpoint& from, RequestText request) {
        request.branch = "z9hG4bK" + std::to_string(++requests);
        request.call_id = request.branch;
        request.via_host = from.to_string();
        const auto sent = driver.sent.size();
        driver.feed(in::Stray{our_end, from, request.text()});
        driver.run_for(0s);
        return driver.sent.size() == sent ? 0 : status_of(driver.last_sent());
    }

    Driver driver;
    int requests = 0;
};

// §11 (b): a Path lets in the address that it names, and no longer than it is there.
TEST_F(AttackedSources, OfPathAreLetInAsLongAsItIsNamed) {
    const Endpoint proxy{IpAddress::v4(203, 0, 113, 50), 5060};
    driver.silent.insert(server);
    driver.add(alice, "sip:alice@example.test");
    driver.run_for(100ms);
    const auto request = driver.last_sent();
    const auto parsed = sip::Message::parse(request);
    driver.feed(in::Received{driver.flow_to(server),
                             answer_to(request, 200,
                                       "Contact: " + std::string(parsed->contacts().front().text) +
                                           ";expires=120\r\nPath: <sip:203.0.113.50;lr>\r\n")});
    ASSERT_TRUE(driver.status(alice).registered) << driver.words();
    EXPECT_EQ(answer_to_request(proxy, {}), 200);
    EXPECT_EQ(answer_to_request(stranger, {}), 0);

    driver.silent.erase(server);
    driver.run_for(3min);  // refreshed, by an answer without Path
    ASSERT_TRUE(driver.status(alice).registered) << driver.words();
    EXPECT_EQ(answer_to_request(proxy, {}), 0);
}

// F5, §11 (b): who is named by a redirect that is not followed is nobody.
TEST_F(AttackedSources, OfARefusedRedirectAreStrangers) {
    driver.silent.insert(server);
    driver.add(alice, "sip:alice@example.test");
    driver.run_for(100ms);
    driver.feed(
        in::Received{driver.flow_to(server),
                     answer_to(driver.last_sent(), 302, "Contact: <sip:198.51.100.66>\r\n")});
    EXPECT_EQ(answer_to_request(stranger, {}), 0);
    driver.silent.erase(server);
    driver.run_for(1min);
    ASSERT_TRUE(driver.status(alice).registered) << driver.words();
    EXPECT_EQ(answer_to_request(stranger, {}), 0);
}

// §11: where anybody may call, a stranger is answered, but he neither makes us register nor says
// what waits in a mailbox.
TEST_F(AttackedSources, WhoMayCallMayNotMakeUsRegister) {
    register_alice([](auto& policy) { policy.accept_direct_calls = true; });
    const auto registers = driver.requests("REGISTER");
    EXPECT_EQ(answer_to_request(stranger, {}), 200) << "he is let in";
    for (int i = 0; i < 50; ++i)
        EXPECT_EQ(
            answer_to_request(stranger, {.method = "NOTIFY", .extra = "Event: check-sync\r\n"}),
            481);
    EXPECT_EQ(answer_to_request(stranger, {.method = "NOTIFY",
                                           .extra = "Event: message-summary\r\nContent-Type: "
                                                    "application/simple-message-summary\r\n",
                                           .body = "Messages-Waiting: yes\r\n"}),
              481);
    EXPECT_EQ(driver.count(EventKind::notice), 0u) << driver.words();
    driver.run_for(10s);
    EXPECT_EQ(driver.requests("REGISTER"), registers);
}

// The same from the account's own server is what it is for; fifty of them are no more than I5
// allows.
TEST_F(AttackedSources, ItsServerMayAskForARefresh) {
    register_alice();
    const auto registers = driver.requests("REGISTER");
    for (int i = 0; i < 50; ++i)
        driver.feed(in::Received{driver.flow_to(server),
                                 RequestText{.method = "NOTIFY",
                                             .call_id = "c" + std::to_string(i),
                                             .branch = "z9hG4bKc" + std::to_string(i),
                                             .extra = "Event: check-sync\r\n"}
                                     .text()});
    driver.run_for(10s);
    const auto more = driver.requests("REGISTER") - registers;
    EXPECT_GE(more, 1u) << driver.words();
    EXPECT_LE(more, 10u);
}

}  // namespace
}  // namespace holdfast::engine
