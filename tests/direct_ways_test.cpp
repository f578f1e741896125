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

}  // namespace
}  // namespace holdfast::lab
