// What the phone does with its calls, one event after another (phone_of_notes.h). Whole calls are
// in running_phone_test.cpp.
#include "apps/phone/phone.h"

#include <gtest/gtest.h>

#include <vector>

#include "apps/phone/phone_of_notes.h"

namespace holdfast::phone {
namespace {

// Whoever calls chooses these texts, of up to 64 KB (RFC 3261 §18.1.1 sets no other limit).
TEST_F(PhoneOfNotes, ACallersTextsAreCutBetweenCharactersAndHarmless) {
    std::string name = "B\x1b[2J\r\n\x07\xc2\x9b\xe2\x80\xae\xff";
    for (int i = 0; i < 20'000; ++i) name += "ü";
    happens(11, EventKind::ring, name);
    happens(11, EventKind::call_ended, name, 487);
    ASSERT_EQ(told.size(), 2U);
    for (const auto& text :
         {told[0].reason, told[1].reason, pasts.at(0).peer, pasts.at(0).reason}) {
        EXPECT_LE(text.size(), text_most);
        EXPECT_TRUE(text.starts_with("B\uFFFD[2J\uFFFD")) << text;
        EXPECT_TRUE(text.ends_with("üü…")) << text.substr(text.size() - 8);
        for (const char c : text) EXPECT_GE(static_cast<unsigned char>(c), 0x20U);
        for (const auto* sign : {"\xc2\x9b", "\xe2\x80\xae", "\xff"})
            EXPECT_EQ(text.find(sign), std::string::npos);
    }
}

// One that reaches the limit stays whole, one past it is cut.
TEST_F(PhoneOfNotes, ATextAtTheLimitStays) {
    happens(11, EventKind::ring, std::string(text_most, 'x'));
    happens(12, EventKind::ring, std::string(text_most + 1, 'x'));
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(told[0].reason, std::string(text_most, 'x'));
    EXPECT_EQ(told[1].reason, std::string(text_most - 3, 'x') + "…");
}

// An answer that is on its way to the engine cannot be taken back by a rejection (RFC 3261 §15):
// the hang-up comes after it.
TEST_F(PhoneOfNotes, AHangUpIsNotLostAgainstAnAnswerInFlight) {
    rings(11);
    ASSERT_TRUE(phone->answer({}));
    sound_is_ready(11);
    ASSERT_EQ(submitted<in::Answer>().size(), 1U);
    ASSERT_TRUE(phone->hang_up(std::optional<CallRef>{}));
    const auto hung_up = submitted<in::HangUp>();
    ASSERT_EQ(hung_up.size(), 1U);
    EXPECT_EQ(hung_up[0].call, CallRef{11});
}
TEST_F(PhoneOfNotes, ARejectionIsNotLostAgainstAnAnswerInFlight) {
    rings(11);
    ASSERT_TRUE(phone->answer({}));
    sound_is_ready(11);
    ASSERT_TRUE(phone->reject({}, 603));
    EXPECT_EQ(submitted<in::Reject>().at(0).status, 603);
    EXPECT_EQ(submitted<in::HangUp>().size(), 1U);
}
TEST_F(PhoneOfNotes, SoundThatFailsAfterTheAnswerEndsTheCall) {
    rings(11);
    ASSERT_TRUE(phone->answer({}));
    sound_is_ready(11);
    sound_fails(11, "the device is gone", true);
    EXPECT_EQ(submitted<in::HangUp>().size(), 1U);
}

// A phone that leaves has no calls, whenever they were answered.
TEST_F(PhoneOfNotes, WhatIsAnsweredWhileLeavingIsHungUp) {
    rings(11);
    ASSERT_TRUE(phone->answer({}));
    sound_is_ready(11);
    phone->leave();
    const auto before = submitted<in::HangUp>().size();
    happens(11, EventKind::answered);
    EXPECT_EQ(submitted<in::HangUp>().size(), before + 1);
}

// A media thread that hangs does not keep the phone: it says so, remembers the call, and ends.
TEST_F(PhoneOfNotes, LeavingIsBoundedThoughTheSoundNeverCloses) {
    settings.leave_within = 1s;
    begin();
    rings(11);
    ASSERT_TRUE(phone->answer({}));
    sound_is_ready(11);
    happens(11, EventKind::answered);
    phone->leave();
    happens(11, EventKind::call_ended, "hung up", 200);
    EXPECT_TRUE(submitted<in::ShutDown>().empty()) << "its sound is being closed";
    ASSERT_TRUE(loop.run_until([&] { return phone->has_given_up(); }, 20s));
    EXPECT_EQ(submitted<in::ShutDown>().size(), 1U);
    ASSERT_EQ(told_of(EventKind::notice).size(), 1U);
    EXPECT_EQ(told_of(EventKind::notice)[0].call, CallRef{11});
    happens(0, EventKind::stopped);
    ASSERT_EQ(pasts.size(), 1U);
    EXPECT_EQ(pasts[0].outcome, "answered");
}

// Every call that was begun is told to have ended (docs/events.md).
TEST_F(PhoneOfNotes, ACallThatEndsBeforeItsSoundIsOpenIsSaidToHaveEnded) {
    Event referred{.kind = EventKind::referred, .account = AccountId{1}, .call = CallRef{11}};
    referred.contact = "sip:carol@example.test";
    rings(11);
    ASSERT_TRUE(phone->answer({}));
    sound_is_ready(11);
    happens(11, EventKind::answered);
    phone->on_event(now, referred);  // begins call 1
    ASSERT_TRUE(phone->hang_up(CallRef{1}));
    ASSERT_EQ(told_of(EventKind::call_ended).size(), 1U);
    EXPECT_EQ(told_of(EventKind::call_ended)[0].call, CallRef{1});
    sound_says(media::out::Closed{media::SessionId{1}, {}});
    ASSERT_EQ(pasts.size(), 1U);
    EXPECT_EQ(pasts[0].outcome, "cancelled");

    phone->on_event(now, referred);  // and call 2
    sound_fails(2, "no port is free", true);
    ASSERT_EQ(told_of(EventKind::call_ended).size(), 2U);
    EXPECT_EQ(told_of(EventKind::call_ended)[1].call, CallRef{2});
    ASSERT_EQ(pasts.size(), 2U);
    EXPECT_EQ(begun, (std::vector{CallRef{11}, CallRef{1}, CallRef{2}})) << "once each";
    EXPECT_EQ(pasts[1].outcome, "no sound");
    EXPECT_EQ(pasts[1].reason, "no port is free");
}

// Nobody who was muted is heard by somebody else because the other side transfers him (RFC 3515),
// or is replaced (RFC 3891).
TEST_F(PhoneOfNotes, WhoIsMutedStaysMutedInTheCallThatFollows) {
    const auto mutes = [&] {
        std::vector<std::uint32_t> sessions;
        for (const auto& command : media.commands)
            if (const auto* mute = std::get_if<media::in::Mute>(&command);
                mute != nullptr && mute->microphone && !mute->speaker)
                sessions.push_back(mute->session.value);
        return sessions;
    };
    rings(11);
    ASSERT_TRUE(phone->answer({}));
    sound_is_ready(11);
    happens(11, EventKind::answered);
    ASSERT_TRUE(phone->mute({}, true, std::nullopt));
    Event referred{.kind = EventKind::referred, .account = AccountId{1}, .call = CallRef{11}};
    referred.contact = "sip:carol@example.test";
    phone->on_event(now, referred);  // begins call 1
    Event replaced{.kind = EventKind::replaced, .account = AccountId{1}, .call = CallRef{12}};
    replaced.other = CallRef{11};
    phone->on_event(now, replaced);
    EXPECT_EQ(mutes(), (std::vector<std::uint32_t>{11, 1, 12}));
    for (const auto& call : phone->calls()) EXPECT_TRUE(call.microphone_muted) << call.call.value;
}

// Why there was no sound is what ended the call, whatever is said of its end afterwards.
TEST_F(PhoneOfNotes, TheReasonForNoSoundStays) {
    rings(11);
    ASSERT_TRUE(phone->answer({}));
    sound_fails(11, "no port is free", true);
    happens(11, EventKind::call_ended, "rejected", 480);
    ASSERT_EQ(pasts.size(), 1U);
    EXPECT_EQ(pasts[0].outcome, "no sound");
    EXPECT_EQ(pasts[0].reason, "no port is free");
}

// What waits for the sound is as bounded as a command (docs/control.md).
TEST_F(PhoneOfNotes, DigitsThatWaitForTheSoundAreBounded) {
    rings(11);
    ASSERT_TRUE(phone->answer({}));
    sound_is_ready(11);
    happens(11, EventKind::answered);
    ASSERT_TRUE(phone->press({}, std::string(digits_most, '1')));
    const auto refused = phone->press({}, "2");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().find("sound"), std::string::npos);
    sound_says(media::out::Started{media::SessionId{11}, "PCMA"});
    EXPECT_TRUE(phone->press({}, "2"));
    std::string sent;
    for (const auto& command : media.commands)
        if (const auto* digits = std::get_if<media::in::SendDtmf>(&command)) sent += digits->digits;
    EXPECT_EQ(sent, std::string(digits_most, '1') + "2");
}

// RFC 3515: the call's other side calls whom we name, as the call's account would.
TEST_F(PhoneOfNotes, ACallIsTransferred) {
    EXPECT_FALSE(phone->transfer({}, "carol"));
    rings(11);
    EXPECT_FALSE(phone->transfer({}, "carol")) << "it is not answered";
    happens(11, EventKind::answered);
    ASSERT_TRUE(phone->transfer({}, "carol"));
    const auto told_to = submitted<in::Transfer>();
    ASSERT_EQ(told_to.size(), 1U);
    EXPECT_EQ(told_to[0].call, CallRef{11});
    EXPECT_EQ(told_to[0].target, "sip:carol@example.test");
}

// RFC 3891: two calls of one account become one without us.
TEST_F(PhoneOfNotes, TwoCallsAreConnected) {
    rings(11);
    happens(11, EventKind::answered);
    EXPECT_FALSE(phone->connect(CallRef{11}, CallRef{12}));
    EXPECT_FALSE(phone->connect(CallRef{11}, CallRef{11}));
    rings(12);
    EXPECT_FALSE(phone->connect(CallRef{11}, CallRef{12})) << "it rings here";
    happens(12, EventKind::answered);
    Event ring{.kind = EventKind::ring, .account = AccountId{2}, .call = CallRef{13}};
    phone->on_event(now, ring);
    happens(13, EventKind::answered);
    const auto other_account = phone->connect(CallRef{11}, CallRef{13});
    ASSERT_FALSE(other_account);
    EXPECT_NE(other_account.error().find("different accounts"), std::string::npos);
    ASSERT_TRUE(phone->connect(CallRef{11}, CallRef{12}));
    const auto told_to = submitted<in::TransferTo>();
    ASSERT_EQ(told_to.size(), 1U);
    EXPECT_EQ(told_to[0].call, CallRef{11});
    EXPECT_EQ(told_to[0].other, CallRef{12});
}

}  // namespace
}  // namespace holdfast::phone
