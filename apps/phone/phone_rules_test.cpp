// What the phone makes of the rules for calls that come: what the engine is told, what everybody
// else, and what is remembered. The rules themselves are in incoming_rules_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>

#include "apps/phone/phone_of_notes.h"
#include "runtime/clock.h"

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

// RFC 3261 §21.4.21: whoever talks, dials or hears it ring is in a call.
TEST_F(PhoneWithRules, OneCallAtATime) {
    ASSERT_TRUE(phone->change_rules({.one_call = true}));
    rings(11);
    EXPECT_TRUE(submitted<in::Reject>().empty());
    rings(12);
    ASSERT_EQ(submitted<in::Reject>().size(), 1U);
    EXPECT_EQ(submitted<in::Reject>()[0].call, CallRef{12});
    EXPECT_EQ(submitted<in::Reject>()[0].status, 486);
    happens(11, EventKind::call_ended, "cancelled", 487);
    rings(13);  // 12 has not ended yet
    EXPECT_EQ(submitted<in::Reject>().size(), 1U) << "who was refused makes nobody busy";
}

// The whole text counts, not what is shown of it: a long name hides nobody.
TEST_F(PhoneWithRules, WhoIsDeniedIsDeclined) {
    ASSERT_TRUE(phone->change_rules({.deny = "bob"}));
    rings(11, std::string(2 * text_most, 'x') + " <sip:bob@example.test>");
    ASSERT_EQ(submitted<in::Reject>().size(), 1U);
    EXPECT_EQ(submitted<in::Reject>()[0].status, 603);
    rings(12, "sip:carol@example.test");
    EXPECT_EQ(submitted<in::Reject>().size(), 1U);
    ASSERT_TRUE(phone->change_rules({.allow = "bob"}));
    rings(13);
    EXPECT_EQ(submitted<in::Reject>().size(), 1U);
}

// RFC 5806 §4: sent elsewhere, remembered, and nobody is told that it rings.
TEST_F(PhoneWithRules, CallersAreSentElsewhere) {
    ASSERT_TRUE(phone->change_rules({.forward_always = "carol"}));
    rings(11);
    ASSERT_EQ(submitted<in::Reject>().size(), 1U);
    const auto sent = submitted<in::Reject>()[0];
    EXPECT_EQ(sent.call, CallRef{11});
    EXPECT_EQ(sent.forward_to, "sip:carol@example.test");
    EXPECT_EQ(sent.why, call::Diverted::unconditional);
    EXPECT_TRUE(told_of(EventKind::ring).empty());
    EXPECT_EQ(told_of(EventKind::notice).at(0).reason,
              "forwarded to sip:carol@example.test (every call): sip:bob@example.test");
    happens(11, EventKind::call_ended, "forwarded to sip:carol@example.test", 302);
    ASSERT_EQ(pasts.size(), 1U);
    EXPECT_EQ(pasts[0].outcome, "forwarded");
    EXPECT_EQ(pasts[0].reason, "to sip:carol@example.test (every call)");
    ASSERT_TRUE(phone->change_rules({.forward_always = "off"}));
    rings(12);
    EXPECT_EQ(submitted<in::Reject>().size(), 1U);
}

TEST_F(PhoneWithRules, ASecondCallerIsSentElsewhere) {
    ASSERT_TRUE(phone->change_rules({.forward_busy = "sip:carol@other.test"}));
    rings(11);
    EXPECT_TRUE(submitted<in::Reject>().empty());
    rings(12);
    ASSERT_EQ(submitted<in::Reject>().size(), 1U);
    EXPECT_EQ(submitted<in::Reject>()[0].call, CallRef{12});
    EXPECT_EQ(submitted<in::Reject>()[0].forward_to, "sip:carol@other.test");
    EXPECT_EQ(submitted<in::Reject>()[0].why, call::Diverted::user_busy);
}

