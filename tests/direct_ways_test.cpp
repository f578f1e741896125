// Direct calls whose way fails while others live: what ends then, what goes on, and what is tried
// (registration/direct.h).
//   RFC 3263 §4.3, RFC 3323 §4.1; rules L1, F2, F3. Not tested here: one fault alone
//   (direct_calls_test.cpp).
#include <memory>
#include <string>

#include "tests/direct_world.h"

namespace holdfast::lab {
namespace {

using K = EventKind;

void hang_up(Phone& phone) {
    phone.give(in::HangUp{.account = Phone::account, .call = direct_call});
}

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
            s.world.run_for(10min);  // bob is with the last one
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

// RFC 3323 §4.1: who withholds the number shows it in no header, nor in the Contact.
TEST(DirectWays, AWithheldNumberIsInNoContact) {
    for (const auto number : {call::Number::shown, call::Number::withheld}) {
        AddressWorld s;
        auto& alice = s.world.add_phone({.aor = "sip:alice@0.0.0.0",
                                         .direct_to = s.uri_of(s.bob),
                                         .takes_calls = true,
                                         .record = true,
                                         .name = "alice"});
        ASSERT_TRUE(s.until(alice, K::connected)) << s.story();
        alice.give(in::Dial{.account = Phone::account,
                            .call = direct_call,
                            .uri = s.uri_of(s.bob),
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
