#include "engine/register_pace.h"

#include <gtest/gtest.h>

namespace holdfast::engine {
namespace {

using namespace std::chrono_literals;
namespace told = registration::told;
const AccountId alice{1};
const AccountId bob{2};
const Instant start{1h};

TEST(RegisterPace, NoLimitAdmitsEverybody) {
    const RegisterPace pace(0);
    EXPECT_TRUE(pace.admits(start, alice));
    EXPECT_EQ(pace.next_deadline().at, never);
}

// S3: each REGISTER takes half a second of the rate; the others wait in the order of asking.
TEST(RegisterPace, TurnsComeAtTheRate) {
    RegisterPace pace(2);
    EXPECT_TRUE(pace.admits(start, alice));
    pace.sent(start);
    EXPECT_FALSE(pace.admits(start, alice));
    pace.wait(alice, told::Start{});
    pace.wait(bob, told::Start{});
    pace.wait(alice, told::Time{});
    EXPECT_FALSE(pace.take(start + 499ms));
    EXPECT_EQ(pace.next_deadline().at, start + 500ms);
    const auto first = pace.take(start + 500ms);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->account, alice);
    EXPECT_EQ(first->tidings.size(), 2u) << "all that was waiting, in order";
    pace.sent(start + 500ms);
    EXPECT_FALSE(pace.take(start + 999ms));
    EXPECT_EQ(pace.take(start + 1s)->account, bob);
}

// Whoever turns out to send nothing costs the others nothing.
TEST(RegisterPace, AnUnusedTurnIsFree) {
    RegisterPace pace(2);
    pace.sent(start);
    pace.wait(alice, told::Time{});
    pace.wait(bob, told::Time{});
    EXPECT_EQ(pace.take(start + 500ms)->account, alice);
    EXPECT_EQ(pace.take(start + 500ms)->account, bob);
    EXPECT_TRUE(pace.admits(start + 500ms, alice));
}

// Nobody passes those who wait, even when the rate has room.
TEST(RegisterPace, TheLineIsAnOrder) {
    RegisterPace pace(2);
    pace.sent(start);
    pace.wait(alice, told::Time{});
    EXPECT_FALSE(pace.admits(start + 1s, bob));
}

// A second REGISTER of one turn (the answer to a challenge) delays the line by its share.
TEST(RegisterPace, MoreRegistersDelayTheLine) {
    RegisterPace pace(2);
    pace.sent(start);
    pace.wait(bob, told::Start{});
    pace.sent(start + 20ms);
    EXPECT_EQ(pace.next_deadline().at, start + 1s);
}

TEST(RegisterPace, WhatWaitsIsOneOfAKind) {
    RegisterPace pace(1);
    const dns::Question name{.name = "example.test", .type = dns::RecordType::a};
    const dns::Question service{.name = "example.test", .type = dns::RecordType::srv};
    for (int i = 0; i < 100; ++i) {
        pace.wait(alice, told::Dns{name, {}});
        pace.wait(alice, told::Dns{service, {}});
        pace.wait(alice, told::Suspect{FlowId{1}, "silent"});
        pace.wait(alice, told::Suspect{FlowId{2}, "silent"});
        pace.wait(alice, told::Network{});
    }
    EXPECT_EQ(pace.size(), 1u);
    EXPECT_EQ(pace.take(start)->tidings.size(), 5u) << "two answers, two flows, one network";
    pace.wait(bob, told::Start{});
    pace.forget(bob);
    EXPECT_EQ(pace.next_deadline().at, never);
}

}  // namespace
}  // namespace holdfast::engine