// What would come back, or cannot be called, is refused; of a configuration it is said, and rings.
TEST_F(PhoneWithRules, NobodyIsSentInACircle) {
    for (const auto* whom : {"alice", "sip:alice@example.test", "sip:carol@example.test?x=y",
                             "sips:alice@example.test", "sip:alice@Example.test;transport=tcp",
                             "sip:%61lice@example.test:5060"})
        EXPECT_FALSE(phone->change_rules({.forward_always = whom})) << whom;
    settings.incoming.forward.always = "alice";
    begin();
    phone->begin();
    EXPECT_EQ(told_of(EventKind::notice).at(0).reason,
              "calls are not forwarded to \"alice\": it would come back here");
    rings(11);
    EXPECT_TRUE(submitted<in::Reject>().empty());
    EXPECT_EQ(told_of(EventKind::ring).size(), 1U);
    EXPECT_TRUE(phone->change_rules({.forward_busy = "carol"})) << "one that is new counts";
    rings(12);
    EXPECT_EQ(submitted<in::Reject>().at(0).forward_to, "sip:carol@example.test");
    ASSERT_TRUE(phone->change_rules({.do_not_disturb = true}));
    rings(13);
    ASSERT_EQ(submitted<in::Reject>().size(), 2U) << "nor does the phone ring for it";
    EXPECT_EQ(submitted<in::Reject>()[1].status, 480);
}

// RFC 5806: behind a server that makes a new call of each 302, alice to bob to alice has no end.
// The other rules decide.
TEST_F(PhoneWithRules, WhoHasGoneInACircleIsNotSentOn) {
    ASSERT_TRUE(phone->change_rules({.forward_always = "carol", .forward_busy = "carol"}));
    rings_diverted(11, {"sip:dave@example.test", "sip:%61lice@example.test:5060"});
    EXPECT_EQ(told_of(EventKind::ring).size(), 1U);
    rings_diverted(12, std::vector<std::string>(5, "sip:dave@example.test"));
    EXPECT_EQ(told_of(EventKind::ring).size(), 2U);
    EXPECT_TRUE(submitted<in::Reject>().empty());
    ASSERT_TRUE(phone->change_rules({.one_call = true}));
    rings_diverted(13, {"sip:alice@example.test"});
    ASSERT_EQ(submitted<in::Reject>().size(), 1U);
    EXPECT_EQ(submitted<in::Reject>()[0].status, 486);
    rings_diverted(14, {"sip:dave@example.test", "", "sip:alice@other.test", "sip:alice2@x.test"});
    ASSERT_EQ(submitted<in::Reject>().size(), 2U);
    EXPECT_EQ(submitted<in::Reject>()[1].forward_to, "sip:carol@example.test");
}

class PhoneThatAnswers : public PhoneOfNotes {
protected:
    // How many calls' sound was opened, which is how an answer begins; what is due has happened.
    std::size_t answered() {
        bool passed = false;
        runtime::Timer later(loop, [&] { passed = true; });
        later.arm(runtime::boot_time() + 20ms);
        EXPECT_TRUE(loop.run_until([&] { return passed; }, 5s));
        return static_cast<std::size_t>(
            std::ranges::count_if(media.commands, [](const media::Command& command) {
                return std::holds_alternative<media::in::Open>(command);
            }));
    }
    void asks_to_be_answered(std::uint32_t number, Duration after) {
        Event event{.kind = EventKind::ring, .account = AccountId{1}, .call = CallRef{number}};
        event.reason = "sip:bob@example.test";
        event.expires = after;
        phone->on_event(now, event);
    }
};

TEST_F(PhoneThatAnswers, EveryCallAfterItsTime) {
    ASSERT_TRUE(phone->change_rules({.auto_answer = "1ms"}));
    rings(11);
    EXPECT_EQ(told_of(EventKind::ring).size(), 1U) << "it rings until then";
    EXPECT_EQ(answered(), 1U);
    ASSERT_EQ(told_of(EventKind::notice).size(), 1U);
    EXPECT_EQ(told_of(EventKind::notice)[0].reason, "answered by itself (auto-answer)");
    rings(12);
    EXPECT_EQ(answered(), 1U) << "nobody joins a call that goes on";
}

// Rung for so long, and not one that is being answered.
TEST_F(PhoneThatAnswers, NotACallThatIsSentElsewhereBefore) {
    settings.incoming.forward = {.no_answer = "carol", .after = 1ms};
    begin();
    rings(11);
    EXPECT_EQ(told_of(EventKind::ring).size(), 1U) << "it rings until then";
    EXPECT_EQ(answered(), 0U);
    ASSERT_EQ(submitted<in::Reject>().size(), 1U);
    EXPECT_EQ(submitted<in::Reject>()[0].forward_to, "sip:carol@example.test");
    EXPECT_EQ(submitted<in::Reject>()[0].why, call::Diverted::no_answer);
    rings(12);
    ASSERT_TRUE(phone->answer(CallRef{12}));
    EXPECT_EQ(answered(), 1U);
    EXPECT_EQ(submitted<in::Reject>().size(), 1U);
}

