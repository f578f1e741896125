#include "engine/keep_alive_desk.h"

#include <gtest/gtest.h>

#include "engine/test_bench.h"
#include "engine/test_names.h"
#include "flow/stun.h"

namespace holdfast::engine {
namespace {

namespace told = registration::told;

struct KeepAliveDeskTest : testing::Test {
    Bench bench;
    KeepAliveDesk desk;

    void want(AccountId account, FlowId flow, const flow::KeepAliveSettings& settings = {}) {
        desk.want(bench.step(), account, flow, {alice_identity(), settings});
    }
    std::vector<FlowId> run_to_next() {
        bench.now = desk.next_deadline().at;
        return desk.on_time(bench.step());
    }
    bool respond(FlowId flow, const std::string& text) {
        return desk.on_response(bench.step(), bench.flow(flow), *sip::Message::parse(text));
    }
};

// K1: OPTIONS every 24–29 s; its answer proves the server lives.
TEST_F(KeepAliveDeskTest, OptionsEvery24To29Seconds) {
    const FlowId flow = bench.open_flow(alice, udp_target(11));
    want(alice, flow);
    std::set<Duration> intervals;
    Instant last = bench.now;
    for (int i = 0; i < 50; ++i) {
        run_to_next();
        const auto sent = bench.take_sent();
        ASSERT_EQ(sent.size(), 1u);
        EXPECT_GE(bench.now - last, 24s);
        EXPECT_LE(bench.now - last, 29s);
        intervals.insert(bench.now - last);
        last = bench.now;
        bench.now += 20ms;
        ASSERT_TRUE(respond(flow, answer_to(sent.front(), 200)));
        EXPECT_EQ(bench.flow(flow).rtt.smoothed(), 20ms);
    }
    EXPECT_GT(intervals.size(), 40u) << "at random (S2)";
}

// K2: no answer: again at 0.5 s and 1.5 s, octet by octet; suspect at 2 s, if this kind was
// answered before.
TEST_F(KeepAliveDeskTest, SilenceIsSuspectAfterTwoSeconds) {
    const FlowId flow = bench.open_flow(alice, udp_target(11));
    bench.open_flow(bob, udp_target(11));
    want(alice, flow);
    run_to_next();
    respond(flow, answer_to(bench.take_sent().at(0), 200));

    run_to_next();
    const Instant begin = bench.now;
    const auto first = bench.take_sent().at(0);
    run_to_next();
    EXPECT_EQ(bench.now, begin + 500ms);
    EXPECT_EQ(bench.take_sent(), std::vector{first});
    run_to_next();
    EXPECT_EQ(bench.now, begin + 1500ms);
    EXPECT_EQ(bench.take_sent(), std::vector{first});
    run_to_next();
    EXPECT_EQ(bench.now, begin + 2s);
    const auto told = bench.take_told<told::Suspect>();
    ASSERT_EQ(told.size(), 2u) << "everybody on the flow";
    EXPECT_EQ(told[0].second.flow, flow);
    EXPECT_TRUE(told[0].second.shared && told[1].second.shared)
        << "so that a fleet spreads it (S2)";
}

// K1: a target that never answered: CRLF holds the NAT, and a REGISTER is the proof.
TEST_F(KeepAliveDeskTest, ATargetThatNeverAnswersIsHeldOnly) {
    const FlowId flow = bench.open_flow(alice, udp_target(11));
    want(alice, flow);
    std::vector<std::pair<AccountId, told::HoldOnly>> told;
    for (int i = 0; i < 8 && told.empty(); ++i) {
        run_to_next();
        EXPECT_TRUE(bench.flow(flow).is_open());
        for (const auto& tiding : bench.tidings)
            EXPECT_FALSE(std::holds_alternative<told::Suspect>(tiding.told));
        told = bench.take_told<told::HoldOnly>();
    }
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].second.flow, flow);
    bench.take_sent();
    run_to_next();
    EXPECT_EQ(bench.take_sent(), std::vector<std::string>{"\r\n\r\n"});
}

