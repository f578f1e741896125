// RFC 3261 §17.1.2, Figure 6 and its timers, in virtual time: instants are compared with ==.
#include "transaction/non_invite_client.h"

#include <gtest/gtest.h>

#include "transaction/testing.h"

namespace holdfast::transaction {
namespace {

using namespace std::chrono_literals;

NonInviteClient sent(Wire& wire, bool reliable, Instant at = Instant{}) {
    return NonInviteClient{at,
                           {.flow = FlowId{7}, .reliable = reliable, .bytes = "REGISTER …"},
                           TimerValues{},
                           wire.outbox};
}

// Unanswered over UDP: 0, 500 ms, 1 s, 2 s, 4 s, 4 s, … (Timer E), and the end after 32 s (Timer
// F).
//   RFC 3261 §17.1.2.2.
TEST(NonInviteClient, SilenceIsRepeatedUntilTimerF) {
    Wire wire;
    auto transaction = sent(wire, false);
    wire.collect(Instant{});
    const auto end = run(transaction, wire, Instant{}, 60s);
    EXPECT_EQ(end.result, ClientResult::timed_out);
    EXPECT_EQ(end.at, Instant{32s});
    EXPECT_THAT(wire.times, ::testing::ElementsAre(0ms, 500ms, 1500ms, 3500ms, 7500ms, 11500ms,
                                                   15500ms, 19500ms, 23500ms, 27500ms, 31500ms));
    EXPECT_EQ(wire.last.flow, FlowId{7});
    EXPECT_EQ(wire.last.bytes, "REGISTER …");
    EXPECT_TRUE(transaction.is_done());
    EXPECT_EQ(transaction.next_deadline().at, never);
}

// A reliable transport repeats by itself (RFC 3261 §17.1.2.2: Timer E is not set).
TEST(NonInviteClient, NothingIsSentTwiceOverTcp) {
    Wire wire;
    auto transaction = sent(wire, true);
    wire.collect(Instant{});
    const auto end = run(transaction, wire, Instant{}, 60s);
    EXPECT_EQ(end.result, ClientResult::timed_out);
    EXPECT_EQ(end.at, Instant{32s});
    EXPECT_THAT(wire.times, ::testing::ElementsAre(0ms));
}

// A 1xx slows the copies down to one each T2; Timer F goes on (RFC 3261 §17.1.2.2, Figure 6
// Proceeding).
TEST(NonInviteClient, ProvisionalSlowsDown) {
    Wire wire;
    auto transaction = sent(wire, false);
    wire.collect(Instant{});
    EXPECT_EQ(transaction.on_response(Instant{100ms}, 100), ClientResult::provisional);
    EXPECT_EQ(transaction.on_response(Instant{200ms}, 183), ClientResult::provisional);
    const auto end = run(transaction, wire, Instant{200ms}, 60s);
    EXPECT_EQ(end.result, ClientResult::timed_out);
    EXPECT_EQ(end.at, Instant{32s});
    EXPECT_THAT(wire.times, ::testing::ElementsAre(0ms, 500ms, 4500ms, 8500ms, 12500ms, 16500ms,
                                                   20500ms, 24500ms, 28500ms));
}

// The first final response counts, later ones are absorbed, and T4 after it all is over (Timer K).
TEST(NonInviteClient, FirstFinalResponseCounts) {
    Wire wire;
    auto transaction = sent(wire, false);
    wire.collect(Instant{});
    EXPECT_EQ(transaction.on_response(Instant{80ms}, 401), ClientResult::final_response);
    EXPECT_TRUE(transaction.has_final_response());
    EXPECT_FALSE(transaction.is_done());
    EXPECT_EQ(transaction.on_response(Instant{90ms}, 200), ClientResult::absorbed);
    EXPECT_EQ(transaction.on_response(Instant{95ms}, 100), ClientResult::absorbed);
    const auto end = run(transaction, wire, Instant{95ms}, 60s);
    EXPECT_EQ(end.result, ClientResult::done);
    EXPECT_EQ(end.at, Instant{80ms + 5s});
    EXPECT_THAT(wire.times, ::testing::ElementsAre(0ms));
    EXPECT_EQ(transaction.on_response(Instant{6s}, 200), ClientResult::absorbed);
}

// Over a reliable transport Timer K is 0.
TEST(NonInviteClient, FinalResponseOverTcpEndsIt) {
    Wire wire;
    auto transaction = sent(wire, true);
    EXPECT_EQ(transaction.on_response(Instant{80ms}, 200), ClientResult::final_response);
    EXPECT_TRUE(transaction.is_done());
    EXPECT_EQ(transaction.next_deadline().at, never);
}

// A flow that breaks is told at once, unless the answer is here already (RFC 3261 §17.1.4).
TEST(NonInviteClient, TransportErrorEndsIt) {
    Wire wire;
    auto transaction = sent(wire, false);
    EXPECT_EQ(transaction.on_transport_error(), ClientResult::transport_error);
    EXPECT_TRUE(transaction.is_done());

    auto answered = sent(wire, false);
    EXPECT_EQ(answered.on_response(Instant{1ms}, 200), ClientResult::final_response);
    EXPECT_EQ(answered.on_transport_error(), ClientResult::pending);
    EXPECT_FALSE(answered.is_done());
}

// A driver that comes 3 s late sends one copy, and the next one is counted from then.
TEST(NonInviteClient, LateWakeUpSendsOneNotTen) {
    Wire wire;
    auto transaction = sent(wire, false);
    wire.collect(Instant{});
    EXPECT_EQ(transaction.on_time(Instant{3500ms}, wire.outbox), ClientResult::pending);
    wire.collect(Instant{3500ms});
    EXPECT_THAT(wire.times, ::testing::ElementsAre(0ms, 3500ms));
    EXPECT_EQ(transaction.next_deadline().at, Instant{4500ms});
    EXPECT_TRUE(transaction.was_retransmitted());
}

// A host that slept through Timer F sends nothing more.
TEST(NonInviteClient, SleepingThroughTheEndSendsNothing) {
    Wire wire;
    auto transaction = sent(wire, false);
    wire.collect(Instant{});
    EXPECT_EQ(transaction.on_time(Instant{1h}, wire.outbox), ClientResult::timed_out);
    EXPECT_TRUE(wire.outbox.empty());
}

// A spurious call is no event.
TEST(NonInviteClient, TimeBeforeTheDeadlineDoesNothing) {
    Wire wire;
    auto transaction = sent(wire, false);
    wire.collect(Instant{});
    EXPECT_EQ(transaction.on_time(Instant{499ms}, wire.outbox), ClientResult::pending);
    EXPECT_TRUE(wire.outbox.empty());
    EXPECT_EQ(transaction.next_deadline().at, Instant{500ms});
}

// An abandoned attempt (F3) sends no more, but an answer and Timer F still tell its end.
TEST(NonInviteClient, AbandonedListensOnly) {
    Wire wire;
    auto transaction = sent(wire, false);
    wire.collect(Instant{});
    transaction.stop_retransmitting();
    EXPECT_EQ(transaction.next_deadline().at, Instant{32s});
    EXPECT_EQ(transaction.on_response(Instant{9s}, 100), ClientResult::provisional);
    EXPECT_EQ(transaction.on_response(Instant{10s}, 401), ClientResult::final_response);
    EXPECT_THAT(wire.times, ::testing::ElementsAre(0ms));
}

// A preset may have its own timers.
TEST(NonInviteClient, TimerValuesAreThePresets) {
    Wire wire;
    NonInviteClient transaction{
        Instant{}, {FlowId{1}, false, "x"}, {.t1 = 100ms, .t2 = 300ms}, wire.outbox};
    wire.collect(Instant{});
    const auto end = run(transaction, wire, Instant{}, 60s);
    EXPECT_EQ(end.at, Instant{6400ms});
    EXPECT_EQ(wire.times[1], 100ms);
    EXPECT_EQ(wire.times[2], 300ms);
    EXPECT_EQ(wire.times[3], 600ms);
}

// Thousands of them live at once: what one holds besides the message is small.
TEST(NonInviteClient, IsSmall) { EXPECT_LE(sizeof(NonInviteClient), 256U); }

}  // namespace
}  // namespace holdfast::transaction
