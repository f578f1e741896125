// What a STUN server that is no SIP server of ours sees of our port (N4): asked once for all who
// want to know, and answered within 2 s, whatever happens. Not tested here: what STUN looks like
// (flow/stun_test.cpp), what an account makes of it (registration/stun_elsewhere_test.cpp).
#include "engine/stun_desk.h"

#include <gtest/gtest.h>

#include "engine/limits.h"
#include "engine/test_bench.h"
#include "engine/test_names.h"

namespace holdfast::engine {
namespace {

namespace told = registration::told;
const Target stun_server = udp_target(21, 3478);
const Endpoint seen{IpAddress::v4(198, 51, 100, 7), 13450};

struct StunDeskTest : testing::Test {
    Bench bench;
    StunDesk desk;

    const flow::Flow& the_flow() { return *bench.flows.find(stun_server, ""); }
    // The socket is there.
    const flow::Flow& open() {
        const auto& flow = *bench.flows.on_opened(bench.step(), the_flow().id, our_end, "");
        desk.on_flow_opened(bench.step(), flow);
        return flow;
    }
    // Asked, and the request is out.
    std::string ask_of(AccountId account) {
        desk.ask(bench.step(), account, stun_server);
        if (!the_flow().is_open()) open();
        const auto sent = bench.take_sent();
        EXPECT_EQ(sent.size(), 1u);
        return sent.empty() ? "" : sent.front();
    }
    static flow::StunTransaction transaction_of(const std::string& request) {
        return flow::decode_stun(request)->transaction;
    }
    void run_until(Instant at) {
        while (desk.next_deadline().at <= at) {
            bench.now = desk.next_deadline().at;
            desk.on_time(bench.step());
            ASSERT_GT(desk.next_deadline().at, bench.now);
        }
        bench.now = at;
    }
    // Told to the one account that asked; nothing else is left to do.
    told::StunAnswered take_answer() {
        const auto all = bench.take_told<told::StunAnswered>();
        EXPECT_EQ(all.size(), 1u);
        EXPECT_EQ(desk.next_deadline().at, never);
        return all.empty() ? told::StunAnswered{} : all.front().second;
    }
};

TEST_F(StunDeskTest, TellsWhatTheServerSeesOfTheSharedPort) {
    desk.ask(bench.step(), alice, stun_server);
    const auto opened = bench.take_outputs<out::OpenFlow>();
    ASSERT_EQ(opened.size(), 1u);
    EXPECT_EQ(opened.front().target, stun_server);
    EXPECT_FALSE(opened.front().spare_port) << "the port that the Contact is about";
    const auto& flow = open();
    const auto sent = bench.take_sent();
    ASSERT_EQ(sent.size(), 1u);
    ASSERT_TRUE(flow::is_stun(sent.front()));
    bench.now += 20ms;

    EXPECT_TRUE(desk.on_datagram(bench.step(), flow,
                                 flow::encode_binding_success(transaction_of(sent.front()), seen)));

    const auto answer = take_answer();
    EXPECT_EQ(answer.server, stun_server);
    EXPECT_EQ(answer.mapping, seen);
    EXPECT_EQ(answer.local, our_end);
    EXPECT_EQ(answer.problem, "");
}

// Its flow is nobody's then, and goes (L8).
TEST_F(StunDeskTest, LetsItsFlowGo) {
    const auto request = ask_of(alice);
    bench.now += 2min;
    bench.flows.on_time(bench.step());
    EXPECT_TRUE(bench.take_outputs<out::CloseFlow>().empty()) << "it is in use";
    desk.on_datagram(bench.step(), the_flow(),
                     flow::encode_binding_success(transaction_of(request), seen));
    bench.now += limits::unused_flow;
    bench.flows.on_time(bench.step());
    EXPECT_EQ(bench.take_outputs<out::CloseFlow>().size(), 1u);
}

TEST_F(StunDeskTest, OneQuestionServesAllWhoAskMeanwhile) {
    const auto request = ask_of(alice);
    desk.ask(bench.step(), bob, stun_server);
    desk.ask(bench.step(), bob, stun_server);
    EXPECT_TRUE(bench.take_sent().empty());
    desk.on_datagram(bench.step(), the_flow(),
                     flow::encode_binding_success(transaction_of(request), seen));
    const auto all = bench.take_told<told::StunAnswered>();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].first, alice);
    EXPECT_EQ(all[1].first, bob);
    EXPECT_NE(ask_of(alice), request) << "later it is a question of its own";
}

