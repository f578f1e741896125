// Calls without an account (registration/direct.h): to an address, to a domain whose servers fail
// in one way or another, over a connection that is lost; and who else is heard meanwhile.
//   RFC 3263 §4, RFC 3261 §8.1, §12.2; rules L1, F2, F3, L8, §11 of the design. Not tested here:
//   sound, which is agreed on as in any call (calls_test.cpp).
#include <memory>
#include <string>

#include "tests/direct_world.h"

namespace holdfast::lab {
namespace {

using K = EventKind;

// RFC 3261 §8.1: from phone to phone, without a server; either side may hang up. From is our own
// address, and nobody is asked anything but the call.
TEST(DirectCalls, ToAnAddress) {
    for (const bool bob_hangs_up : {false, true}) {
        AddressWorld s;
        auto& alice = s.add_alice(AddressWorld::uri_of(s.bob));
        ASSERT_TRUE(s.talk(alice)) << s.story();
        EXPECT_EQ(last(s.bob, K::ring)->reason,
                  "sip:alice@" + alice.addresses().front().to_string());
        ASSERT_TRUE(sound(alice) && sound(s.bob));
        s.world.run_for(5min);
        EXPECT_EQ(alice.count(K::call_ended) + s.bob.count(K::call_ended), 0u) << s.story();
        auto& first = bob_hangs_up ? s.bob : alice;
        auto& second = bob_hangs_up ? alice : s.bob;
        first.give(in::HangUp{.account = {}, .call = bob_hangs_up ? rung(s.bob) : direct_call});
        ASSERT_TRUE(s.until(second, K::call_ended)) << s.story();
        EXPECT_EQ(last(second, K::call_ended)->reason, "the other side hung up");
        for (const auto* const method : {"REGISTER", "OPTIONS"})
            EXPECT_EQ(requests(alice, method), 0u) << s.story();
    }
}

// N1, N2: the mapping that the answers show is told the other side, whose BYE then gets through.
TEST(DirectCalls, FromBehindANat) {
    AddressWorld s;
    auto& nat = s.world.add_nat({.mapping = Dependence::address_and_port_dependent,
                                 .filtering = Dependence::address_and_port_dependent});
    auto& alice = s.add_alice(AddressWorld::uri_of(s.bob), "alice", &nat);
    ASSERT_TRUE(s.talk(alice)) << s.story();
    s.world.run_for(5min);  // K1: the NAT has not forgotten us
    s.bob.give(in::HangUp{.account = {}, .call = rung(s.bob)});
    ASSERT_TRUE(s.until(alice, K::call_ended)) << s.story();
    EXPECT_EQ(requests(alice, "OPTIONS"), 0u) << s.story();
}

// Each finds its own way, and neither disturbs the other.
TEST(DirectCalls, TwoAtOnce) {
    AddressWorld s;
    auto& carol = s.add_bob("carol");
    s.world.run_for(1s);
    auto& alice = s.add_alice(AddressWorld::uri_of(s.bob));
    ASSERT_TRUE(s.talk(alice)) << s.story();
    registration::AccountConfig second;
    second.aor = "sip:alice@0.0.0.0";
    second.direct_to = AddressWorld::uri_of(carol);
    second.takes_calls = true;
    alice.give(in::AddAccount{AccountId{2}, second});
    s.world.run_for(100ms);
    dial_direct(alice, AddressWorld::uri_of(carol), AccountId{2}, CallRef{2});
    ASSERT_TRUE(s.until(carol, K::ring)) << s.story();
    answer(carol);
    ASSERT_TRUE(s.until(carol, K::answered)) << s.story();
    s.world.run_for(1s);
    alice.give(in::RemoveAccount{AccountId{2}});
    ASSERT_TRUE(s.until(carol, K::call_ended)) << s.story();
    s.world.run_for(40s);
    EXPECT_EQ(s.bob.count(K::call_ended), 0u) << s.story();
    s.bob.give(in::HangUp{.account = {}, .call = rung(s.bob)});
    ASSERT_TRUE(s.until(alice, K::call_ended)) << s.story();
}

// §11: whoever is not in the dialog is dropped unanswered, be it the callee with another call.
TEST(DirectCalls, AStrangerIsNotHeard) {
    AddressWorld s;
    auto& alice = s.add_alice(AddressWorld::uri_of(s.bob));
    ASSERT_TRUE(s.talk(alice)) << s.story();
    auto& mallory = s.add_alice(AddressWorld::uri_of(alice), "mallory");
    s.world.run_for(100ms);
    dial_direct(mallory, AddressWorld::uri_of(alice));
    ASSERT_TRUE(s.until(mallory, K::call_ended, 40s)) << s.story();
    EXPECT_EQ(last(mallory, K::call_ended)->status, 408) << s.story();
    EXPECT_EQ(alice.count(K::ring), 0u) << s.story();
    EXPECT_EQ(alice.count(K::call_ended), 0u) << s.story();
    registration::AccountConfig back;  // from the very port that alice talks to
    back.aor = "sip:bob@0.0.0.0";
    back.direct_to = AddressWorld::uri_of(alice);
    back.takes_calls = true;
    s.bob.give(in::AddAccount{AccountId{2}, back});
    s.world.run_for(100ms);
    dial_direct(s.bob, AddressWorld::uri_of(alice), AccountId{2}, CallRef{2});
    s.world.run_for(40s);
    EXPECT_EQ(alice.count(K::ring), 0u) << s.story();
    ASSERT_EQ(s.bob.count(K::call_ended), 1u) << s.story();
    EXPECT_EQ(last(s.bob, K::call_ended)->status, 408) << s.story();
}

// F3: who is slow is not given up while nobody else is there; the address says no transport, so TCP
// and TLS are tried meanwhile.
TEST(DirectCalls, WhoIsSlowIsWaitedFor) {
    for (const auto delay : {700ms, 1600ms}) {
        AddressWorld s(delay);
        auto& alice = s.add_alice(AddressWorld::uri_of(s.bob));
        ASSERT_TRUE(s.until(alice, K::connected)) << s.story();
        dial_direct(alice, AddressWorld::uri_of(s.bob));
        ASSERT_TRUE(s.until(s.bob, K::ring, 10s)) << s.story();
        answer(s.bob);
        ASSERT_TRUE(s.until(alice, K::answered, 10s)) << s.story();
        s.world.run_for(60s);
        EXPECT_EQ(requests(alice, "INVITE"), 1u) << s.story();
        EXPECT_EQ(s.bob.count(K::call_ended), 0u) << s.story();
    }
}

// F2: ICMP says that nobody listens there: the call ends at once, and says so.
TEST(DirectCalls, NobodyListensThere) {
    AddressWorld s;
    s.bob.crash();
    auto& alice = s.add_alice("sip:bob@" + s.bob.addresses().front().to_string() + ":9");
    s.world.run_for(100ms);
    dial_direct(alice, "sip:bob@" + s.bob.addresses().front().to_string() + ":9");
    ASSERT_TRUE(s.until(alice, K::call_ended, 200ms)) << s.story();
    EXPECT_EQ(last(alice, K::call_ended)->status, 503) << s.story();
    EXPECT_NE(last(alice, K::call_ended)->reason.find("refused"), std::string::npos) << s.story();
}

// RFC 3263 §4.1: a name that is none. Nobody can be called, and the reason is told.
TEST(DirectCalls, NoSuchDomain) {
    AddressWorld s;
    auto& alice = s.add_alice("sip:bob@no-such-name.test");
    ASSERT_TRUE(s.until(alice, K::not_connected, 5s)) << s.story();
    EXPECT_NE(last(alice, K::not_connected)->reason.find("does not exist"), std::string::npos)
        << s.story();
    dial_direct(alice, "sip:bob@no-such-name.test");
    ASSERT_EQ(alice.count(K::call_ended), 1u) << s.story();
    s.world.run_for(1h);
    EXPECT_EQ(requests(alice, "INVITE"), 0u) << s.story();
}

// F3: the first server is silent. The INVITE goes to the next one after 1 s, with the same Call-ID;
// what the first one says late rings nowhere.
TEST(DirectCalls, ASilentServerIsLeftWithinPatience) {
    DomainWorld s;
    ASSERT_TRUE(s.everyone_but_her());
    auto& dead = s.node(0);
    dead.silence();
    s.world.run_for(1min);  // bob is with another, if he was there
    ASSERT_TRUE(s.begins()) << s.story();
    const auto began = s.world.now();
    ASSERT_TRUE(s.until(s.bob, K::ring, 2s)) << s.story();
    EXPECT_GE(s.world.now() - began, 1s);
    EXPECT_LE(s.world.now() - began, 1s + 100ms) << s.story();
    dead.heal();
    answer(s.bob);
    ASSERT_TRUE(s.until(s.carol, K::answered, 2s)) << s.story();
    s.world.run_for(60s);
    EXPECT_EQ(s.carol.count(K::answered), 1u) << s.story();
    EXPECT_EQ(s.carol.count(K::call_ended), 0u) << s.story();
    s.carol.give(in::HangUp{.account = {}, .call = direct_call});
    ASSERT_TRUE(s.until(s.bob, K::call_ended, 2s)) << s.story();
}

// RFC 3263 §4.3: 503 means the next one, though a 100 came before.
TEST(DirectCalls, AServerThatSays503IsLeftAtOnce) {
    for (const auto transport : {Transport::udp, Transport::tcp}) {
        DomainWorld s(transport);
        ASSERT_TRUE(s.everyone_but_her());
        s.node(0).answer_with(503);
        s.world.run_for(5min);  // bob is with another, if he was there
        ASSERT_TRUE(s.begins()) << s.story();
        ASSERT_TRUE(s.until(s.bob, K::ring, 300ms)) << s.story();
    }
}

// All of them say so: the call ends with the last one's word.
TEST(DirectCalls, EveryServerSays503) {
    DomainWorld s;
    ASSERT_TRUE(s.everyone_but_her());
    for (std::size_t i = 0; i < 3; ++i) s.node(i).answer_with(503);
    ASSERT_TRUE(s.begins()) << s.story();
    ASSERT_TRUE(s.until(s.carol, K::call_ended, 1s)) << s.story();
    EXPECT_EQ(last(s.carol, K::call_ended)->status, 503) << s.story();
    EXPECT_EQ(requests(s.carol, "INVITE"), 3u) << s.story();
}

// F2, F4: refused connections cost nothing, silent ones 250 ms each.
TEST(DirectCalls, ConnectionsThatFail) {
    for (const bool silent : {false, true}) {
        DomainWorld s(Transport::tcp);
        ASSERT_TRUE(s.everyone_but_her());
        for (std::size_t i = 0; i < 2; ++i) silent ? s.node(i).silence() : s.node(i).refuse();
        const auto third = s.carol.ranking().at(2);
        s.carol.start();
        const auto began = s.world.now();
        ASSERT_TRUE(s.until(s.carol, K::connected, 2s)) << s.story();
        EXPECT_LE(s.world.now() - began, silent ? 700ms : 200ms) << s.story();
        EXPECT_EQ(last(s.carol, K::connected)->target, third);
    }
    DomainWorld s(Transport::tcp);
    ASSERT_TRUE(s.everyone_but_her());
    for (std::size_t i = 0; i < 3; ++i) s.node(i).refuse();
    s.carol.start();
    ASSERT_TRUE(s.until(s.carol, K::not_connected, 2s)) << s.story();
    EXPECT_EQ(s.carol.count(K::notice), 2u) << s.story();
}

// L8: the connection under a call is opened again, and the BYE goes over it; if it cannot be, the
// call ends when 1 + 2 + 4 + 8 + 16 s were in vain.
TEST(DirectCalls, AConnectionThatIsLost) {
    for (const bool comes_back : {true, false}) {
        // One in which she and bob are with different servers.
        std::unique_ptr<DomainWorld> world;
        for (std::uint64_t seed = 1; seed < 20; ++seed) {
            world = std::make_unique<DomainWorld>(Transport::tcp, seed);
            ASSERT_TRUE(world->everyone_but_her());
            if (world->carol.ranking().front() != world->bob.current_target()) break;
        }
        DomainWorld& s = *world;
        ASSERT_TRUE(s.talks()) << s.story();
        ASSERT_TRUE(s.carol.current_target()) << s.story();
        ASSERT_NE(s.carol.current_target(), s.bob.current_target());
        auto& node = s.world.node_at(*s.carol.current_target());
        if (comes_back)
            node.restart(false);
        else
            node.refuse();
        const auto lost = s.world.now();
        if (!comes_back) {
            ASSERT_TRUE(s.until(s.carol, K::call_ended, 40s)) << s.story();
            EXPECT_GE(s.world.now() - lost, 31s);
            EXPECT_LE(s.world.now() - lost, 32s) << s.story();
            continue;
        }
        ASSERT_EQ(s.world.run_until([&] { return s.carol.count(K::connected) == 2; }, 3s),
                  Stop::goal)
            << s.story();
        s.world.run_for(10s);
        EXPECT_EQ(s.carol.count(K::call_ended), 0u) << s.story();
        s.carol.give(in::HangUp{.account = {}, .call = direct_call});
        ASSERT_TRUE(s.until(s.bob, K::call_ended, 2s)) << s.story();
    }
}

}  // namespace
}  // namespace holdfast::lab
