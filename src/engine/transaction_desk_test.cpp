#include "engine/transaction_desk.h"

#include <gtest/gtest.h>

#include "engine/test_bench.h"
#include "engine/test_names.h"

namespace holdfast::engine {
namespace {

using registration::AttemptId;
using transaction::ClientResult;

std::string register_text(const std::string& branch) {
    return RequestText{.method = "REGISTER",
                       .uri = "sip:example.test",
                       .from = "<sip:alice@example.test>;tag=a1",
                       .branch = branch,
                       .via_host = "192.168.1.20:40000"}
        .text();
}

struct TransactionDeskTest : testing::Test {
    Bench bench;
    TransactionDesk desk;
    FlowId flow = bench.open_flow(alice, udp_target(11));

    void send(std::uint32_t attempt, const std::string& branch,
              sip::Method method = sip::Method::register_) {
        desk.send(bench.step(), bench.flow(flow), alice,
                  {AttemptId{attempt}, flow, method, branch, register_text(branch), "call-1", 1});
    }
    std::optional<TransactionResult> respond(const std::string& branch, int status, FlowId on) {
        const auto text = answer_to(register_text(branch), status);
        return desk.on_response(bench.step(), on, *sip::Message::parse(text));
    }
};

// RFC 3261 §17.1.3: by the branch of the top Via and the method of CSeq.
TEST_F(TransactionDeskTest, MatchesAnswersByBranch) {
    send(1, "z9hG4bKone");
    send(2, "z9hG4bKtwo");
    bench.now += 40ms;
    const auto result = respond("z9hG4bKtwo", 200, flow);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->attempt, AttemptId{2});
    EXPECT_EQ(result->what, ClientResult::final_response);
    EXPECT_EQ(result->rtt, 40ms);
    EXPECT_EQ(respond("z9hG4bKtwo", 200, flow)->what, ClientResult::absorbed)
        << "a copy of the answer";
    EXPECT_FALSE(respond("z9hG4bKthree", 200, flow)) << "not ours";
}

// RFC 3261 §8.2.6.2: what has our branch, but another request's Call-ID or CSeq number, is
// another's answer, sent to us by mistake. It decides nothing; ours may still come.
TEST_F(TransactionDeskTest, AnAnswerToAnotherRequestIsNone) {
    send(1, "z9hG4bKone");
    const auto right = answer_to(register_text("z9hG4bKone"), 403);
    const auto but = [&](const std::string& text, const std::string& other) {
        auto changed = right;
        changed.replace(changed.find(text), text.size(), other);
        return desk.on_response(bench.step(), flow, *sip::Message::parse(changed));
    };
    EXPECT_FALSE(but("Call-ID: call-1", "Call-ID: call-2"));
    EXPECT_FALSE(but("CSeq: 1", "CSeq: 2"));
    EXPECT_EQ(desk.size(), 1u);
    const auto result = but(";tag=a1", ";tag=b1");  // altered on its way, but ours
    ASSERT_TRUE(result);
    EXPECT_EQ(result->what, ClientResult::final_response);
}

// N1: an answer counts only from the address that we sent to.
TEST_F(TransactionDeskTest, AnAnswerOnAnotherFlowIsNone) {
    const FlowId other = bench.open_flow(alice, udp_target(12));
    send(1, "z9hG4bKone");
    EXPECT_FALSE(respond("z9hG4bKone", 200, other));
    EXPECT_TRUE(respond("z9hG4bKone", 200, flow));
}

// RFC 3261 §17.1.2.2: Timer E 0.5, 1, 2, 4, 4 … s; Timer F 32 s. Over UDP only.
TEST_F(TransactionDeskTest, RetransmitsAndTimesOut) {
    send(1, "z9hG4bKone");
    std::vector<Duration> at;
    const Instant begin = bench.now;
    std::vector<TransactionResult> ended;
    while (ended.empty()) {
        ASSERT_LE(desk.next_deadline().at, begin + 32s);
        bench.now = desk.next_deadline().at;
        bench.outbox.clear();
        ended = desk.on_time(bench.step());
        if (!bench.take_sent().empty()) at.push_back(bench.now - begin);
    }
    EXPECT_EQ(at, (std::vector<Duration>{500ms, 1500ms, 3500ms, 7500ms, 11500ms, 15500ms, 19500ms,
                                         23500ms, 27500ms, 31500ms}));
    EXPECT_EQ(bench.now, begin + 32s);
    EXPECT_EQ(ended.front().what, ClientResult::timed_out);
    EXPECT_FALSE(ended.front().heard);
    EXPECT_EQ(desk.size(), 0u);
}

// F3: an abandoned attempt sends no more, but its late answer counts.
TEST_F(TransactionDeskTest, AbandonedAttemptsAreStillHeard) {
    send(1, "z9hG4bKone");
    desk.abandon(alice, AttemptId{1});
    EXPECT_EQ(desk.next_deadline().at, bench.now + 32s);
    bench.now += 20s;
    EXPECT_EQ(respond("z9hG4bKone", 401, flow)->what, ClientResult::final_response);
}

// F2: ICMP fails what is outstanding on that flow, and nothing else.
TEST_F(TransactionDeskTest, TroubleFailsWhatIsOutstandingOnTheFlow) {
    send(1, "z9hG4bKone");
    send(2, "z9hG4bKtwo");
    respond("z9hG4bKtwo", 200, flow);
    const FlowId home = flow;
    flow = bench.open_flow(alice, udp_target(12));
    send(3, "z9hG4bKthree");
    const auto failed = desk.on_flow_trouble(home);
    ASSERT_EQ(failed.size(), 1u);
    EXPECT_EQ(failed.front().attempt, AttemptId{1});
    EXPECT_EQ(failed.front().what, ClientResult::transport_error);
    EXPECT_TRUE(desk.is_outstanding(alice, AttemptId{3}));
}

TEST_F(TransactionDeskTest, ForgetsAnAccount) {
    send(1, "z9hG4bKone");
    send(2, "z9hG4bKtwo");
    desk.forget(alice);
    EXPECT_EQ(desk.size(), 0u);
    EXPECT_EQ(desk.next_deadline().at, never);
    EXPECT_FALSE(respond("z9hG4bKone", 200, flow));
}

// A 1xx says that somebody lives: F6 does not count what ends without a final answer then.
TEST_F(TransactionDeskTest, AProvisionalAnswerWasHeard) {
    send(1, "z9hG4bKone", sip::Method::register_);
    EXPECT_EQ(respond("z9hG4bKone", 100, flow)->what, ClientResult::provisional);
    bench.now += 32s;
    const auto ended = desk.on_time(bench.step());
    ASSERT_EQ(ended.size(), 1u);
    EXPECT_TRUE(ended.front().heard);
}

}  // namespace
}  // namespace holdfast::engine
