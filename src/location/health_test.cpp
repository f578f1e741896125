// What is remembered of targets, and that it only lowers a rank (F7).
#include "location/health.h"

#include <gtest/gtest.h>

#include "location/limits.h"
#include "location/testing.h"

namespace holdfast::location {
namespace {

const Target one = target("udp:192.0.2.1:5060");
const Target two = target("udp:192.0.2.2:5060");

struct HealthTest : ::testing::Test {
    Random random{seed_from_number(5)};
    Health health;
    Instant now{1h};
    [[nodiscard]] Duration left(const Target& where) const {
        const auto until = health.penalised_until(where, now);
        return until ? *until - now : Duration{};
    }
};

// 5 s doubling to 10 min, each ±20 % (F7).
TEST_F(HealthTest, PenaltiesDoubleUpToTenMinutes) {
    for (const auto nominal : {5s, 10s, 20s, 40s, 80s, 160s, 320s, 600s, 600s}) {
        health.on_silence(one, now, random);
        EXPECT_GE(left(one), scaled(nominal, 0.8));
        EXPECT_LE(left(one), std::min<Duration>(scaled(nominal, 1.2), 10min));
        now += left(one);
        EXPECT_FALSE(health.penalised(one, now));
    }
    now += 20min;
    health.on_silence(one, now, random);
    EXPECT_LE(left(one), 6s);  // long quiet: from the beginning
    EXPECT_FALSE(health.penalised(two, now));
}

// A penalty for silence ends when the target answers a probe; one for refusal runs on (F7).
TEST_F(HealthTest, AnAnswerEndsSilenceOnly) {
    health.on_silence(one, now, random);
    EXPECT_TRUE(health.silent(one, now));
    health.on_answer(one, now, 20ms);
    EXPECT_FALSE(health.penalised(one, now));
    health.on_silence(one, now, random);
    EXPECT_GE(left(one),
              8s);  // a server that answers OPTIONS but not REGISTER: the doubling goes on
    health.on_refusal(two, now, random);
    health.on_answer(two, now, std::nullopt);
    EXPECT_TRUE(health.penalised(two, now));
    EXPECT_FALSE(health.silent(two, now));
    health.on_success(one, now);
    health.on_success(two, now);
    EXPECT_FALSE(health.penalised(one, now));
    health.on_silence(one, now, random);
    EXPECT_LE(left(one), 6s);
    EXPECT_FALSE(health.penalised(two, now));
}

// Only the rank is lowered: nobody is left out, and the order among equals stays (F7).
TEST_F(HealthTest, PenaltiesOnlyLowerTheRank) {
    std::vector<Candidate> candidates;
    for (const auto* text : {"udp:192.0.2.1:5060", "udp:192.0.2.2:5060", "udp:192.0.2.3:5060"})
        candidates.push_back({target(text), 0, 0, 0, "example.test", ""});
    health.on_silence(one, now, random);
    EXPECT_THAT(lines_of(health.lowered(candidates, now)),
                ::testing::ElementsAre("0 udp:192.0.2.2:5060", "0 udp:192.0.2.3:5060",
                                       "0 udp:192.0.2.1:5060"));
    EXPECT_FALSE(health.all_penalised(candidates, now));
    health.on_refusal(two, now, random);
    health.on_refusal(candidates[2].target, now, random);
    EXPECT_TRUE(health.all_penalised(candidates, now));
    EXPECT_EQ(health.lowered(candidates, now), candidates);
}

// Patience is 1 s, or 4·RTT if more (F3); the RTT is smoothed as RFC 6298 §2 does.
TEST_F(HealthTest, PatienceFollowsTheRoundTrip) {
    EXPECT_EQ(health.patience_for(one, 1s), 1s);
    health.on_answer(one, now, 100ms);
    EXPECT_EQ(health.rtt(one), 100ms);
    EXPECT_EQ(health.patience_for(one, 1s), 1s);
    health.on_answer(one, now, 900ms);
    EXPECT_EQ(health.rtt(one), 200ms);
    health.on_answer(one, now, std::nullopt);
    EXPECT_EQ(health.rtt(one), 200ms);
    health.on_answer(two, now, 500ms);
    EXPECT_EQ(health.patience_for(two, 1s), 2s);
    EXPECT_EQ(health.patience_for(two, 500ms, 1.5), 750ms);
    health.on_answer(two, now, 1h);
    EXPECT_LE(*health.rtt(two), limits::longest_rtt);
}

// Retry-After, status codes and certificate errors belong to one account (F5, F7).
TEST_F(HealthTest, AccountsHaveTheirOwnMemory) {
    const AccountId alice{1};
    const AccountId bob{2};
    health.bar(alice, one, now + 30s);
    health.bar(alice, one, now + 10s);
    EXPECT_EQ(health.barred_until(alice, one, now), now + 30s);
    EXPECT_EQ(health.barred_until(alice, one, now + 30s), std::nullopt);
    EXPECT_EQ(health.barred_until(bob, one, now), std::nullopt);
    EXPECT_FALSE(health.penalised(one, now));
    health.note_status(alice, one, 503);
    health.note_certificate_error(alice, one, "expired");
    EXPECT_EQ(health.last_status(alice, one), 503);
    EXPECT_EQ(health.certificate_error(alice, one), "expired");
    EXPECT_EQ(health.last_status(bob, one), 0);
    health.note_certificate_error(alice, one, "");
    EXPECT_EQ(health.certificate_error(alice, one), "");
    health.forget(alice);
    EXPECT_EQ(health.barred_until(alice, one, now), std::nullopt);
    EXPECT_EQ(health.last_status(alice, one), 0);
}

// Silence, refusal and RTT survive a restart, by the wall clock (F7).
TEST_F(HealthTest, SurvivesARestart) {
    health.on_silence(one, now, random);
    health.on_answer(two, now, 250ms);
    health.on_refusal(two, now, random);
    const auto text = health.encode(now, 1'700'000'000);

    Health later;
    const Instant boot{1min};
    ASSERT_TRUE(later.decode(text, boot, 1'700'000'002).has_value());
    EXPECT_TRUE(later.silent(one, boot));
    EXPECT_EQ(later.penalised_until(one, boot),
              boot + std::chrono::ceil<std::chrono::seconds>(left(one)) - 2s);
    EXPECT_EQ(later.rtt(two), 250ms);
    later.on_silence(one, boot, random);
    EXPECT_GE(*later.penalised_until(one, boot) - boot, 8s);  // the second in a row

    Health much_later;
    ASSERT_TRUE(much_later.decode(text, boot, 1'800'000'000).has_value());
    EXPECT_FALSE(much_later.penalised(one, boot));
}

// A wall clock that was set back makes no penalty of years (B3).
TEST_F(HealthTest, TimesReadAreCapped) {
    health.on_silence(one, now, random);
    Health other;
    ASSERT_TRUE(other.decode(health.encode(now, 4'000'000'000), now, 1).has_value());
    EXPECT_EQ(other.penalised_until(one, now), now + 10min);
    ASSERT_TRUE(other.decode(
        "health 1\nudp:192.0.2.1:5060 4000000000:18446744073709551615 0:0 4294967295\n", now, -5));
    EXPECT_EQ(other.penalised_until(one, now), now + 10min);
    EXPECT_EQ(other.rtt(one), limits::longest_rtt);
}

TEST_F(HealthTest, RubbishIsRefusedAndChangesNothing) {
    health.on_silence(one, now, random);
    for (const auto* text :
         {"", "rubbish", "health 2\n", "health 1\nudp:192.0.2.1 x",
          "health 1\nudp:192.0.2.1:5060 1:1 1:1", "health 1\nudp:192.0.2.1:5060 1:1 1:1 -4",
          "health 1\nnowhere 1:1 1:1 4"})
        EXPECT_FALSE(health.decode(text, now, 0).has_value()) << text;
    EXPECT_TRUE(health.penalised(one, now));
    EXPECT_FALSE(health.decode(std::string(1 << 20, 'x'), now, 0).has_value());
}

TEST_F(HealthTest, TargetsAtTheLimitAndPastIt) {
    for (std::size_t i = 0; i <= limits::health_targets; ++i)
        health.on_silence({Transport::udp, {ip("10.0.0.1"), static_cast<std::uint16_t>(i + 1)}},
                          now + Duration{static_cast<std::int64_t>(i)}, random);
    EXPECT_FALSE(
        health.penalised(target("udp:10.0.0.1:1"), now));  // the one of longest ago made room
    EXPECT_TRUE(health.penalised(target("udp:10.0.0.1:2"), now));
    EXPECT_TRUE(
        health.penalised({Transport::udp, {ip("10.0.0.1"), limits::health_targets + 1}}, now));
    for (std::uint32_t i = 0; i <= limits::health_account_targets; ++i)
        health.bar(AccountId{i + 1}, one, now + 1h + i * 1s);
    EXPECT_EQ(health.barred_until(AccountId{1}, one, now), std::nullopt);
    EXPECT_NE(health.barred_until(AccountId{2}, one, now), std::nullopt);
}

}  // namespace
}  // namespace holdfast::location
