// The examination's requests bother nobody: their pace and their number have limits, and each ends.
#include "doctor/post.h"

#include <gtest/gtest.h>

#include "doctor/limits.h"

namespace holdfast::doctor {
namespace {

using namespace std::chrono_literals;

constexpr Instant start{1000s};

Letter letter_to(std::string_view target, const std::string& branch) {
    return {.flow = FlowId{1},
            .target = *Target::parse(target),
            .method = "OPTIONS",
            .branch = branch,
            .call_id = branch,
            .cseq = 1,
            .wire = "OPTIONS " + branch,
            .patience = 4s};
}

std::size_t sends(Outbox& outbox) {
    std::size_t count = 0;
    for (const auto& output : outbox.take())
        count += std::holds_alternative<out::Send>(output) ? 1U : 0U;
    return count;
}

// So that no retransmission is counted, time does not reach T1.
TEST(DoctorPost, KeepsItsDistance) {
    Post post;
    post.send(letter_to("udp:203.0.113.11:5060", "a"));
    post.send(letter_to("udp:203.0.113.11:5060", "b"));
    post.send(letter_to("udp:203.0.113.12:5060", "c"));
    Outbox outbox;
    post.on_time(start, outbox);
    EXPECT_EQ(sends(outbox), 1U);
    post.on_time(start + limits::between_requests - 1us, outbox);
    EXPECT_EQ(sends(outbox), 0U);
    post.on_time(start + limits::between_requests, outbox);
    EXPECT_EQ(sends(outbox), 1U) << "to the other address, which need not wait";
    post.on_time(start + limits::between_requests_to_one - 1us, outbox);
    EXPECT_EQ(sends(outbox), 0U);
    post.on_time(start + limits::between_requests_to_one, outbox);
    EXPECT_EQ(sends(outbox), 1U);
}

TEST(DoctorPost, SendsSoManyRequestsAndNoMore) {
    Post post;
    Outbox outbox;
    auto now = start;
    for (std::size_t i = 0; i <= limits::requests; ++i)
        post.send(letter_to("tcp:203.0.113.11:5060", std::to_string(i)));
    for (std::size_t i = 0; i <= limits::requests; ++i) {
        post.on_time(now, outbox);
        now += limits::between_requests_to_one;
    }
    EXPECT_EQ(sends(outbox), limits::requests);
    EXPECT_EQ(post.sent(), limits::requests);
    std::size_t not_sent = 0;
    for (const auto& reply : post.take_replies())
        not_sent += reply.what == Reply::What::not_sent ? 1U : 0U;
    EXPECT_EQ(not_sent, 1U);
}

TEST(DoctorPost, SilenceEndsWithItsPatience) {
    Post post;
    Outbox outbox;
    const auto ticket = post.send(letter_to("udp:203.0.113.11:5060", "a"));
    post.on_time(start, outbox);
    post.on_time(start + 4s - 1us, outbox);
    EXPECT_TRUE(post.take_replies().empty());
    post.on_time(start + 4s, outbox);
    const auto replies = post.take_replies();
    ASSERT_EQ(replies.size(), 1U);
    EXPECT_EQ(replies.front().ticket, ticket);
    EXPECT_EQ(replies.front().what, Reply::What::silent);
    EXPECT_EQ(post.next_deadline().at, never);
}

TEST(DoctorPost, AFlowThatFailsEndsWhatIsOutAndWhatWaits) {
    Post post;
    Outbox outbox;
    post.send(letter_to("udp:203.0.113.11:5060", "a"));
    post.send(letter_to("udp:203.0.113.11:5060", "b"));
    post.on_time(start, outbox);
    post.on_flow_trouble(FlowId{1}, FlowError::port_unreachable, "");
    EXPECT_EQ(post.take_replies().size(), 2U);
    EXPECT_EQ(post.next_deadline().at, never);
}

}  // namespace
}  // namespace holdfast::doctor
