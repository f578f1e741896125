// Rules about our own side of the network, end to end: ports, ICMP, NATs that keep changing, hosts
// that move or sleep, fleets (N6, N7, K3, K5, S1, S2, L5).
#include <algorithm>
#include <map>
#include <set>

#include "lab/invariants.h"
#include "tests/scenario.h"

namespace holdfast::lab {
namespace {

// N6: the local port is random, above 1024, not 5060, and the same after a restart; so mapping and
// Contact survive it, and the one binding is refreshed, not replaced.
TEST(RulesN6, ThePortIsKeptOverARestart) {
    std::set<std::uint16_t> ports;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Scenario s({.seed = seed});
        ASSERT_TRUE(s.registers_within(2s)) << s.story();
        const auto port = s.phone.udp_endpoint(Family::ipv4)->port;
        EXPECT_GT(port, 1024);
        EXPECT_NE(port, 5060);
        ports.insert(port);
        const auto before = s.cluster.bindings(s.phone.aor());
        s.phone.crash();
        s.world.run_for(5s);
        s.phone.start();
        ASSERT_TRUE(s.registers_within(2s)) << s.story();
        s.world.run_for(5s);
        EXPECT_EQ(s.phone.udp_endpoint(Family::ipv4)->port, port) << s.story();
        const auto after = s.cluster.bindings(s.phone.aor());
        ASSERT_EQ(after.size(), 1u) << s.story();
        EXPECT_EQ(after.front().contact, before.front().contact) << s.story();
        EXPECT_EQ(after.front().call_id, before.front().call_id);
    }
    EXPECT_GT(ports.size(), 15u);
}

// N7: ICMP for one target is no failure of another: with two of three refusing, only those two are
// ever said to have failed, and the third keeps us for an hour.
TEST(RulesN7, IcmpOfOneTargetIsNotAnothers) {
    Scenario s({});
    const auto order = s.phone.ranking();
    ASSERT_EQ(order.size(), 3u);
    s.world.node_at(order[0]).refuse();
    s.world.node_at(order[1]).refuse(IcmpReason::prohibited);
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    EXPECT_EQ(s.phone.current_target(), order[2]);
    s.world.run_for(1h);
    for (const auto& [at, event] : s.phone.events()) {
        if (event.kind == EventKind::suspect) ADD_FAILURE() << s.story();
        if (event.kind == EventKind::attempt_failed) {
            EXPECT_NE(event.target, order[2]) << s.story();
        }
    }
    EXPECT_EQ(s.phone.current_target(), order[2]);
    EXPECT_EQ(s.phone.count(EventKind::moved), 0u);
}

// K3, N5, I5: a NAT that changes its mapping every 7 s for 20 min starts no storm; when it rests,
// the binding is right again within 5 min and a refresh, and nothing stale stays (I2).
TEST(RulesK3, AStormOfMappingChangesIsNoStormOfRegisters) {
    Scenario s({.expires = 120s});
    ASSERT_TRUE(s.registers_within(2s)) << s.story();
    s.world.run_for(60s);
    const auto began = s.cluster.registers();
    for (int i = 0; i < 170; ++i) {
        s.nat.rebind();
        s.world.run_for(7s);
    }
    for (const auto& complaint : check_rates(s.phone)) ADD_FAILURE() << complaint;
    EXPECT_LE(s.cluster.registers() - began, 2 * (6 * 3u + 60u));
    EXPECT_EQ(s.cluster.removals(), 0u);  // B6
    const auto right =
        s.world.run_until([&] { return s.world.is_reachable(s.phone); }, 5min + 120s);
    EXPECT_EQ(right, Stop::goal) << s.phone.event_log();
    s.world.run_for(130s);
    EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.phone.event_log();
    EXPECT_TRUE(s.world.is_reachable(s.phone));
}

// K5, B6: another address: the binding is replaced within a second of it, never by a removal
// alone.
TEST(RulesK5, ANewAddressReplacesTheBinding) {
    for (const auto transport : {Transport::udp, Transport::tcp, Transport::tls}) {
        Scenario s({.transport = transport});
        ASSERT_TRUE(s.registers_within(2s)) << s.story();
        s.world.run_for(60s);
        s.phone.change_address({*IpAddress::parse("10.0.0.77")});
        EXPECT_EQ(s.world.run_until([&] { return s.world.is_reachable(s.phone); }, 1s), Stop::goal)
            << s.story();
        s.world.run_for(15s);
        EXPECT_EQ(s.cluster.bindings(s.phone.aor()).size(), 1u) << s.story();
        EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
        EXPECT_EQ(s.cluster.removals(), 0u) << s.story();
    }
}

// K5, S1: the cable is out for a while, at any length; back within 1 s of the plug, 10 s if a
// search was under way.
TEST(RulesK5, TheCableIsPulledAndPutBack) {
    for (const auto transport : {Transport::udp, Transport::tcp}) {
        for (const auto out : {Duration{1s}, Duration{40s}, Duration{10min}}) {
            Scenario s({.transport = transport});
            ASSERT_TRUE(s.registers_within(2s)) << s.story();
            s.world.run_for(60s);
            s.phone.unplug();
            s.world.run_for(out);
            s.phone.plug_in();
            EXPECT_EQ(s.world.run_until([&] { return s.world.is_reachable(s.phone); }, 10s),
                      Stop::goal)
                << out / 1s << s.story();
            s.world.run_for(15s);
            EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
        }
    }
}

// K5: a sleep past the refresh, with the NAT's mapping gone: REGISTER first, at once.
TEST(RulesK5, AfterASleepPastTheRefresh) {
    for (const auto slept : {Duration{4min + 40s}, Duration{1h}}) {
        ScenarioOptions o{.expires = 300s};
        o.nat_options.udp_timeout = 120s;
        Scenario s(o);
        ASSERT_TRUE(s.registers_within(2s)) << s.story();
        s.world.run_for(10s);
        s.phone.sleep();
        s.world.run_for(slept);
        s.phone.wake();
        const auto woke = s.world.now();
        EXPECT_EQ(s.world.run_until([&] { return s.world.is_reachable(s.phone); }, 1s), Stop::goal)
            << s.story();
        const auto& sent = s.phone.sent();
        const auto first = std::ranges::find_if(sent, [&](const auto& r) { return r.at >= woke; });
        ASSERT_NE(first, sent.end());
        EXPECT_EQ(first->method, "REGISTER") << s.story();
    }
}

// S2: a fleet's lost connections are acted on after uniform(0, 10 s); phones alone at once.
TEST(RulesS2, AFleetSpreadsItsReturn) {
    const auto returns = [](const std::string& preset) {
        World world(Seed{3});
        const FaultLife fault(world);
        auto& cluster = world.add_registrars({"203.0.113.11", "203.0.113.12"});
        world.dns().a("example.test", cluster.addresses());
        std::vector<Phone*> phones;
        for (int i = 0; i < 60; ++i)
            phones.push_back(&world.add_phone({.aor = "sip:u" + std::to_string(i) + "@example.test",
                                               .transport = Transport::tcp,
                                               .preset = preset}));
        world.run_for(60s);
        EXPECT_TRUE(world.everyone_registered()) << world.stuck_reasons();
        cluster.node(0).refuse();
        const auto died = world.now();
        world.run_for(20s);
        std::map<std::int64_t, int> by_second;
        int all = 0;
        for (const auto* phone : phones)
            if (const auto moved = phone->first(EventKind::moved, died)) {
                ++by_second[(*moved - died) / 1s];
                ++all;
            }
        EXPECT_GE(all, 15);  // about half of them were there (L2)
        int most = 0;
        for (const auto& [second, count] : by_second) most = std::max(most, count);
        return std::tuple(all, most, by_second.empty() ? 0 : by_second.rbegin()->first);
    };
    const auto [fleet, fleet_most, fleet_last] = returns("fleet");
    EXPECT_LE(fleet_most, fleet / 3);
    EXPECT_LE(fleet_last, 10);
    const auto [alone, alone_most, alone_last] = returns("holdfast");
    EXPECT_EQ(alone_most, alone);
    EXPECT_EQ(alone_last, 0);
}

// S1: all silent for an hour: the waits grow, the probes stay few (I5), and whoever comes back is
// found within 35 s (I1).
TEST(RulesS1, AnHourOfSilence) {
    Scenario s({});
    ASSERT_TRUE(s.registers_within(2s)) << s.story();
    s.world.run_for(60s);
    s.cluster.silence();
    s.world.run_for(1h);
    EXPECT_FALSE(s.phone.is_registered());
    for (const auto& complaint : check_rates(s.phone)) ADD_FAILURE() << complaint;
    s.cluster.heal();
    EXPECT_EQ(s.world.run_until([&] { return s.world.is_reachable(s.phone); }, 35s), Stop::goal)
        << s.phone.event_log();
}

// L5: DNS alone dies, for a day: nobody is unregistered or moved; a new server serves once DNS is
// back (L4).
TEST(RulesL5, ADayWithoutDns) {
    Scenario s({.rotate = true, .ttl = 5s});
    ASSERT_TRUE(s.registers_within(2s)) << s.story();
    s.world.run_for(60s);
    s.phone.fail_dns({.status = dns::Status::timed_out, .delay = 9s});
    s.world.run_for(24h);
    EXPECT_EQ(s.phone.count(EventKind::unregistered), 0u);
    EXPECT_EQ(s.phone.count(EventKind::moved), 0u);
    // Also then a dead server is left, for one of those that DNS had named.
    s.world.silence(*s.phone.current_target());
    s.world.run_for(35s);
    EXPECT_TRUE(s.world.is_reachable(s.phone));
}

}  // namespace
}  // namespace holdfast::lab
