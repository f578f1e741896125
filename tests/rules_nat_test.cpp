// Rules about the NAT between us and our servers, end to end: its lifetime learned on a spare port
// (K4), and the Contact's address where it is not yet known (N4).
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

// The Contact of each REGISTER that the cluster was sent, in order, as the ladder has it.
std::vector<std::string> contacts_of_attempts(const Phone& phone) {
    std::vector<std::string> contacts;
    for (const auto& [at, event] : phone.events())
        if (event.kind == EventKind::attempt) contacts.push_back(event.contact);
    return contacts;
}

// A NAT that is the same for all, and a STUN server somewhere else.
class StunScenario {
public:
    explicit StunScenario(const std::string& stun, Dependence mapping = {})
        : cluster(world.add_registrars({"203.0.113.11", "203.0.113.12"})),
          elsewhere(world.add_registrars({"192.0.2.33"}, {.server = {.domain = "stun.test"}})),
          nat(world.add_nat({.mapping = mapping})),
          phone(world.add_phone({.transport = Transport::udp, .behind = &nat, .stun = stun})) {
        world.dns().a("example.test", cluster.addresses(), {.ttl = 60s});
        world.dns().a("stun.test", elsewhere.addresses(), {.ttl = 60s});
        node().options().stun = true;
    }
    Registrar& node() {
        return world.node_at({Transport::udp, {*IpAddress::parse("192.0.2.33"), 5060}});
    }
    bool registers_within(Duration limit) {
        return world.run_until([this] { return phone.is_registered(); }, limit) == Stop::goal;
    }
    [[nodiscard]] std::string story() const { return "\n" + phone.event_log() + world.ladder(); }

    World world{seed_from_number(1), {.one_way_delay = 10ms}};
    Cluster& cluster;
    Cluster& elsewhere;
    Nat& nat;
    Phone& phone;
    FaultLife fault{world};  // last
};

// N4: STUN on the SIP port: the very first REGISTER already has the Contact that the registrar will
// see; RFC 8489 §8 for where the server is.
TEST(RulesN4, StunShowsTheFirstContact) {
    StunScenario s("stun.test:5060");
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    const auto mapping = s.phone.status().bindings.front().mapping;
    ASSERT_TRUE(mapping);
    const auto contacts = contacts_of_attempts(s.phone);
    ASSERT_EQ(contacts.size(), 1u) << s.story();
    EXPECT_NE(contacts.front().find("@" + mapping->to_string()), std::string::npos) << s.story();
    EXPECT_EQ(s.phone.count(EventKind::notice), 0u) << s.story();
    EXPECT_TRUE(s.world.is_reachable(s.phone)) << s.story();
}

// N4, N2: behind an endpoint-dependent NAT the STUN server sees another port than the registrar;
// the flow's own mapping replaces it with the next REGISTER, and nothing stale stays.
TEST(RulesN4, TheFlowsOwnMappingReplacesIt) {
    StunScenario s("stun.test:5060", Dependence::address_and_port_dependent);
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    s.world.run_for(10s);
    const auto status = s.phone.status().bindings.front();
    EXPECT_NE(status.contact.find("@" + status.mapping->to_string()), std::string::npos);
    const auto contacts = contacts_of_attempts(s.phone);
    EXPECT_EQ(contacts.front().find("@" + status.mapping->to_string()), std::string::npos)
        << s.story();
    EXPECT_NE(contacts.front().find("@198.51.100."), std::string::npos) << s.story();
    EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
    EXPECT_TRUE(s.world.is_reachable(s.phone)) << s.story();
}

// N4: a STUN server that is dead, or that DNS does not know, costs half a second at most, and is
// told once.
TEST(RulesN4, ADeadStunServerCostsHalfASecondAtMost) {
    for (const auto* server : {"stun.test:5060", "nowhere.test", "192.0.2.99"}) {
        StunScenario s(server);
        s.node().silence();
        ASSERT_TRUE(s.registers_within(500ms + 8 * 10ms)) << server << s.story();
        EXPECT_EQ(s.phone.count(EventKind::notice), 1u) << server << s.story();
        EXPECT_TRUE(says(s.phone, std::string("STUN server ") + server)) << s.story();
    }
}

// N4: a lost question is asked again in time.
TEST(RulesN4, ALostQuestionIsRepeatedInTime) {
    StunScenario s("192.0.2.33:5060");
    s.node().silence();
    s.world.at(200ms, [&] { s.node().heal(); });
    ASSERT_TRUE(s.registers_within(400ms)) << s.story();
    EXPECT_EQ(s.phone.count(EventKind::notice), 0u) << s.story();
}

// N4: by hand beats everything, and no mapping ever changes it.
TEST(RulesN4, TheContactByHandStays) {
    World world{seed_from_number(1), {.one_way_delay = 10ms}};
    const FaultLife fault(world);
    auto& cluster = world.add_registrars({"203.0.113.11"});
    auto& nat = world.add_nat({.mapping = Dependence::address_and_port_dependent});
    world.dns().a("example.test", cluster.addresses(), {.ttl = 60s});
    auto& phone = world.add_phone(
        {.transport = Transport::udp, .behind = &nat, .contact_address = "phone.example.net:5070"});
    ASSERT_EQ(world.run_until([&] { return phone.is_registered(); }, 1s), Stop::goal);
    world.run_for(60s);
    nat.rebind();
    world.run_for(10min);
    const auto bindings = cluster.bindings(phone.aor());
    ASSERT_EQ(bindings.size(), 1u) << phone.event_log();
    for (const auto& contact : contacts_of_attempts(phone))
        EXPECT_NE(contact.find("@phone.example.net:5070"), std::string::npos) << contact;
}

}  // namespace
}  // namespace holdfast::lab
