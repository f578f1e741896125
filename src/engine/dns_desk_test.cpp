#include "engine/dns_desk.h"

#include <gtest/gtest.h>

namespace holdfast::engine {
namespace {

using namespace std::chrono_literals;

const dns::Question question{.name = "example.test", .type = dns::RecordType::a};
const Instant start{1h};

// Accounts that ask the same share the answer: one question goes out (L1).
TEST(DnsDesk, JoinsOutstandingQuestions) {
    DnsDesk desk;
    Outbox outbox;
    desk.ask(start, AccountId{2}, question, outbox);
    desk.ask(start, AccountId{1}, question, outbox);
    desk.ask(start, AccountId{1}, question, outbox);
    ASSERT_EQ(outbox.outputs().size(), 1u);
    const auto asked = std::get<out::Resolve>(outbox.outputs().front());
    EXPECT_EQ(asked.question, question);

    const auto reply =
        desk.on_answer(asked.query, {dns::Status::ok, {IpAddress::v4(203, 0, 113, 1)}, 60s});

    EXPECT_EQ(reply.question, question);
    EXPECT_EQ(reply.askers, (std::set{AccountId{1}, AccountId{2}}));
    EXPECT_EQ(desk.next_deadline().at, never);
}

// There is no cache here: what is asked after the answer is asked again (plain presets want it
// fresh).
TEST(DnsDesk, AsksAgainAfterTheAnswer) {
    DnsDesk desk;
    Outbox outbox;
    desk.ask(start, AccountId{1}, question, outbox);
    const auto first = std::get<out::Resolve>(outbox.take().front()).query;
    desk.on_answer(first, {});
    desk.ask(start, AccountId{1}, question, outbox);
    EXPECT_EQ(outbox.outputs().size(), 1u);
    EXPECT_TRUE(desk.on_answer(first, {}).askers.empty()) << "a second answer to the same question";
}

// An answer always comes: after 12 s it is "timed out", even if the driver forgot.
TEST(DnsDesk, GivesUpAfterTwelveSeconds) {
    DnsDesk desk;
    Outbox outbox;
    desk.ask(start, AccountId{1}, question, outbox);
    EXPECT_EQ(desk.next_deadline().at, start + 12s);
    EXPECT_TRUE(desk.on_time(start + 12s - 1us).empty());
    const auto replies = desk.on_time(start + 12s);
    ASSERT_EQ(replies.size(), 1u);
    EXPECT_EQ(replies.front().answer.status, dns::Status::timed_out);
    EXPECT_EQ(replies.front().askers, std::set{AccountId{1}});
}

TEST(DnsDesk, ForgetsAnAccountButNotTheQuestion) {
    DnsDesk desk;
    Outbox outbox;
    desk.ask(start, AccountId{1}, question, outbox);
    desk.ask(start, AccountId{2}, question, outbox);
    desk.forget(AccountId{1});
    const auto query = std::get<out::Resolve>(outbox.take().front()).query;
    EXPECT_EQ(desk.on_answer(query, {}).askers, std::set{AccountId{2}});
}

}  // namespace
}  // namespace holdfast::engine
