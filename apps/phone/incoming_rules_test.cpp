// The rules of a running phone for calls that come, as a table. What the phone makes of a verdict
// is in phone_rules_test.cpp.
#include "apps/phone/incoming_rules.h"

#include <gtest/gtest.h>

namespace holdfast::phone {
namespace {

constexpr const char* bob = "Bob B. <sip:bob@example.test>";

TEST(IncomingRules, LetACallRingThatNothingIsSaidOf) {
    EXPECT_EQ(verdict_on({}, {.caller = bob}), Verdict{LetRing{}});
}

// RFC 3261 §21.4.18: 480 is for who "has activated the 'do not disturb' feature".
TEST(IncomingRules, DoNotDisturbIsNotAvailable) {
    EXPECT_EQ(verdict_on({.do_not_disturb = true}, {.caller = bob}),
              (Verdict{Refuse{480, "do not disturb"}}));
}

TEST(IncomingRules, ChangeOnlyInWhatIsSaid) {
    const IncomingRules quiet{.do_not_disturb = true};
    EXPECT_EQ(changed(quiet, {}), quiet);
    EXPECT_EQ(changed(quiet, {.do_not_disturb = false}), IncomingRules{});
    EXPECT_EQ(changed({}, {.do_not_disturb = true}), quiet);
}

}  // namespace
}  // namespace holdfast::phone
