// What Holdfast answers to habits of known servers, at a server that has them: each has a row in
// docs/interop.md. More of them in interop_habits_test.cpp and interop_expiry_test.cpp; what every
// server shares is in interop_test.cpp.
#include <algorithm>
#include <map>

#include "tests/habits.h"

namespace holdfast::lab {
namespace {

void expect_rebinding_leaves_one(Scenario& s) {
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    for (int i = 0; i < 3; ++i) {
        s.world.run_for(6min);
        s.nat.rebind();
        EXPECT_EQ(s.world.run_until([&] { return s.world.is_reachable(s.phone); }, 32s), Stop::goal)
            << s.story();
        s.world.run_for(10s);
        EXPECT_EQ(s.cluster.bindings(s.phone.aor()).size(), 1u) << s.story();
        EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
    }
    EXPECT_EQ(s.phone.count(EventKind::unregistered), 0u) << s.phone.event_log();
    expect_calm(s);
}

// F1: the REGISTER was stored, and only its answer lost. At the next node of the shared location
// service an equal CSeq would get a 200 and be passed over.
TEST(UsrlocHabit, ALostAnswerLeavesOneBinding) {
    for (auto* const habits : {kamailio, opensips}) {
        Scenario s(at_server(habits()));
        s.world.node_at(s.phone.first_choice()).lose_answers(1'000);
        ASSERT_TRUE(s.registers_within(5s)) << s.story();
        EXPECT_LE(s.world.elapsed(), 1700ms) << s.story();
        s.world.run_for(60s);
        EXPECT_EQ(s.cluster.bindings(s.phone.aor()).size(), 1u) << s.story();
        EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
        EXPECT_TRUE(s.world.is_reachable(s.phone)) << s.story();
    }
}

// F3: servers that let the last REGISTER win, whatever its CSeq: one to a node that was too slow
// takes the binding back there. Its answer makes us REGISTER once more where we are.
TEST(LastOneWinsHabit, ALateRegisterIsFollowedByOneMore) {
    auto pushes_out = asterisk();
    pushes_out.rules.too_many = TooMany::drop_the_soonest;
    for (const auto& server : {kamailio(), pushes_out}) {
        Scenario s(at_server(server));
        ASSERT_TRUE(s.registers_within(1s)) << s.story();
        s.world.run_for(10s);
        auto& slow = s.world.node_at(*s.phone.current_target());
        const auto is_at_the_slow_one = [&] {
            const auto all = s.cluster.bindings(s.phone.aor());
            return all.size() == 1 && slow.has(all.front().flow.local.address);
        };
        slow.slow_down(8s);
        s.phone.give(in::RegisterNow{Phone::account});
        ASSERT_EQ(s.world.run_until([&] { return !is_at_the_slow_one(); }, 3s), Stop::goal)
            << s.story();
        ASSERT_EQ(s.world.run_until(is_at_the_slow_one, 8s), Stop::goal) << s.story();
        EXPECT_EQ(s.world.run_until([&] { return !is_at_the_slow_one(); }, 100ms), Stop::goal)
            << s.story();
        s.world.run_for(20s);
        EXPECT_FALSE(is_at_the_slow_one()) << s.story();
        EXPECT_EQ(s.cluster.bindings(s.phone.aor()).size(), 1u) << s.story();
        EXPECT_TRUE(s.world.is_reachable(s.phone)) << s.story();
        expect_calm(s);
    }
}

// N3: max_contacts counts what would be left, so that the REGISTER that removes the old Contact
// has room for the new one: nobody is refused, and no 503 makes us look for another server.
TEST(KamailioHabit, MaxContactsHasRoomForANewMapping) {
    for (const auto key : {BindingKey::instance_and_reg_id, BindingKey::uri}) {
        auto server = kamailio();
        server.rules.key = key;
        server.rules.max_contacts = 1;
        server.rules.too_many_retry_after = 30;
        Scenario s(at_server(server));
        expect_rebinding_leaves_one(s);
        EXPECT_EQ(s.phone.count(EventKind::attempt_failed), 0u) << s.phone.event_log();
        EXPECT_EQ(s.phone.count(EventKind::moved), 0u) << s.phone.event_log();
    }
}

// F5: another device has the only place: 503 with Retry-After. Each node is asked once in that
// time and told in its words; when the place is free, the phone is in with the next try, for which
// S1 waits half an hour at most.
TEST(KamailioHabit, AFullAorIsAskedAgainAfterItsRetryAfter) {
    auto server = kamailio();
    server.rules.max_contacts = 1;
    server.rules.too_many_retry_after = 120;
    server.pings = {};
    Scenario s(at_server(server));
    const OtherDevice other(s.cluster, s.phone.aor(), s.world.now() + 10min);
    s.world.run_for(599s);
    EXPECT_FALSE(s.phone.is_registered());
    EXPECT_TRUE(other.check().empty());
    EXPECT_NE(reasons(s, EventKind::attempt_failed).find("503 Too Many Contacts from"),
              std::string::npos)
        << s.phone.event_log();
    std::map<Target, Instant> last;
    for (const auto& request : s.phone.sent()) {
        if (request.method != "REGISTER") continue;
        const auto before = last.find(request.target);
        if (before != last.end() && request.at - before->second > 1s) {  // no answer to a challenge
            EXPECT_GE(request.at - before->second, 120s) << s.story();
        }
        last[request.target] = request.at;
    }
    EXPECT_EQ(last.size(), 3u) << s.story();
    EXPECT_TRUE(s.registers_within(30min)) << s.story();
    expect_calm(s);
}

// F5, B1, RFC 3327 §5.3: behind an edge proxy that puts in a Path, a registrar in path_mode strict
// refuses who does not say that it supports it: we do. A client that does not (here MicroSIP's
// preset) is refused.
TEST(PathHabit, WhateverTheModeWeAreRegistered) {
    for (auto* const habits : {kamailio, opensips}) {
        for (const auto mode : {PathMode::off, PathMode::lazy, PathMode::strict}) {
            auto server = habits();
            server.rules.path_mode = mode;
            server.rules.edge_path = "<sip:203.0.113.50;lr>";
            Scenario s(at_server(server));
            ASSERT_TRUE(s.registers_within(1s)) << s.story();
            const auto share =
                s.world.share_of_time(2h, 1s, [&] { return s.world.is_reachable(s.phone); });
            EXPECT_EQ(share, 1.0) << s.story();
            EXPECT_EQ(s.phone.count(EventKind::refused), 0u) << s.phone.event_log();
            EXPECT_EQ(s.cluster.bindings(s.phone.aor()).size(), 1u);
            expect_calm(s);

            auto o = at_server(server);
            o.preset = "microsip";
            Scenario other(o);
            EXPECT_EQ(other.registers_within(1min), mode != PathMode::strict) << other.story();
            EXPECT_EQ(other.world.ladder().find("420 Bad Extension") != std::string::npos,
                      mode == PathMode::strict);
        }
    }
}

// F5: 439, for the edge proxy puts in neither Path nor `ob`: once more without outbound, with the
// instance-id.
TEST(KamailioHabit, BehindAnEdgeWithoutOutboundThereIsOneFlow) {
    auto server = kamailio();
    server.rules.outbound = server.rules.first_hop_lacks_outbound = true;
    Scenario s(at_server(server));
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    s.world.run_for(20min);
    const auto bindings = s.cluster.bindings(s.phone.aor());
    ASSERT_EQ(bindings.size(), 1u) << s.story();
    EXPECT_FALSE(bindings.front().instance.empty());
    EXPECT_FALSE(bindings.front().outbound);
    EXPECT_TRUE(s.world.is_reachable(s.phone)) << s.story();
    EXPECT_EQ(s.phone.count(EventKind::refused), 0u) << s.phone.event_log();
    expect_calm(s);
}

// N3: with room for one Contact only, the old one keeps even the new one alone out: then it is
// un-registered first.
TEST(OpensipsHabit, ThereIsRoomForOneContactOnly) {
    auto server = opensips();
    server.rules.max_contacts = 1;
    Scenario s(at_server(server));
    expect_rebinding_leaves_one(s);
}

// F5: max-registrations-per-extension: 403 to the right password, because another device has the
// only place: the words do not blame the password alone, nobody is hammered into a ban, and when
// asked again after the other has gone, we are in.
TEST(FreeswitchHabit, AnotherDeviceHasTheOnlyPlace) {
    auto server = freeswitch();
    server.rules.key = BindingKey::call_id;
    server.rules.max_contacts = 1;
    server.rules.too_many = TooMany::refuse_other_calls;
    server.rules.too_many_status = 403;
    server.pings = {};  // the other device is a row in the table, and answers none
    Scenario s(at_server(server));
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
    expect_calm(s);
}

// Kamailio and OpenSIPS close a connection on which nothing has come in for 120 s. Nothing but
// keep-alive holds it here: no refresh, no proof, no ping of theirs.
ScenarioOptions at_server_that_closes_what_is_idle(Transport transport) {
    auto server = kamailio();
    server.pings = {};
    server.rules.max_expires = 86'400;
    auto o = at_server(server);
    o.transport = transport;
    o.expires = 12h;
    o.tune = [](registration::Policy& policy) { policy.prove_reachable = false; };
    return o;
}

// K1: eight hours on one connection, though each ping is lost on its way until TCP repeats it the
// fifth time; the sixth would come after TCP_USER_TIMEOUT. RFC 5626 §4.4.1, which we deviate from,
// would let a ping leave 120 s after the last.
TEST(IdleHabit, OneConnectionLastsForHours) {
    for (const auto transport : {Transport::tcp, Transport::tls}) {
        Scenario s(at_server_that_closes_what_is_idle(transport));
        ASSERT_TRUE(s.registers_within(1s)) << s.story();
        s.world.run_for(5s);
        const auto connections = s.phone.tcp().connections();
        ASSERT_EQ(connections.size(), 1u);
        auto& link = s.world.internet().link();
        const auto usual = link.options();
        auto broken = usual;
        broken.loss = 1;
        std::size_t pings = 0;
        for (; s.world.elapsed() < 8h; ++pings) {
            link.set(broken);
            const auto sent = s.world.internet().ladder().packets();
            const auto next_packet = [&] { return s.world.internet().ladder().packets() > sent; };
            ASSERT_EQ(s.world.run_until(next_packet, 2min), Stop::goal) << s.story();
            s.world.run_for(7s);
            link.set(usual);
            s.world.run_for(2s);
        }
        const auto& node = s.world.node_at(*s.phone.current_target());
        EXPECT_EQ(node.counters().keep_alives, pings) << s.story();
        EXPECT_GE(pings, 288u);
        EXPECT_EQ(s.phone.tcp().connections(), connections);
        EXPECT_EQ(s.phone.count(EventKind::flow_lost), 0u) << s.phone.event_log();
        EXPECT_EQ(s.cluster.registers(), 2u) << "the first, and with credentials";
        EXPECT_TRUE(s.world.is_reachable(s.phone));
        expect_calm(s);
    }
}

// F6: whoever sends no keep-alive loses its connection every 120 s, and is back at once.
TEST(IdleHabit, AConnectionThatWasClosedIsReplacedAtOnce) {
    for (const auto transport : {Transport::tcp, Transport::tls}) {
        auto o = at_server_that_closes_what_is_idle(transport);
        const auto no_proof = o.tune;
        o.tune = [&](registration::Policy& policy) {
            no_proof(policy);
            policy.keepalive = registration::KeepAliveKind::none;
        };
        Scenario s(o);
        ASSERT_TRUE(s.registers_within(1s)) << s.story();
        for (std::size_t i = 1; i <= 5; ++i) {
            const auto is_closed = [&] { return s.phone.count(EventKind::flow_lost) == i; };
            ASSERT_EQ(s.world.run_until(is_closed, 121s), Stop::goal) << s.story();
            EXPECT_FALSE(s.world.is_reachable(s.phone));
            EXPECT_EQ(s.world.run_until([&] { return s.world.is_reachable(s.phone); }, 500ms),
                      Stop::goal)
                << s.story();
        }
        EXPECT_EQ(s.cluster.bindings(s.phone.aor()).size(), 1u) << s.story();
        expect_calm(s);
    }
}

// F6: tcp-unreg-on-socket-close: a binding goes with its connection; the phone is back at once.
TEST(FreeswitchHabit, ABindingGoesWithItsConnection) {
    auto server = freeswitch();
    server.forgets_on_close = true;
    expect_back_after_lost_connections(server);
}

// B8: another device takes our place again and again (Asterisk's remove_existing, the Fritz!Box's
// one registration): we come back with our refreshes and do not fight for it.
TEST(OnePlaceHabit, TwoDevicesDoNotFight) {
    auto pushes_out = asterisk();
    pushes_out.rules.too_many = TooMany::drop_the_soonest;
    for (const auto& server : {pushes_out, fritzbox()}) {
        auto o = at_server(server);
        o.nodes = 1;
        Scenario s(o);
        ASSERT_TRUE(s.registers_within(1s)) << s.story();
        for (int i = 0; i < 120; ++i) {  // two hours
            s.world.run_for(60s);
            s.cluster.location_service().clear();
            const OtherDevice other(s.cluster, s.phone.aor(), s.world.now() + 1h);
        }
        // E is 300 s, and refreshed after 225 to 270 of them.
        EXPECT_GE(s.cluster.node(0).counters().accepted, 26u);
        EXPECT_LE(s.cluster.node(0).counters().accepted, 34u) << s.story();
        EXPECT_EQ(s.phone.count(EventKind::unregistered), 0u) << s.phone.event_log();
        expect_calm(s);
    }
}

// R2, B5: OPTIONS to the AOR is answered by the server itself: "not provable here", said once;
// still registered, and nothing is moved or refreshed because of it.
TEST(OptionsHabit, AServerThatAnswersItselfIsNoFailure) {
    for (auto* const habits : {asterisk, freeswitch, fritzbox}) {
        Scenario s(at_server(habits()));
        ASSERT_TRUE(s.registers_within(1s)) << s.story();
        s.world.run_for(2h);
        EXPECT_EQ(s.phone.count(EventKind::unprovable), 1u) << s.story();
        EXPECT_EQ(s.phone.count(EventKind::suspect), 0u);
        EXPECT_EQ(s.phone.count(EventKind::unreachable), 0u);
        EXPECT_EQ(s.phone.count(EventKind::moved), 0u);
        EXPECT_FALSE(s.phone.status().proven);
        EXPECT_TRUE(s.world.is_reachable(s.phone));
        expect_calm(s);
    }
}

// RFC 3261 §17.1.2: no ACK goes out for the answers to REGISTER and OPTIONS; a box whose firewall
// bars who sends it one has nothing to complain of.
TEST(FritzboxHabit, NoAckIsSentForItsChallenges) {
    auto o = at_server(fritzbox());
    o.nodes = 1;
    Scenario s(o);
    ASSERT_TRUE(s.registers_within(1s)) << s.story();
    s.world.run_for(10min);
    EXPECT_GE(s.cluster.node(0).counters().challenges, 2u) << s.story();
    EXPECT_NE(s.world.ladder().find("401"), std::string::npos);
    EXPECT_EQ(s.world.ladder().find("ACK sip:"), std::string::npos) << s.story();
}

}  // namespace
}  // namespace holdfast::lab
