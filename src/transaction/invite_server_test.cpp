// RFC 3261 §17.2.1, Figure 7, with RFC 6026 §7.1.
#include "transaction/invite_server.h"

#include <gtest/gtest.h>

#include "transaction/testing.h"

namespace holdfast::transaction {
namespace {

using namespace std::chrono_literals;

InviteServer server(bool reliable, std::string trying = "100") {
    return {Instant{}, {.flow = FlowId{3}, .reliable = reliable, .bytes = std::move(trying)}, {}};
}

// 100 Trying after 200 ms, unless the user was quicker (RFC 3261 §17.2.1).
TEST(InviteServer, TryingUnlessTheUserIsQuicker) {
    Wire wire;
    auto slow = server(false);
    slow.on_request(wire.outbox);
    EXPECT_TRUE(wire.outbox.empty());  // nothing to repeat yet
    EXPECT_EQ(slow.next_deadline().at, Instant{200ms});
    EXPECT_EQ(slow.on_time(Instant{200ms}, wire.outbox), ServerResult::pending);
    slow.on_request(wire.outbox);
    slow.respond(Instant{1s}, 180, "180", wire.outbox);
    slow.on_request(wire.outbox);
    wire.collect(Instant{1s});
    EXPECT_THAT(wire.texts, ::testing::ElementsAre("100", "100", "180", "180"));
    EXPECT_EQ(slow.next_deadline().at, never);

    auto quick = server(false);
    quick.respond(Instant{10ms}, 180, "180", wire.outbox);
    EXPECT_EQ(quick.next_deadline().at, never);
    EXPECT_EQ(server(false, "").next_deadline().at, never);
}

// A refusal is repeated: T1, 2·T1, … up to T2 (Timer G), and given up after 64·T1 (Timer H).
TEST(InviteServer, RefusalIsRepeatedUntilTimerH) {
    Wire wire;
    auto refused = server(false);
    refused.respond(Instant{}, 486, "486", wire.outbox);
    wire.collect(Instant{});
    const auto end = run(refused, wire, Instant{}, 60s);
    EXPECT_EQ(end.result, ServerResult::timed_out);
    EXPECT_EQ(end.at, Instant{32s});
    EXPECT_THAT(wire.times, ::testing::ElementsAre(0ms, 500ms, 1500ms, 3500ms, 7500ms, 11500ms,
                                                   15500ms, 19500ms, 23500ms, 27500ms, 31500ms));
    EXPECT_TRUE(refused.is_done());
}

TEST(InviteServer, RefusalOverTcpIsSentOnce) {
    Wire wire;
    auto refused = server(true);
    refused.respond(Instant{}, 486, "486", wire.outbox);
    wire.collect(Instant{});
    EXPECT_EQ(run(refused, wire, Instant{}, 60s).result, ServerResult::timed_out);
    EXPECT_EQ(wire.times.size(), 1U);
}

// The INVITE again gets the refusal again; the ACK ends that; copies of it are absorbed for T4
// (Timer I).
TEST(InviteServer, AckConfirms) {
    Wire wire;
    auto refused = server(false);
    refused.respond(Instant{}, 486, "486", wire.outbox);
    refused.on_request(wire.outbox);
    wire.collect(Instant{});
    EXPECT_EQ(wire.texts.size(), 2U);
    EXPECT_EQ(refused.on_ack(Instant{1s}), ServerResult::acknowledged);
    EXPECT_EQ(refused.on_ack(Instant{2s}), ServerResult::pending);
    refused.on_request(wire.outbox);
    EXPECT_TRUE(wire.outbox.empty());
    const auto end = run(refused, wire, Instant{2s}, 60s);
    EXPECT_EQ(end.result, ServerResult::done);
    EXPECT_EQ(end.at, Instant{1s + 5s});
    EXPECT_EQ(wire.texts.size(), 2U);
}

TEST(InviteServer, AckOverTcpEndsIt) {
    Wire wire;
    auto refused = server(true);
    refused.respond(Instant{}, 486, "486", wire.outbox);
    EXPECT_EQ(refused.on_ack(Instant{1s}), ServerResult::acknowledged);
    EXPECT_TRUE(refused.is_done());
}

// Accepted (RFC 6026 §7.1): copies of the INVITE are absorbed and do not ring again, the dialog
// repeats its 2xx through here, ACKs are handed on, Timer L ends it after 64·T1, over TCP too.
TEST(InviteServer, AcceptedAbsorbsCopiesOfTheInvite) {
    for (const bool reliable : {false, true}) {
        Wire wire;
        auto accepted = server(reliable);
        accepted.respond(Instant{1s}, 200, "200", wire.outbox);
        accepted.on_request(wire.outbox);
        accepted.respond(Instant{2s}, 200, "200 again", wire.outbox);
        accepted.respond(Instant{2s}, 487, "487", wire.outbox);  // a CANCEL that came too late
        wire.collect(Instant{2s});
        EXPECT_THAT(wire.texts, ::testing::ElementsAre("200", "200 again"));
        EXPECT_EQ(accepted.on_ack(Instant{3s}), ServerResult::ack_for_success);
        EXPECT_EQ(accepted.on_transport_error(), ServerResult::transport_error);
        EXPECT_FALSE(accepted.is_done());
        const auto end = run(accepted, wire, Instant{3s}, 60s);
        EXPECT_EQ(end.result, ServerResult::done);
        EXPECT_EQ(end.at, Instant{1s + 32s});
    }
}

TEST(InviteServer, TransportErrorEndsOnlyARefusal) {
    Wire wire;
    auto ringing = server(false);
    EXPECT_EQ(ringing.on_transport_error(), ServerResult::transport_error);
    EXPECT_FALSE(ringing.is_done());
    ringing.respond(Instant{}, 486, "486", wire.outbox);
    EXPECT_EQ(ringing.on_transport_error(), ServerResult::transport_error);
    EXPECT_TRUE(ringing.is_done());
}

TEST(InviteServer, LateWakeUpSendsOneNotTen) {
    Wire wire;
    auto refused = server(false);
    refused.respond(Instant{}, 486, "486", wire.outbox);
    wire.collect(Instant{});
    EXPECT_EQ(refused.on_time(Instant{20s}, wire.outbox), ServerResult::pending);
    wire.collect(Instant{20s});
    EXPECT_EQ(wire.times.size(), 2U);
    EXPECT_EQ(refused.next_deadline().at, Instant{21s});
}

}  // namespace
}  // namespace holdfast::transaction
