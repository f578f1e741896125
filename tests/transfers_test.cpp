// Calls that are handed on, end to end: three phones through a proxy, in virtual time (RFC 3515,
// RFC 3891, RFC 3892). What an application does when it is asked, a test does here.
#include "tests/calls_world.h"

namespace holdfast::lab {
namespace {

using K = EventKind;

class TransfersWorld : public CallsWorld {
public:
    explicit TransfersWorld(const CallsOptions& given = {})
        : CallsWorld(given), carol(add("carol")) {}
    // Bob is asked by Alice, and does what he is asked.
    bool follow(Phone& phone, CallRef of, Duration limit = 2s) {
        if (!until(phone, K::referred, limit)) return false;
        phone.give(in::Dial{.account = Phone::account,
                            .call = followed,
                            .uri = last(phone, K::referred)->contact,
                            .streams = phone.audio(),
                            .options = {},
                            .referred_by = of});
        return true;
    }
    // Alice has two calls: Bob called her... no: she called Bob, and then Carol.
    bool two_calls() {
        if (!talk()) return false;
        alice.give(in::Hold{dialled});
        alice.give(in::Dial{.account = Phone::account,
                            .call = second,
                            .uri = "sip:carol@example.test",
                            .streams = alice.audio(42'000)});
        return until(carol, K::ring, 2s);
    }
    // The texts of what a phone got, as the ladder has them.
    [[nodiscard]] bool ended(const Phone& phone, CallRef call) const {
        for (const auto& [at, event] : phone.events())
            if (event.kind == K::call_ended && event.call == call) return true;
        return false;
    }

    const CallRef followed{7};
    const CallRef second{2};
    Phone& carol;
};

// RFC 3515 §2.4: Alice hands Bob on to Carol. Bob's call to her is Alice's to see: it rings, it is
// answered; then her own ends, and Bob and Carol talk.
TEST(Transfers, Blind) {
    for (const auto transport : {Transport::udp, Transport::tls})
        for (const bool nat : {false, true}) {
            TransfersWorld s({.transport = transport, .nat = nat, .challenges = true});
            ASSERT_TRUE(s.talk()) << s.story();
            s.alice.give(in::Transfer{s.dialled, "sip:carol@example.test"});
            ASSERT_TRUE(s.follow(s.bob, rung(s.bob))) << s.story();
            EXPECT_EQ(last(s.bob, K::referred)->contact, "sip:carol@example.test");
            EXPECT_EQ(last(s.bob, K::referred)->reason, "sip:alice@example.test");
            ASSERT_TRUE(s.until(s.carol, K::ring, 2s)) << s.story();
            s.world.run_for(3s);
            EXPECT_EQ(last(s.alice, K::transferring)->status, 180) << s.story();
            EXPECT_FALSE(s.ended(s.alice, s.dialled)) << "not before Carol has answered";
            answer(s.carol);
            ASSERT_TRUE(s.until(s.alice, K::transferred, 2s)) << s.story();
            EXPECT_EQ(last(s.alice, K::transferred)->status, 200);
            s.world.run_for(1s);
            EXPECT_TRUE(s.ended(s.alice, s.dialled)) << s.story();
            EXPECT_EQ(s.bob.count(K::call_ended), 1U) << "of the call with Alice";
            EXPECT_TRUE(sound(s.carol)) << s.story();
            EXPECT_EQ(requests(s.alice, "BYE"), 1U);
            EXPECT_NE(s.world.ladder().find("NOTIFY"), std::string::npos);
            s.bob.give(in::HangUp{.account = {}, .call = s.followed});
            ASSERT_TRUE(s.until(s.carol, K::call_ended, 2s)) << s.story();
        }
}

// The target is busy: everybody is as before, and Alice knows why.
TEST(Transfers, BlindToOneWhoIsBusy) {
    TransfersWorld s;
    ASSERT_TRUE(s.talk()) << s.story();
    s.alice.give(in::Transfer{s.dialled, "sip:carol@example.test"});
    ASSERT_TRUE(s.follow(s.bob, rung(s.bob))) << s.story();
    ASSERT_TRUE(s.until(s.carol, K::ring, 2s)) << s.story();
    s.carol.give(in::Reject{rung(s.carol), 486});
    ASSERT_TRUE(s.until(s.alice, K::transfer_failed, 3s)) << s.story();
    EXPECT_EQ(last(s.alice, K::transfer_failed)->status, 486);
    EXPECT_EQ(last(s.alice, K::transfer_failed)->reason, "Busy Here");
    s.world.run_for(60s);
    EXPECT_FALSE(s.ended(s.alice, s.dialled)) << s.story();
    EXPECT_TRUE(sound(s.alice));
}

// Who does not want to be handed on (follows_transfers) says so at once, and does not call.
TEST(Transfers, NobodyFollows) {
    TransfersWorld s;
    ASSERT_TRUE(s.talk()) << s.story();
    s.alice.give(in::Transfer{s.dialled, "sip:carol@example.test"});
    ASSERT_TRUE(s.until(s.bob, K::referred, 2s)) << s.story();
    ASSERT_TRUE(s.until(s.alice, K::transfer_failed, 12s)) << s.story();
    EXPECT_EQ(last(s.alice, K::transfer_failed)->status, 603);
    // Too late, and nobody else's to dial either.
    s.follow(s.bob, rung(s.bob));
    ASSERT_TRUE(s.until(s.bob, K::call_ended, 2s)) << s.story();
    EXPECT_EQ(last(s.bob, K::call_ended)->call, s.followed);
    EXPECT_EQ(last(s.bob, K::call_ended)->reason, "nobody asks for this call any more");
    EXPECT_EQ(s.carol.count(K::ring), 0U);
}

// RFC 3891 §3, §6.1; RFC 3515: Alice talks with Bob, asks Carol, and brings the two together. Carol
// is rung by nobody: her call goes on with Bob.
TEST(Transfers, Attended) {
    for (const bool nat : {false, true}) {
        TransfersWorld s({.nat = nat, .challenges = true});
        ASSERT_TRUE(s.two_calls()) << s.story();
        answer(s.carol);
        ASSERT_TRUE(s.until(s.alice, K::answered, 2s, 2)) << s.story();
        s.world.run_for(1s);
        s.alice.give(in::TransferTo{s.dialled, s.second});
        ASSERT_TRUE(s.follow(s.bob, rung(s.bob))) << s.story();
        ASSERT_TRUE(s.until(s.carol, K::replaced, 2s)) << s.story();
        const auto replaced = *last(s.carol, K::replaced);
        EXPECT_EQ(replaced.other, rung(s.carol));
        EXPECT_EQ(replaced.reason, "sip:bob@example.test");
        EXPECT_EQ(s.carol.count(K::ring), 1U) << "the one that Alice made";
        EXPECT_FALSE(s.ended(s.carol, replaced.other)) << "not before the new one is answered";
        s.carol.give(in::Answer{replaced.call, s.carol.audio(52'000)});
        ASSERT_TRUE(s.until(s.alice, K::transferred, 3s)) << s.story();
        s.world.run_for(1s);
        EXPECT_TRUE(s.ended(s.carol, replaced.other)) << s.story();
        EXPECT_TRUE(s.ended(s.alice, s.dialled)) << s.story();
        EXPECT_TRUE(s.ended(s.alice, s.second)) << s.story();
        EXPECT_EQ(s.carol.count(K::call_ended), 1U);
        EXPECT_EQ(s.bob.count(K::call_ended), 1U);
        s.world.run_for(60s);
        EXPECT_FALSE(s.ended(s.carol, replaced.call)) << s.story();
        EXPECT_FALSE(s.ended(s.bob, s.followed)) << s.story();
    }
}

// Carol only rings: Alice's call to her is given up, and Bob's rings instead (RFC 3891 §4).
TEST(Transfers, WhileItRings) {
    TransfersWorld s;
    ASSERT_TRUE(s.two_calls()) << s.story();
    s.world.run_for(1s);
    s.alice.give(in::TransferTo{s.dialled, s.second});
    ASSERT_TRUE(s.follow(s.bob, rung(s.bob))) << s.story();
    ASSERT_TRUE(s.until(s.carol, K::ring, 2s, 2)) << s.story();
    EXPECT_TRUE(s.ended(s.alice, s.second)) << s.story();
    EXPECT_EQ(s.carol.count(K::call_ended), 1U) << "the one that Alice made";
    answer(s.carol);
    ASSERT_TRUE(s.until(s.alice, K::transferred, 3s)) << s.story();
}

// What cannot be transferred is said, and nothing is sent.
TEST(Transfers, WordsForWhatCannotBe) {
    TransfersWorld s;
    ASSERT_TRUE(s.talk()) << s.story();
    const auto why = [&](auto&& input) {
        s.alice.give(input);
        s.world.run_for(100ms);
        const auto* const event = last(s.alice, K::transfer_failed);
        return event == nullptr ? std::string{} : event->reason;
    };
    EXPECT_EQ(why(in::Transfer{s.dialled, "mailto:carol@example.test"}),
              "\"mailto:carol@example.test\" is no address that can be called");
    EXPECT_EQ(why(in::TransferTo{s.dialled, CallRef{99}}), "there is no such other call");
    EXPECT_EQ(why(in::TransferTo{s.dialled, s.dialled}), "there is no such other call");
    EXPECT_EQ(requests(s.alice, "REFER"), 0U);
}

// A call is transferred once at a time: the call to Carol rings on, which the second transfer would
// have given up for its own sake.
TEST(Transfers, OneAtATime) {
    TransfersWorld s;
    ASSERT_TRUE(s.two_calls()) << s.story();
    s.alice.give(in::Transfer{s.dialled, "sip:dave@example.test"});
    s.alice.give(in::TransferTo{s.dialled, s.second});
    s.world.run_for(1s);
    ASSERT_NE(last(s.alice, K::notice), nullptr) << s.story();
    EXPECT_EQ(last(s.alice, K::notice)->reason, "a transfer is under way already");
    EXPECT_FALSE(s.ended(s.alice, s.second)) << s.story();
    EXPECT_EQ(requests(s.alice, "REFER"), 1U);
}

// L8: Alice's network changes while Carol rings: the reports reach her at her new address, and the
// transfer comes about as if nothing had been.
TEST(Transfers, WhoAskedMovesMeanwhile) {
    for (const auto transport : {Transport::udp, Transport::tcp}) {
        TransfersWorld s({.transport = transport});
        ASSERT_TRUE(s.talk()) << s.story();
        s.alice.give(in::Transfer{s.dialled, "sip:carol@example.test"});
        ASSERT_TRUE(s.follow(s.bob, rung(s.bob))) << s.story();
        ASSERT_TRUE(s.until(s.carol, K::ring, 2s)) << s.story();
        s.world.run_for(3s);
        s.alice.change_address({*IpAddress::parse("10.0.0.77")});
        s.world.run_for(5s);
        answer(s.carol);
        ASSERT_TRUE(s.until(s.alice, K::transferred, 3s)) << s.story();
        s.world.run_for(1s);
        EXPECT_TRUE(s.ended(s.alice, s.dialled)) << s.story();
        EXPECT_EQ(s.bob.count(K::call_ended), 1U) << s.story();
        EXPECT_TRUE(sound(s.carol)) << s.story();
    }
}

// L8: Bob's network changes while Carol rings: his call to her ends, for its answer cannot come any
// more; that is said to Alice over his new way, and they talk on.
TEST(Transfers, WhoIsTransferredMovesMeanwhile) {
    for (const auto transport : {Transport::udp, Transport::tcp}) {
        TransfersWorld s({.transport = transport});
        ASSERT_TRUE(s.talk()) << s.story();
        s.alice.give(in::Transfer{s.dialled, "sip:carol@example.test"});
        ASSERT_TRUE(s.follow(s.bob, rung(s.bob))) << s.story();
        ASSERT_TRUE(s.until(s.carol, K::ring, 2s)) << s.story();
        s.world.run_for(3s);
        s.bob.change_address({*IpAddress::parse("10.0.0.77")});
        ASSERT_TRUE(s.until(s.bob, K::call_ended, 1s)) << s.story();
        ASSERT_TRUE(s.until(s.alice, K::transfer_failed, 10s)) << s.story();
        EXPECT_EQ(last(s.alice, K::transfer_failed)->status, 408) << s.story();
        s.world.run_for(10s);
        EXPECT_FALSE(s.ended(s.alice, s.dialled)) << s.story();
        s.bob.give(in::HangUp{.account = {}, .call = rung(s.bob)});
        EXPECT_TRUE(s.until(s.alice, K::call_ended, 2s)) << s.story();
    }
}

// F3, L8: the server is dead when Alice asks. Nobody knows whether it has passed the REFER on; it
// is not said twice, the call goes on over the next server, and she may ask again.
TEST(Transfers, TheServerIsSilent) {
    TransfersWorld s({.nodes = 2, .stands_in = true});
    ASSERT_TRUE(s.talk()) << s.story();
    const auto dead = *s.alice.current_target();
    s.world.node_at(dead).silence();
    s.alice.give(in::Transfer{s.dialled, "sip:carol@example.test"});
    ASSERT_TRUE(s.until(s.alice, K::transfer_failed, 100s)) << s.story();
    EXPECT_NE(s.alice.current_target(), dead) << s.story();
    s.world.run_for(60s);
    EXPECT_FALSE(s.ended(s.alice, s.dialled)) << s.story();
    EXPECT_EQ(s.bob.count(K::referred), 0U) << s.story();
    s.alice.give(in::Transfer{s.dialled, "sip:carol@example.test"});
    ASSERT_TRUE(s.follow(s.bob, rung(s.bob))) << s.story();
    ASSERT_TRUE(s.until(s.carol, K::ring, 2s)) << s.story();
    answer(s.carol);
    EXPECT_TRUE(s.until(s.alice, K::transferred, 3s)) << s.story();
}

// The other side never says what becomes of it, or is gone.
TEST(Transfers, TheOtherSideFallsSilent) {
    TransfersWorld s;
    ASSERT_TRUE(s.talk()) << s.story();
    s.cluster.silence();
    s.alice.give(in::Transfer{s.dialled, "sip:carol@example.test"});
    ASSERT_TRUE(s.until(s.alice, K::transfer_failed, 33s)) << s.story();
    EXPECT_TRUE(s.ended(s.alice, s.dialled)) << "RFC 3261 §12.2.1.2";
}

}  // namespace
}  // namespace holdfast::lab
