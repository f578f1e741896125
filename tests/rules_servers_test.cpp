// Rules about servers, end to end: what they answer (F5), which of them is used (F8, L4, L7, L8),
// what they keep of us (B2, B7, N3) and whether calls arrive (R2, R3). The tables of single rules
// are in src/registration.
#include <set>

#include "lab/invariants.h"
#include "tests/scenario.h"

namespace holdfast::lab {
namespace {

// F5: 423; the registrar wants an hour at least.
TEST(RulesF5, TooBriefIsRaisedToMinExpires) {
    ScenarioOptions o{.expires = 60s};
    o.cluster.server.rules.min_expires = 600;
    Scenario s(o);
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    s.world.run_for(20min);
    EXPECT_TRUE(s.world.is_reachable(s.phone)) << s.story();
    EXPECT_EQ(s.phone.count(EventKind::refused), 0u) << s.story();
    EXPECT_EQ(s.phone.count(EventKind::unregistered), 0u) << s.story();
}

// F5: a wrong password that never worked stops, as a new challenge says it or a 403 does; nobody is
// hammered; a changed one is tried at once.
TEST(RulesF5, AWrongPasswordStopsUntilItIsChanged) {
    for (const bool forbidden : {false, true}) {
        ScenarioOptions o;
        o.cluster.server.digest.wrong_is_forbidden = forbidden;
        Scenario s(o);
        s.cluster.add_user("alice", "another");
        s.world.run_for(2h);
        EXPECT_FALSE(s.phone.is_registered());
        EXPECT_EQ(s.phone.count(EventKind::auth_failed), 1u) << s.story();
        EXPECT_LE(s.cluster.registers(), 3u) << s.story();
        s.phone.give(in::ChangePassword{Phone::account, Redacted<std::string>("another")});
        EXPECT_TRUE(s.registers_within(1s)) << s.story();
    }
}

// F5, I5: a stateless registrar that takes a nonce once (Kamailio: nonce_count), on a link that
// loses its 200s: each repetition is challenged anew, and never called stale. RFC 7616 §3.3.
TEST(RulesF5, ARepetitionThatIsChallengedIsNoWrongPassword) {
    ScenarioOptions o{.nodes = 1};
    o.cluster.server.digest.says_stale = false;
    o.cluster.server.stateless = true;
    Scenario s(o);
    s.cluster.node(0).lose_answers(2);
    ASSERT_TRUE(s.registers_within(3s)) << s.story();
    EXPECT_EQ(s.phone.count(EventKind::auth_failed), 0u) << s.story();
    EXPECT_EQ(s.cluster.location_service().bindings("sip:alice@example.test").size(), 1u)
        << s.story();
}

// The same while no 200 arrives for an hour: three refusals in any 10 min, and all is well soon
// after.
TEST(RulesF5, RepetitionsThatAreChallengedForAnHourAreOutlived) {
    ScenarioOptions o{.nodes = 1};
    o.cluster.server.digest.says_stale = false;
    o.cluster.server.stateless = true;
    Scenario s(o);
    s.cluster.node(0).lose_answers(1'000'000);
    s.world.run_for(1h);
    EXPECT_FALSE(s.phone.is_registered());
    EXPECT_EQ(s.phone.count(EventKind::auth_failed), 0u) << s.story();
    EXPECT_LE(s.cluster.registers(), 100u) << s.story();
    s.cluster.heal();
    EXPECT_TRUE(s.registers_within(2h)) << s.story();
}

// F5: the password is changed at the server while we are registered: at most 3 refusals in any
// 10 min, for a whole day (servers with ban filters count them).
TEST(RulesF5, NeverMoreThanThreeRefusalsInTenMinutes) {
    ScenarioOptions o{.expires = 120s};
    o.cluster.server.digest.wrong_is_forbidden = true;
    Scenario s(o);
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    s.world.run_for(10min);
    s.cluster.add_user("alice", "another");
    const auto since = s.world.now();
    s.world.run_for(24h);
    std::vector<Instant> refusals;
    for (const auto& [at, event] : s.phone.events())
        if ((event.kind == EventKind::auth_failed || event.kind == EventKind::refused) &&
            at >= since && (refusals.empty() || refusals.back() != at))
            refusals.push_back(at);
    ASSERT_GE(refusals.size(), 3u);
    for (std::size_t i = 3; i < refusals.size(); ++i)
        EXPECT_GE(refusals[i] - refusals[i - 3], 10min) << i;
    s.phone.give(in::ChangePassword{Phone::account, Redacted<std::string>("another")});
    EXPECT_TRUE(s.registers_within(1s)) << s.story();
}

// F5, S1: all servers answer 503 with Retry-After: no REGISTER before its end, and one soon after.
TEST(RulesF5, RetryAfterOfAllIsHonoured) {
    Scenario s({});
    for (std::size_t i = 0; i < 3; ++i) s.cluster.node(i).answer_with(503, 90);
    s.world.run_for(2s);
    const auto asked = s.cluster.registers();
    EXPECT_EQ(asked, 3u) << s.story();
    s.world.run_for(87s);
    EXPECT_EQ(s.cluster.registers(), asked) << s.story();
    s.cluster.heal();
    EXPECT_TRUE(s.registers_within(90s / 5 + 2s)) << s.story();
}

// F8: a backup registrar with a location service of its own serves while the first is silent, and
// is left again (L7); nothing stale stays on either (B7).
TEST(RulesF8, ABackupRegistrarServesMeanwhile) {
    World world(Seed{8});
    const FaultLife fault(world);
    auto& best = world.add_registrars({"203.0.113.11"});
    auto& backup = world.add_registrars({"203.0.113.21"}, {.name = "backup"});
    world.dns().a("example.test", best.addresses());
    world.dns().a("backup.test", backup.addresses());
    auto& nat = world.add_nat({.mapping = Dependence::address_and_port_dependent});
    auto& alice = world.add_phone({.transport = Transport::udp,
                                   .behind = &nat,
                                   .backups = {{.uri = "sip:backup.test", .domain = {}}}});
    const auto story = [&] { return "\n" + alice.event_log() + world.ladder(); };
    ASSERT_EQ(world.run_until([&] { return alice.is_registered(); }, 2s), Stop::goal) << story();
    EXPECT_EQ(alice.current_target()->endpoint.address, best.addresses()[0]);
    world.run_for(60s);
    best.silence();
    ASSERT_EQ(world.run_until([&] { return backup.bindings(alice.aor()).size() == 1; }, 35s),
              Stop::goal)
        << story();
    world.run_for(60s);
    best.heal();
    ASSERT_EQ(world.run_until(
                  [&] {
                      const auto target = alice.current_target();
                      return !best.bindings(alice.aor()).empty() && target &&
                             target->endpoint.address == best.addresses()[0];
                  },
                  90s),
              Stop::goal)
        << story();
    world.run_for(15s);
    EXPECT_TRUE(backup.bindings(alice.aor()).empty()) << story();
    EXPECT_EQ(best.bindings(alice.aor()).size(), 1u) << story();
    EXPECT_EQ(alice.count(EventKind::unregistered), 0u) << story();
}

// L4: DNS no longer lists the current server: it is drained, and no call is missed (make before
// break).
TEST(RulesL4, ADrainedServerIsLeftWithoutAGap) {
    for (const auto location : {Location::shared, Location::separate}) {
        ScenarioOptions o{.cluster = {.location = location}, .expires = 120s};
        Scenario s(o);
        ASSERT_TRUE(s.registers_within(2s)) << s.story();
        const auto first = *s.phone.current_target();
        auto left = s.cluster.addresses();
        std::erase(left, first.endpoint.address);
        s.world.dns().a("example.test", left, {.ttl = 60s});
        const auto share =
            s.world.share_of_time(15min, 100ms, [&] { return s.world.is_reachable(s.phone); });
        EXPECT_EQ(share, 1.0) << s.story();
        EXPECT_NE(s.phone.current_target(), first) << s.story();
        EXPECT_EQ(s.phone.count(EventKind::moved), 1u) << s.story();
        EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
        EXPECT_EQ(s.phone.count(EventKind::unregistered), 0u);
    }
}

// L7: to a better rank inside the priority: within the hour after 10 min of health, at a refresh,
// without a gap.
TEST(RulesL7, BackToABetterRankWithinTheHour) {
    Scenario s({.expires = 120s});
    s.world.silence(s.phone.first_choice());
    const auto best = s.phone.first_choice();
    ASSERT_TRUE(s.registers_within(2s)) << s.story();
    s.world.run_for(60s);
    s.cluster.heal();
    const auto healed = s.world.now();
    bool always = true;
    ASSERT_EQ(s.world.run_until(
                  [&] {
                      always = always && s.world.is_reachable(s.phone);
                      return s.phone.current_target() == best;
                  },
                  80min),
              Stop::goal)
        << s.phone.event_log();
    EXPECT_GE(s.world.now() - healed, 10min);
    // 10 min + the hour, a probe's interval and one refresh later at most.
    EXPECT_LE(s.world.now() - healed, 70min + 140s + 120s);
    EXPECT_TRUE(always) << s.story();
    s.world.run_for(15s);
    EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
}

// L8: after a move every REGISTER goes to the current target, and none elsewhere while it is well.
TEST(RulesL8, RequestsFollowTheCurrentFlow) {
    Scenario s({.rotate = true, .ttl = 5s, .expires = 60s});
    ASSERT_TRUE(s.registers_within(2s)) << s.story();
    s.world.run_for(60s);
    s.world.silence(*s.phone.current_target());
    s.world.run_for(120s);
    const auto current = *s.phone.current_target();
    const auto sent_before = s.phone.sent().size();
    s.world.run_for(15min);
    for (std::size_t i = sent_before; i < s.phone.sent().size(); ++i) {
        const auto& request = s.phone.sent()[i];
        if (request.method == "REGISTER") {
            EXPECT_EQ(request.target, current) << s.story();
        }
    }
    EXPECT_EQ(s.phone.current_target(), current);
}

// N3: OpenSIPS with max_contacts answers 503 to two Contacts in one REGISTER, with max_contacts=1
// also to the new one alone; a rebound NAT is survived within a keep-alive all the same.
TEST(RulesN3, RegistrarsWithMaxContacts) {
    for (const std::size_t most : {1U, 2U}) {
        ScenarioOptions o;
        o.cluster.server.rules.max_contacts = most;
        Scenario s(o);
        ASSERT_TRUE(s.registers_within(2s)) << s.story();
        for (int i = 0; i < 3; ++i) {
            s.world.run_for(6min);
            s.nat.rebind();
            EXPECT_EQ(s.world.run_until([&] { return s.world.is_reachable(s.phone); }, 32s),
                      Stop::goal)
                << most << s.story();
            s.world.run_for(10s);
            EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << most << s.story();
            EXPECT_EQ(s.cluster.bindings(s.phone.aor()).size(), 1u) << most << s.story();
        }
    }
}

// B7: separate location services; the first server dies with our binding in it, and returns before
// that has lapsed: the debt is settled within seconds of its return, and not by a lone removal at
// the server where we stay.
TEST(RulesB7, DebtsAreSettledWhenADeadServerReturns) {
    for (const bool restart : {false, true}) {
        ScenarioOptions o{.cluster = {.location = Location::separate}, .expires = 1800s};
        Scenario s(o);
        ASSERT_TRUE(s.registers_within(2s)) << s.story();
        s.world.run_for(60s);
        auto& dead = s.world.node_at(*s.phone.current_target());
        dead.silence();
        s.world.run_for(120s);
        ASSERT_NE(&s.world.node_at(*s.phone.current_target()), &dead);
        ASSERT_EQ(dead.location_service().bindings(s.phone.aor()).size(), 1u);
        if (restart) {
            s.phone.crash();
            s.phone.start();
            ASSERT_TRUE(s.registers_within(5s));
        }
        dead.heal();
        ASSERT_EQ(s.world.run_until(
                      [&] { return dead.location_service().bindings(s.phone.aor()).empty(); }, 60s),
                  Stop::goal)
            << restart << s.story();
        EXPECT_TRUE(s.world.is_reachable(s.phone)) << s.story();
        EXPECT_EQ(s.world.node_at(*s.phone.current_target()).counters().removals, 0u);
    }
}

// B2, I6: another device of the same AOR is untouched by all of it, and Contact: * never sent.
TEST(RulesB2, OtherDevicesAreLeftAlone) {
    for (const auto location : {Location::shared, Location::separate}) {
        ScenarioOptions o{.cluster = {.location = location}, .expires = 120s};
        Scenario s(o);
        const OtherDevice other(s.cluster, s.phone.aor(), s.world.now() + 24h);
        ASSERT_TRUE(s.registers_within(2s)) << s.story();
        s.world.run_for(60s);
        s.nat.rebind();
        s.world.run_for(60s);
        s.world.silence(*s.phone.current_target());
        s.world.run_for(60s);
        s.phone.crash();
        s.phone.start();
        s.world.run_for(60s);
        s.cluster.heal();
        s.world.run_for(5min);
        s.phone.shut_down();
        s.world.run_for(3s);
        for (const auto& complaint : other.check()) ADD_FAILURE() << complaint << s.story();
        for (const auto& complaint : check_no_star(s.cluster)) ADD_FAILURE() << complaint;
        for (const auto& binding : s.cluster.bindings(s.phone.aor()))
            EXPECT_TRUE(other.is_mine(binding)) << binding.contact << s.story();
    }
}

// R2, B5: a server that answers OPTIONS to the AOR itself: "not provable here", said once; still
// registered, and nothing is moved or refreshed because of it.
TEST(RulesR2, AServerThatAnswersItselfIsNoFailure) {
    ScenarioOptions o{.expires = 600s};
    o.cluster.server.options_to_aor = OptionsToAor::answer;
    Scenario s(o);
    ASSERT_TRUE(s.registers_within(2s)) << s.story();
    s.world.run_for(2h);
    EXPECT_EQ(s.phone.count(EventKind::unprovable), 1u) << s.story();
    EXPECT_EQ(s.phone.count(EventKind::suspect), 0u);
    EXPECT_EQ(s.phone.count(EventKind::unreachable), 0u);
    EXPECT_EQ(s.phone.count(EventKind::moved), 0u);
    EXPECT_FALSE(s.phone.status().proven);
    EXPECT_TRUE(s.phone.status().registered);
    EXPECT_TRUE(s.world.is_reachable(s.phone));
}

// R3: the location service lost our binding and nobody told us; keep-alives are answered. Proof
// finds out within its 12 min, and one REGISTER mends it.
TEST(RulesR3, AForgottenBindingIsFoundByProof) {
    Scenario s({.expires = 3600s});
    ASSERT_TRUE(s.registers_within(2s)) << s.story();
    s.world.run_for(60s);
    ASSERT_TRUE(s.phone.status().proven) << s.story();
    s.cluster.location_service().clear();
    ASSERT_FALSE(s.world.is_reachable(s.phone));
    EXPECT_EQ(s.world.run_until([&] { return s.world.is_reachable(s.phone); }, 12min + 15s),
              Stop::goal)
        << s.story();
    s.world.run_for(15s);
    EXPECT_EQ(s.cluster.bindings(s.phone.aor()).size(), 1u) << s.story();
    EXPECT_EQ(s.phone.count(EventKind::unreachable), 0u) << s.story();
    EXPECT_EQ(s.phone.count(EventKind::moved), 0u) << s.story();
}

}  // namespace
}  // namespace holdfast::lab
