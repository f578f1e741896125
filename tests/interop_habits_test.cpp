// Single habits of known servers that hurt, end to end; each has a row in docs/interop.md. Where
// the lab has a client that does not know better (a preset), the same world shows what it suffers.
#include <algorithm>

#include "tests/habits.h"

namespace holdfast::lab {
namespace {

// F5: Kamailio takes the bindings of an instance away when one of its flows comes with a new
// Call-ID: the other flow registers again at once.
TEST(KamailioHabit, ANewCallIdCostsTheOtherFlowItsBinding) {
    auto server = kamailio();
    server.rules.outbound = true;
    Scenario s(at_server(server));
    ASSERT_TRUE(s.registers_within(2s)) << s.story();
    s.world.run_for(10s);
    ASSERT_EQ(s.cluster.bindings(s.phone.aor()).size(), 2u) << s.story();
    const auto before = s.cluster.bindings(s.phone.aor());
    s.world.node_at(*s.phone.current_target()).answer_once_with(400);
    s.phone.give(in::RegisterNow{Phone::account});
    s.world.run_for(5s);
    const auto after = s.cluster.bindings(s.phone.aor());
    ASSERT_EQ(after.size(), 2u) << s.story();
    const auto is_new = [&](const Binding& binding) {
        return std::ranges::none_of(
            before, [&](const Binding& old) { return old.call_id == binding.call_id; });
    };
    EXPECT_TRUE(std::ranges::any_of(after, is_new)) << s.story();
    EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
    expect_no_storm(s);
}

// §11: four zero bytes keep the NAT open and are neither answered nor told.
TEST(NathelperHabit, FourZeroBytesAreSilent) {
    for (auto* const habits : {kamailio, opensips}) {
        std::vector<std::size_t> sent;
        for (const bool pinged : {false, true}) {
            auto server = habits();
            server.pings = {.every = pinged ? 10s : Duration{}, .kind = PingKind::zeros};
            Scenario s(at_server(server));
            ASSERT_TRUE(s.registers_within(1s)) << s.story();
            s.world.run_for(30min);
            EXPECT_EQ(s.world.node_at(*s.phone.current_target()).pings().sent() > 100, pinged);
            EXPECT_EQ(s.phone.count(EventKind::notice), 0u) << s.phone.event_log();
            sent.push_back(s.phone.sent().size());
        }
        EXPECT_EQ(sent[0], sent[1]);
    }
}

// §11: servers that take out what does not answer their OPTIONS leave us in, and take us out soon
// after we are gone.
TEST(PingHabit, OnlyADeadPhoneIsTakenOut) {
    for (auto* const habits : {kamailio, opensips, freeswitch}) {
        auto server = habits();
        server.rules.forced_expires = 0;
        Scenario s(at_server(server));
        ASSERT_TRUE(s.registers_within(1s)) << s.story();
        s.world.run_for(1h);
        for (const auto& node : s.cluster.nodes()) EXPECT_EQ(node->pings().removed(), 0u);
        s.phone.lose_power();
        s.world.run_for(2min);
        std::size_t removed = 0;
        for (const auto& node : s.cluster.nodes()) removed += node->pings().removed();
        EXPECT_EQ(removed, 1u);
    }
}

// B4, B8: a binding that the server takes away because one OPTIONS of its was lost
// (unregister-on-options-fail) is back with the next refresh.
TEST(FreeswitchHabit, ABindingTakenAwayIsBackAtTheRefresh) {
    Scenario s(at_server(freeswitch()));
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    for (int i = 0; i < 20; ++i) {
        s.world.run_for(67s);
        s.cluster.location_service().clear();
        EXPECT_EQ(s.world.run_until([&] { return s.world.is_reachable(s.phone); }, 15s + 100ms),
                  Stop::goal)
            << s.story();
    }
    expect_no_storm(s);
}

// B4: behind NAT the server grants 30 s, whatever was asked: a refresh 13 s before its end
// (patience for three targets and 10 s), and never two within 5 s.
TEST(FreeswitchHabit, ThirtySecondsAreRefreshedInTime) {
    Scenario s(at_server(freeswitch()));
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    s.world.run_for(1h);
    std::optional<Instant> last;
    for (const auto& request : s.phone.sent()) {
        if (request.method != "REGISTER") continue;
        if (last && request.at - *last > 1s) {
            EXPECT_GE(request.at - *last, 5s);
            EXPECT_LE(request.at - *last, 17s);
        }
        last = request.at;
    }
    EXPECT_EQ(s.phone.count(EventKind::unregistered), 0u);
    expect_no_storm(s);
}

// B2, B6: multiple-registrations = contact: a second Contact is never looked at, so that the old
// one cannot be removed beside the current one. Three tries, then it is said and left to expire.
TEST(FreeswitchHabit, ASecondContactThatIsIgnoredIsLeftToExpire) {
    auto server = freeswitch();
    server.rules.key = BindingKey::uri;
    server.rules.forced_expires = 0;
    server.pings = {};
    Scenario s(at_server(server));
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    s.world.run_for(6min);
    s.nat.rebind();
    ASSERT_EQ(s.world.run_until([&] { return s.world.is_reachable(s.phone); }, 32s), Stop::goal)
        << s.story();
    const auto before = s.cluster.registers();
    s.world.run_for(60s);
    EXPECT_LE(s.cluster.registers() - before, 4u) << s.story();
    // Once for the URI that we sent, once for the one that it lists.
    EXPECT_EQ(s.phone.count(EventKind::binding_debt), 2u) << s.phone.event_log();
    EXPECT_EQ(s.cluster.removals(), 0u);
    s.world.run_for(5min);
    EXPECT_EQ(s.cluster.bindings(s.phone.aor()).size(), 1u) << s.story();
    EXPECT_TRUE(s.world.is_reachable(s.phone));
    expect_no_storm(s);
}

// B7, B8: reg-deny-binding-fetch-and-no-lookup: 200s that echo the request are no listing, a
// refused fetch leaves the old binding to expire.
TEST(FreeswitchHabit, EchoedContactsAndARefusedFetch) {
    ScenarioOptions o = at_server(freeswitch());
    o.cluster.server.rules.key = BindingKey::call_id;
    o.cluster.server.rules.echoes_contacts = o.cluster.server.rules.refuses_fetch = true;
    o.cluster.server.rules.forced_expires = 0;
    o.cluster.location = Location::separate;
    Scenario s(o);
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    s.world.run_for(6min);
    s.nat.rebind();
    ASSERT_EQ(s.world.run_until([&] { return s.world.is_reachable(s.phone); }, 32s), Stop::goal)
        << s.story();
    s.world.run_for(10s);
    EXPECT_EQ(s.cluster.bindings(s.phone.aor()).size(), 1u) << s.story();
    auto& dead = s.world.node_at(*s.phone.current_target());
    dead.silence();
    ASSERT_EQ(s.world.run_until([&] { return s.world.is_reachable(s.phone); }, 32s), Stop::goal)
        << s.story();
    dead.heal();
    s.world.run_for(6min);
    EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
    EXPECT_TRUE(s.world.is_reachable(s.phone));
    EXPECT_EQ(s.phone.count(EventKind::unregistered), 0u);
    expect_no_storm(s);
}

// F5: 403 to the right password, because another device has the only place: the words do not blame
// the password alone, and when asked again after the other has gone, we are in.
TEST(AsteriskHabit, AnotherDeviceHasTheOnlyPlace) {
    Scenario s(at_server(asterisk()));
    const OtherDevice other(s.cluster, s.phone.aor(), s.world.now() + 2h);
    s.world.run_for(1h);
    EXPECT_FALSE(s.phone.is_registered());
    EXPECT_LE(s.cluster.registers(), 3u) << s.story();
    const auto words = reasons(s, EventKind::auth_failed) + reasons(s, EventKind::refused);
    EXPECT_NE(words.find("403 Forbidden from"), std::string::npos) << s.phone.event_log();
    EXPECT_NE(words.find("no further device"), std::string::npos) << words;
    for (const auto& complaint : other.check()) ADD_FAILURE() << complaint;
    s.world.run_for(61min);
    s.phone.give(in::RegisterNow{Phone::account});
    EXPECT_TRUE(s.registers_within(1s)) << s.story();
}

// N3, B6: an endpoint without a password is bound by its first REGISTER, with the sender's address
// in the binding and the private one in the 200: one binding all the same.
TEST(AsteriskHabit, APrivateContactComesBackRestored) {
    auto server = asterisk();
    server.digest.required = false;
    for (const std::size_t most : {1U, 3U}) {
        server.rules.max_contacts = most;
        Scenario s(at_server(server));
        ASSERT_TRUE(s.registers_within(1s)) << s.story();
        s.world.run_for(5s);
        EXPECT_EQ(s.cluster.bindings(s.phone.aor()).size(), 1u) << s.story();
        EXPECT_TRUE(s.world.is_reachable(s.phone)) << s.story();
        EXPECT_EQ(s.cluster.removals(), 0u);
        expect_no_storm(s);
    }
}

// F6: a binding goes with its connection; the phone is back at once.
TEST(AsteriskHabit, ABindingGoesWithItsConnection) {
    expect_back_after_lost_connections(asterisk());
}

// B7: a location service per node, and a NAT that has forgotten the port the old node knew: there
// the removal names a binding that does not exist, because the sender is put into it. The old one
// is left to expire, and nothing else suffers.
TEST(AsteriskHabit, AForgottenMappingLeavesTheOldBindingToExpire) {
    ScenarioOptions o = at_server(asterisk());
    o.cluster.location = Location::separate;
    Scenario s(o);
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    s.world.run_for(60s);
    auto& dead = s.world.node_at(*s.phone.current_target());
    dead.silence();
    ASSERT_EQ(s.world.run_until([&] { return s.world.is_reachable(s.phone); }, 32s), Stop::goal)
        << s.story();
    s.nat.rebind();
    s.world.run_for(40s);
    ASSERT_EQ(dead.location_service().bindings(s.phone.aor()).size(), 1u);
    dead.heal();
    s.world.run_for(5min);
    EXPECT_TRUE(dead.location_service().bindings(s.phone.aor()).empty()) << s.story();
    EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
    EXPECT_TRUE(s.world.is_reachable(s.phone));
    EXPECT_EQ(s.world.node_at(*s.phone.current_target()).counters().removals, 0u);
    EXPECT_EQ(s.phone.count(EventKind::unregistered), 0u) << s.phone.event_log();
    expect_no_storm(s);
}

// L9: a filter that counts challenges finds none in a day of refreshes. Where a nonce is good for
// one request only, nothing helps: the filter's own doing.
TEST(BanHabit, ChallengesAreNotCollected) {
    for (const auto lifetime : {Duration{24h}, Duration{1s}}) {
        ScenarioOptions o;
        o.nodes = 1;
        o.expires = 60s;
        o.cluster.server.ban = {.most = 5, .counts_challenges = true};
        o.cluster.server.digest.nonce_lifetime = lifetime;
        Scenario s(o);
        ASSERT_TRUE(s.registers_within(1s)) << s.story();
        s.world.run_for(24h);
        const bool banned = s.cluster.node(0).ban_filter().bans() > 0;
        EXPECT_EQ(banned, lifetime == 1s);
    }
}

// RFC 3261 §10.2: a Request-URI without a user; one with it is not answered at all.
TEST(FritzboxHabit, ARegisterNamesTheDomainOnly) {
    auto server = fritzbox();
    Scenario s(at_server(server));
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    EXPECT_GE(s.cluster.registers(), 2u);
}

// RFC 5118 §4.5: an IPv6 address in brackets in `received` is a mapping like any other.
TEST(FritzboxHabit, BracketsInReceivedAreRead) {
    ScenarioOptions o = at_server(fritzbox());
    o.families = Families::ipv6;
    Scenario s(o);
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    s.world.run_for(6min);
    s.nat.rebind();
    EXPECT_EQ(s.world.run_until([&] { return s.world.is_reachable(s.phone); }, 32s), Stop::goal)
        << s.story();
    EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
}

// F5: the password is changed at the box while we are registered: its lock-out, which grows with
// every further failure, never begins; a day later the new one is in at once.
TEST(FritzboxHabit, TheLockOutNeverBegins) {
    ScenarioOptions o = at_server(fritzbox());
    o.nodes = 1;
    Scenario s(o);
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    s.world.run_for(10min);
    s.cluster.add_user("alice", "another");
    s.world.run_for(24h);
    EXPECT_EQ(s.cluster.node(0).ban_filter().bans(), 0u) << s.phone.event_log();
    EXPECT_NE(reasons(s, EventKind::refused).find("403 Forbidden from"), std::string::npos);
    s.phone.give(in::ChangePassword{Phone::account, Redacted<std::string>("another")});
    EXPECT_TRUE(s.registers_within(1s)) << s.story();
}

// RFC 5627 §5.4, R1: a server that gives GRUUs is asked for ours, and a call for it rings here
// alone, where one for the AOR goes to the other device too.
TEST(KamailioHabit, TheGruuIsProvenAndUsed) {
    Scenario s(at_server(kamailio()));
    const OtherDevice other(s.cluster, s.phone.aor(), s.world.now() + 24h);
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    s.world.run_for(10s);
    EXPECT_TRUE(s.phone.status().proven) << s.story();
    EXPECT_NE(s.world.ladder().find("OPTIONS sip:alice@example.test;gr=urn:uuid:"),
              std::string::npos)
        << s.story();
    const auto bindings = s.cluster.bindings(s.phone.aor());
    const auto ours = std::ranges::find_if(
        bindings, [&](const Binding& binding) { return !other.is_mine(binding); });
    ASSERT_NE(ours, bindings.end()) << s.story();
    const auto call = [&](const std::string& uri) {
        auto& caller = s.world.add_caller({.aor = uri, .kind = CallKind::invite, .every = 1min});
        s.world.run_for(5s);
        caller.stop();
        s.world.run_for(1min);  // both callers have one Call-ID: the phone has to forget the first
        return caller.reached();
    };
    const auto other_is_called = [&] {
        return s.world.ladder().find("INVITE sip:alice@192.0.2.250") != std::string::npos;
    };
    EXPECT_EQ(call(s.phone.aor() + ";gr=" + ours->instance), 1u) << s.story();
    EXPECT_EQ(s.phone.count(EventKind::ring), 1u) << s.story();
    EXPECT_FALSE(other_is_called()) << s.story();
    EXPECT_EQ(call(s.phone.aor()), 1u) << s.story();
    EXPECT_TRUE(other_is_called()) << s.story();
}

}  // namespace
}  // namespace holdfast::lab
