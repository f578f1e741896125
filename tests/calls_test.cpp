// Calls end to end: two engines, through a proxy that stays in the way (RFC 3261 §16.12.1.1), in
// virtual time. What is agreed about sound is looked at as values; there are no RTP packets here.
#include "tests/calls_world.h"

#include <set>

namespace holdfast::lab {
namespace {

using K = EventKind;

// RFC 3261 §4, §13: alice calls bob, it rings, he answers, both have the other's address for their
// sound; she hangs up, and both are told.
TEST(Calls, TheWholeStory) {
    for (const auto transport : {Transport::udp, Transport::tcp, Transport::tls})
        for (const bool nat : {false, true}) {
            CallsWorld s({.transport = transport, .nat = nat});
            ASSERT_TRUE(s.everyone_registers()) << s.story();
            s.dial(s.alice, "bob");
            ASSERT_TRUE(s.until(s.bob, K::ring, 1s)) << s.story();
            ASSERT_TRUE(s.until(s.alice, K::ringing, 1s)) << s.story();
            EXPECT_EQ(last(s.alice, K::ringing)->status, 180);
            EXPECT_EQ(last(s.bob, K::ring)->reason, "sip:alice@example.test");
            s.world.run_for(3s);
            EXPECT_FALSE(sound(s.alice)) << "nothing is agreed before the answer";
            answer(s.bob);
            ASSERT_TRUE(s.until(s.alice, K::answered, 1s)) << s.story();
            const auto alice = sound(s.alice);
            const auto bob = sound(s.bob);
            ASSERT_TRUE(alice && bob) << s.story();
            EXPECT_EQ(alice->remote_rtp.port, 50'000);
            EXPECT_EQ(bob->remote_rtp.port, 40'000);
            EXPECT_EQ(alice->direction, sdp::Direction::sendrecv);
            EXPECT_EQ(bob->direction, sdp::Direction::sendrecv);
            s.world.run_for(60s);
            EXPECT_EQ(s.alice.count(K::call_ended) + s.bob.count(K::call_ended), 0u) << s.story();
            s.alice.give(in::HangUp{.account = {}, .call = s.dialled});
            ASSERT_TRUE(s.until(s.bob, K::call_ended, 1s)) << s.story();
            EXPECT_EQ(last(s.bob, K::call_ended)->reason, "the other side hung up");
            EXPECT_EQ(last(s.alice, K::call_ended)->reason, "hung up");
            EXPECT_FALSE(sound(s.alice));
            EXPECT_FALSE(sound(s.bob));
            s.world.run_for(40s);
            EXPECT_EQ(requests(s.alice, "BYE"), 1u) << s.story();
            EXPECT_EQ(requests(s.bob, "BYE"), 0u) << s.story();
        }
}

// RFC 3261 §15.1: the callee may hang up as well; §16.12.1.1: through the same proxies.
TEST(Calls, TheCalleeHangsUp) {
    CallsWorld s({.nat = true});
    ASSERT_TRUE(s.talk()) << s.story();
    s.bob.give(in::HangUp{.account = {}, .call = rung(s.bob)});
    ASSERT_TRUE(s.until(s.alice, K::call_ended, 1s)) << s.story();
    EXPECT_EQ(last(s.alice, K::call_ended)->reason, "the other side hung up");
    EXPECT_EQ(requests(s.bob, "BYE"), 1u);
}

// RFC 3261 §12.2.1.1: without Record-Route the dialog's requests go straight to the other's
// Contact.
TEST(Calls, WithoutRecordRouteTheDialogGoesFromPhoneToPhone) {
    CallsWorld s({.record_route = false});
    ASSERT_TRUE(s.talk()) << s.story();
    s.alice.give(in::HangUp{.account = {}, .call = s.dialled});
    ASSERT_TRUE(s.until(s.bob, K::call_ended, 1s)) << s.story();
    const auto& sent = s.alice.sent();
    const auto bye = std::ranges::find(sent, "BYE", &SentRequest::method);
    ASSERT_NE(bye, sent.end());
    EXPECT_EQ(bye->target.endpoint, s.bob.udp_endpoint(Family::ipv4)) << s.story();
}

// RFC 3261 §22.3, §22.2: the proxy asks who calls; the same INVITE goes again with CSeq + 1 and the
// credentials of the account, its ACK carries them too (§22.1).
TEST(Calls, AProxyThatAsksWhoCalls) {
    CallsWorld s({.challenges = true});
    ASSERT_TRUE(s.talk()) << s.story();
    EXPECT_EQ(requests(s.alice, "INVITE"), 2u) << s.story();
    EXPECT_EQ(s.bob.count(K::ring), 1u);
    // L9: the next call answers the nonce that is known, and is not asked again.
    s.alice.give(in::HangUp{.account = {}, .call = s.dialled});
    s.world.run_for(40s);
    s.dial(s.alice, "bob");
    ASSERT_TRUE(s.until(s.bob, K::ring, 1s, 2)) << s.story();
    EXPECT_EQ(requests(s.alice, "INVITE"), 3u) << s.story();
}

// F5: a wrong password ends the call with the reason, and is not tried again and again.
TEST(Calls, AWrongPasswordIsSaid) {
    CallsWorld s({.challenges = true});
    ASSERT_TRUE(s.everyone_registers()) << s.story();
    s.cluster.add_user("alice", "another");
    s.dial(s.alice, "bob");
    ASSERT_TRUE(s.until(s.alice, K::call_ended, 2s)) << s.story();
    EXPECT_EQ(last(s.alice, K::call_ended)->status, 407);
    EXPECT_EQ(last(s.alice, K::call_ended)->reason, "the password was refused");
    EXPECT_EQ(requests(s.alice, "INVITE"), 2u) << s.story();
    EXPECT_EQ(s.bob.count(K::ring), 0u);
}

// RFC 3261 §21.4.18, §21.6.2: rejected, with the reason for the caller; nothing goes on ringing.
TEST(Calls, BusyAndDeclined) {
    for (const int status : {486, 603}) {
        CallsWorld s;
        ASSERT_TRUE(s.everyone_registers()) << s.story();
        s.dial(s.alice, "bob");
        ASSERT_TRUE(s.until(s.bob, K::ring, 1s)) << s.story();
        s.bob.give(in::Reject{rung(s.bob), status});
        ASSERT_TRUE(s.until(s.alice, K::call_ended, 1s)) << s.story();
        EXPECT_EQ(last(s.alice, K::call_ended)->status, status);
        EXPECT_EQ(last(s.alice, K::call_ended)->reason, status == 486 ? "Busy Here" : "Decline");
        EXPECT_EQ(s.bob.count(K::call_ended), 1u);
        s.world.run_for(40s);
        EXPECT_EQ(s.alice.count(K::call_ended), 1u) << s.story();
    }
}

// RFC 3261 §9.1: the caller gives up while it rings; 487 comes back, bob's phone stops.
TEST(Calls, TheCallerGivesUp) {
    CallsWorld s({.nat = true});
    ASSERT_TRUE(s.everyone_registers()) << s.story();
    s.dial(s.alice, "bob");
    ASSERT_TRUE(s.until(s.alice, K::ringing, 1s)) << s.story();
    s.alice.give(in::HangUp{.account = {}, .call = s.dialled});
    EXPECT_EQ(s.alice.count(K::call_ended), 1u) << "the user does not wait for the network";
    ASSERT_TRUE(s.until(s.bob, K::call_ended, 1s)) << s.story();
    EXPECT_EQ(last(s.bob, K::call_ended)->status, 487);
    EXPECT_EQ(last(s.bob, K::call_ended)->reason, "the caller hung up");
    s.world.run_for(60s);
    EXPECT_EQ(requests(s.alice, "CANCEL"), 1u) << s.story();
    EXPECT_EQ(requests(s.alice, "BYE"), 0u) << s.story();
}

// RFC 3261 §9.1: no CANCEL before a provisional answer. Here it never comes: the server is dead.
TEST(Calls, NothingIsCancelledBeforeAnybodyAnswered) {
    CallsWorld s;
    ASSERT_TRUE(s.everyone_registers()) << s.story();
    s.cluster.silence();
    s.dial(s.alice, "bob");
    s.world.run_for(500ms);
    s.alice.give(in::HangUp{.account = {}, .call = s.dialled});
    s.world.run_for(60s);
    EXPECT_EQ(requests(s.alice, "CANCEL"), 0u) << s.story();
    EXPECT_EQ(s.alice.count(K::call_ended), 1u) << s.story();
}

// RFC 3261 §9.1, §13.2.2.4: bob answers in the moment in which alice gives up: his 2xx gets its
// ACK, and a BYE.
TEST(Calls, AnAnswerThatCrossesTheCancel) {
    CallsWorld s;
    ASSERT_TRUE(s.everyone_registers()) << s.story();
    s.dial(s.alice, "bob");
    ASSERT_TRUE(s.until(s.alice, K::ringing, 1s)) << s.story();
    answer(s.bob);
    s.alice.give(in::HangUp{.account = {}, .call = s.dialled});
    ASSERT_TRUE(s.until(s.bob, K::call_ended, 2s)) << s.story();
    EXPECT_EQ(last(s.bob, K::call_ended)->reason, "the other side hung up") << s.story();
    EXPECT_EQ(s.alice.count(K::answered), 0u);
    EXPECT_EQ(requests(s.alice, "BYE"), 1u) << s.story();
    s.world.run_for(40s);
    EXPECT_EQ(s.alice.count(K::call_ended), 1u);
    EXPECT_FALSE(sound(s.bob));
}

// RFC 3261 §16.7: bob has two phones; the one that is not answered is cancelled, and says why.
TEST(Calls, TwoPhonesRingAndOneIsAnswered) {
    CallsWorld s;
    auto& desk = s.add("bob", "desk");
    ASSERT_TRUE(s.everyone_registers()) << s.story();
    s.dial(s.alice, "bob");
    ASSERT_TRUE(s.until(s.bob, K::ring, 1s)) << s.story();
    ASSERT_TRUE(s.until(desk, K::ring, 1s)) << s.story();
    s.world.run_for(1s);
    EXPECT_EQ(s.alice.count(K::ringing), 2u) << "RFC 3261 §12.1: two early dialogs";
    answer(desk);
    ASSERT_TRUE(s.until(s.alice, K::answered, 1s)) << s.story();
    ASSERT_TRUE(s.until(s.bob, K::call_ended, 1s)) << s.story();
    EXPECT_EQ(last(s.bob, K::call_ended)->status, 487);
    s.world.run_for(60s);
    EXPECT_EQ(s.alice.count(K::call_ended), 0u) << s.story();
    EXPECT_EQ(desk.count(K::call_ended), 0u) << s.story();
    s.alice.give(in::HangUp{.account = {}, .call = s.dialled});
    EXPECT_TRUE(s.until(desk, K::call_ended, 1s)) << s.story();
}

// RFC 3261 §13.2.2.4: both answer at once, before either could be cancelled: the first one is the
// call, the other gets ACK and BYE.
TEST(Calls, BothPhonesAnswerAtOnce) {
    CallsWorld s;
    auto& desk = s.add("bob", "desk");
    ASSERT_TRUE(s.everyone_registers()) << s.story();
    s.dial(s.alice, "bob");
    ASSERT_TRUE(s.until(s.bob, K::ring, 1s)) << s.story();
    ASSERT_TRUE(s.until(desk, K::ring, 1s)) << s.story();
    s.world.run_for(1s);
    answer(s.bob);
    answer(desk);
    s.world.run_for(40s);
    EXPECT_EQ(s.alice.count(K::answered), 1u) << s.story();
    EXPECT_EQ(s.bob.count(K::call_ended) + desk.count(K::call_ended), 1u) << s.story();
    auto& talking = s.bob.count(K::call_ended) == 0 ? s.bob : desk;
    s.alice.give(in::HangUp{.account = {}, .call = s.dialled});
    EXPECT_TRUE(s.until(talking, K::call_ended, 1s)) << s.story();
    EXPECT_EQ(requests(s.alice, "BYE"), 2u) << s.story();
}

// RFC 3264 §8.4, RFC 3261 §14: hold and resume, by either side; both are told, and who is held
// knows that nobody listens.
TEST(Calls, HoldAndResume) {
    CallsWorld s({.nat = true});
    ASSERT_TRUE(s.talk()) << s.story();
    s.alice.give(in::Hold{s.dialled});
    ASSERT_TRUE(s.until(s.bob, K::held, 1s)) << s.story();
    ASSERT_TRUE(s.until(s.alice, K::held, 1s)) << s.story();
    EXPECT_EQ(last(s.bob, K::held)->reason, "by the other side");
    EXPECT_EQ(last(s.alice, K::held)->reason, "by us");
    EXPECT_TRUE(sound(s.bob)->held_by_peer);
    EXPECT_EQ(sound(s.bob)->direction, sdp::Direction::recvonly);
    EXPECT_EQ(sound(s.alice)->direction, sdp::Direction::sendonly);
    s.alice.give(in::Resume{s.dialled});
    ASSERT_TRUE(s.until(s.bob, K::resumed, 1s)) << s.story();
    s.world.run_for(100ms);
    EXPECT_EQ(sound(s.alice)->direction, sdp::Direction::sendrecv);
    EXPECT_EQ(sound(s.bob)->direction, sdp::Direction::sendrecv);
    s.bob.give(in::Hold{rung(s.bob)});
    ASSERT_TRUE(s.until(s.alice, K::held, 1s, 2)) << s.story();
    EXPECT_EQ(sound(s.alice)->direction, sdp::Direction::recvonly);
    s.world.run_for(60s);
    EXPECT_EQ(s.alice.count(K::call_ended) + s.bob.count(K::call_ended), 0u) << s.story();
}

// RFC 3261 §14.1: both hold in the same moment: 491 for both, both try again after waits that
// differ, and both hold in the end.
TEST(Calls, BothHoldAtOnce) {
    CallsWorld s;
    ASSERT_TRUE(s.talk()) << s.story();
    s.alice.give(in::Hold{s.dialled});
    s.bob.give(in::Hold{rung(s.bob)});
    s.world.run_for(10s);
    EXPECT_EQ(sound(s.alice)->direction, sdp::Direction::inactive) << s.story();
    EXPECT_EQ(sound(s.bob)->direction, sdp::Direction::inactive) << s.story();
    EXPECT_GE(requests(s.bob, "INVITE"), 2u) << "it was a glare";
    EXPECT_EQ(s.alice.count(K::call_ended) + s.bob.count(K::call_ended), 0u);
}

// RFC 4028 §10: the session is refreshed for hours, by UPDATE where both know it (RFC 3311), and
// both phones notice when the other is gone.
TEST(Calls, TheSessionTimerHoldsACallAndEndsADeadOne) {
    CallsWorld s;
    ASSERT_TRUE(s.everyone_registers()) << s.story();
    s.dial(s.alice, "bob", {.session_interval = 90});
    ASSERT_TRUE(s.until(s.bob, K::ring, 1s)) << s.story();
    answer(s.bob);
    ASSERT_TRUE(s.until(s.alice, K::answered, 1s)) << s.story();
    s.world.run_for(1h);
    EXPECT_EQ(s.alice.count(K::call_ended) + s.bob.count(K::call_ended), 0u) << s.story();
    const auto updates = requests(s.alice, "UPDATE") + requests(s.bob, "UPDATE");
    // One each half of the interval; the next half begins when the 2xx is there.
    EXPECT_EQ(updates, static_cast<std::size_t>(1h / (45s + 40ms)));
    const auto when = s.world.now();
    s.bob.lose_power();
    ASSERT_TRUE(s.until(s.alice, K::call_ended, 2min)) << s.story();
    EXPECT_LE(s.world.now() - when, 90s) << s.story();
    EXPECT_EQ(last(s.alice, K::call_ended)->status, 408);
}

// RFC 3261 §13.3.1.4: the 2xx is lost on its way; it comes again, and the call is there.
TEST(Calls, ALostAnswerComesAgain) {
    CallsWorld s;
    ASSERT_TRUE(s.everyone_registers()) << s.story();
    s.dial(s.alice, "bob");
    ASSERT_TRUE(s.until(s.alice, K::ringing, 1s)) << s.story();
    const auto usual = s.world.internet().link().options();
    auto lossy = usual;
    lossy.loss = 1;
    s.world.internet().link().set(lossy);
    answer(s.bob);
    s.world.run_for(100ms);
    s.world.internet().link().set(usual);
    ASSERT_TRUE(s.until(s.alice, K::answered, 1s)) << s.story();
    s.world.run_for(60s);
    EXPECT_EQ(s.alice.count(K::call_ended) + s.bob.count(K::call_ended), 0u) << s.story();
}

// RFC 3261 §13.3.1.4: the ACK never comes, because the caller is gone: the callee says BYE after
// 64·T1 and tells its user.
TEST(Calls, ACallerThatVanishesBeforeItsAck) {
    CallsWorld s;
    ASSERT_TRUE(s.everyone_registers()) << s.story();
    s.dial(s.alice, "bob");
    ASSERT_TRUE(s.until(s.alice, K::ringing, 1s)) << s.story();
    s.alice.lose_power();
    const auto when = s.world.now();
    answer(s.bob);
    ASSERT_TRUE(s.until(s.bob, K::call_ended, 40s)) << s.story();
    EXPECT_EQ(s.world.now() - when, 32s);
    EXPECT_EQ(last(s.bob, K::call_ended)->reason, "the other side did not acknowledge our answer");
    EXPECT_EQ(requests(s.bob, "BYE"), 1u) << s.story();
}

// RFC 3262 §3, §4: a caller that demands it has its ringing acknowledged, and it rings once.
TEST(Calls, ReliableRinging) {
    CallsWorld s;
    ASSERT_TRUE(s.everyone_registers()) << s.story();
    s.dial(s.alice, "bob", {.reliable = call::Reliable::required});
    ASSERT_TRUE(s.until(s.alice, K::ringing, 1s)) << s.story();
    s.world.run_for(10s);
    EXPECT_EQ(requests(s.alice, "PRACK"), 1u) << s.story();
    EXPECT_EQ(s.alice.count(K::ringing), 1u);
    answer(s.bob);
    ASSERT_TRUE(s.until(s.alice, K::answered, 1s)) << s.story();
    s.alice.give(in::HangUp{.account = {}, .call = s.dialled});
    EXPECT_TRUE(s.until(s.bob, K::call_ended, 1s)) << s.story();
}

// RFC 3261 §13.3.1.1: nobody answers; the call ends on both sides, with a reason.
TEST(Calls, NobodyAnswers) {
    CallsWorld s;
    ASSERT_TRUE(s.everyone_registers()) << s.story();
    s.cluster.node(0).options().branch_timeout = 10min;
    s.dial(s.alice, "bob", {.no_answer = 45s});
    ASSERT_TRUE(s.until(s.alice, K::call_ended, 50s)) << s.story();
    EXPECT_EQ(last(s.alice, K::call_ended)->reason, "no answer");
    ASSERT_TRUE(s.until(s.bob, K::call_ended, 1s)) << s.story();
    EXPECT_EQ(last(s.bob, K::call_ended)->reason, "the caller hung up");
}

// What cannot be called is said at once, in words.
TEST(Calls, WhatCannotBeCalled) {
    CallsWorld s;
    ASSERT_TRUE(s.everyone_registers()) << s.story();
    const auto refused = [&](in::Dial dial) {
        const auto before = s.alice.count(K::call_ended);
        s.alice.give(dial);
        return s.alice.count(K::call_ended) == before + 1 ? last(s.alice, K::call_ended)->reason
                                                          : std::string("not refused");
    };
    const in::Dial good{.account = Phone::account,
                        .call = CallRef{7},
                        .uri = "sip:bob@example.test",
                        .streams = s.alice.audio()};
    auto bad = good;
    bad.uri = "bob at example";
    EXPECT_EQ(refused(bad), "\"bob at example\" is no address that can be called");
    bad = good;
    bad.account = AccountId{9};
    EXPECT_EQ(refused(bad), "no such account");
    bad = good;
    bad.streams.clear();
    EXPECT_EQ(refused(bad), "there is no media to call with");
    bad = good;
    bad.call = {};
    EXPECT_EQ(refused(bad), "the call's number is none that may be chosen");
    bad = good;
    bad.uri = "sip:nobody@example.test";
    s.alice.give(bad);
    ASSERT_TRUE(s.until(s.alice, K::call_ended, 2s, 5)) << s.story();
    EXPECT_EQ(last(s.alice, K::call_ended)->status, 480);
}

}  // namespace
}  // namespace holdfast::lab
