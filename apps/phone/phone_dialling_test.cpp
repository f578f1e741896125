// Digits that wait for a call's answer, one event after another (phone_of_notes.h); what is typed
// for them is in dialling_test.cpp, how long a comma is in media/dtmf_test.cpp. Whole calls are in
// running_dialling_test.cpp.
#include <gtest/gtest.h>

#include "apps/phone/phone_of_notes.h"
#include "sdp/agreement.h"

namespace holdfast::phone {
namespace {

using Sent = std::vector<std::string>;

// Calls alone: a phone would want to be registered.
class DigitsAfterTheAnswer : public PhoneOfNotes {
protected:
    void dial(const std::string& typed, std::optional<sip::DigitForm> info = {}) {
        const Dialling own;
        const auto read = dialled(typed, {.aor = "sip:alice@example.test", .dialling = own});
        ASSERT_TRUE(read);
        calls.emplace(
            *driver, media, [this](Instant, const Event& event) { told.push_back(event); },
            [](Instant, CallRef, const Call&) {});
        ref = calls->dial(AccountId{1}, read->uri, {.dtmf = read->digits, .info = info});
        says(media::out::Ready{media::SessionId{ref.value}, {}});
    }
    void says(media::Event event) {
        media.events.push_back(std::move(event));
        calls->on_media(now);
    }
    void happens_to_it(EventKind kind) {
        calls->on_event(now, {.kind = kind, .account = AccountId{1}, .call = ref});
    }
    void sound_starts() { says(media::out::Started{media::SessionId{ref.value}, "PCMA"}); }
    void all_are_sent() { says(media::out::DtmfSent{media::SessionId{ref.value}}); }
    // What offer and answer come to: whether ours may be sent.
    struct Takes {
        bool events = false;
        bool info = false;
    };
    void agreed_on(sdp::Direction direction) { agreed_on(direction, {}); }
    void agreed_on(sdp::Direction direction, Takes takes) {
        sdp::AgreedStream stream;
        stream.local = 0;
        stream.direction = direction;
        if (takes.events) stream.dtmf_send = 101;
        auto agreed = std::make_shared<const sdp::Agreement>(sdp::Agreement{.streams = {stream}});
        calls->on_step(
            now, in::NetworkChanged{},
            {out::Media{.call = ref, .agreed = std::move(agreed), .takes_info = takes.info}});
    }
    void goes_to(const std::string& uri) {
        Event event{.kind = EventKind::dialling, .account = AccountId{1}, .call = ref};
        event.contact = uri;
        calls->on_event(now, event);
    }
    std::vector<std::string> notices() const {
        std::vector<std::string> words;
        for (const auto& event : told_of(EventKind::notice)) words.push_back(event.reason);
        return words;
    }
    std::vector<std::string> sent() const {
        std::vector<std::string> digits;
        for (const auto& command : media.commands)
            if (const auto* dtmf = std::get_if<media::in::SendDtmf>(&command))
                digits.push_back(dtmf->digits);
        return digits;
    }

