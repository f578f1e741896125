// Digits as tones in the sound, from one session to another on loopback sockets.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "media/test_pair.h"
#include "media/test_sound.h"

namespace holdfast::media {
namespace {

// A busy host must not cut a tone in two: the jitter buffer waits for it.
const SessionOptions patient{.jitter = std::chrono::milliseconds{500}};

// Two sessions that have not agreed on telephone events.
void connect_without_events(Pair& pair, std::string_view codec, SessionOptions options) {
    pair.first = pair.open(alice, options);
    pair.second = pair.open(bob, options);
    auto there = Pair::agreed(pair.first, pair.second, codec);
    auto back = Pair::agreed(pair.second, pair.first, codec);
    for (auto* stream : {&there, &back}) {
        stream->dtmf_send.reset();
        stream->dtmf_receive.reset();
    }
    pair.submit(in::Agreed{.session = alice, .stream = there});
    pair.submit(in::Agreed{.session = bob, .stream = back});
    ASSERT_TRUE(pair.next<out::FirstPacket>(bob)) << pair.failures();
}

void expect_digits(Pair& pair, std::string_view digits) {
    std::string heard;
    while (heard.size() < digits.size()) {
        const auto digit = pair.next<out::DtmfHeard>(bob);
        ASSERT_TRUE(digit) << "after " << heard << "\n" << pair.failures();
        heard += digit->digit;
    }
    EXPECT_EQ(heard, digits);
}

// `auto` sends tones where the peer has no telephone events, and hears them: each once, in order,
// whatever the rate of the sound (ITU-T Q.23).
TEST(Tones, AreSentAndHeardWhereThereAreNoEvents) {
    for (const auto* codec : {"PCMU", "G722"}) {
        Pair pair;
        connect_without_events(pair, codec, patient);
        // The comma lets the stream find its pace.
        pair.submit(in::SendDtmf{.session = alice, .digits = ",1147*0#ABCD2356889"});
        expect_digits(pair, "1147*0#ABCD2356889");
        EXPECT_TRUE(pair.next<out::DtmfSent>(alice));
        EXPECT_EQ(pair.failures(), "");
    }
}

// Where events were agreed on, tones are sent when they are asked for, and heard by who asked.
TEST(Tones, AreSentWhenAskedForThoughThereAreEvents) {
    auto listens = patient;
    listens.dtmf = DtmfMethod::in_band;
    Pair pair;
    pair.connect("PCMA", patient, listens);
    pair.submit(in::SendDtmf{.session = alice, .digits = ",5", .method = DtmfMethod::in_band});
    expect_digits(pair, "5");
}

// Who has agreed on events listens for nothing else: a digit that comes both ways is one digit.
TEST(Tones, AreNotHeardBesideEvents) {
    Pair pair;
    pair.connect("PCMA", patient, patient);
    pair.submit(in::SendDtmf{.session = alice, .digits = "5", .method = DtmfMethod::in_band});
    ASSERT_TRUE(pair.next<out::DtmfSent>(alice));
    pair.submit(in::SendDtmf{.session = alice, .digits = "7", .method = DtmfMethod::events});
    expect_digits(pair, "7");
}

// A peer without events, and a user who wants nothing else: it is said, and nothing is sent.
TEST(Tones, AreNotSentWhereOnlyEventsAreWanted) {
    Pair pair;
    connect_without_events(pair, "PCMA", {.dtmf = DtmfMethod::events});
    pair.submit(in::SendDtmf{.session = alice, .digits = "5"});
    const auto failed = pair.next<out::Failed>(alice);
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->kind, out::FailureKind::dtmf);
    EXPECT_FALSE(failed->ends);
    EXPECT_NE(failed->sentence.find("telephone events"), std::string::npos) << failed->sentence;
}

// They may be a PIN: the other side hears them, and the recording of who sends them holds none.
TEST(Tones, AreNotInTheRecordingOfWhoSendsThem) {
    const TestFolder folder;
    Pair pair;
    connect_without_events(pair, "PCMA", patient);
    pair.submit(in::Record{.session = alice, .path = folder / "own.wav"});
    pair.submit(in::SendDtmf{.session = alice, .digits = ",159"});
    expect_digits(pair, "159");
    ASSERT_TRUE(pair.next<out::DtmfSent>(alice)) << pair.failures();
    pair.submit(in::StopRecording{alice});
    ASSERT_TRUE(pair.next<out::Recorded>(alice)) << pair.failures();
    const auto sent = read_wav(folder / "own.wav").channel(0);
    ASSERT_FALSE(sent.empty());
    int loudest = 0;  // a tone has some thousands
    for (const int sample : sent) loudest = std::max(loudest, std::abs(sample));
    EXPECT_LT(loudest, 100);
}

// Sound that is no digit is none.
TEST(Tones, OtherSoundIsNoDigit) {
    const TestFolder folder;
    write_wav(folder / "prompt.wav", 8000, sweep(8000, 2.0, 300, 2500));
    Pair pair;
    connect_without_events(pair, "PCMA", patient);
    pair.submit(in::Source{.session = alice,
                           .source = {.kind = EndKind::file, .name = folder / "prompt.wav"}});
    ASSERT_TRUE(pair.next<out::Played>(alice)) << pair.failures();
    pair.submit(in::SendDtmf{.session = alice, .digits = "9"});
    expect_digits(pair, "9");
}

}  // namespace
}  // namespace holdfast::media
