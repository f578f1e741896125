#include "engine/probe_desk.h"

#include <gtest/gtest.h>

#include "engine/test_bench.h"
#include "engine/test_names.h"

namespace holdfast::engine {
namespace {

using registration::ProbeResult;
namespace told = registration::told;

struct ProbeDeskTest : testing::Test {
    Bench bench;
    ProbeDesk desk;

    void ask(AccountId account, const Target& target) {
        desk.ask(bench.step(), account, {target, ""}, alice_identity());
    }
    // UDP flows are open at once.
    void open_flows() {
        for (const auto& open : bench.take_outputs<out::OpenFlow>()) {
            const auto* const flow = bench.flows.on_opened(bench.step(), open.flow, our_end, "");
            desk.on_flow_opened(bench.step(), *flow);
        }
    }
    bool respond(const Target& target, const std::string& text) {
        auto& flow = bench.flow(bench.flows.find(target, "")->id);
        return desk.on_response(bench.step(), flow, *sip::Message::parse(text));
    }
    void run_until(Instant end) {
        while (desk.next_deadline().at <= end) {
            bench.now = desk.next_deadline().at;
            desk.on_time(bench.step());
        }
        bench.now = end;
    }
};

// F9: Request-URI and To the domain without user, From the AOR; any answer is life, and tells the
// RTT.
TEST_F(ProbeDeskTest, AnyAnswerIsAlive) {
    ask(alice, udp_target(11));
    open_flows();
    const auto sent = bench.take_sent();
    ASSERT_EQ(sent.size(), 1u);
    const auto request = sip::Message::parse(sent.front());
    ASSERT_TRUE(request);
    EXPECT_EQ(request->request_uri().text, "sip:example.test");
    EXPECT_EQ(request->from().uri.text, "sip:alice@example.test");
    EXPECT_TRUE(request->authorizations().empty());

    bench.now += 30ms;
    EXPECT_TRUE(respond(udp_target(11), answer_to(sent.front(), 401)));

    const auto told = bench.take_told<told::Probed>();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].first, alice);
    EXPECT_EQ(told[0].second.result, ProbeResult::alive);
    EXPECT_EQ(told[0].second.rtt, 30ms);
    EXPECT_EQ(told[0].second.status, 401);
    EXPECT_EQ(bench.health.rtt(udp_target(11)), 30ms);
    EXPECT_FALSE(respond(udp_target(11), answer_to(sent.front(), 200))) << "a copy of the answer";
}

TEST_F(ProbeDeskTest, A503IsBusy) {
    ask(alice, udp_target(11));
    open_flows();
    respond(udp_target(11), answer_to(bench.take_sent().at(0), 503));
    EXPECT_EQ(bench.take_told<told::Probed>().at(0).second.result, ProbeResult::busy);
}

// F9: sent again after max(0.5 s, 1.5·RTT), octet by octet, forgotten after 2 s.
TEST_F(ProbeDeskTest, SilenceIsRepeatedOnceAndEndsAfterTwoSeconds) {
    ask(alice, udp_target(11));
    open_flows();
    const Instant begin = bench.now;
    const auto first = bench.take_sent().at(0);
    run_until(begin + 500ms - 1us);
    EXPECT_TRUE(bench.take_sent().empty());
    run_until(begin + 500ms);
    EXPECT_EQ(bench.take_sent(), std::vector{first});
    run_until(begin + 2s - 1us);
    EXPECT_TRUE(bench.take_told<told::Probed>().empty());
    run_until(begin + 2s);
    EXPECT_EQ(bench.take_told<told::Probed>().at(0).second.result, ProbeResult::silent);
    EXPECT_TRUE(bench.health.silent(udp_target(11), bench.now));
    EXPECT_TRUE(bench.take_sent().empty());
}

TEST_F(ProbeDeskTest, ALongRoundTripDelaysTheRepetition) {
    bench.health.on_answer(udp_target(11), bench.now, 600ms);
    ask(alice, udp_target(11));
    open_flows();
    bench.take_sent();
    const Instant begin = bench.now;
    run_until(begin + 900ms - 1us);
    EXPECT_TRUE(bench.take_sent().empty());
    run_until(begin + 900ms);
    EXPECT_EQ(bench.take_sent().size(), 1u);
}

// F9: at most one per target in 4 s; a second asker within that time gets the same result.
TEST_F(ProbeDeskTest, OneProbePerTargetInFourSeconds) {
    ask(alice, udp_target(11));
    ask(bob, udp_target(11));
    open_flows();
    const auto sent = bench.take_sent();
    ASSERT_EQ(sent.size(), 1u);
    const Instant begin = bench.now;
    respond(udp_target(11), answer_to(sent.front(), 200));
    EXPECT_EQ(bench.take_told<told::Probed>().size(), 2u);

    run_until(begin + 4s - 1us);
    ask(bob, udp_target(11));
    EXPECT_TRUE(bench.take_sent().empty());
    EXPECT_EQ(bench.take_told<told::Probed>().at(0).first, bob) << "the same result, at once";

    run_until(begin + 4s);
    ask(bob, udp_target(11));
    EXPECT_EQ(bench.take_sent().size(), 1u) << "the flow is open still";
}

// F9: 10 per second in all; the eleventh waits its turn.
TEST_F(ProbeDeskTest, TenPerSecondInAll) {
    const Instant begin = bench.now;
    for (std::uint8_t i = 1; i <= 25; ++i) ask(alice, udp_target(i));
    const auto started = [&] { return bench.take_outputs<out::OpenFlow>().size(); };
    EXPECT_EQ(started(), 10u);
    EXPECT_EQ(desk.next_deadline().at, begin + 1s);
    run_until(begin + 1s - 1us);
    EXPECT_EQ(started(), 0u);
    run_until(begin + 1s);
    EXPECT_EQ(started(), 10u);
    run_until(begin + 2s);
    EXPECT_EQ(started(), 5u);
}

// F2: what cannot be reached at all has failed at once; our own network is nobody's fault.
TEST_F(ProbeDeskTest, AFlowThatFailsIsAFailedProbe) {
    ask(alice, udp_target(11));
    open_flows();
    desk.on_flow_trouble(bench.step(), *bench.flows.find(udp_target(11), ""),
                         FlowError::port_unreachable);
    EXPECT_EQ(bench.take_told<told::Probed>().at(0).second.result, ProbeResult::failed);
    EXPECT_TRUE(bench.health.penalised(udp_target(11), bench.now));

    ask(alice, udp_target(12));
    open_flows();
    desk.on_flow_trouble(bench.step(), *bench.flows.find(udp_target(12), ""),
                         FlowError::network_unreachable);
    EXPECT_EQ(bench.take_told<told::Probed>().at(0).second.result, ProbeResult::failed);
    EXPECT_FALSE(bench.health.penalised(udp_target(12), bench.now));
}

// A connection that never comes about is silence, after the same 2 s.
TEST_F(ProbeDeskTest, AConnectThatHangsIsSilent) {
    ask(alice, tcp_target(11));
    const Instant begin = bench.now;
    run_until(begin + 2s);
    EXPECT_EQ(bench.take_told<told::Probed>().at(0).second.result, ProbeResult::silent);
}

}  // namespace
}  // namespace holdfast::engine