// Accounts with the same next hop share one keep-alive, by the strictest of their policies.
TEST_F(KeepAliveDeskTest, TheStrictestUserDecides) {
    const FlowId flow = bench.open_flow(alice, udp_target(11));
    bench.open_flow(bob, udp_target(11));
    want(alice, flow,
         {.kind = flow::KeepAliveKind::crlf, .udp_min = 15s, .udp_max = 15s, .demand_pong = false});
    want(bob, flow, {});
    run_to_next();
    const auto sent = bench.take_sent();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_TRUE(sent.front().starts_with("OPTIONS ")) << "what proves more";
    respond(flow, answer_to(sent.front(), 200));
    const Instant last = bench.now;
    run_to_next();
    EXPECT_EQ(bench.now, last + 15s) << "as often as the one who wants it most often";
    respond(flow, answer_to(bench.take_sent().at(0), 200));

    desk.unwant(bench.step(), bob, flow);
    run_to_next();
    EXPECT_EQ(bench.take_sent(), std::vector<std::string>{"\r\n\r\n"});
    desk.unwant(bench.step(), alice, flow);
    EXPECT_EQ(desk.next_deadline().at, never);
}

// K1, RFC 5626 §4.4.2: STUN on the SIP port where the server agreed; its answer tells the mapping
// (N1).
TEST_F(KeepAliveDeskTest, StunWhereItIsAgreed) {
    const FlowId flow = bench.open_flow(alice, udp_target(11));
    want(alice, flow);
    desk.on_agreement(bench.step(), bench.flow(flow), {.outbound = true, .flow_timer = {}});
    run_to_next();
    const auto sent = bench.take_sent();
    ASSERT_EQ(sent.size(), 1u);
    ASSERT_TRUE(flow::is_stun(sent.front()));
    const Endpoint mapped{IpAddress::v4(198, 51, 100, 7), 13450};
    const auto answer =
        flow::encode_binding_success(flow::decode_stun(sent.front())->transaction, mapped);
    EXPECT_EQ(desk.on_stun(bench.step(), bench.flow(flow), answer), flow::Learned::first);
    EXPECT_EQ(bench.flow(flow).mapping.usable(), mapped);
    EXPECT_EQ(desk.on_stun(bench.step(), bench.flow(flow), "garbage"), flow::Learned::none);
}

// K1: on a stream the pong is demanded (10 s) once it was seen; without it the flow has failed.
TEST_F(KeepAliveDeskTest, AMissingPongLosesTheStream) {
    const FlowId flow = bench.open_flow(alice, tcp_target(11));
    want(alice, flow);
    const Instant start = bench.now;
    run_to_next();
    EXPECT_GE(bench.now - start, 80s);
    EXPECT_LE(bench.now - start, 100s);
    EXPECT_EQ(bench.take_sent(), std::vector<std::string>{"\r\n\r\n"});
    bench.now += 10ms;
    desk.on_pong(bench.step(), bench.flow(flow));

    run_to_next();
    EXPECT_EQ(bench.take_sent(), std::vector<std::string>{"\r\n\r\n"});
    const Instant begin = bench.now;
    EXPECT_EQ(run_to_next(), std::vector{flow});
    EXPECT_EQ(bench.now, begin + 10s);
}

// K5: after a change of the network every flow is asked within 500 ms.
TEST_F(KeepAliveDeskTest, VerifiesEveryFlowAtOnce) {
    const FlowId one = bench.open_flow(alice, udp_target(11));
    const FlowId two = bench.open_flow(alice, udp_target(12));
    want(alice, one);
    want(alice, two);
    bench.now += 5s;
    const Instant changed = bench.now;
    desk.verify_all(bench.step());
    run_to_next();
    run_to_next();
    EXPECT_LE(bench.now, changed + 500ms);
    EXPECT_EQ(bench.take_sent().size(), 2u);
}

// N5: a mapping that changes more than 3 times in 5 min shortens the interval, until it rests.
TEST_F(KeepAliveDeskTest, AnUnstableMappingShortensTheInterval) {
    const FlowId id = bench.open_flow(alice, udp_target(11));
    want(alice, id);
    auto& flow = bench.flow(id);
    const Endpoint& server = flow.target.endpoint;
    for (std::uint16_t port = 2000; port < 2006; ++port) {
        bench.now += 1s;
        flow.mapping.learn_stun(bench.now, {IpAddress::v4(198, 51, 100, 7), port}, server, server);
        desk.on_mapping(bench.step(), flow);
    }
    EXPECT_LE(desk.next_deadline().at, bench.now + flow::unstable_interval);
}

}  // namespace
}  // namespace holdfast::engine