    std::optional<Calls> calls;
    CallRef ref{};
};

// Once, when both are there, whichever comes first. How many they are is told, and not which.
TEST_F(DigitsAfterTheAnswer, AreSentWhenTheCallIsAnsweredAndItsSoundFlows) {
    dial("12345,,4B#");
    happens_to_it(EventKind::ringing);
    EXPECT_EQ(sent(), Sent{});
    sound_starts();  // early media
    EXPECT_EQ(sent(), Sent{}) << "nobody has answered";
    happens_to_it(EventKind::answered);
    EXPECT_EQ(sent(), Sent{",,,,4B#"});
    sound_starts();
    EXPECT_EQ(sent().size(), 1U);
    EXPECT_EQ(notices(), Sent{}) << "the media have them, and nobody else yet";
    all_are_sent();
    ASSERT_EQ(told_of(EventKind::notice).size(), 1U);
    EXPECT_EQ(told_of(EventKind::notice)[0].reason, "3 digits that waited are sent");
    EXPECT_EQ(told_of(EventKind::notice)[0].call, ref);
    const auto dialled = submitted<in::Dial>();
    ASSERT_EQ(dialled.size(), 1U);
    EXPECT_EQ(dialled[0].uri, "sip:12345@example.test");
    for (const auto& event : told)
        for (const auto& text : {event.reason, event.contact})
            EXPECT_EQ(text.find("4B#"), std::string::npos) << text;
}

TEST_F(DigitsAfterTheAnswer, WaitForTheSound) {
    dial("12345,7");
    happens_to_it(EventKind::answered);
    EXPECT_EQ(sent(), Sent{});
    sound_starts();
    EXPECT_EQ(sent(), Sent{",,7"});
    all_are_sent();
    EXPECT_EQ(notices(), Sent{"1 digit that waited is sent"});
    all_are_sent();  // those of another command
    EXPECT_EQ(notices().size(), 1U);
}

// RFC 3264 §6.1: an answer may let us send nothing, though early media have flowed.
TEST_F(DigitsAfterTheAnswer, WaitUntilOursMayBeSent) {
    dial("12345,78");
    agreed_on(sdp::Direction::sendrecv);
    sound_starts();
    agreed_on(sdp::Direction::recvonly);
    happens_to_it(EventKind::answered);
    EXPECT_EQ(sent(), Sent{});
    EXPECT_EQ(notices(), Sent{"2 digits wait until the other side takes our sound"});
    agreed_on(sdp::Direction::sendrecv);
    EXPECT_EQ(sent(), Sent{",,78"});
    all_are_sent();
    EXPECT_EQ(notices().back(), "2 digits that waited are sent");
}

// Telephone events if the other side has them, else INFO if it takes it, else tones.
TEST_F(DigitsAfterTheAnswer, GoByInfoIfTheOtherSideHasNoEventsAndTakesIt) {
    struct Row {
        Takes takes;
        bool by_info;
    };
    std::size_t by_info = 0;
    std::size_t by_media = 0;
    for (const auto& row :
         {Row{{.events = true, .info = true}, false}, Row{{.events = false, .info = true}, true},
          Row{{.events = false, .info = false}, false}}) {
        dial("12345,78");
        agreed_on(sdp::Direction::sendrecv, row.takes);
        sound_starts();
        happens_to_it(EventKind::answered);
        (row.by_info ? by_info : by_media)++;
        EXPECT_EQ(submitted<in::Press>().size(), by_info);
        EXPECT_EQ(sent().size(), by_media);
    }
    EXPECT_EQ(submitted<in::Press>().at(0).digits, ",,78");
    EXPECT_EQ(submitted<in::Press>().at(0).form, sip::DigitForm::relay);
}

// Wanted, it is so whatever the other side says of itself, and while the call is on hold.
TEST_F(DigitsAfterTheAnswer, GoByInfoIfThatIsWanted) {
    dial("12345,7", sip::DigitForm::plain);
    agreed_on(sdp::Direction::recvonly, {.events = true});
    sound_starts();
    EXPECT_TRUE(submitted<in::Press>().empty());
    happens_to_it(EventKind::answered);
    ASSERT_EQ(submitted<in::Press>().size(), 1U);
    EXPECT_EQ(submitted<in::Press>()[0].form, sip::DigitForm::plain);
    EXPECT_EQ(sent(), Sent{});
    EXPECT_EQ(notices(), Sent{});
    happens_to_it(EventKind::digits_sent);
    EXPECT_EQ(notices(), Sent{"1 digit that waited is sent"});
    EXPECT_TRUE(calls->press(ref, "8"));
    EXPECT_EQ(submitted<in::Press>().size(), 2U);
}

// A transfer goes on when they are over, sent or refused.
TEST_F(DigitsAfterTheAnswer, ByInfoAreBeforeATransfer) {
    dial("12345,7", sip::DigitForm::relay);
    agreed_on(sdp::Direction::sendrecv);
    sound_starts();
    happens_to_it(EventKind::answered);
    calls->transfer_after_digits(ref, "sip:carol@example.test");
    EXPECT_TRUE(submitted<in::Transfer>().empty());
    happens_to_it(EventKind::digits_failed);
    EXPECT_EQ(submitted<in::Transfer>().size(), 1U);
    EXPECT_EQ(notices(), Sent{}) << "the event says it";
}

// What is refused by the media is not told as sent.
TEST_F(DigitsAfterTheAnswer, AreNotToldAsSentIfTheyCannotBe) {
    dial("12345,7");
    happens_to_it(EventKind::answered);
    sound_starts();
    media::out::Failed failed;
    failed.session = media::SessionId{ref.value};
    failed.kind = media::out::FailureKind::dtmf;
    failed.sentence = "the other side takes none";
    says(failed);
    all_are_sent();
    EXPECT_EQ(notices(), Sent{});
    EXPECT_EQ(told_of(EventKind::sound_failed).at(0).reason, "the other side takes none");
}

TEST_F(DigitsAfterTheAnswer, ThatWereCutShortAreSaid) {
    dial("12345,7");
    happens_to_it(EventKind::answered);
    sound_starts();
    happens_to_it(EventKind::call_ended);
    EXPECT_EQ(notices(), Sent{"1 digit that waited is not all sent"});
}

// RFC 3261 §8.1.3.4: whom a 302 names may be anybody; the PIN is for whom was dialled.
TEST_F(DigitsAfterTheAnswer, AreForWhomWasDialledAlone) {
    for (const auto* elsewhere : {"sip:12345@evil.test", "sip:other@example.test", "tel:12345"}) {
        told.clear();
        media.commands.clear();
        dial("12345,78");
        goes_to("sip:12345@example.test");
        goes_to("sip:12345@Example.Test:5080;transport=tcp");
        EXPECT_EQ(notices(), Sent{}) << "the same user there";
        goes_to(elsewhere);
        EXPECT_EQ(notices(),
                  Sent{"2 digits that waited are not sent: the call goes to another one than was "
                       "dialled"});
        happens_to_it(EventKind::answered);
        sound_starts();
        EXPECT_EQ(sent(), Sent{}) << elsewhere;
    }
}

// RFC 3515: whom a call is handed on to once its digits are through.
TEST_F(DigitsAfterTheAnswer, AreBeforeATransfer) {
    dial("12345,7");
    happens_to_it(EventKind::answered);
    calls->transfer_after_digits(ref, "sip:carol@example.test");
    sound_starts();
    EXPECT_TRUE(submitted<in::Transfer>().empty()) << "they are on their way";
    all_are_sent();
    ASSERT_EQ(submitted<in::Transfer>().size(), 1U);
    EXPECT_EQ(submitted<in::Transfer>()[0].target, "sip:carol@example.test");
    all_are_sent();
    EXPECT_EQ(submitted<in::Transfer>().size(), 1U);
    calls->transfer_after_digits(ref, "sip:dave@example.test");
    EXPECT_EQ(submitted<in::Transfer>().size(), 2U) << "at once: none waits";
}

// Who has hung up presses nothing, whatever the sound says afterwards.
TEST_F(DigitsAfterTheAnswer, EndWithTheCall) {
    dial("12345,7");
    happens_to_it(EventKind::answered);
    calls->hang_up(ref);
    happens_to_it(EventKind::call_ended);
    sound_starts();
    EXPECT_EQ(sent(), Sent{});
    EXPECT_EQ(notices(), Sent{"1 digit that waited is not sent"});
}

// What waits is bounded together with what is pressed meanwhile.
TEST_F(DigitsAfterTheAnswer, AreNeverMoreThanMayWait) {
    dial("1," + std::string(digits_after_most - 1, ',') + "7");
    EXPECT_TRUE(calls->press(ref, "8"));
    EXPECT_FALSE(calls->press(ref, "9"));
    happens_to_it(EventKind::answered);
    sound_starts();
    ASSERT_EQ(sent().size(), 1U);
    EXPECT_EQ(sent()[0].size(), digits_waiting_most);
    EXPECT_TRUE(sent()[0].ends_with(",,78"));
}

// The same phone, by its verbs: what cannot be called is said before anything else is.
class PhoneDialling : public PhoneOfNotes {
protected:
    std::string error_of(const Done<CallRef>& done) { return done ? "done" : done.error(); }
};

TEST_F(PhoneDialling, VoicemailAndPickupAreOfTheAccount) {
    registration::AccountConfig carol;
    carol.aor = "sip:carol@example.test";
    settings.accounts.push_back(carol);
    settings.dialling = {{}, {.voicemail = "97", .pickup = "**"}};
    begin();
    EXPECT_EQ(error_of(phone->call_voicemail("")).substr(0, 46),
              "sip:alice@example.test has no voicemail number");
    EXPECT_EQ(error_of(phone->pick_up("101", "alice")).substr(0, 41),
              "sip:alice@example.test has no pickup code");
    const std::string not_now = "sip:carol@example.test is not registered";
    EXPECT_EQ(error_of(phone->call_voicemail("carol")).substr(0, not_now.size()), not_now);
    EXPECT_EQ(error_of(phone->pick_up("101", "carol")).substr(0, not_now.size()), not_now);
    EXPECT_EQ(error_of(phone->pick_up("bob", "carol")),
              "\"bob\" is no extension whose call could be picked up: it has digits, with the code "
              "100 at most");
    EXPECT_EQ(error_of(phone->call_voicemail("dave")),
              "There is no account \"dave\" on this phone");
}

// A blank beside the comma makes an account of a PIN, and of its first digits a call's number.
TEST_F(PhoneDialling, NoSentenceShowsWhatMayBeAPin) {
    for (const auto& done :
         {phone->dial("*97,", "7777#"), phone->dial("97,12", "7777x"), phone->dial("97p1", "7777"),
          phone->call_voicemail("7777"), phone->press(CallRef{77}, "7777")}) {
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().find("77"), std::string::npos) << done.error();
    }
    EXPECT_NE(error_of(phone->dial("97,1", "alice")).find("is not registered"), std::string::npos);
}

// RFC 3515: the target is dialled by the plan of the call's account.
TEST_F(PhoneDialling, ATransfersTargetIsDialledByThePlan) {
    settings.dialling = {{.prefix = "0", .plan = {*DialRule::parse("0900x. ! dear")}}};
    begin();
    rings(11);
    happens(11, EventKind::answered);
    EXPECT_EQ(error_of(phone->transfer({}, "09001")),
              "09001 is not dialled: dear (rule \"0900x.\" of the dial plan)");
    EXPECT_EQ(error_of(phone->transfer({}, "1,2")),
              "Who is transferred presses no digits: leave out what stands behind the comma");
    ASSERT_TRUE(phone->transfer({}, "30 12"));
    const auto told_to = submitted<in::Transfer>();
    ASSERT_EQ(told_to.size(), 1U);
    EXPECT_EQ(told_to[0].target, "sip:03012@example.test");
}

}  // namespace
}  // namespace holdfast::phone
