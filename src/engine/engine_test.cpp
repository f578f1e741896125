// The whole engine against a scripted server. What registration decides is tested there and in the
// lab; here it is what the engine owes: sharing, matching, filtering, storing, ending.
#include "engine/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "engine/test_driver.h"
#include "engine/test_names.h"

namespace holdfast::engine {
namespace {

const std::string alice_aor = "sip:alice@example.test";

struct EngineTest : testing::Test {
    Driver driver;
    EngineTest() { driver.resolve("example.test", {udp_target(11).endpoint.address}); }
    void register_alice() {
        driver.add(alice, alice_aor);
        driver.run_for(2s);
        ASSERT_EQ(driver.count(EventKind::registered), 1u) << driver.words() << driver.trace;
    }
    std::vector<int> answers_to_stray(const RequestText& request, const Endpoint& from) {
        const auto before = driver.sent.size();
        driver.feed(in::Stray{our_end, from, request.text()});
        driver.run_for(1ms);
        std::vector<int> statuses;
        for (auto i = before; i < driver.sent.size(); ++i)
            statuses.push_back(status_of(driver.sent[i].second));
        return statuses;
    }
};

// One account, one server: registered with its mapping in the Contact, and what must outlive us is
// stored first.
TEST_F(EngineTest, RegistersAndRemembers) {
    register_alice();
    const auto status = driver.engine().status(alice);
    ASSERT_TRUE(status);
    EXPECT_TRUE(status->registered);
    EXPECT_EQ(status->aor, alice_aor);
    ASSERT_FALSE(status->bindings.empty());
    EXPECT_EQ(status->bindings.at(0).target, udp_target(11));
    EXPECT_EQ(status->bindings.at(0).mapping, (Endpoint{IpAddress::v4(198, 51, 100, 7), 13450}));
    EXPECT_FALSE(driver.stored["device/instance-id"].empty());
    EXPECT_EQ(driver.stored["device/udp-port-v4"], "40000") << "N6";
    EXPECT_TRUE(std::ranges::any_of(driver.stored, [](const auto& entry) {
        return entry.first.starts_with("account/" + alice_aor + "/");
    })) << "B3";
    EXPECT_FALSE(driver.engine().status(bob));
}

// I7: the same seed gives the same run, byte for byte; another seed another.
TEST_F(EngineTest, SameSeedSameBytes) {
    const auto trace_of = [](std::uint64_t seed) {
        Driver one(seed);
        one.resolve("example.test",
                    {udp_target(11).endpoint.address, udp_target(12).endpoint.address});
        one.add(alice, alice_aor);
        one.add(bob, "sip:bob@example.test");
        one.run_for(10min);
        one.feed(in::ShutDown{});
        one.run_for(3s);
        return one.trace;
    };
    EXPECT_EQ(trace_of(1), trace_of(1));
    EXPECT_NE(trace_of(1), trace_of(2));
}

// Two accounts of one domain: one question each outstanding, one flow, one keep-alive (K1).
TEST_F(EngineTest, AccountsShareQuestionsFlowsAndKeepAlive) {
    driver.add(alice, alice_aor, Transport::udp,
               [](auto& policy) { policy.prove_reachable = false; });
    driver.add(bob, "sip:bob@example.test", Transport::udp,
               [](auto& policy) { policy.prove_reachable = false; });
    const auto questions = driver.asked.size();
    const std::set<dns::Question> distinct(driver.asked.begin(), driver.asked.end());
    EXPECT_EQ(questions, distinct.size());
    driver.run_for(20s);
    EXPECT_EQ(driver.count(EventKind::registered), 2u) << driver.words();
    EXPECT_EQ(driver.opened.size(), 1u);
    const auto pings = driver.requests("OPTIONS");
    driver.run_for(29s);
    EXPECT_GE(driver.requests("OPTIONS"), pings + 1);
    EXPECT_LE(driver.requests("OPTIONS"), pings + 2);
}

// §11: a stranger gets nothing; another node of the cluster, or one who knows our token, is
// answered over a flow that is opened for it.
TEST_F(EngineTest, StraysPassTheFilterOrVanish) {
    driver.resolve("example.test",
                   {udp_target(11).endpoint.address, udp_target(12).endpoint.address});
    register_alice();
    const auto contact = driver.status(alice).bindings.at(0).contact;
    const Endpoint scanner{IpAddress::v4(198, 51, 100, 66), 5071};
    RequestText request{.via_host = "198.51.100.66:5071"};
    EXPECT_TRUE(answers_to_stray(request, scanner).empty());

    request.uri = contact;
    request.branch = "z9hG4bKtoken";
    EXPECT_EQ(answers_to_stray(request, scanner), std::vector{200});
    EXPECT_EQ(driver.opened.at(driver.opened.size() - 1).second, (Target{Transport::udp, scanner}))
        << "RFC 3581 §4: to the source";

    RequestText node{.call_id = "node", .branch = "z9hG4bKnode", .via_host = "203.0.113.12:5060"};
    const auto other = driver.status(alice).bindings.at(0).target == udp_target(11) ? 12 : 11;
    EXPECT_EQ(answers_to_stray(
                  node, {IpAddress::v4(203, 0, 113, static_cast<std::uint8_t>(other)), 31000}),
              std::vector{200});
    EXPECT_TRUE(
        answers_to_stray({.method = "STUFF", .branch = "z9hG4bKz", .via_host = "x"}, scanner)
            .empty());
}

// RFC 3261 §18.2.2: without rport the answer goes to the port of sent-by, not to the source port.
TEST_F(EngineTest, AnswersGoWhereTheViaSays) {
    register_alice();
    auto text = RequestText{.via_host = "203.0.113.11:5090"}.text();
    text.erase(text.find(";rport"), 6);
    driver.feed(in::Received{driver.flow_to(udp_target(11)), text});
    driver.run_for(1ms);
    EXPECT_EQ(status_of(driver.last_sent()), 200);
    EXPECT_EQ(driver.sent.at(driver.sent.size() - 1).first, udp_target(11, 5090));
}

// A call for the account rings; garbage, STUN, CRLF and zero bytes are ignored quietly.
TEST_F(EngineTest, RingsAndIgnoresNoise) {
    register_alice();
    const FlowId flow = driver.flow_to(udp_target(11));
    const auto before = driver.sent.size();
    for (const std::string& noise :
         {std::string("\r\n\r\n"), std::string("\r\n"), std::string(4, '\0'), std::string(),
          std::string("garbage"), std::string("SIP/2.0 200 OK\r\n\r\n"),
          std::string("\x00\x01\x00\x00\x21\x12\xa4\x42", 8) + std::string(12, 'x')})
        driver.feed(in::Received{flow, noise});
    EXPECT_EQ(driver.sent.size(), before);
    driver.feed(in::Received{
        flow, RequestText{.method = "INVITE", .uri = driver.status(alice).bindings.at(0).contact}
                  .text()});
    EXPECT_EQ(status_of(driver.last_sent()), 180);
    ASSERT_EQ(driver.count(EventKind::ring), 1u);
    driver.run_for(21s);
    EXPECT_EQ(driver.count(EventKind::call_ended), 1u);
}

// RFC 3261 §8.2: what cannot be read, but can be answered, gets its 400 on our own flow, and
// nothing elsewhere (§11).
TEST_F(EngineTest, UnreadableRequestsGetTheirStatus) {
    register_alice();
    auto text = RequestText{}.text();
    text.replace(text.find("SIP/2.0\r\n"), 7, "SIP/7.0");
    driver.feed(in::Received{driver.flow_to(udp_target(11)), text});
    EXPECT_EQ(status_of(driver.last_sent()), 505);
    const auto before = driver.sent.size();
    driver.feed(in::Stray{our_end, {IpAddress::v4(198, 51, 100, 66), 5071}, text});
    EXPECT_EQ(driver.sent.size(), before);
}

// B4: on exit the binding is removed, and the end is told; a server that is silent holds us up 2 s
// at most.
TEST_F(EngineTest, ShutsDownAfterUnregistering) {
    register_alice();
    driver.feed(in::ShutDown{});
    driver.run_for(100ms);
    EXPECT_EQ(driver.count(EventKind::stopped), 1u) << driver.words();
    EXPECT_EQ(driver.count(EventKind::unregistered), 1u);
    EXPECT_NE(driver.last_sent().find("Expires: 0"), std::string::npos);
    EXPECT_FALSE(driver.stored["device/health"].empty()) << "F7";
    EXPECT_EQ(driver.engine().next_deadline().at, never);
}

TEST_F(EngineTest, ShutDownTakesTwoSecondsAtMost) {
    register_alice();
    driver.silent.insert(udp_target(11));
    const Instant begin = driver.now;
    driver.feed(in::ShutDown{});
    driver.run_until(begin + 2s - 1us);
    EXPECT_EQ(driver.count(EventKind::stopped), 0u);
    driver.run_until(begin + 2s);
    EXPECT_EQ(driver.count(EventKind::stopped), 1u);
    EXPECT_EQ(driver.count(EventKind::unregistered), 1u) << "told even so: " << driver.words();
}

TEST_F(EngineTest, RemovesOneAccount) {
    register_alice();
    driver.add(bob, "sip:bob@example.test");
    driver.run_for(1s);
    driver.feed(in::RemoveAccount{alice});
    driver.run_for(100ms);
    EXPECT_FALSE(driver.engine().status(alice));
    EXPECT_TRUE(driver.status(bob).registered);
    EXPECT_EQ(driver.count(EventKind::stopped), 0u);
    driver.add(alice, alice_aor);
    driver.run_for(1s);
    EXPECT_TRUE(driver.status(alice).registered) << "and it may come back";
}

// Removed and added again at once, as when a configuration is read anew: it comes back, also where
// its server takes no notice of the removal and the 2 s of B4 pass first; as it was added last.
TEST_F(EngineTest, AnAccountThatIsStillLeavingComesBack) {
    register_alice();
    driver.silent.insert(udp_target(11));
    driver.feed(in::RemoveAccount{alice});
    driver.run_for(100ms);
    driver.add(alice, "sip:somebody-else@example.test");
    driver.add(alice, alice_aor);
    driver.run_for(2s);
    EXPECT_EQ(driver.count(EventKind::unregistered), 1u) << driver.words();
    EXPECT_EQ(driver.count(EventKind::registered), 1u) << driver.words();
    driver.silent.clear();
    driver.run_for(1min);
    EXPECT_TRUE(driver.status(alice).registered) << driver.words();
    EXPECT_EQ(driver.status(alice).aor, alice_aor);
    EXPECT_EQ(driver.count(EventKind::unregistered), 1u) << driver.words();
}

// The last word counts.
TEST_F(EngineTest, OneThatIsRemovedAgainOrShutDownDoesNotComeBack) {
    for (const Input& last : std::vector<Input>{in::RemoveAccount{alice}, in::ShutDown{}}) {
        Driver one;
        one.resolve("example.test", {udp_target(11).endpoint.address});
        one.add(alice, alice_aor);
        one.run_for(2s);
        one.silent.insert(udp_target(11));
        one.feed(in::RemoveAccount{alice});
        one.add(alice, alice_aor);
        one.feed(last);
        one.run_for(5s);
        EXPECT_FALSE(one.engine().status(alice)) << one.words();
    }
}

// What was stored makes the next run the same device: one instance-id, one Contact token (B2, B3).
TEST_F(EngineTest, ARestartIsTheSameDevice) {
    register_alice();
    const auto instance = driver.stored["device/instance-id"];
    const auto contact = driver.status(alice).bindings.at(0).contact;
    EngineOptions options;
    options.state = driver.stored;
    Driver next(8, std::move(options));
    next.resolve("example.test", {udp_target(11).endpoint.address});
    next.add(alice, alice_aor);
    next.run_for(2s);
    EXPECT_FALSE(next.stored.contains("device/instance-id")) << "nothing new to store";
    EXPECT_EQ(next.status(alice).bindings.at(0).contact, contact);
}

// A damaged instance-id is not repeated to servers: a line end in it would be a header of its own
// (B3, I8).
TEST_F(EngineTest, ADamagedInstanceIdIsDrawnAnew) {
    for (const std::string damaged :
         {"f81d4fae-7dec-11d0-a765-00a0c91e6bf6\r\nX: y", "f81d4fae-7dec-11d0-a765-00a0c91e6bf",
          "f81d4fae-7dec-11d0-a765-00a0c91e6b\r6", "f81d4fae\n7dec-11d0-a765-00a0c91e6bf6", "x"}) {
        EngineOptions options;
        options.state["device/instance-id"] = damaged;
        Driver next(8, std::move(options));
        next.resolve("example.test", {udp_target(11).endpoint.address});
        next.add(alice, alice_aor);
        next.run_for(2s);
        ASSERT_TRUE(next.stored.contains("device/instance-id")) << damaged;
        EXPECT_NE(next.stored["device/instance-id"], damaged);
        for (const auto& [target, text] : next.sent) EXPECT_TRUE(sip::Message::parse(text)) << text;
    }
}

// RFC 5626 §4.1: accounts of different people are different devices, and stay the same ones (B3). A
// damaged id is drawn anew.
TEST_F(EngineTest, EachAccountMayBeADeviceOfItsOwn) {
    const auto instances = [](const Driver& one) {
        std::map<std::string, std::string> found;
        for (const auto& [target, text] : one.sent) {
            const auto request = sip::Message::parse(text);
            if (text.starts_with("REGISTER") && request && !request->contacts().empty())
                found[std::string(request->to().uri.user)] = request->contacts().front().instance();
        }
        return found;
    };
    State state;
    for (int run = 0; run < 2; ++run) {
        EngineOptions options;
        options.state = state;
        options.instance_per_account = true;
        Driver one(8 + static_cast<std::uint64_t>(run), std::move(options));
        one.resolve("example.test", {udp_target(11).endpoint.address});
        one.add(alice, alice_aor);
        one.add(AccountId{2}, "sip:bob@example.test");
        one.run_for(2s);
        const auto seen = instances(one);
        ASSERT_EQ(seen.size(), 2U);
        EXPECT_NE(seen.at("alice"), seen.at("bob"));
        const auto id_of = [](const std::string& user) {
            return "account/sip:" + user + "@example.test/instance-id";
        };
        if (run == 0) {
            state = one.stored;
            EXPECT_EQ(seen.at("bob"), "urn:uuid:" + state.at(id_of("bob")));
            state[id_of("bob")] += "\r\nX: y";
        } else {
            EXPECT_EQ(seen.at("alice"), "urn:uuid:" + state.at(id_of("alice")));
            EXPECT_EQ(seen.at("bob"), "urn:uuid:" + one.stored.at(id_of("bob")));
        }
    }
}

// After every step the next deadline lies ahead: what a step has taught about targets is written in
// that step, if the last time is long past (F7).
TEST_F(EngineTest, NoDeadlineStaysBehindThatIsDue) {
    driver.zone_delay = 24h;  // nobody answers: minutes pass between two questions
    driver.add(alice, alice_aor);
    driver.run_for(20min);  // the driver asserts it at every step
    EXPECT_GT(driver.asked.size(), 10u);
}

// N1, N2, K3: the answer to a keep-alive shows another mapping, and the Contact follows at once.
TEST_F(EngineTest, AKeepAliveShowsTheNewMapping) {
    register_alice();
    driver.run_for(5s);
    driver.mapping = ";received=198.51.100.7;rport=23999";
    driver.run_for(30s);
    ASSERT_GE(driver.count(EventKind::mapping_changed), 1u) << driver.words();
    EXPECT_NE(driver.status(alice).bindings.at(0).contact.find(":23999"), std::string::npos);
}

// F2: ICMP for an outstanding attempt fails it at once: the next target is asked within
// milliseconds.
TEST_F(EngineTest, IcmpIsAHardFailure) {
    driver.resolve("example.test",
                   {udp_target(11).endpoint.address, udp_target(12).endpoint.address});
    driver.refusing = {udp_target(11)};
    driver.add(alice, alice_aor);
    driver.run_for(200ms);
    EXPECT_EQ(driver.status(alice).bindings.at(0).target, udp_target(12)) << driver.words();
}

// K5: a flow whose address is gone is closed, and the account registers over a new one.
TEST_F(EngineTest, AFlowWithoutItsAddressIsClosed) {
    register_alice();
    const FlowId old = driver.flow_to(udp_target(11));
    driver.feed(in::NetworkChanged{{IpAddress::v4(10, 0, 0, 9)}});
    driver.run_for(2s);
    EXPECT_TRUE(std::ranges::find(driver.closed, old) != driver.closed.end());
    EXPECT_NE(driver.flow_to(udp_target(11)), old);
}

// RFC 5626 §3.5.1: a ping is answered with a pong; text that is not SIP ends the connection.
TEST_F(EngineTest, StreamsAnswerPingsAndEndOnGarbage) {
    driver.resolve("example.test", {tcp_target(11).endpoint.address});
    driver.add(alice, alice_aor, Transport::tcp);
    driver.run_for(2s);
    ASSERT_TRUE(driver.status(alice).registered) << driver.words();
    const FlowId flow = driver.flow_to(tcp_target(11));
    driver.feed(
        in::Received{flow, RequestText{.uri = "sip:alice@192.168.1.20"}.text("TCP").substr(0, 40)});
    driver.feed(
        in::Received{flow, RequestText{.uri = "sip:alice@192.168.1.20"}.text("TCP").substr(40)});
    EXPECT_EQ(status_of(driver.last_sent()), 200) << "in two pieces";
    const auto before = driver.sent.size();
    driver.feed(in::Received{flow, "\r\n\r\n"});
    driver.feed(in::Received{flow, "\r\n\r\n\r\n\r\n\r\n\r\n\r\n"});
    ASSERT_EQ(driver.sent.size(), before + 2) << "a flood of pings is answered in one writing (I8)";
    EXPECT_EQ(driver.sent[before].second, "\r\n");
    EXPECT_EQ(driver.sent[before + 1].second, "\r\n\r\n\r\n") << "a lone CRLF is a pong";
    driver.feed(in::Received{flow, "NOT SIP AT ALL\r\nContent-Length: many\r\n\r\n"});
    EXPECT_TRUE(std::ranges::find(driver.closed, flow) != driver.closed.end());
    EXPECT_EQ(driver.count(EventKind::flow_lost), 1u);
}

// Inputs that apply to nothing are ignored (every input is legal at any time).
TEST_F(EngineTest, WhatDoesNotApplyIsIgnored) {
    const FlowId nowhere{99};
    for (const Input& input : std::vector<Input>{
             in::Time{}, in::FlowOpened{nowhere, our_end, ""},
             in::FlowFailed{nowhere, FlowError::refused, ""},
             in::FlowClosed{nowhere, FlowError::reset, ""}, in::Received{nowhere, "x"},
             in::DnsAnswer{QueryId{9}, {}}, in::RemoveAccount{alice}, in::RegisterNow{alice},
             in::RegisterNow{}, in::ChangePassword{alice, Redacted<std::string>("x")},
             in::HangUp{alice}})
        driver.feed(input);
    EXPECT_TRUE(driver.sent.empty());
    EXPECT_EQ(driver.engine().next_deadline().at, never);
}

}  // namespace
}  // namespace holdfast::engine
