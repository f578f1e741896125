// What the phone makes of the rules for calls that come: what the engine is told, what everybody
// else, and what is remembered. The rules themselves are in incoming_rules_test.cpp.
#include <gtest/gtest.h>

#include "apps/phone/phone_of_notes.h"

namespace holdfast::phone {
namespace {

class PhoneWithRules : public PhoneOfNotes {};

// Refused, remembered, and nobody is told that it rings: a hook would ring a bell.
TEST_F(PhoneWithRules, DoNotDisturbRefusesACallThatComes) {
    ASSERT_TRUE(phone->change_rules({.do_not_disturb = true}));
    rings(11);
    const auto refused = submitted<in::Reject>();
    ASSERT_EQ(refused.size(), 1U);
    EXPECT_EQ(refused[0].call, CallRef{11});
    EXPECT_EQ(refused[0].status, 480);
    EXPECT_TRUE(told_of(EventKind::ring).empty());
    ASSERT_EQ(told_of(EventKind::notice).size(), 1U);
    EXPECT_EQ(told_of(EventKind::notice)[0].call, CallRef{11});
    EXPECT_EQ(told_of(EventKind::notice)[0].reason,
              "refused with 480 (do not disturb): sip:bob@example.test");
    happens(11, EventKind::call_ended, "by us", 480);
    ASSERT_EQ(pasts.size(), 1U);
    EXPECT_EQ(pasts[0].outcome, "refused");
    EXPECT_EQ(pasts[0].reason, "do not disturb");
    EXPECT_EQ(pasts[0].status, 480);
    EXPECT_EQ(pasts[0].peer, "sip:bob@example.test");
}

// Calls that were there before go on, and what rings may still be taken.
TEST_F(PhoneWithRules, DoNotDisturbIsForCallsThatComeFromNowOn) {
    rings(11);
    ASSERT_TRUE(phone->change_rules({.do_not_disturb = true}));
    EXPECT_TRUE(submitted<in::Reject>().empty());
    ASSERT_TRUE(phone->answer({}));
    ASSERT_TRUE(phone->change_rules({.do_not_disturb = false}));
    rings(12);
    EXPECT_TRUE(submitted<in::Reject>().empty());
    EXPECT_EQ(told_of(EventKind::ring).size(), 2U);
}

TEST_F(PhoneWithRules, AreThoseOfTheSettingsAtTheBeginning) {
    settings.incoming.do_not_disturb = true;
    begin();
    rings(11);
    EXPECT_EQ(submitted<in::Reject>().size(), 1U);
}

}  // namespace
}  // namespace holdfast::phone
