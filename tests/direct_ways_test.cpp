// Direct calls whose way fails while others live: what ends then, what goes on, and what is tried
// (registration/direct.h).
//   RFC 3263 §4.3, RFC 3323 §4.1; rules L1, F2, F3. Not tested here: one fault alone
//   (direct_calls_test.cpp).
#include <string>

#include "tests/direct_world.h"

namespace holdfast::lab {
namespace {

using K = EventKind;

void hang_up(Phone& phone) {
    phone.give(in::HangUp{.account = Phone::account, .call = direct_call});
}
void forget_account(Phone& phone) { phone.give(in::RemoveAccount{Phone::account}); }

// RFC 3261 §12.1.2: the proxy is not in the dialog's route set, so the call does not need it; one
// that is dialled after it has gone ends.
TEST(DirectWays, AServerThatTheCallDoesNotNeedMayGo) {
    DomainWorld s({.nodes = 1, .record_route = false}, Transport::tcp);
    ASSERT_TRUE(s.talks()) << s.story();
    s.node(0).refuse();
    ASSERT_TRUE(s.until(s.carol, K::not_connected, 40s)) << s.story();
    s.world.run_for(10s);
    EXPECT_EQ(s.carol.count(K::call_ended) + s.bob.count(K::call_ended), 0u) << s.story();
    hang_up(s.carol);
    ASSERT_TRUE(s.until(s.bob, K::call_ended, 2s)) << s.story();
    EXPECT_EQ(last(s.bob, K::call_ended)->reason, "the other side hung up") << s.story();
}

// An answered call whose server is not asked any more does not end because another INVITE is
// refused, or was: carol has called, been answered, and calls again where nobody listens now.
TEST(DirectWays, AnIcmpEndsOnlyWhatIsUnheard) {
    for (const bool hangs_up_first : {false, true}) {
        DomainWorld s({.nodes = 1, .record_route = false}, Transport::udp);
        ASSERT_TRUE(s.talks()) << s.story();
        const CallRef second{2};
        if (hangs_up_first)
            s.node(0).silence();
        else
            s.node(0).refuse();
        dial_direct(s.carol, DomainWorld::to, Phone::account, second);
        if (hangs_up_first) {  // K1's CRLF, later, gets the ICMP
            s.world.run_for(300ms);
            s.carol.give(in::HangUp{.account = Phone::account, .call = second});
            s.world.run_for(100ms);
            s.node(0).heal();
            s.node(0).refuse();
        }
        s.world.run_for(2min);
        ASSERT_EQ(s.carol.count(K::call_ended), 1u) << s.story();
        EXPECT_EQ(last(s.carol, K::call_ended)->call, second);
        EXPECT_EQ(last(s.carol, K::call_ended)->status, hangs_up_first ? 487 : 503);
        EXPECT_EQ(s.bob.count(K::call_ended), 0u) << s.story();
    }
}

// F3: nobody waits for a server's answer any more, so it is not left for its silence.
TEST(DirectWays, WhoHangsUpWaitsForNobody) {
    DomainWorld s;
    ASSERT_TRUE(s.everyone_but_her());
    s.node(0).silence();
    ASSERT_TRUE(s.begins()) << s.story();
    s.world.run_for(300ms);
    hang_up(s.carol);
    s.world.run_for(5s);
    EXPECT_EQ(s.carol.count(K::connected), 1u) << s.story();
}

// A domain with two servers, in this order: the second one's address comes half a second late.
class SlowDnsWorld : public DomainWorld {
public:
    explicit SlowDnsWorld(Transport transport)
        : DomainWorld({.transport = transport, .nodes = 2}, transport) {
        for (std::size_t i = 0; i < 2; ++i) world.dns().a(name(i), {cluster.addresses().at(i)});
        const std::string service = transport == Transport::udp ? "_sip._udp." : "_sip._tcp.";
        world.dns().srv(service + "example.test",
                        {{.priority = 1, .port = 5060, .target = name(0)},
                         {.priority = 2, .port = 5060, .target = name(1)}});
    }
    void be_slow() { world.dns().fail(name(1), {.delay = 500ms}); }
    Registrar& first() { return world.node_at(target(0)); }
    Target target(std::size_t place) {
        return {options.transport, {cluster.addresses().at(place), 5060}};
    }

private:
    static std::string name(std::size_t i) {
        return "host" + std::to_string(i + 1) + ".example.test";
    }
};

// L1, RFC 3263 §4.3: half an answer of DNS serves while the rest is on its way, and when it is of
// no use, that rest is waited for: the connection is refused, ICMP comes, or 503.
TEST(DirectWays, WhatDnsHasStillToSayIsWaitedFor) {
    for (const auto transport : {Transport::tcp, Transport::udp})
        for (const bool refused : {true, false}) {
            SlowDnsWorld s(transport);
            ASSERT_TRUE(s.everyone_but_her());
            if (refused)
                s.first().refuse();
            else
                s.first().answer_with(503);
            s.world.run_for(10min);  // bob is with the other
            s.be_slow();
            const auto began = s.world.now();
            s.carol.start();
            if (transport == Transport::tcp && refused) {
                ASSERT_TRUE(s.until(s.carol, K::connected, 2s)) << s.story();
                EXPECT_EQ(last(s.carol, K::connected)->target, s.target(1));
                EXPECT_LE(s.world.now() - began, 700ms) << s.story();
            } else {
                ASSERT_TRUE(s.until(s.carol, K::connected, 500ms)) << s.story();
                EXPECT_EQ(last(s.carol, K::connected)->target, s.target(0));
            }
            dial_direct(s.carol, DomainWorld::to);
            ASSERT_TRUE(s.until(s.bob, K::ring, 1s)) << s.story();
            EXPECT_LE(s.world.now() - began, 800ms) << s.story();
            EXPECT_EQ(s.carol.count(K::not_connected), 0u) << s.story();
        }
}

// The rest of the answer brings nobody: the call ends with what was said last.
TEST(DirectWays, WhatDnsHasStillToSayIsNothing) {
    SlowDnsWorld s(Transport::tcp);
    ASSERT_TRUE(s.everyone_but_her());
    s.first().refuse();
    s.world.run_for(10min);
    s.world.dns().fail("host2.example.test", {.status = dns::Status::servfail, .delay = 500ms});
    s.carol.start();
    ASSERT_TRUE(s.until(s.carol, K::not_connected, 2s)) << s.story();
    EXPECT_NE(last(s.carol, K::not_connected)->reason.find("refused"), std::string::npos)
        << s.story();
}

// RFC 3263 §4.3: each server is tried, however many have refused; when all have, their word ends
// the call.
TEST(DirectWays, TheSixthServerIsTriedToo) {
    for (const bool by_503 : {true, false})
        for (const bool all : {false, true}) {
            DomainWorld s({.nodes = 6}, Transport::udp);
            ASSERT_TRUE(s.everyone_but_her());
            for (std::size_t i = 0; i < (all ? 6 : 5); ++i)
                if (by_503)
                    s.node(i).answer_with(503);
                else
                    s.node(i).refuse();
            if (!all) s.world.run_for(10min);  // bob is with the last one
            ASSERT_TRUE(s.begins()) << s.story();
            if (!all) {
                ASSERT_TRUE(s.until(s.bob, K::ring, 1s)) << s.story();
                continue;
            }
            ASSERT_TRUE(s.until(s.carol, K::call_ended, 1s)) << s.story();
            EXPECT_EQ(last(s.carol, K::call_ended)->status, 503) << s.story();
            EXPECT_EQ(requests(s.carol, "INVITE"), 6u) << s.story();
        }
}

// RegisterNow asks DNS again, whatever it has said, and goes by what it says then.
TEST(DirectWays, DnsThatFailedIsAskedAgain) {
    DomainWorld s;
    ASSERT_TRUE(s.everyone_but_her());
    s.carol.fail_dns({.status = dns::Status::servfail});
    s.carol.start();
    ASSERT_TRUE(s.until(s.carol, K::not_connected, 15s)) << s.story();
    s.world.run_for(1min);
    s.carol.heal_dns();
    s.carol.give(in::RegisterNow{Phone::account});
    ASSERT_TRUE(s.until(s.carol, K::connected, 2s)) << s.story();
    EXPECT_EQ(s.carol.count(K::not_connected), 1u) << s.story();
    dial_direct(s.carol, DomainWorld::to);
    ASSERT_TRUE(s.until(s.bob, K::ring, 1s)) << s.story();
}

// Who leaves goes nowhere any more, not even where a connection is being opened meanwhile.
TEST(DirectWays, WhoLeavesDoesNotComeBack) {
    DomainWorld s({.transport = Transport::tcp, .nodes = 3, .one_way_delay = 100ms},
                  Transport::tcp);
    ASSERT_TRUE(s.everyone_but_her());
    s.node(0).mute();  // it takes the connection, and answers nothing
    ASSERT_TRUE(s.begins()) << s.story();
    s.world.run_for(1100ms);  // F3: another connection is on its way
    ASSERT_EQ(s.carol.count(K::connected), 1u) << s.story();
    forget_account(s.carol);
    s.carol.give(in::RegisterNow{Phone::account});
    s.world.run_for(5s);
    EXPECT_EQ(s.carol.count(K::connected), 1u) << s.story();
}

// RFC 3323 §4.1: who withholds the number shows it in no header, nor in the Contact.
TEST(DirectWays, AWithheldNumberIsInNoContact) {
    for (const auto number : {call::Number::shown, call::Number::withheld}) {
        AddressWorld s;
        auto& alice = s.world.add_phone({.aor = "sip:alice@0.0.0.0",
                                         .direct_to = AddressWorld::uri_of(s.bob),
                                         .takes_calls = true,
                                         .record = true,
                                         .name = "alice"});
        ASSERT_TRUE(s.until(alice, K::connected)) << s.story();
        alice.give(in::Dial{.account = Phone::account,
                            .call = direct_call,
                            .uri = AddressWorld::uri_of(s.bob),
                            .streams = alice.audio(),
                            .options = {.number = number}});
        ASSERT_TRUE(s.until(s.bob, K::ring)) << s.story();
        answer(s.bob);
        ASSERT_TRUE(s.until(alice, K::answered)) << s.story();
        const auto says = [&](const std::string& text) {
            return alice.recording().find("Contact: <sip:" + text + "@") != std::string::npos;
        };
        const bool withheld = number == call::Number::withheld;
        EXPECT_EQ(says("anonymous"), withheld) << s.story();
        EXPECT_EQ(says("alice"), !withheld) << s.story();
        s.bob.give(in::HangUp{.account = {}, .call = rung(s.bob)});
        ASSERT_TRUE(s.until(alice, K::call_ended)) << s.story();
    }
}

}  // namespace
}  // namespace holdfast::lab
