// Rules about the NAT between us and our servers, end to end: its lifetime learned on a spare port
// (K4).
#include <algorithm>
#include <string>
#include <vector>

#include "tests/scenario.h"

namespace holdfast::lab {
namespace {

bool says(const Phone& phone, std::string_view words) {
    return std::ranges::any_of(phone.events(), [&](const TimedEvent& timed) {
        return timed.event.kind == EventKind::notice &&
               timed.event.reason.find(words) != std::string::npos;
    });
}

ScenarioOptions learning(Duration nat_timeout) {
    return {.nat_options = {.mapping = Dependence::address_and_port_dependent,
                            .udp_timeout = nat_timeout},
            .tune = [](registration::Policy& policy) { policy.keepalive_learn = true; }};
}

// Gaps between the keep-alives of the flow with the binding: OPTIONS, none of them a proof's or the
// spare port's, which are sent in other rhythms.
std::vector<Duration> keep_alive_gaps(const Phone& phone, Instant since) {
    std::vector<Duration> gaps;
    Instant last{};
    for (const auto& one : phone.sent()) {
        if (one.method != "OPTIONS" || one.at < since) continue;
        if (last != Instant{}) gaps.push_back(one.at - last);
        last = one.at;
    }
    return gaps;
}

// K4: a NAT that forgets after 30 s or 90 s: learned on a spare port within 5 s, told, used for the
// keep-alives of the flow with the binding from then on; and not one call is lost, while it is
// learned or afterwards. RFC 4787 §4.3.
TEST(RulesK4, TheNatsLifetimeIsLearnedAndNoCallIsLost) {
    for (const auto timeout : {Duration{30s}, Duration{90s}}) {
        auto options = learning(timeout);
        const auto tune = options.tune;
        options.tune = [tune](registration::Policy& policy) {
            tune(policy);
            policy.prove_reachable = false;
        };
        Scenario s(options);
        ASSERT_TRUE(s.registers_within(2s)) << s.story();
        auto& caller = s.world.add_caller({.every = 1s});
        ASSERT_EQ(s.world.run_until([&] { return says(s.phone, "keeps an idle mapping"); }, 12min),
                  Stop::goal)
            << s.story();
        const auto key = s.phone.state().find("device/keep-alive-v4");
        ASSERT_NE(key, s.phone.state().end());
        const Duration learned{std::stoll(key->second)};
        EXPECT_LT(learned, timeout);
        EXPECT_GE(learned + 5s, timeout);
        const auto since = s.world.now() + 60s;  // the ping that was armed before
        s.world.run_for(20min);
        caller.stop();
        s.world.run_for(5s);
        EXPECT_EQ(caller.lost(), 0u) << caller.text();
        EXPECT_EQ(s.phone.count(EventKind::mapping_changed), 0u) << s.story();
        const auto gaps = keep_alive_gaps(s.phone, since);
        ASSERT_GE(gaps.size(), 5u);
        for (const auto gap : gaps) {
            EXPECT_LE(gap, learned);
            EXPECT_GE(gap, learned * 8 / 10);
        }
    }
}

// K4: what was learned outlives the process; a new start behind the same NAT uses it at once, and
// behind another one it is forgotten and learned again.
TEST(RulesK4, WhatWasLearnedBelongsToItsNat) {
    Scenario s(learning(90s));
    ASSERT_TRUE(s.registers_within(2s)) << s.story();
    const auto learned = [&] { return says(s.phone, "keeps an idle mapping"); };
    ASSERT_EQ(s.world.run_until(learned, 12min), Stop::goal) << s.story();
    const auto stored = s.phone.state().at("device/keep-alive-v4");
    s.phone.crash();
    s.phone.start();
    ASSERT_TRUE(s.registers_within(2s)) << s.story();
    const auto since = s.world.now() + 30s;
    s.world.run_for(10min);
    const auto gaps = keep_alive_gaps(s.phone, since);
    EXPECT_TRUE(std::ranges::any_of(gaps, [](Duration gap) { return gap > 60s; }));
    EXPECT_EQ(s.phone.state().at("device/keep-alive-v4"), stored);

    s.nat.set_udp_timeout(40s);
    s.nat.rebind(*IpAddress::parse("198.51.100.99"));
    s.phone.give(in::NetworkChanged{s.phone.addresses(), true});  // and a wake, which verifies
    ASSERT_EQ(
        s.world.run_until([&] { return !s.phone.state().contains("device/keep-alive-v4"); }, 30s),
        Stop::goal)
        << s.story();
    ASSERT_EQ(
        s.world.run_until([&] { return s.phone.state().contains("device/keep-alive-v4"); }, 12min),
        Stop::goal)
        << s.story();
    EXPECT_LT(Duration{std::stoll(s.phone.state().at("device/keep-alive-v4"))}, 40s);
}

// K4: nothing can be learned without a NAT, nor where it keeps port numbers; that is said once, and
// the policy's interval stays.
TEST(RulesK4, WhereNothingCanBeLearnedThatIsSaid) {
    auto options = learning(90s);
    options.nat_options.ports = PortChoice::preserving;
    Scenario s(options);
    ASSERT_TRUE(s.registers_within(2s)) << s.story();
    s.world.run_for(3h);
    EXPECT_TRUE(says(s.phone, "the NAT keeps the port number")) << s.story();
    EXPECT_EQ(s.phone.count(EventKind::notice), 1u) << s.story();
    EXPECT_FALSE(s.phone.state().contains("device/keep-alive-v4"));
}

// K4: off unless the policy asks: no spare port, no trial.
TEST(RulesK4, IsOffByDefault) {
    Scenario s({});
    ASSERT_TRUE(s.registers_within(2s)) << s.story();
    s.world.run_for(10min);
    EXPECT_FALSE(s.phone.state().contains("device/keep-alive-v4"));
    EXPECT_EQ(s.phone.count(EventKind::notice), 0u) << s.story();
}

}  // namespace
}  // namespace holdfast::lab