// It was to be answered by itself, and then is not: nobody rings for ever.
TEST_F(PhoneThatAnswers, NobodyRingsOnWhoWasToBeAnswered) {
    settings.incoming.forward = {.no_answer = "carol", .after = 2ms};
    begin();
    ASSERT_TRUE(phone->change_rules({.auto_answer = "1ms"}));
    rings(11);
    rings(12);
    EXPECT_EQ(answered(), 0U) << "another one rings";
    EXPECT_EQ(submitted<in::Reject>().size(), 2U);
    happens(11, EventKind::call_ended, "forwarded", 302);
    happens(12, EventKind::call_ended, "forwarded", 302);
    ASSERT_TRUE(phone->change_rules({.auto_answer = "1min"}));
    rings(13);
    ASSERT_TRUE(phone->change_rules({.auto_answer = "off"}));
    EXPECT_EQ(answered(), 0U);
    ASSERT_EQ(submitted<in::Reject>().size(), 3U);
    EXPECT_EQ(submitted<in::Reject>()[2].forward_to, "sip:carol@example.test");
}

// RFC 5806: nor is a caller sent on later who has gone in a circle.
TEST_F(PhoneThatAnswers, NotWhoHasBeenSentHereByUs) {
    settings.incoming.forward = {.no_answer = "carol", .after = 1ms};
    begin();
    rings_diverted(11, {"sip:alice@example.test"});
    EXPECT_EQ(answered(), 0U);
    EXPECT_TRUE(submitted<in::Reject>().empty());
}

// Only where the owner of the microphone allows it.
TEST_F(PhoneThatAnswers, WhatTheServerAsksForIfItMay) {
    asks_to_be_answered(11, 0s);
    EXPECT_EQ(answered(), 0U);
    happens(11, EventKind::call_ended, "cancelled", 487);
    ASSERT_TRUE(phone->change_rules({.auto_answer = "asked"}));
    rings(12);
    EXPECT_EQ(answered(), 0U) << "nobody asks";
    happens(12, EventKind::call_ended, "cancelled", 487);
    asks_to_be_answered(13, 0s);
    EXPECT_EQ(answered(), 1U);
}

// What has changed since it began to ring counts.
TEST_F(PhoneThatAnswers, NothingThatHasBeenDecidedOtherwise) {
    ASSERT_TRUE(phone->change_rules({.auto_answer = "1ms"}));
    rings(11);
    ASSERT_TRUE(phone->change_rules({.auto_answer = "off"}));
    EXPECT_EQ(answered(), 0U) << "switched off";
    ASSERT_TRUE(phone->change_rules({.auto_answer = "1ms"}));
    happens(11, EventKind::call_ended, "cancelled", 487);
    rings(12);
    ASSERT_TRUE(phone->change_rules({.do_not_disturb = true}));
    EXPECT_EQ(answered(), 0U) << "do not disturb";
    ASSERT_TRUE(phone->change_rules({.do_not_disturb = false}));
    happens(12, EventKind::call_ended, "cancelled", 487);
    rings(13);
    happens(13, EventKind::call_ended, "cancelled", 487);
    EXPECT_EQ(answered(), 0U) << "the caller has given up";
    rings(15);
    rings(16);
    EXPECT_EQ(answered(), 0U) << "another one rings";
    happens(15, EventKind::call_ended, "cancelled", 487);
    happens(16, EventKind::call_ended, "cancelled", 487);
    rings(14);
    phone->leave();
    EXPECT_EQ(answered(), 0U) << "the phone is ending";
    EXPECT_TRUE(told_of(EventKind::notice).empty());
}

TEST_F(PhoneWithRules, AreThoseOfTheSettingsAtTheBeginning) {
    settings.incoming.do_not_disturb = true;
    begin();
    rings(11);
    EXPECT_EQ(submitted<in::Reject>().size(), 1U);
}

}  // namespace
}  // namespace holdfast::phone
