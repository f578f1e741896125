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

// S3: one turn each half second, in the order of asking.
TEST(RegisterPace, TurnsComeAtTheRate) {
    RegisterPace pace(2);
    EXPECT_FALSE(pace.admits(start, alice));
    pace.wait(alice, told::Start{});
    pace.wait(bob, told::Start{});
    pace.wait(alice, told::Time{});
    const auto first = pace.take(start);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->account, alice);
    EXPECT_EQ(first->tidings.size(), 2u) << "all that was waiting, in order";
    EXPECT_TRUE(pace.admits(start, alice));
    EXPECT_FALSE(pace.take(start + 499ms));
    EXPECT_EQ(pace.next_deadline().at, start + 500ms);
    EXPECT_EQ(pace.take(start + 500ms)->account, bob);
    EXPECT_FALSE(pace.admits(start + 5s, alice)) << "a turn lasts 5 s";
}

// A second REGISTER of one turn (the answer to a challenge) delays the line by its share.
TEST(RegisterPace, MoreRegistersDelayTheLine) {
    RegisterPace pace(2);
    pace.wait(alice, told::Start{});
    pace.wait(bob, told::Start{});
    pace.take(start);
    pace.sent(start, alice);
    EXPECT_EQ(pace.next_deadline().at, start + 500ms);
    pace.sent(start + 20ms, alice);
    EXPECT_EQ(pace.next_deadline().at, start + 1s);
}

TEST(RegisterPace, WhatWaitsIsOneOfAKind) {
    RegisterPace pace(1);
    for (int i = 0; i < 100; ++i) {
        pace.wait(alice, told::Suspect{FlowId{1}, "silent"});
        pace.wait(alice, told::Suspect{FlowId{2}, "silent"});
        pace.wait(alice, told::Network{});
    }
    EXPECT_EQ(pace.size(), 1u);
    EXPECT_EQ(pace.take(start)->tidings.size(), 3u) << "two flows, one network";
    pace.wait(bob, told::Start{});
    pace.forget(bob);
    EXPECT_EQ(pace.next_deadline().at, never);
}

}  // namespace
}  // namespace holdfast::engine
