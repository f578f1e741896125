// RFC 3261 §17.2.2, Figure 8.
#include "transaction/non_invite_server.h"

#include <gtest/gtest.h>

#include "transaction/testing.h"

namespace holdfast::transaction {
namespace {

using namespace std::chrono_literals;

NonInviteServer server(bool reliable) {
    return {{.flow = FlowId{3}, .reliable = reliable, .bytes = {}}, {}};
}

// Copies of the request: discarded before the first response, then answered with the last one.
TEST(NonInviteServer, CopiesGetTheLastResponse) {
    Wire wire;
    auto transaction = server(false);
    transaction.on_request(wire.outbox);
    EXPECT_TRUE(wire.outbox.empty());
    transaction.respond(Instant{1s}, 100, "100", wire.outbox);
    transaction.on_request(wire.outbox);
    transaction.respond(Instant{2s}, 200, "200", wire.outbox);
    transaction.on_request(wire.outbox);
    transaction.on_request(wire.outbox);
    wire.collect(Instant{2s});
    EXPECT_THAT(wire.texts, ::testing::ElementsAre("100", "100", "200", "200", "200"));
    EXPECT_EQ(wire.last.flow, FlowId{3});
}

// Any other final response is discarded (RFC 3261 §17.2.2); Timer J ends it 64·T1 after the first.
TEST(NonInviteServer, FirstFinalResponseCountsUntilTimerJ) {
    Wire wire;
    auto transaction = server(false);
    transaction.respond(Instant{2s}, 200, "200", wire.outbox);
    transaction.respond(Instant{3s}, 500, "500", wire.outbox);
    wire.collect(Instant{3s});
    EXPECT_THAT(wire.texts, ::testing::ElementsAre("200"));
    EXPECT_EQ(transaction.next_deadline().at, Instant{34s});
    EXPECT_EQ(transaction.on_time(Instant{33s}), ServerResult::pending);
    EXPECT_EQ(transaction.on_time(Instant{34s}), ServerResult::done);
    EXPECT_TRUE(transaction.is_done());
    transaction.on_request(wire.outbox);
    EXPECT_TRUE(wire.outbox.empty());
}

// Timer J is 0 over a reliable transport.
TEST(NonInviteServer, FinalResponseOverTcpEndsIt) {
    Wire wire;
    auto transaction = server(true);
    transaction.respond(Instant{2s}, 200, "200", wire.outbox);
    EXPECT_TRUE(transaction.is_done());
    EXPECT_EQ(transaction.next_deadline().at, never);
}

// RFC 3261 §17.2.4: only what this transaction sent can fail it.
TEST(NonInviteServer, TransportErrorEndsIt) {
    Wire wire;
    auto transaction = server(false);
    EXPECT_EQ(transaction.on_transport_error(), ServerResult::pending);
    transaction.respond(Instant{}, 200, "200", wire.outbox);
    EXPECT_EQ(transaction.on_transport_error(), ServerResult::transport_error);
    EXPECT_TRUE(transaction.is_done());
    EXPECT_EQ(transaction.on_transport_error(), ServerResult::pending);
}

}  // namespace
}  // namespace holdfast::transaction
