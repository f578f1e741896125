// Which signal is heard when: the rule of all calls together, then the phone with each thing that
// may happen to a call (phone_of_notes.h). That they are heard is in gst_player_test.cpp and
// running_signals_test.cpp.
#include "apps/phone/signals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "apps/phone/phone_of_notes.h"

namespace holdfast::phone {
namespace {

using media::Signal;
using testing::ElementsAre;

Call incoming(Stage stage) { return {.incoming = true, .stage = stage}; }
Call outgoing(Stage stage, bool is_heard = false) { return {.stage = stage, .is_heard = is_heard}; }

Signal of(const std::vector<std::pair<Call, CallFacts>>& all) {
    std::map<CallRef, Call> calls;
    for (const auto& [call, facts] : all)
        calls[CallRef{static_cast<std::uint32_t>(calls.size() + 1)}] = call;
    return signal_for(calls, [&](CallRef ref) { return all.at(ref.value - 1).second; });
}

TEST(SignalForCalls, ItRingsForWhoeverIsToAnswer) {
    const auto rings = incoming(Stage::ringing);
    auto without_sound = rings;
    without_sound.no_sound = true;
    EXPECT_EQ(of({}), Signal::none);
    EXPECT_EQ(of({{rings, {}}}), Signal::ring);
    EXPECT_EQ(of({{rings, {}}, {rings, {}}}), Signal::ring) << "two who call";
    EXPECT_EQ(of({{rings, {.is_left = true}}}), Signal::none) << "refused";
    EXPECT_EQ(of({{rings, {.is_taken = true}}}), Signal::none) << "being answered";
    EXPECT_EQ(of({{without_sound, {}}}), Signal::none) << "it cannot be answered";
    EXPECT_EQ(of({{incoming(Stage::talking), {}}}), Signal::none);
    EXPECT_EQ(of({{incoming(Stage::ending), {}}}), Signal::none);
}

TEST(SignalForCalls, WhoCallsBesideAnotherCallKnocks) {
    const auto rings = incoming(Stage::ringing);
    for (const auto& other :
         {outgoing(Stage::opening), outgoing(Stage::calling), outgoing(Stage::ringing),
          outgoing(Stage::talking), incoming(Stage::talking)}) {
        EXPECT_EQ(of({{other, {}}, {rings, {}}}), Signal::waiting);
        EXPECT_EQ(of({{rings, {}}, {other, {}}}), Signal::waiting) << "whichever came first";
        EXPECT_EQ(of({{other, {.is_left = true}}, {rings, {}}}), Signal::ring) << "hung up";
    }
    EXPECT_EQ(of({{incoming(Stage::talking), {.is_held = true}}, {rings, {}}}), Signal::waiting);
    EXPECT_EQ(of({{rings, {.is_taken = true}}, {rings, {}}}), Signal::waiting);
    EXPECT_EQ(of({{rings, {.is_left = true}}, {rings, {}}}), Signal::ring)
        << "who was refused makes nobody busy";
    EXPECT_EQ(of({{outgoing(Stage::ending), {}}, {rings, {}}}), Signal::ring);
}

// RFC 3960 §3.2.
TEST(SignalForCalls, RingBackIsHeardUntilTheOtherSideIs) {
    EXPECT_EQ(of({{outgoing(Stage::opening), {}}}), Signal::none);
    EXPECT_EQ(of({{outgoing(Stage::calling), {}}}), Signal::none) << "no 180 yet";
    EXPECT_EQ(of({{outgoing(Stage::calling, true), {}}}), Signal::none) << "183 and its sound";
    EXPECT_EQ(of({{outgoing(Stage::ringing), {}}}), Signal::ring_back);
    EXPECT_EQ(of({{outgoing(Stage::ringing, true), {}}}), Signal::none) << "early media";
    EXPECT_EQ(of({{outgoing(Stage::ringing), {.is_left = true}}}), Signal::none) << "hung up";
    EXPECT_EQ(of({{outgoing(Stage::talking), {}}}), Signal::none);
    EXPECT_EQ(of({{outgoing(Stage::ending), {}}}), Signal::none);
}

// Who asks somebody else in between waits for him, and hears nobody.
TEST(SignalForCalls, RingBackDoesNotDisturbATalk) {
    const auto waits = outgoing(Stage::ringing);
    EXPECT_EQ(of({{incoming(Stage::talking), {}}, {waits, {}}}), Signal::none);
    EXPECT_EQ(of({{incoming(Stage::talking), {.is_held = true}}, {waits, {}}}), Signal::ring_back);
    EXPECT_EQ(of({{incoming(Stage::talking), {.is_left = true}}, {waits, {}}}), Signal::ring_back);
    EXPECT_EQ(of({{outgoing(Stage::ringing, true), {}}, {waits, {}}}), Signal::none);
    EXPECT_EQ(of({{waits, {}}, {waits, {}}}), Signal::ring_back);
}

// RFC 3261 §21.4 to §21.6.
TEST(SignalForCalls, TheEndHasTheToneOfItsReason) {
    for (const int status : {486, 600, 603}) EXPECT_EQ(signal_of_end(status), Signal::busy);
    for (const int status : {0, 302, 403, 404, 408, 480, 488, 500, 503, 604, 606})
        EXPECT_EQ(signal_of_end(status), Signal::congestion) << status;
    for (const int status : {200, 202, 487})
        EXPECT_EQ(signal_of_end(status), Signal::none) << status;
}

class PhoneSignals : public PhoneOfNotes {
protected:
    PhoneSignals() {
        settings.signals.bell = {.kind = media::EndKind::pulse, .name = "bell"};
        settings.signals.bell_file = "/bell.wav";
        settings.signals.ear = {.kind = media::EndKind::pulse, .name = "ear"};
        settings.signals.end_tone = 1h;
        begin();
    }
    // What the media were asked for, in order.
    [[nodiscard]] std::vector<Signal> played() const {
        std::vector<Signal> all;
        for (const auto& command : media.commands)
            if (const auto* play = std::get_if<media::in::Play>(&command))
                all.push_back(play->signal);
        return all;
    }
    [[nodiscard]] Signal last() const { return played().empty() ? Signal::none : played().back(); }
    void talks(std::uint32_t number) {
        rings(number);
        ASSERT_TRUE(phone->answer(CallRef{number}));
        sound_is_ready(number);
        happens(number, EventKind::answered);
    }
    void ends(std::uint32_t number, int status, const std::string& reason = "") {
        happens(number, EventKind::call_ended, reason, status);
        sound_says(media::out::Closed{media::SessionId{number}, {}});
    }
    // A call of ours, whose number it returns: whom the other side of another one wants us to call.
    std::uint32_t we_call() {
        talks(900);
        Event referred{.kind = EventKind::referred, .account = AccountId{1}, .call = CallRef{900}};
        referred.contact = "sip:carol@example.test";
        phone->on_event(now, referred);
        ends(900, 200);
        const auto ours = phone->calls().back().call.value;
        sound_is_ready(ours);
        media.commands.clear();
        return ours;
    }
    std::uint32_t it_rings_there() {
        const auto ours = we_call();
        happens(ours, EventKind::ringing, "Ringing", 180);
        return ours;
    }
    void hears(std::uint32_t number) {
        sound_says(media::out::FirstPacket{.session = media::SessionId{number}, .codec = "PCMA"});
    }
};

TEST_F(PhoneSignals, TheBellRingsOnItsDeviceWithItsFile) {
    rings(11);
    ASSERT_EQ(played(), std::vector{Signal::ring});
    const auto play = std::get<media::in::Play>(media.commands.back());
    EXPECT_EQ(play.sink, settings.signals.bell);
    EXPECT_EQ(play.file, "/bell.wav");
    happens(11, EventKind::call_ended, "the caller hung up", 487);
    EXPECT_THAT(played(), ElementsAre(Signal::ring, Signal::none)) << "asked for once";
}

// At once, and not when the engine has heard of it.
TEST_F(PhoneSignals, TheBellStopsWhenItIsAnsweredOrRefused) {
    rings(11);
    ASSERT_TRUE(phone->answer({}));
    EXPECT_EQ(last(), Signal::none);
    const auto opened = std::ranges::find_if(media.commands, [](const media::Command& command) {
        return std::holds_alternative<media::in::Open>(command);
    });
    EXPECT_NE(opened, media.commands.end());
    sound_is_ready(11);
    happens(11, EventKind::answered);
    ends(11, 200);
    EXPECT_THAT(played(), ElementsAre(Signal::ring, Signal::none));
    rings(12);
    ASSERT_TRUE(phone->reject({}, 486));
    EXPECT_THAT(played(), ElementsAre(Signal::ring, Signal::none, Signal::ring, Signal::none));
    happens(12, EventKind::call_ended, "by us", 486);
    rings(13);
    ASSERT_TRUE(phone->hang_up(std::optional<CallRef>{}));
    EXPECT_EQ(last(), Signal::none);
    happens(13, EventKind::call_ended, "by us", 486);
    rings(14);
    happens(14, EventKind::call_ended, "answered elsewhere", 487);
    EXPECT_EQ(last(), Signal::none);
}

TEST_F(PhoneSignals, TheBellDoesNotRingForWhomARuleTakes) {
    ASSERT_TRUE(phone->change_rules({.do_not_disturb = true}));
    rings(11);
    ends(11, 480);
    ASSERT_TRUE(phone->change_rules({.do_not_disturb = false, .forward_always = "carol"}));
    rings(12);
    ends(12, 302);
    ASSERT_TRUE(phone->change_rules({.auto_answer = "0s", .forward_always = "off"}));
    rings(13);
    EXPECT_THAT(played(), ElementsAre());
    ends(13, 487);
    // Until then it rings: somebody may take it before.
    ASSERT_TRUE(phone->change_rules({.auto_answer = "1min"}));
    rings(14);
    EXPECT_EQ(last(), Signal::ring);
}

// One that was to be answered by itself, and is not since another call came.
TEST_F(PhoneSignals, TheBellRingsForWhatIsNotAnsweredByItself) {
    ASSERT_TRUE(phone->change_rules({.auto_answer = "0s"}));
    rings(11);
    rings(12);
    EXPECT_TRUE(loop.run_until([&] { return last() == Signal::ring; }, 5s));
}
TEST_F(PhoneSignals, TheBellRingsIfTheRuleIsTakenBack) {
    ASSERT_TRUE(phone->change_rules({.auto_answer = "0s"}));
    rings(11);
    ASSERT_TRUE(phone->change_rules({.auto_answer = "off"}));
    EXPECT_EQ(last(), Signal::ring);
}
TEST_F(PhoneSignals, WhoIsForwardedUnansweredNoLongerRings) {
    settings.incoming.forward = {.no_answer = "carol", .after = 1ms};
    begin();
    rings(11);
    EXPECT_EQ(last(), Signal::ring);
    EXPECT_TRUE(loop.run_until([&] { return last() == Signal::none; }, 5s));
}

TEST_F(PhoneSignals, ASecondCallerKnocksInTheEar) {
    talks(11);
    media.commands.clear();
    rings(12);
    ASSERT_EQ(played(), std::vector{Signal::waiting});
    const auto play = std::get<media::in::Play>(media.commands.back());
    EXPECT_EQ(play.sink, settings.signals.ear);
    EXPECT_EQ(play.file, "") << "that is the bell's";
    ends(11, 200, "the other side hung up");
    EXPECT_EQ(last(), Signal::ring) << "nobody is in the ear any more";
}

TEST_F(PhoneSignals, RingBackIsHeardUntilTheAnswer) {
    const auto ours = we_call();
    happens(ours, EventKind::early_media, "Session Progress", 183);
    EXPECT_THAT(played(), ElementsAre()) << "no 180 yet";
    happens(ours, EventKind::ringing, "Ringing", 180);
    happens(ours, EventKind::ringing, "Ringing", 180);  // of another branch
    ASSERT_EQ(played(), std::vector{Signal::ring_back});
    EXPECT_EQ(std::get<media::in::Play>(media.commands.back()).sink, settings.signals.ear);
    happens(ours, EventKind::answered);
    ends(ours, 200);
    EXPECT_THAT(played(), ElementsAre(Signal::ring_back, Signal::none));
}

// RFC 3960 §3.2: what counts is sound that comes. A branch that is heard may go, and another one
// ring on: then the media say that it is silent.
TEST_F(PhoneSignals, EarlyMediaTakeThePlaceOfRingBackWhileTheyAreHeard) {
    const auto ours = it_rings_there();
    happens(ours, EventKind::early_media, "Session Progress", 183);
    EXPECT_EQ(last(), Signal::ring_back) << "only agreed on";
    hears(ours);
    EXPECT_EQ(last(), Signal::none);
    sound_says(media::out::Silent{.session = media::SessionId{ours}, .since = 3s});
    EXPECT_EQ(last(), Signal::ring_back);
    sound_says(media::out::Heard{media::SessionId{ours}});
    EXPECT_EQ(last(), Signal::none);
    happens(ours, EventKind::ringing, "Ringing", 180);
    EXPECT_EQ(last(), Signal::none) << "of yet another branch";
}

// A server may be silent: the end may come half a minute later.
TEST_F(PhoneSignals, RingBackStopsWhenWeHangUpAndNoToneFollows) {
    for (const int status : {487, 408, 486}) {
        const auto ours = it_rings_there();
        ASSERT_TRUE(phone->hang_up(std::optional<CallRef>{}));
        EXPECT_THAT(played(), ElementsAre(Signal::ring_back, Signal::none));
        ends(ours, status, "cancelled");
        EXPECT_THAT(played(), ElementsAre(Signal::ring_back, Signal::none)) << status;
    }
}

TEST_F(PhoneSignals, ACallThatComesToNothingIsHeardForAWhile) {
    settings.signals.end_tone = 20ms;
    begin();
    auto ours = it_rings_there();
    ends(ours, 486, "Busy Here");
    EXPECT_THAT(played(), ElementsAre(Signal::ring_back, Signal::busy));
    EXPECT_TRUE(loop.run_until([&] { return last() == Signal::none; }, 5s));
    ours = we_call();
    ends(ours, 503, "Service Unavailable");
    EXPECT_THAT(played(), ElementsAre(Signal::congestion));
    EXPECT_TRUE(loop.run_until([&] { return last() == Signal::none; }, 5s));
    ours = it_rings_there();
    happens(ours, EventKind::answered);
    ends(ours, 200, "the other side hung up");
    EXPECT_THAT(played(), ElementsAre(Signal::ring_back, Signal::none)) << "it was answered";
}

TEST_F(PhoneSignals, TheBusyToneMakesRoomForTheNextCall) {
    ends(it_rings_there(), 486, "Busy Here");
    EXPECT_EQ(last(), Signal::busy);
    rings(11);
    EXPECT_EQ(last(), Signal::ring);
    ends(11, 487);
    EXPECT_EQ(last(), Signal::none) << "it does not come back";
    ends(it_rings_there(), 486, "Busy Here");
    EXPECT_EQ(last(), Signal::busy);
    we_call();
    EXPECT_EQ(last(), Signal::none) << "dialled again";
}

// Whoever waits on hold is no reason to be silent; who is talked with is.
TEST_F(PhoneSignals, TheBusyToneOfACallInBetween) {
    for (const bool held : {true, false}) {
        const auto ours = we_call();
        talks(11);
        if (held) happens(11, EventKind::held, "by us");
        ends(ours, 486, "Busy Here");
        EXPECT_EQ(last(), held ? Signal::busy : Signal::none);
        ends(11, 200);
    }
}

TEST_F(PhoneSignals, NothingIsHeardOfACallWithoutSound) {
    const auto ours = we_call();
    sound_fails(ours, "the device is gone", true);
    happens(ours, EventKind::call_ended, "hung up", 487);
    rings(11);
    ASSERT_TRUE(phone->answer({}));
    sound_fails(11, "the device is gone", true);
    EXPECT_THAT(played(), ElementsAre(Signal::ring, Signal::none));
}

// The call that was hung up may take half a minute to end.
TEST_F(PhoneSignals, AfterTheSilenceNothingIsHeard) {
    Signals signals{loop, media, settings.signals, [](CallRef) { return CallFacts{}; }};
    const std::map<CallRef, Call> calls{{CallRef{1}, outgoing(Stage::ringing)}};
    signals.update(calls);
    signals.silence();
    signals.update(calls);
    signals.came_to_nothing({}, 486);
    EXPECT_THAT(played(), ElementsAre(Signal::ring_back, Signal::none));
}

TEST_F(PhoneSignals, APhoneThatLeavesIsSilent) {
    rings(11);
    phone->leave();
    rings(12);
    EXPECT_THAT(played(), ElementsAre(Signal::ring, Signal::none));
}

// Decision 0010: where nobody would hear it, the media need not be loaded.
TEST_F(PhoneSignals, WhereThereIsNoDeviceTheMediaAreNotAsked) {
    settings.signals.bell = settings.signals.ear = {};
    begin();
    rings(11);
    happens(11, EventKind::call_ended, "the caller hung up", 487);
    EXPECT_TRUE(media.commands.empty());
    ends(it_rings_there(), 486, "Busy Here");
    EXPECT_THAT(played(), ElementsAre());
}

// Once, and the call is none the worse for it.
TEST_F(PhoneSignals, ADeviceThatIsMissingIsSaidOnce) {
    const auto not_played = [&](Signal signal, const std::string& sentence) {
        sound_says(media::out::NotPlayed{.signal = signal, .sentence = sentence});
    };
    rings(11);
    for (int n = 0; n < 2; ++n) not_played(Signal::ring, "pulse:bell: no such device");
    not_played(Signal::busy, "pulse:ear: no such device");
    not_played(Signal::ring_back, "pulse:ear: no such device");
    not_played(Signal::ring, "pulse:bell: no such device");
    const auto notices = told_of(EventKind::notice);
    ASSERT_EQ(notices.size(), 2U);
    EXPECT_EQ(notices[0].reason, "the phone does not ring: pulse:bell: no such device");
    EXPECT_EQ(notices[1].reason, "tones are not heard: pulse:ear: no such device");
    EXPECT_FALSE(notices[0].call);
    ASSERT_TRUE(phone->answer({}));
    sound_says(media::out::NotPlayed{.signal = Signal::ring, .sentence = "x", .has_tone = true});
    EXPECT_EQ(told_of(EventKind::notice).back().reason, "the phone rings with its own tone: x");
}

}  // namespace
}  // namespace holdfast::phone
