// A call moves with the network and with its account (L8, K5, F3), end to end in virtual time.
//   RFC 3261 §12.2.1.1, §14.1; RFC 3311 §5.1; RFC 3263 §4.3. Not tested here: what is heard (there
//   are no RTP packets), and which address the media get (apps/phone).
#include "tests/calls_world.h"

#include <gmock/gmock.h>

#include <set>

namespace holdfast::lab {
namespace {

using K = EventKind;

IpAddress address(const std::string& text) { return *IpAddress::parse(text); }

std::size_t refreshes(const Phone& phone) {  // beyond the INVITE that began it
    return requests(phone, "UPDATE") + requests(phone, "INVITE");
}
// Whoever hangs up, the other one hears it: each has a Contact of the other that is true.
void expect_both_reach_each_other(CallsWorld& s) {
    EXPECT_EQ(s.alice.count(K::call_ended) + s.bob.count(K::call_ended), 0u) << s.story();
    s.bob.give(in::Hold{rung(s.bob)});
    EXPECT_TRUE(s.until(s.alice, K::held, 2s)) << s.story();
    s.alice.give(in::Hold{s.dialled});
    EXPECT_TRUE(s.until(s.bob, K::held, 2s, 2)) << s.story();
    s.bob.give(in::HangUp{.account = {}, .call = rung(s.bob)});
    EXPECT_TRUE(s.until(s.alice, K::call_ended, 2s)) << s.story();
    const auto* const end = last(s.alice, K::call_ended);
    EXPECT_EQ(end != nullptr ? end->reason : "", "the other side hung up") << s.story();
}
Registrar& server_of(CallsWorld& s, const Phone& phone) {
    return s.world.node_at(*phone.current_target());
}
bool moved_from(const Phone& phone, const Target& target) {
    return phone.is_registered() && phone.current_target() && *phone.current_target() != target;
}

// L8, K5: alice's host gets another address in a call. Bob has the new one for the sound within
// 2 s, and both go on talking to each other.
TEST(CallsMoving, ANewAddressInACall) {
    for (const auto transport : {Transport::udp, Transport::tcp, Transport::tls})
        for (const bool nat : {false, true}) {
            CallsWorld s({.transport = transport, .nat = nat});
            ASSERT_TRUE(s.talk()) << s.story();
            s.world.run_for(20s);
            const auto fresh = address(nat ? "192.168.1.77" : "10.0.0.77");
            s.alice.change_address({fresh});
            s.alice.give(in::MediaChanged{s.dialled, s.alice.audio()});
            EXPECT_EQ(
                s.world.run_until(
                    [&] { return sound(s.bob) && sound(s.bob)->remote_rtp.address == fresh; }, 2s),
                Stop::goal)
                << s.story();
            s.world.run_for(10s);
            EXPECT_LE(refreshes(s.alice), 3u) << "one for both, or one each: " << s.story();
            expect_both_reach_each_other(s);
        }
}

// L8: the callee moves, and the other side takes UPDATE (RFC 3311): no media are named anew.
TEST(CallsMoving, WhoWasCalledMovesAsWell) {
    CallsWorld s;
    ASSERT_TRUE(s.talk()) << s.story();
    s.bob.change_address({address("10.0.0.78")});
    s.world.run_for(5s);
    EXPECT_EQ(requests(s.bob, "INVITE") + requests(s.bob, "UPDATE"), 1u) << s.story();
    expect_both_reach_each_other(s);
}

// L8: the network changes while a change of ours is out: it goes again, with the new Contact, as
// soon as there is a way; nothing waits for a timer.
TEST(CallsMoving, TheNetworkChangesInTheMiddleOfAChange) {
    for (const auto transport : {Transport::udp, Transport::tcp}) {
        CallsWorld s({.transport = transport});
        ASSERT_TRUE(s.talk()) << s.story();
        s.alice.give(in::Hold{s.dialled});
        s.alice.change_address({address("10.0.0.77")});
        EXPECT_TRUE(s.until(s.bob, K::held, 2s)) << s.story();
        s.world.run_for(30s);
        s.alice.give(in::Resume{s.dialled});
        EXPECT_TRUE(s.until(s.alice, K::resumed, 2s)) << s.story();
        expect_both_reach_each_other(s);
    }
}

// L8, K3: the NAT gives alice's flow another port. The keep-alive shows it, and bob's next request
// arrives.
TEST(CallsMoving, ARebindingInACall) {
    CallsWorld s({.nat = true});
    ASSERT_TRUE(s.talk()) << s.story();
    const auto before = refreshes(s.alice);
    s.world.nats().front()->rebind();
    s.world.run_for(33s);  // K1, K2
    EXPECT_EQ(refreshes(s.alice), before + 1) << s.story();
    expect_both_reach_each_other(s);
}

// L8, F6: alice's connection is reset, and she has a new one.
TEST(CallsMoving, AConnectionLostInACall) {
    for (const auto transport : {Transport::tcp, Transport::tls}) {
        CallsWorld s({.transport = transport});
        ASSERT_TRUE(s.talk()) << s.story();
        for (const auto& connection : s.alice.tcp().connections())
            s.cluster.node(0).tcp().abort({connection.remote, connection.local});
        s.world.run_for(10s);
        expect_both_reach_each_other(s);
    }
}

// L8, F3: the server that both talk through dies. Another node that follows its Routes takes over,
// and the call with it; behind a NAT that gives each server its own port by telling the new
// Contact. (Two such NATs, and no GRUU: neither could tell the other.)
TEST(CallsMoving, AFailoverInACall) {
    for (const bool nat : {false, true}) {
        CallsWorld s({.nodes = 2, .nat = nat, .only_alice = true, .stands_in = true});
        ASSERT_TRUE(s.talk()) << s.story();
        const auto before = refreshes(s.alice) + refreshes(s.bob);
        const auto dead = *s.alice.current_target();
        server_of(s, s.alice).silence();
        ASSERT_EQ(s.world.run_until(
                      [&] { return moved_from(s.alice, dead) && moved_from(s.bob, dead); }, 60s),
                  Stop::goal)
            << s.story();
        s.world.run_for(10s);
        const auto told = refreshes(s.alice) + refreshes(s.bob) - before;
        EXPECT_EQ(told > 0, nat) << "every Contact is as it was, or is told: " << s.story();
        expect_both_reach_each_other(s);
    }
}

// L8, F3: no other node stands in for the dead one. Its dialogs cannot be reached, and the call
// goes on all the same, for nobody but the peer can end it; when the node is back, all is well.
TEST(CallsMoving, AFailoverThatNobodyStandsInFor) {
    CallsWorld s({.nodes = 2, .nat = true});
    ASSERT_TRUE(s.talk()) << s.story();
    const auto dead = *s.alice.current_target();
    auto& node = server_of(s, s.alice);
    node.silence();
    ASSERT_EQ(s.world.run_until([&] { return moved_from(s.alice, dead); }, 60s), Stop::goal)
        << s.story();
    s.alice.give(in::Hold{s.dialled});
    s.world.run_for(3min);
    EXPECT_EQ(s.alice.count(K::call_ended) + s.bob.count(K::call_ended), 0u) << s.story();
    EXPECT_EQ(s.bob.count(K::held), 0u) << s.story();
    node.heal();
    EXPECT_TRUE(s.until(s.bob, K::held, 80s)) << s.story();
    EXPECT_EQ(s.alice.count(K::call_ended) + s.bob.count(K::call_ended), 0u) << s.story();
}

// L8, F3: the other node keeps its dialogs to itself, and says of those of its neighbour that there
// is no such thing (RFC 3261 §12.2.2), or that it can do nothing: that is not the peer's word. The
// call goes on, and what was wanted reaches the peer when its server is back.
TEST(CallsMoving, AStandInThatKnowsNothingOfTheDialog) {
    for (const int status : {481, 404, 503}) {
        CallsWorld s({.nodes = 2, .nat = true, .refuses_dialogs = status});
        ASSERT_TRUE(s.talk({.session_interval = 0})) << s.story();
        const auto dead = *s.alice.current_target();
        auto& node = server_of(s, s.alice);
        node.silence();
        ASSERT_EQ(s.world.run_until(
                      [&] { return moved_from(s.alice, dead) && moved_from(s.bob, dead); }, 60s),
                  Stop::goal)
            << s.story();
        s.alice.give(in::Hold{s.dialled});
        s.world.run_for(3min);
        EXPECT_EQ(s.alice.count(K::call_ended) + s.bob.count(K::call_ended), 0u) << s.story();
        EXPECT_GT(requests(s.alice, "INVITE"), 3u) << "it is tried again: " << s.story();
        node.heal();
        EXPECT_TRUE(s.until(s.bob, K::held, 80s)) << s.story();
        s.alice.give(in::HangUp{.account = {}, .call = s.dialled});
        EXPECT_TRUE(s.until(s.bob, K::call_ended, 80s)) << s.story();
    }
}

// L8, L4: the server that both talk through is drained. The dialog stays there, over its flow and
// the mapping of that, however long the call; nobody is asked for anything.
TEST(CallsMoving, ACallStaysAtAServerThatIsLeft) {
    CallsWorld s({.nodes = 2, .nat = true, .expires = 120s});
    ASSERT_TRUE(s.talk({.session_interval = 0})) << s.story();
    const auto before = refreshes(s.alice) + refreshes(s.bob);
    const auto left = *s.alice.current_target();
    auto rest = s.cluster.addresses();
    std::erase(rest, left.endpoint.address);
    s.world.dns().a("example.test", rest, {.ttl = 60s});
    s.world.run_for(40min);
    ASSERT_TRUE(moved_from(s.alice, left)) << s.alice.event_log();
    EXPECT_EQ(refreshes(s.alice) + refreshes(s.bob), before + 2)
        << "the session timer: " << s.story();
    expect_both_reach_each_other(s);
}

// RFC 3261 §9.1, §8.1.3.1: the network changes while it rings. The answer cannot reach the caller
// any more, so the call ends and says so, and bob's phone does not ring on.
TEST(CallsMoving, TheNetworkChangesWhileItRings) {
    for (const auto transport : {Transport::udp, Transport::tcp}) {
        CallsWorld s({.transport = transport});
        ASSERT_TRUE(s.everyone_registers()) << s.story();
        s.dial(s.alice, "bob");
        ASSERT_TRUE(s.until(s.alice, K::ringing, 1s)) << s.story();
        s.alice.change_address({address("10.0.0.77")});
        EXPECT_EQ(s.alice.count(K::call_ended), 1u) << s.story();
        EXPECT_TRUE(s.until(s.bob, K::call_ended, 2s)) << s.story();
        EXPECT_EQ(s.bob.count(K::answered), 0u);
        s.world.run_for(60s);
        EXPECT_EQ(s.alice.count(K::call_ended) + s.bob.count(K::call_ended), 2u) << s.story();
    }
}

// F1, RFC 3263 §4.3: the server is dead when alice dials. The INVITE goes to the next one, as the
// same request, when the account is there.
TEST(CallsMoving, AnInviteGoesToTheServerThatTakesOver) {
    CallsWorld s({.nodes = 2});
    ASSERT_TRUE(s.everyone_registers()) << s.story();
    server_of(s, s.alice).silence();
    s.dial(s.alice, "bob");
    EXPECT_TRUE(s.until(s.bob, K::ring, 31s + 500ms)) << "before Timer B: " << s.story();
    answer(s.bob);
    EXPECT_TRUE(s.until(s.alice, K::answered, 2s)) << s.story();
    EXPECT_EQ(s.bob.count(K::ring), 1u) << s.story();
}

// RFC 3261 §9.1: the dead one comes back, and answers the INVITE that it gets again, more than
// once: it is cancelled once, and the call that stands is not touched.
TEST(CallsMoving, TheServerThatWasGivenUpAnswersLate) {
    CallsWorld s({.nodes = 2});
    ASSERT_TRUE(s.everyone_registers()) << s.story();
    auto& dead = server_of(s, s.alice);
    dead.silence();
    s.dial(s.alice, "bob");
    ASSERT_TRUE(s.until(s.bob, K::ring, 31s + 500ms)) << s.story();
    dead.heal();
    s.world.run_for(20s);  // T1's doubling brings it the INVITE once more at least
    EXPECT_THAT(s.world.ladder(), testing::HasSubstr("CANCEL")) << "the late answer came";
    answer(s.bob);
    ASSERT_TRUE(s.until(s.alice, K::answered, 2s)) << s.story();
    s.world.run_for(60s);
    EXPECT_EQ(s.alice.count(K::call_ended), 0u) << s.story();
    EXPECT_EQ(s.bob.count(K::call_ended), 0u) << s.story();
}

// RFC 3261 §9.1, F1: bob is busy by way of the server that took over, and alice hears of the end.
// The dead one comes back, passes its copy of the INVITE on, and bob's phone rings: not for long.
TEST(CallsMoving, TheServerThatWasGivenUpRingsAfterTheEnd) {
    CallsWorld s({.nodes = 2});
    ASSERT_TRUE(s.everyone_registers()) << s.story();
    auto& dead = server_of(s, s.alice);
    dead.silence();
    s.dial(s.alice, "bob");
    s.alice.give(in::RegisterNow{});  // which finds it out
    ASSERT_TRUE(s.until(s.bob, K::ring, 8s)) << s.story();
    s.bob.give(in::Reject{rung(s.bob), 486});
    ASSERT_TRUE(s.until(s.alice, K::call_ended, 2s)) << s.story();
    s.world.run_for(6s);  // bob's phone has forgotten the INVITE (Timer I)
    dead.heal();
    ASSERT_TRUE(s.until(s.bob, K::ring, 25s, 2))
        << "T1's doubling brings it once more: " << s.story();
    EXPECT_TRUE(s.until(s.bob, K::call_ended, 2s, 2)) << s.story();
    s.world.run_for(60s);
    EXPECT_EQ(s.alice.count(K::call_ended), 1u) << s.story();
}

// B4: the account is removed while the first BYE is lost: it is said again, and bob hears it.
TEST(CallsMoving, ALostByeOfAnAccountThatIsRemoved) {
    for (const bool shuts_down : {false, true}) {
        CallsWorld s;
        ASSERT_TRUE(s.talk()) << s.story();
        const auto usual = s.world.internet().link().options();
        auto lossy = usual;
        lossy.loss = 1;
        s.world.internet().link().set(lossy);
        if (shuts_down) {
            s.alice.give(in::HangUp{.account = {}, .call = s.dialled});
        } else {
            s.alice.give(in::RemoveAccount{Phone::account});
            s.world.run_for(2500ms);  // longer than the account lives (2 s)
        }
        s.world.internet().link().set(usual);
        if (shuts_down) s.alice.shut_down();  // who stays until the BYE is answered
        EXPECT_TRUE(s.until(s.bob, K::call_ended, 5s)) << s.story();
    }
}

}  // namespace
}  // namespace holdfast::lab
