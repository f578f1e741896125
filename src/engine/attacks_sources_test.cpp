// Attacks on who is let in (§11): addresses that a server or DNS names, or named once, and
// strangers where anybody may call.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "engine/test_driver.h"
#include "engine/test_names.h"

namespace holdfast::engine {
namespace {

const Target server = udp_target(11);
const Target elsewhere = udp_target(77);  // where redirects lead to
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
    int answer_to_another_port_of(const Target& node) {
        return answer_to_request({node.endpoint.address, 31'337}, {});
    }
    // The same over the flow that we have opened to it, as long as it is open.
    int answer_over_our_flow(const Target& node, RequestText request) {
        const FlowId flow = driver.flow_to(node);
        if (std::ranges::find(driver.closed, flow) != driver.closed.end())
            return answer_to_request(node.endpoint, std::move(request));
        request.branch = "z9hG4bK" + std::to_string(++requests);
        request.call_id = request.branch;
        const auto sent = driver.sent.size();
        driver.feed(in::Received{flow, request.text()});
        driver.run_for(0s);
        return driver.sent.size() == sent ? 0 : status_of(driver.last_sent());
    }
    [[nodiscard]] std::optional<Target> home() const {
        const auto status = driver.status(alice);
        return status.registered ? status.bindings.at(0).target : std::nullopt;
    }
    // Alice's first REGISTER gets a 302 from a server that says nothing else.
    void redirect_alice(const std::string& contact) {
        driver.resolve("new.example.test", {elsewhere.endpoint.address});
        driver.silent.insert(server);
        driver.add(alice, "sip:alice@example.test");
        driver.run_for(100ms);
        driver.feed(
            in::Received{driver.flow_to(server),
                         answer_to(driver.last_sent(), 302, "Contact: " + contact + "\r\n")});
        driver.run_for(50ms);
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

// L4, L5, §11 (b): another node of the cluster may send us requests as long as DNS lists it (ten
// minutes longer, for one answer without it means nothing) or the last good answer does; then it is
// a stranger, whoever has the address now. Listed again, it is let in again.
TEST_F(AttackedSources, OfDnsAreLetInUntilTheyHaveLeftTheLastGoodAnswer) {
    driver.resolve("example.test", {server.endpoint.address, udp_target(12).endpoint.address});
    register_alice();
    const Target stays = home().value();
    const Target leaves = stays == server ? udp_target(12) : server;
    EXPECT_EQ(answer_to_another_port_of(leaves), 200);

    driver.resolve("example.test", {stays.endpoint.address});
    driver.run_for(9min);
    EXPECT_EQ(answer_to_another_port_of(leaves), 200) << "still listed";
    driver.run_for(8min);  // not listed, and the next refresh has made the new answer the good one
    EXPECT_EQ(answer_to_another_port_of(leaves), 0) << driver.words();
    EXPECT_EQ(answer_over_our_flow(leaves, {.method = "INVITE"}), 0);
    EXPECT_EQ(answer_to_another_port_of(stays), 200) << "the contrast";
    EXPECT_EQ(driver.count(EventKind::moved), 0u) << driver.words();

    driver.resolve("example.test", {server.endpoint.address, udp_target(12).endpoint.address});
    driver.run_for(61s);
    EXPECT_EQ(answer_to_another_port_of(leaves), 200);
}

// L4, §11 (b): the ten minutes end by themselves, not with the next answer, which a TTL may put off
// for a day.
TEST_F(AttackedSources, OfDnsAreStrangersBeforeItIsAskedAgain) {
    auto& answer = driver.zone[{.name = "example.test", .type = dns::RecordType::a}];
    answer = {
        dns::Status::ok, {server.endpoint.address, udp_target(12).endpoint.address}, Duration{24h}};
    register_alice([](auto& policy) { policy.use_naptr = policy.use_srv = false; });
    const Target stays = home().value();
    const Target leaves = stays == server ? udp_target(12) : server;
    answer.records = {stays.endpoint.address};
    for (int i = 0; i < 3; ++i) {  // three answers without it
        driver.feed(in::RegisterNow{alice});
        driver.run_for(20s);
    }
    EXPECT_EQ(answer_to_another_port_of(leaves), 200) << "it was seen a minute ago";
    const auto asked = driver.asked.size();
    driver.run_for(16min);
    EXPECT_EQ(driver.asked.size(), asked);
    EXPECT_EQ(answer_to_another_port_of(leaves), 0) << driver.words();
    EXPECT_EQ(answer_to_another_port_of(stays), 200);
}

// L5, §11 (b): DNS that fails makes a stranger of nobody.
TEST_F(AttackedSources, OfDnsStayWhileItFails) {
    driver.resolve("example.test", {server.endpoint.address, udp_target(12).endpoint.address});
    register_alice();
    const auto whole = driver.zone;
    for (auto& [question, answer] : driver.zone) answer = {dns::Status::servfail, {}, {}};
    driver.run_for(3h);
    for (const auto& node : {server, udp_target(12)})
        EXPECT_EQ(answer_to_another_port_of(node), 200) << driver.words();
    driver.zone = whole;  // for whoever lives on: with a fault of the host, in EngineWithFaults
}

// L4, L8, §11 (a): the server that we left, for DNS names it no longer, is a stranger when its
// binding has ended and 32 s more have passed (B7), on the flow too that we had opened to it: it
// cannot keep that alive by asking again and again.
TEST_F(AttackedSources, OfTheServerThatWasLeftDoNotKeepTheirFlowByAsking) {
    register_alice();
    driver.resolve("example.test", {udp_target(12).endpoint.address});
    for (int i = 0; i < 40 && driver.count(EventKind::moved) == 0; ++i) driver.run_for(30s);
    ASSERT_EQ(home(), udp_target(12)) << driver.words();
    EXPECT_EQ(answer_over_our_flow(server, {}), 200) << "it may have a call for us on its way";
    int last = 200;
    for (int i = 0; i < 30; ++i) {  // ten minutes
        driver.run_for(20s);
        last = answer_over_our_flow(server, {});
    }
    EXPECT_EQ(last, 0) << driver.words();
    EXPECT_EQ(answer_over_our_flow(server, {.method = "INVITE"}), 0);
    EXPECT_EQ(answer_over_our_flow(udp_target(12), {}), 200) << "the contrast";
}

// K1, §11 (a): a flow that another account goes on using is trusted for that account alone.
TEST_F(AttackedSources, OfAnothersServerAreStrangersOnTheSameFlow) {
    const AccountId bob{2};
    driver.resolve("other.test", {server.endpoint.address});
    register_alice();
    driver.add(bob, "sip:bob@other.test");
    driver.run_for(2s);
    driver.resolve("example.test", {udp_target(12).endpoint.address});
    driver.run_for(30min);
    ASSERT_EQ(home(), udp_target(12)) << driver.words();
    ASSERT_EQ(driver.status(bob).bindings.at(0).target, server) << driver.words();
    EXPECT_EQ(answer_over_our_flow(server, {.uri = "sip:bob@192.168.1.20:40000"}), 200);
    EXPECT_EQ(answer_over_our_flow(server, {.uri = "sip:alice@192.168.1.20:40000"}), 0)
        << driver.words();
}

// F5, §11 (b): where a redirect leads is let in while we are there, and no longer.
TEST_F(AttackedSources, OfARedirectAreLetInUntilItEnds) {
    redirect_alice("<sip:new.example.test>;expires=900");
    driver.run_for(1s);
    ASSERT_EQ(home(), elsewhere) << driver.words();
    EXPECT_EQ(answer_to_another_port_of(elsewhere), 200);
    driver.silent.erase(server);
    driver.run_for(14min);
    EXPECT_EQ(answer_to_another_port_of(elsewhere), 200) << "it is kept for 15";
    driver.run_for(16min);  // refreshed where DNS leads, and the old binding has ended (B7)
    ASSERT_EQ(home(), server) << driver.words();
    EXPECT_EQ(answer_to_another_port_of(elsewhere), 0);
    EXPECT_EQ(answer_over_our_flow(elsewhere, {.method = "INVITE"}), 0);
}

// F5, §11 (b): where a redirect led to nobody answered, and who registered us was another: it was
// never ours.
TEST_F(AttackedSources, OfARedirectThatCameToNothingAreStrangers) {
    driver.silent.insert(elsewhere);
    redirect_alice("<sip:new.example.test>");
    ASSERT_NE(driver.flow_to(elsewhere), FlowId{}) << driver.words();
    EXPECT_EQ(answer_to_another_port_of(elsewhere), 200) << "it is asked just now";
    driver.silent.erase(server);
    driver.run_for(5min);
    ASSERT_EQ(home(), server) << driver.words();
    EXPECT_EQ(answer_to_another_port_of(elsewhere), 0) << driver.words();
    EXPECT_EQ(answer_over_our_flow(elsewhere, {.method = "INVITE"}), 0);
}

// F5, §11 (b): a redirect without an end is kept until the next failure. Where it led has died, the
// binding lapsed, and another server has us now.
TEST_F(AttackedSources, OfARedirectWhoseServerDiedAreStrangers) {
    redirect_alice("<sip:new.example.test>");
    driver.run_for(1s);
    ASSERT_EQ(home(), elsewhere) << driver.words();
    driver.silent.insert(elsewhere);
    driver.run_for(15min);
    ASSERT_EQ(home(), std::nullopt) << driver.words();
    driver.silent.erase(server);
    driver.run_for(5min);
    ASSERT_EQ(home(), server) << driver.words();
    EXPECT_EQ(answer_to_another_port_of(elsewhere), 0) << driver.words();
    EXPECT_EQ(answer_over_our_flow(elsewhere, {.method = "INVITE"}), 0);
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
    for (std::uint16_t port = 6000; port < 6050; ++port)  // one alone gets few answers
        EXPECT_EQ(answer_to_request({stranger.address, port},
                                    {.method = "NOTIFY", .extra = "Event: check-sync\r\n"}),
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
