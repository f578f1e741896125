// Attacks of many strangers, and of one who asks without end, on a phone that anybody may call
// (`accept_direct_calls`, §11): the next caller is heard all the same, calls go on, and what is
// kept of the strangers is bounded.
//   Not tested here: who is let in at all (attacks_sources_test.cpp), floods in real time
//   (apps/cli/timed_flood_test.cpp).
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "engine/limits.h"
#include "engine/test_driver.h"
#include "engine/test_names.h"

namespace holdfast::engine {
namespace {

const Target own_server = udp_target(11);
const Endpoint bobs_end{IpAddress::v4(198, 51, 100, 7), 5060};
const Endpoint carols_end{IpAddress::v4(198, 51, 100, 8), 5060};
const std::string alices_uri = "sip:alice@192.168.1.20:40000";

enum class Takes : std::uint8_t { no_calls, calls };

class AttackingStrangers : public testing::TestWithParam<Takes> {
protected:
    AttackingStrangers() {
        driver.resolve("example.test", {own_server.endpoint.address});
        registration::AccountConfig config;
        config.aor = "sip:alice@example.test";
        config.transport = Transport::udp;
        config.policy.accept_direct_calls = true;
        config.takes_calls = GetParam() == Takes::calls;
        driver.feed(in::AddAccount{alice, config});
        driver.run_for(2s);
        own = driver.opened.size();
    }
    // Each has a port, and each request a call of its own.
    static Endpoint stranger(std::size_t number) {
        return {IpAddress::v4(203, 0, 114, 66), static_cast<std::uint16_t>(1024 + number)};
    }
    RequestText request(const std::string& method, const Endpoint& from) {
        const auto name = std::to_string(++requests);
        return {.method = method,
                .uri = alices_uri,
                .from = "<sip:" + from.to_string() + ">;tag=s" + name,
                .to = "<" + alices_uri + ">",
                .call_id = "c" + name,
                .branch = "z9hG4bK" + name,
                .via_host = from.to_string(),
                .extra = "Contact: <sip:" + from.to_string() + ">\r\n"};
    }
    // What is said to it: by a socket, which tells datagrams of flows that we have opened from
    // others.
    void feed(const Endpoint& from, const RequestText& request) {
        const FlowId flow = open_flow_to(from);
        if (flow)
            driver.feed(in::Received{flow, request.text()});
        else
            driver.feed(in::Stray{our_end, from, request.text()});
    }
    std::vector<int> answers_to(const Endpoint& from, const RequestText& request) {
        const auto sent = driver.sent.size();
        feed(from, request);
        driver.run_for(0s);
        std::vector<int> statuses;
        for (auto i = sent; i < driver.sent.size(); ++i)
            if (driver.sent[i].first.endpoint == from)
                statuses.push_back(status_of(driver.sent[i].second));
        return statuses;
    }
    bool rings_for(const Endpoint& from, const RequestText& invite) {
        const auto ringing = driver.count(EventKind::ring);
        answers_to(from, invite);
        return driver.count(EventKind::ring) == ringing + 1;
    }
    // A thousand a second; where every fault of a host is tried, some are enough.
    void strangers_come(std::size_t many, const std::string& method, const std::string& uri,
                        int status) {
        if (wanted_host_fault()) many = 100;
        for (std::size_t i = 0; i < many; ++i) {
            auto asked = request(method, stranger(i));
            asked.uri = uri;
            const auto octets = asked.text().size();
            ASSERT_EQ(answers_to(stranger(i), asked), std::vector{status}) << "stranger " << i;
            // Who writes another's address there sends him little more than he sends us.
            ASSERT_LE(driver.last_sent().size(), octets + 300);
            ASSERT_LE(flows_open(), limits::stray_flows + limits::calls);
            driver.run_for(1ms);
            if (i % 256 == 0) forget_closed();
        }
    }
    FlowId open_flow_to(const Endpoint& whom) const {
        const FlowId flow = driver.flow_to({Transport::udp, whom});
        return std::ranges::find(driver.closed, flow) == driver.closed.end() ? flow : FlowId{};
    }
    [[nodiscard]] std::size_t flows_open() const {
        return driver.opened.size() - own - driver.closed.size();
    }
    void forget_closed() {
        const std::set<FlowId> closed(driver.closed.begin(), driver.closed.end());
        std::erase_if(driver.opened, [&](const auto& flow) { return closed.contains(flow.first); });
        driver.closed.clear();
    }
    // Of the dialog that the INVITE has made (RFC 3261 §12.2.1.1).
    RequestText in_dialog(const RequestText& invite, const Endpoint& from,
                          const std::string& method) {
        std::string ringing;
        for (const auto& [target, text] : driver.sent)
            if (target.endpoint == from && status_of(text) == 180) ringing = text;
        const auto parsed = sip::Message::parse(ringing);
        EXPECT_TRUE(parsed) << driver.trace;
        auto it = request(method, from);
        it.from = invite.from;
        it.call_id = invite.call_id;
        it.to = invite.to + ";tag=" + (parsed ? std::string(parsed->to().tag()) : "");
        it.cseq = std::to_string(++requests);
        return it;
    }