// Sent again once, octet by octet, for one lost packet should not decide; over after 2 s.
TEST_F(StunDeskTest, SilenceIsToldAfterTwoSeconds) {
    const Instant begin = bench.now;
    const auto request = ask_of(alice);
    run_until(begin + limits::stun_repeat - 1us);
    EXPECT_TRUE(bench.take_sent().empty());
    run_until(begin + limits::stun_repeat);
    EXPECT_EQ(bench.take_sent(), std::vector{request});
    run_until(begin + 2s - 1us);
    EXPECT_TRUE(bench.take_sent().empty());
    EXPECT_TRUE(bench.tidings.empty());
    run_until(begin + 2s);
    const auto answer = take_answer();
    EXPECT_FALSE(answer.mapping);
    EXPECT_EQ(answer.problem, "it does not answer");
    EXPECT_FALSE(desk.on_datagram(bench.step(), the_flow(),
                                  flow::encode_binding_success(transaction_of(request), seen)))
        << "too late";
}

// N1: only who was asked, with the 96 random bits of the question.
TEST_F(StunDeskTest, AnAnswerToNothingIsNone) {
    const auto request = ask_of(alice);
    auto guessed = transaction_of(request);
    guessed.back() ^= 1U;
    const auto right = flow::encode_binding_success(transaction_of(request), seen);
    EXPECT_FALSE(
        desk.on_datagram(bench.step(), the_flow(), flow::encode_binding_success(guessed, seen)));
    EXPECT_FALSE(desk.on_datagram(bench.step(), the_flow(), request)) << "our own, come back";
    EXPECT_FALSE(desk.on_datagram(bench.step(), the_flow(), "garbage"));
    const FlowId other = bench.open_flow(alice, udp_target(22, 3478));
    EXPECT_FALSE(desk.on_datagram(bench.step(), bench.flow(other), right));
    EXPECT_TRUE(bench.tidings.empty());
    EXPECT_TRUE(desk.on_datagram(bench.step(), the_flow(), right));  // the contrast
}

TEST_F(StunDeskTest, ARefusalIsToldInItsWords) {
    const auto request = ask_of(alice);
    EXPECT_TRUE(desk.on_datagram(
        bench.step(), the_flow(),
        flow::encode_binding_error(transaction_of(request), {500, "Server Error"})));
    const auto answer = take_answer();
    EXPECT_FALSE(answer.mapping);
    EXPECT_EQ(answer.problem, "it answers 500 Server Error");
}

// The host has no socket, or no way there; or ICMP comes for the question.
TEST_F(StunDeskTest, AFlowThatFailsIsToldAtOnce) {
    desk.ask(bench.step(), alice, stun_server);
    bench.flows.on_failed(bench.step(),
                          {the_flow().id, stun_server, FlowError::network_unreachable, ""});
    desk.on_flow_trouble(bench.step(), bench.flow(FlowId{1}), FlowError::network_unreachable);
    EXPECT_EQ(take_answer().problem, name_of(FlowError::network_unreachable));
    bench.flows.sweep();

    ask_of(alice);
    desk.on_flow_trouble(bench.step(), the_flow(), FlowError::port_unreachable);
    EXPECT_EQ(take_answer().problem, name_of(FlowError::port_unreachable));
}

// What a spare port to the same server meets (K4) says nothing of the shared one.
TEST_F(StunDeskTest, ASparePortsTroubleIsNotItsOwn) {
    ask_of(alice);
    const FlowId spare = bench.flows.open_spare(bench.step(), stun_server);
    desk.on_flow_trouble(bench.step(), bench.flow(spare), FlowError::port_unreachable);
    desk.on_flow_opened(bench.step(), bench.flow(spare));
    EXPECT_TRUE(bench.take_sent().empty());
    EXPECT_TRUE(bench.tidings.empty());
    EXPECT_NE(desk.next_deadline().at, never);
}

// A socket that never comes does not hold up who asked.
TEST_F(StunDeskTest, AFlowThatNeverOpensIsToldAfterTwoSeconds) {
    const Instant begin = bench.now;
    desk.ask(bench.step(), alice, stun_server);
    run_until(begin + 2s - 1us);
    EXPECT_TRUE(bench.tidings.empty());
    run_until(begin + 2s);
    EXPECT_EQ(take_answer().problem, "it does not answer");
    EXPECT_TRUE(bench.take_sent().empty());
}

TEST_F(StunDeskTest, WhoIsGoneIsNotTold) {
    const auto request = ask_of(alice);
    desk.ask(bench.step(), bob, stun_server);
    desk.forget(alice);
    desk.on_datagram(bench.step(), the_flow(),
                     flow::encode_binding_success(transaction_of(request), seen));
    const auto all = bench.take_told<told::StunAnswered>();
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all.front().first, bob);
}

}  // namespace
}  // namespace holdfast::engine
