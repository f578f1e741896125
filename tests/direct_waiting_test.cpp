// A phone without an account is called (registration/waiting.h): by who knows its address, whoever
// that is.
//   RFC 3261 §8.2, §12.1.1; rule K5, §11 of the design. Not tested here: the calls that it makes
//   (direct_calls_test.cpp), strangers without number (engine/attacks_strangers_test.cpp).
#include <string>

#include "tests/direct_world.h"

namespace holdfast::lab {
namespace {

using K = EventKind;

class WaitingWorld : public AddressWorld {
public:
    WaitingWorld()
        : host(world.add_phone({.aor = "sip:desk@0.0.0.0",
                                .tune = [](auto& policy) { policy.accept_direct_calls = true; },
                                .direct_to = "*",
                                .takes_calls = true,
                                .name = "desk"})) {
        world.run_for(100ms);
    }
    Phone& host;
};

// From phone to phone; either side may hang up, and nothing is sent but the call.
TEST(DirectWaiting, IsCalled) {
    for (const bool host_hangs_up : {false, true}) {
        WaitingWorld s;
        ASSERT_EQ(s.host.count(K::connected), 1u) << s.story();
        EXPECT_EQ(last(s.host, K::connected)->contact, AddressWorld::uri_of(s.host));
        auto& alice = s.add_alice(AddressWorld::uri_of(s.host));
        ASSERT_TRUE(s.until(alice, K::connected)) << s.story();
        dial_direct(alice, last(s.host, K::connected)->contact);
        ASSERT_TRUE(s.until(s.host, K::ring)) << s.story();
        EXPECT_EQ(last(s.host, K::ring)->reason,
                  "sip:alice@" + alice.addresses().front().to_string());
        answer(s.host);
        ASSERT_TRUE(s.until(alice, K::answered)) << s.story();
        ASSERT_TRUE(sound(alice) && sound(s.host));
        s.world.run_for(5min);
        EXPECT_EQ(alice.count(K::call_ended) + s.host.count(K::call_ended), 0u) << s.story();
        auto& first = host_hangs_up ? s.host : alice;
        auto& second = host_hangs_up ? alice : s.host;
        first.give(in::HangUp{.account = {}, .call = host_hangs_up ? rung(s.host) : direct_call});
        ASSERT_TRUE(s.until(second, K::call_ended)) << s.story();
        EXPECT_EQ(last(second, K::call_ended)->reason, "the other side hung up");
        for (const auto* const method : {"REGISTER", "OPTIONS", "INVITE"})
            EXPECT_EQ(requests(s.host, method), 0u) << s.story();
    }
}

// RFC 3261 §8.2.2.1: who names nobody means whoever is there; who names another is told that he is
// not.
TEST(DirectWaiting, UnderItsNameOrNone) {
    WaitingWorld s;
    const auto end = s.host.udp_endpoint(Family::ipv4)->to_string();
    std::uint32_t calls = 0;
    for (const auto& [uri, rings] :
         {std::pair{"sip:" + end, true}, {"sip:desk@" + end, true}, {"sip:other@" + end, false}}) {
        auto& alice = s.add_alice(uri, "alice" + std::to_string(++calls));
        ASSERT_TRUE(s.until(alice, K::connected)) << s.story();
        const auto before = s.host.count(K::ring);
        dial_direct(alice, uri);
        s.world.run_for(1s);
        EXPECT_EQ(s.host.count(K::ring) - before, rings ? 1u : 0u) << uri << s.story();
        EXPECT_EQ(alice.count(K::call_ended), rings ? 0u : 1u) << uri << s.story();
    }
}

// It calls whole URIs itself meanwhile, each with an account of its own, and is called beside that.
TEST(DirectWaiting, CallsAsWell) {
    WaitingWorld s;
    const AccountId of_the_call{2};
    registration::AccountConfig config;
    config.aor = "sip:desk@0.0.0.0";
    config.direct_to = AddressWorld::uri_of(s.bob);
    config.takes_calls = true;
    s.host.give(in::AddAccount{of_the_call, config});
    s.world.run_for(100ms);
    dial_direct(s.host, AddressWorld::uri_of(s.bob), of_the_call);
    ASSERT_TRUE(s.until(s.bob, K::ring)) << s.story();
    answer(s.bob);
    ASSERT_TRUE(s.until(s.host, K::answered)) << s.story();
    auto& alice = s.add_alice(AddressWorld::uri_of(s.host));
    ASSERT_TRUE(s.until(alice, K::connected)) << s.story();
    dial_direct(alice, AddressWorld::uri_of(s.host));
    ASSERT_TRUE(s.until(s.host, K::ring)) << s.story();
    s.host.give(in::RemoveAccount{of_the_call});
    ASSERT_TRUE(s.until(s.bob, K::call_ended)) << s.story();
    EXPECT_EQ(alice.count(K::call_ended), 0u) << s.story();
}

// K5: where it can be called is said again when it has another address; without any that is said.
TEST(DirectWaiting, SaysWhereItIsNow) {
    WaitingWorld s;
    s.host.unplug();
    s.world.run_for(1s);
    ASSERT_EQ(s.host.count(K::notice), 1u) << s.story();
    EXPECT_EQ(last(s.host, K::notice)->reason.find("Nobody can call"), 0u);
    s.host.plug_in();
    s.world.run_for(1s);
    EXPECT_EQ(s.host.count(K::connected), 2u) << s.story();
    s.host.shut_down();
    s.world.run_for(3s);
    EXPECT_EQ(s.host.count(K::stopped), 1u) << s.story();
}

}  // namespace
}  // namespace holdfast::lab
