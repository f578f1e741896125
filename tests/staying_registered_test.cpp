// S5, S7, S9–S12n: a phone that is registered, and then its server dies, its NAT forgets it, DNS
// turns, everything goes silent. A caller asks for it four times a second through any node that is
// alive.
#include "tests/scenario.h"

namespace holdfast::lab {
namespace {

constexpr Duration longest_udp_keep_alive = 29s;  // K1
constexpr Duration longest_stream_keep_alive = 100s;

class Staying : public testing::TestWithParam<Way> {
protected:
    [[nodiscard]] static Transport transport() { return std::get<0>(GetParam()); }
    [[nodiscard]] static bool udp() { return transport() == Transport::udp; }
    [[nodiscard]] static ScenarioOptions options() {
        return {.transport = transport(), .families = std::get<1>(GetParam())};
    }
    // Registered, proven, at rest, in the middle of some keep-alive interval.
    static void settle(Scenario& s) {
        ASSERT_TRUE(s.registers_within(5s)) << s.story();
        s.world.run_for(100s);
        ASSERT_TRUE(s.world.is_reachable(s.phone)) << s.story();
    }
};

// K2, F6, F3, B6: S5 (UDP) and S5t (TCP, TLS). DNS fixed and rotating.
TEST_P(Staying, S5ItsNodeGoesSilent) {
    for (const bool rotate : {false, true}) {
        auto o = options();
        o.rotate = rotate;
        o.ttl = rotate ? 5s : 60s;
        o.expires = 60s;
        Scenario s(o);
        settle(s);
        auto& caller = s.world.add_caller();
        s.world.run_for(10s);
        s.world.node_at(*s.phone.current_target()).silence();
        s.world.run_for(240s);
        caller.stop();
        s.world.run_for(5s);
        EXPECT_LE(caller.longest_gap(),
                  udp() ? longest_udp_keep_alive + 3s : longest_stream_keep_alive + 12s)
            << caller.text() << s.story();
        EXPECT_TRUE(s.world.is_reachable(s.phone)) << s.story();
        EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
        EXPECT_EQ(s.phone.count(EventKind::moved), 1u) << s.story();
        EXPECT_EQ(s.cluster.removals(), 0u) << s.story();  // B6: none travelled alone
    }
}

// F2: the node restarts and is then refused: RST, or ICMP to the next keep-alive.
TEST_P(Staying, S5cItsNodeRestartsAndRefuses) {
    Scenario s(options());
    settle(s);
    const auto before = s.world.now();
    s.world.node_at(*s.phone.current_target()).refuse();
    ASSERT_EQ(
        s.world.run_until([&] { return s.phone.first(EventKind::moved, before).has_value(); }, 60s),
        Stop::goal)
        << s.story();
    // Over a stream the RST tells at once; over UDP the next keep-alive does.
    EXPECT_LE(s.world.now() - before, udp() ? longest_udp_keep_alive + 200ms : 120ms) << s.story();
    s.world.run_for(10s);
    EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
}

// L3, I3, N2: 5 minutes of rotating DNS move nobody, un-REGISTER nothing, and the Contact is always
// the mapping.
TEST_P(Staying, S6RotatingDnsMovesNobody) {
    auto o = options();
    o.rotate = true;
    o.ttl = 5s;
    o.expires = 30s;
    Scenario s(o);
    ASSERT_TRUE(s.registers_within(5s)) << s.story();
    s.world.run_for(1s);
    std::size_t most_stale = 0;
    const auto right = s.world.share_of_time(300s, 100ms, [&] {
        most_stale = std::max(most_stale, s.world.stale_bindings(s.phone).size());
        return s.world.is_reachable(s.phone);
    });
    EXPECT_EQ(right, 1.0) << s.story();
    EXPECT_EQ(most_stale, 0u) << s.story();
    EXPECT_EQ(s.phone.count(EventKind::moved), 0u) << s.story();
    EXPECT_EQ(s.cluster.removals(), 0u) << s.story();
    EXPECT_GE(s.phone.count(EventKind::refreshed), 10u);
}

// IPv6 is not translated.
using StayingBehindNat = Staying;

// K2, K3, N3: the NAT forgets everything.
TEST_P(StayingBehindNat, S7NatRebinding) {
    for (const bool new_address : {false, true}) {
        auto o = options();
        o.expires = 120s;
        Scenario s(o);
        settle(s);
        if (new_address) {
            s.nat.rebind(*IpAddress::parse("198.51.100.77"));
        } else {
            s.nat.rebind();
        }
        const auto limit = udp() ? longest_udp_keep_alive + 1s : longest_stream_keep_alive + 1s;
        EXPECT_EQ(s.world.run_until([&] { return s.world.is_reachable(s.phone); }, limit),
                  Stop::goal)
            << s.story();
        s.world.run_for(10s);
        EXPECT_TRUE(s.world.is_reachable(s.phone)) << s.story();
        EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
        EXPECT_EQ(s.cluster.removals(), 0u) << s.story();
    }
}

// S1, F7: everything silent for 60 s or 150 s, from the start or while bound; back within 10 s.
TEST_P(Staying, S10AllSilentThenBack) {
    for (const auto outage : {60s, 150s}) {
        for (const bool bound_before : {false, true}) {
            Scenario s(options());
            if (bound_before) settle(s);
            s.cluster.silence();
            s.world.run_for(outage);
            s.cluster.heal();
            EXPECT_EQ(s.world.run_until([&] { return s.world.is_reachable(s.phone); }, 10s),
                      Stop::goal)
                << s.story();
            s.world.run_for(15s);
            EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
        }
    }
}

INSTANTIATE_TEST_SUITE_P(EveryWay, Staying, every_way(), name_of_way);
INSTANTIATE_TEST_SUITE_P(EveryTransport, StayingBehindNat,
                         testing::Combine(testing::Values(Transport::udp, Transport::tcp,
                                                          Transport::tls),
                                          testing::Values(Families::ipv4)),
                         name_of_way);

// N3: the mapping is not the Contact; nothing is un-REGISTERed and there is no instant without a
// binding.
TEST(Rewriting, S11MappingDiffersFromContact) {
    for (const bool learn_early : {false, true}) {
        Scenario s(
            {.tune = [&](registration::Policy& policy) { policy.learn_before_200 = learn_early; }});
        ASSERT_TRUE(s.registers_within(5s)) << s.story();
        const auto bound = s.world.share_of_time(
            10s, 1ms, [&] { return !s.cluster.bindings(s.phone.aor()).empty(); });
        EXPECT_EQ(bound, 1.0) << s.story();
        EXPECT_EQ(s.cluster.removals(), 0u) << s.story();
        EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
        EXPECT_TRUE(s.world.is_reachable(s.phone)) << s.story();
    }
}

// B1, B7: one location service per node, NAT timeout 30 s: every binding answers at the end.
TEST(KeepingAlive, S12nEveryBindingAnswersAfterTenMinutes) {
    for (const auto mapping :
         {Dependence::endpoint_independent, Dependence::address_and_port_dependent}) {
        ScenarioOptions o{.rotate = true,
                          .ttl = 5s,
                          .cluster = {.location = Location::separate},
                          .expires = 120s};
        o.nat_options = {.mapping = mapping, .udp_timeout = 30s};
        Scenario s(o);
        ASSERT_TRUE(s.registers_within(5s)) << s.story();
        const auto share = s.world.share_of_time(10min, 1s, [&] {
            return s.world.stale_bindings(s.phone).empty() && s.world.is_reachable(s.phone);
        });
        EXPECT_EQ(share, 1.0) << s.story();
    }
}

// F3, L7: the server of priority 10 is silent, 20 serves; then 10 returns.
TEST(Failback, S9PriorityReturns) {
    for (const auto transport : {Transport::udp, Transport::tcp}) {
        World world(Seed{9});
        const FaultLife fault(world);
        auto& cluster = world.add_registrars({"203.0.113.11", "203.0.113.12"});
        const std::string service = transport == Transport::udp ? "_sip._udp" : "_sip._tcp";
        world.dns().srv(service + ".example.test",
                        {{10, 0, 5060, "best.example.test"}, {20, 0, 5060, "backup.example.test"}});
        world.dns().a("best.example.test", {cluster.node(0).addresses()[0]});
        world.dns().a("backup.example.test", {cluster.node(1).addresses()[0]});
        auto& nat = world.add_nat({.mapping = Dependence::address_and_port_dependent});
        auto& alice = world.add_phone({.transport = transport, .behind = &nat});
        cluster.node(0).silence();
        const auto story = [&] { return "\n" + alice.event_log() + world.ladder(); };
        ASSERT_EQ(world.run_until([&] { return alice.is_registered(); }, 5s), Stop::goal)
            << story();
        EXPECT_LE(world.elapsed(), 1500ms) << story();
        EXPECT_EQ(alice.current_target()->endpoint.address, cluster.node(1).addresses()[0]);

        world.run_for(60s);
        cluster.node(0).heal();
        const auto healed = world.now();
        bool always_bound = true;
        const auto back = [&] {
            always_bound = always_bound && world.is_reachable(alice);
            const auto target = alice.current_target();
            return target && target->endpoint.address == cluster.node(0).addresses()[0];
        };
        ASSERT_EQ(world.run_until(back, 120s), Stop::goal) << story();
        EXPECT_LE(world.now() - healed, 75s) << story();
        EXPECT_TRUE(always_bound) << story();  // make before break
        world.run_for(10s);
        EXPECT_TRUE(world.stale_bindings(alice).empty()) << story();
    }
}

// B1, L8: two flows, the proxy forks to both: no call is missed when a server dies.
TEST(TwoFlows, S5ADyingServerCostsNothing) {
    for (const auto transport : {Transport::udp, Transport::tcp, Transport::tls}) {
        ScenarioOptions o{.transport = transport};
        o.cluster.server.rules.outbound = true;
        Scenario s(o);
        ASSERT_TRUE(s.registers_within(5s)) << s.story();
        s.world.run_for(60s);
        ASSERT_EQ(s.cluster.bindings(s.phone.aor()).size(), 2u) << s.story();
        auto& caller = s.world.add_caller();
        s.world.run_for(10s);
        s.world.node_at(*s.phone.current_target()).silence();
        s.world.run_for(180s);
        caller.stop();
        s.world.run_for(5s);
        EXPECT_EQ(caller.lost(), 0u) << caller.text() << s.story();
        EXPECT_EQ(s.cluster.bindings(s.phone.aor()).size(), 2u) << s.story();
        EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
    }
}

}  // namespace
}  // namespace holdfast::lab
