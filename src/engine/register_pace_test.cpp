#include "engine/register_pace.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "engine/test_names.h"

namespace holdfast::engine {
namespace {

using namespace std::chrono_literals;
namespace told = registration::told;
const Instant start{1h};

TEST(RegisterPace, NoLimitAdmitsEverybody) {
    const RegisterPace pace(0);
    EXPECT_TRUE(pace.admits(start, alice));
    EXPECT_EQ(pace.next_deadline().at, never);
}

// S3: each REGISTER takes half a second of the rate; the others wait.
TEST(RegisterPace, TurnsComeAtTheRate) {
    Random random{seed_from_number(3)};
    RegisterPace pace(2);
    EXPECT_TRUE(pace.admits(start, alice));
    pace.sent(start);
    EXPECT_FALSE(pace.admits(start, alice));
    pace.wait(alice, told::Start{});
    pace.wait(bob, told::Start{});
    pace.wait(alice, told::Time{});
    EXPECT_FALSE(pace.take(start + 499ms, random));
    EXPECT_EQ(pace.next_deadline().at, start + 500ms);
    const auto first = pace.take(start + 500ms, random);
    ASSERT_TRUE(first);
    pace.sent(start + 500ms);
    EXPECT_FALSE(pace.take(start + 999ms, random));
    const auto second = pace.take(start + 1s, random);
    ASSERT_TRUE(second);
    EXPECT_NE(second->account, first->account);
    const auto& of_alice = first->account == alice ? first : second;
    EXPECT_EQ(of_alice->tidings.size(), 2u) << "all that was waiting, in order";
}

// Whoever turns out to send nothing costs the others nothing.
TEST(RegisterPace, AnUnusedTurnIsFree) {
    Random random{seed_from_number(3)};
    RegisterPace pace(2);
    pace.sent(start);
    pace.wait(alice, told::Time{});
    pace.wait(bob, told::Time{});
    EXPECT_TRUE(pace.take(start + 500ms, random));
    EXPECT_TRUE(pace.take(start + 500ms, random));
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
    Random random{seed_from_number(3)};
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
    EXPECT_EQ(pace.take(start, random)->tidings.size(), 5u)
        << "two answers, two flows, one network";
    pace.wait(bob, told::Start{});
    pace.forget(bob);
    EXPECT_EQ(pace.next_deadline().at, never);
}

// S3: three servers' accounts come into the line server by server, the third's while it is moving
// already: in each second the servers' shares of the turns are their shares of the line, but for
// chance (5 standard deviations of a draw without return).
TEST(RegisterPace, NoServerGetsTheRateAlone) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        Random random{seed_from_number(seed)};
        constexpr std::uint32_t per_second = 300;
        constexpr std::uint32_t of_a_server = 3000;
        RegisterPace pace(per_second);
        std::array<double, 3> left{};
        const auto join = [&](std::uint32_t server) {
            for (std::uint32_t i = 1; i <= of_a_server; ++i)
                pace.wait(AccountId{server * of_a_server + i}, told::Start{});
            left[server] = of_a_server;
        };
        join(0);
        join(1);
        for (int second = 0; pace.size() > 0; ++second) {
            ASSERT_LE(second, 30) << "the rate is used";
            if (second == 5) join(2);
            const double all = left[0] + left[1] + left[2];
            const double turns = std::min<double>(per_second, all);
            std::array<double, 3> got{};
            for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(turns); ++i) {
                const auto now = start + second * 1s + i * (Duration{1s} / per_second);
                const auto turn = pace.take(now, random);
                ASSERT_TRUE(turn) << second << " s, " << i;
                pace.sent(now);
                ++got.at((turn->account.value - 1) / of_a_server);
            }
            for (std::size_t server = 0; server < 3; ++server) {
                const double share = left[server] / all;
                const double chance =
                    std::sqrt(turns * share * (1 - share) * (all - turns) / std::max(1.0, all - 1));
                EXPECT_NEAR(got[server], turns * share, 5 * chance + 1)
                    << "server " << server << ", second " << second << ", seed " << seed;
                left[server] -= got[server];
            }
        }
    }
}

// B4: who waits for its turn to REGISTER when it is to leave does not register first.
TEST(RegisterPace, LeavingReplacesWhatElseWaits) {
    Random random{seed_from_number(3)};
    RegisterPace pace(2);
    pace.wait(alice, told::Start{});
    pace.wait(alice, told::ShutDown{});
    pace.wait(alice, told::RegisterNow{});
    const auto turn = pace.take(start, random);
    ASSERT_TRUE(turn);
    ASSERT_EQ(turn->tidings.size(), 1u);
    EXPECT_TRUE(std::holds_alternative<told::ShutDown>(turn->tidings.front()));
}

}  // namespace
}  // namespace holdfast::engine
