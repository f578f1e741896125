// RFC 3261 §17.1.1, Figure 5, with RFC 6026 §7.2: the client side of INVITE.
#include "transaction/invite_client.h"

#include <gtest/gtest.h>

#include "transaction/testing.h"

namespace holdfast::transaction {
namespace {

using namespace std::chrono_literals;

InviteClient sent(Wire& wire, bool reliable) {
    InviteClient client{Instant{},
                        {.flow = FlowId{7}, .reliable = reliable, .bytes = invite_text()},
                        TimerValues{},
                        wire.outbox};
    wire.collect(Instant{});
    return client;
}

// Timer A doubles without a ceiling, Timer B ends it after 64·T1: seven copies (RFC 3261
// §17.1.1.2).
TEST(InviteClient, SilenceIsRepeatedUntilTimerB) {
    Wire wire;
    auto client = sent(wire, false);
    const auto end = run(client, wire, Instant{}, 60s);
    EXPECT_EQ(end.result, ClientResult::timed_out);
    EXPECT_EQ(end.at, Instant{32s});
    EXPECT_THAT(wire.times,
                ::testing::ElementsAre(0ms, 500ms, 1500ms, 3500ms, 7500ms, 15500ms, 31500ms));
    EXPECT_TRUE(client.was_retransmitted());
}

TEST(InviteClient, NothingIsSentTwiceOverTcp) {
    Wire wire;
    auto client = sent(wire, true);
    EXPECT_EQ(run(client, wire, Instant{}, 60s).result, ClientResult::timed_out);
    EXPECT_EQ(wire.times.size(), 1U);
    EXPECT_FALSE(client.was_retransmitted());
}

// After a 1xx nothing is repeated and nothing times out: a call may ring for ever (Figure 5,
// Proceeding).
TEST(InviteClient, ProvisionalStopsTheTimers) {
    Wire wire;
    auto client = sent(wire, false);
    EXPECT_FALSE(client.had_provisional());
    EXPECT_EQ(client.on_response(Instant{50ms}, response_to_invite(100), wire.outbox),
              ClientResult::provisional);
    EXPECT_EQ(client.on_response(Instant{60ms}, response_to_invite(180), wire.outbox),
              ClientResult::provisional);
    EXPECT_TRUE(client.had_provisional());
    EXPECT_EQ(client.next_deadline().at, never);
    EXPECT_TRUE(wire.outbox.empty());
}

// A refusal is acknowledged, each copy of it again, for 32 s (Timer D); it is reported once.
TEST(InviteClient, RefusalIsAcknowledgedEachTime) {
    Wire wire;
    auto client = sent(wire, false);
    EXPECT_EQ(client.on_response(Instant{1s}, response_to_invite(486), wire.outbox),
              ClientResult::final_response);
    wire.collect(Instant{1s});
    EXPECT_EQ(client.on_response(Instant{2s}, response_to_invite(486), wire.outbox),
              ClientResult::absorbed);
    wire.collect(Instant{2s});
    EXPECT_EQ(client.on_response(Instant{3s}, response_to_invite(180), wire.outbox),
              ClientResult::absorbed);
    EXPECT_TRUE(wire.outbox.empty());
    ASSERT_EQ(wire.texts.size(), 3U);
    EXPECT_TRUE(wire.texts[1].starts_with("ACK sip:bob@biloxi.com SIP/2.0\r\n"));
    EXPECT_EQ(wire.texts[1], wire.texts[2]);
    EXPECT_EQ(wire.last.flow, FlowId{7});
    const auto end = run(client, wire, Instant{3s}, 60s);
    EXPECT_EQ(end.result, ClientResult::done);
    EXPECT_EQ(end.at, Instant{1s + 32s});
}

// Timer D is 0 over a reliable transport.
TEST(InviteClient, RefusalOverTcpEndsIt) {
    Wire wire;
    auto client = sent(wire, true);
    EXPECT_EQ(client.on_response(Instant{1s}, response_to_invite(603), wire.outbox),
              ClientResult::final_response);
    EXPECT_TRUE(client.is_done());
    EXPECT_FALSE(wire.outbox.empty());
}

// Accepted (RFC 6026 §7.2): every 2xx is the user's, also another branch's; no ACK from here; 64·T1
// (Timer M), over TCP too.
TEST(InviteClient, EverySuccessIsReported) {
    for (const bool reliable : {false, true}) {
        Wire wire;
        auto client = sent(wire, reliable);
        EXPECT_EQ(client.on_response(Instant{4s}, response_to_invite(200, "one"), wire.outbox),
                  ClientResult::success);
        EXPECT_EQ(client.on_response(Instant{5s}, response_to_invite(200, "one"), wire.outbox),
                  ClientResult::success);
        EXPECT_EQ(client.on_response(Instant{6s}, response_to_invite(200, "two"), wire.outbox),
                  ClientResult::success);
        EXPECT_EQ(client.on_response(Instant{6s}, response_to_invite(486), wire.outbox),
                  ClientResult::absorbed);
        EXPECT_EQ(client.on_transport_error(), ClientResult::pending);
        EXPECT_TRUE(wire.outbox.empty());
        const auto end = run(client, wire, Instant{6s}, 60s);
        EXPECT_EQ(end.result, ClientResult::done);
        EXPECT_EQ(end.at, Instant{4s + 32s});
    }
}

// RFC 3261 §9.1: a cancelled INVITE that gets no final response in 64·T1 is over.
TEST(InviteClient, CancelledAndSilentEnds) {
    Wire wire;
    auto client = sent(wire, false);
    EXPECT_EQ(client.on_response(Instant{1s}, response_to_invite(180), wire.outbox),
              ClientResult::provisional);
    client.cancelled(Instant{10s});
    const auto end = run(client, wire, Instant{10s}, 60s);
    EXPECT_EQ(end.result, ClientResult::timed_out);
    EXPECT_EQ(end.at, Instant{42s});
    EXPECT_EQ(wire.times.size(), 1U);
}

// … and one that does get its 487 goes the usual way.
TEST(InviteClient, CancelledAndAnswered) {
    Wire wire;
    auto client = sent(wire, false);
    EXPECT_EQ(client.on_response(Instant{1s}, response_to_invite(180), wire.outbox),
              ClientResult::provisional);
    client.cancelled(Instant{10s});
    EXPECT_EQ(client.on_response(Instant{11s}, response_to_invite(487), wire.outbox),
              ClientResult::final_response);
    EXPECT_EQ(client.next_deadline().at, Instant{11s + 32s});
}

TEST(InviteClient, TransportErrorEndsIt) {
    Wire wire;
    auto calling = sent(wire, false);
    EXPECT_EQ(calling.on_transport_error(), ClientResult::transport_error);
    EXPECT_TRUE(calling.is_done());
    auto completed = sent(wire, false);  // the ACK could not be sent (Figure 5)
    EXPECT_EQ(completed.on_response(Instant{}, response_to_invite(486), wire.outbox),
              ClientResult::final_response);
    EXPECT_EQ(completed.on_transport_error(), ClientResult::transport_error);
}

TEST(InviteClient, LateWakeUpSendsOneNotTen) {
    Wire wire;
    auto client = sent(wire, false);
    EXPECT_EQ(client.on_time(Instant{10s}, wire.outbox), ClientResult::pending);
    wire.collect(Instant{10s});
    EXPECT_EQ(wire.times.size(), 2U);
    EXPECT_EQ(client.next_deadline().at, Instant{11s});
    EXPECT_EQ(client.on_time(Instant{1h}, wire.outbox), ClientResult::timed_out);
    EXPECT_TRUE(wire.outbox.empty());
}

TEST(InviteClient, StopRetransmittingLeavesTimerB) {
    Wire wire;
    auto client = sent(wire, false);
    client.stop_retransmitting();
    EXPECT_EQ(client.next_deadline().at, Instant{32s});
}

}  // namespace
}  // namespace holdfast::transaction