    Driver driver;
    std::size_t own = 0;  // flows to the account's own servers
    std::size_t requests = 0;
};

// §11: the 10,001st caller is answered as the first one was, whatever the others ask for, and each
// of them gets one answer.
TEST_P(AttackingStrangers, MakeItDeafToNobody) {
    strangers_come(GetParam() == Takes::calls ? 10'000 : 1000, "OPTIONS", alices_uri, 200);
    EXPECT_TRUE(rings_for(bobs_end, request("INVITE", bobs_end))) << driver.words();
    strangers_come(1000, "INVITE", "sip:nobody@192.168.1.20:40000", 404);
    EXPECT_TRUE(rings_for(carols_end, request("INVITE", carols_end))) << driver.words();
    EXPECT_TRUE(driver.status(alice).registered) << driver.words();
    driver.run_for(40s);
    EXPECT_LE(flows_open(), 2u) << "only the callers' are left";
}

// §11, RFC 3261 §9.2: a call keeps its flow, however many come after it; its CANCEL ends it.
TEST_P(AttackingStrangers, EndNoCall) {
    const auto invite = request("INVITE", bobs_end);
    ASSERT_TRUE(rings_for(bobs_end, invite)) << driver.words();
    const FlowId flow = driver.flow_to({Transport::udp, bobs_end});
    strangers_come(1000, "OPTIONS", alices_uri, 200);
    EXPECT_EQ(open_flow_to(bobs_end), flow);
    EXPECT_EQ(driver.count(EventKind::call_ended), 0u) << driver.words();
    auto cancel = invite;
    cancel.method = "CANCEL";
    EXPECT_EQ(answers_to(bobs_end, cancel), (std::vector{200, 487})) << driver.trace;
    EXPECT_EQ(driver.count(EventKind::call_ended), 1u) << driver.words();
    driver.run_for(40s);
    EXPECT_EQ(open_flow_to(bobs_end), FlowId{}) << "and then it is like any other";
}

// §11: of a burst that comes while all flows are being opened the rest is lost, as any datagram may
// be; who asks again is heard.
TEST_P(AttackingStrangers, WhoAsksAgainAfterABurstIsHeard) {
    for (std::size_t i = 0; i < 1000; ++i) feed(stranger(i), request("OPTIONS", stranger(i)));
    const auto invite = request("INVITE", bobs_end);
    feed(bobs_end, invite);
    EXPECT_EQ(driver.opened.size() - own, limits::stray_flows);
    driver.run_for(500ms);
    EXPECT_EQ(driver.count(EventKind::ring), 0u);
    EXPECT_TRUE(rings_for(bobs_end, invite)) << "RFC 3261 §17.1.1.2: after T1";
}

// §11: one who asks without end uses up his own share, which grows again as his requests end.
TEST_P(AttackingStrangers, WhoAsksWithoutEndUsesUpHisOwnShare) {
    const auto ask_1100_times = [&](const std::string& method, const std::string& uri) {
        std::size_t answered = 0;
        for (int i = 0; i < 1100; ++i) {
            auto asked = request(method, stranger(0));
            asked.uri = uri;
            answered += answers_to(stranger(0), asked).size();
        }
        return answered;
    };
    EXPECT_EQ(ask_1100_times("OPTIONS", alices_uri), limits::stray_transactions);
    EXPECT_EQ(answers_to(stranger(1), request("OPTIONS", stranger(1))), std::vector{200});
    EXPECT_TRUE(rings_for(bobs_end, request("INVITE", bobs_end))) << driver.words();
    driver.run_for(32s);
    EXPECT_EQ(ask_1100_times("INVITE", "sip:nobody@192.168.1.20:40000"),
              limits::stray_transactions);
    EXPECT_TRUE(rings_for(carols_end, request("INVITE", carols_end))) << driver.words();
}

// §11, RFC 3261 §21.4.24: as many direct calls as there may be at once; one more is busy, and so is
// nobody when one of them has ended. Their flows are none that others lack.
TEST_P(AttackingStrangers, TakeAsManyCallsAsThereMayBe) {
    std::vector<RequestText> invites;
    for (std::size_t i = 0; i < limits::calls; ++i) {
        invites.push_back(request("INVITE", stranger(i)));
        ASSERT_TRUE(rings_for(stranger(i), invites.back())) << i << "\n" << driver.words();
    }
    EXPECT_EQ(answers_to(bobs_end, request("INVITE", bobs_end)), std::vector{486});
    EXPECT_EQ(driver.count(EventKind::ring), limits::calls);
    strangers_come(1000, "OPTIONS", alices_uri, 200);
    EXPECT_EQ(driver.count(EventKind::call_ended), 0u) << driver.words();
    auto cancel = invites.front();
    cancel.method = "CANCEL";
    answers_to(stranger(0), cancel);
    ASSERT_EQ(driver.count(EventKind::call_ended), 1u) << driver.words();
    EXPECT_TRUE(rings_for(bobs_end, request("INVITE", bobs_end))) << driver.words();
}

INSTANTIATE_TEST_SUITE_P(OfBothKinds, AttackingStrangers,
                         testing::Values(Takes::calls, Takes::no_calls),
                         [](const auto& of) -> std::string {
                             return of.param == Takes::calls ? "Calls" : "NoCalls";
                         });

// §11: nor does who has a call with us, and asks for this and that in it, make us deaf to others.
class AttackingCaller : public AttackingStrangers {};

TEST_P(AttackingCaller, UsesUpHisOwnShare) {
    const auto invite = request("INVITE", stranger(0));
    ASSERT_TRUE(rings_for(stranger(0), invite)) << driver.words();
    std::size_t answered = 0;
    for (int i = 0; i < 1100; ++i)
        answered += answers_to(stranger(0), in_dialog(invite, stranger(0), "OPTIONS")).size();
    EXPECT_EQ(answered, limits::transactions_of_a_call - 1) << "the INVITE is one of them";
    EXPECT_TRUE(rings_for(bobs_end, request("INVITE", bobs_end))) << driver.words();
}

INSTANTIATE_TEST_SUITE_P(OfCalls, AttackingCaller, testing::Values(Takes::calls));

}  // namespace
}  // namespace holdfast::engine
