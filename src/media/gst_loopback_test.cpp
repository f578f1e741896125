// What is played at one end is heard at the other, with every codec; digits; hold. Two sessions in
// one process, on loopback sockets, in real time.
#include <gtest/gtest.h>

#include "media/test_pair.h"
#include "media/test_sound.h"

namespace holdfast::media {
namespace {

struct CodecCase {
    const char* name;
    double least_correlation;  // 1 for what is lossless; codecs of speech bend the wave
};

class Loopback : public testing::TestWithParam<CodecCase> {};

// The prompt recorded at the far side is the one that was played, and no other.
//   RFC 3550 §5, RFC 3551 §4.5, RFC 7587. Not tested here: loss, jitter (a busy host has its own).
TEST_P(Loopback, PromptArrivesAsItWasPlayed) {
    const TestFolder folder;
    // Three times: a busy host may delay a packet too long in one of them.
    write_wav(folder / "prompt.wav", 8000, thrice(sweep(8000, 1.0, 300, 1500)));
    Pair pair;
    pair.connect(GetParam().name, patient(), patient());
    pair.settle();  // decoders that adapt (G.722) have found their step

    pair.submit(in::Record{.session = bob, .path = folder / "heard.wav"});
    pair.submit(in::Source{.session = alice,
                           .source = {.kind = EndKind::file, .name = folder / "prompt.wav"}});
    ASSERT_TRUE(pair.next<out::Played>(alice)) << pair.failures();
    pair.settle();
    pair.submit(in::StopRecording{bob});
    ASSERT_TRUE(pair.next<out::Recorded>(bob)) << pair.failures();

    const auto wav = read_wav(folder / "heard.wav");
    ASSERT_EQ(wav.channels, 2);
    const auto heard = wav.channel(1);
    EXPECT_GE(likeness(sweep(wav.rate, 1.0, 300, 1500), heard, wav.rate).correlation,
              GetParam().least_correlation);
    EXPECT_LT(likeness(sweep(wav.rate, 1.0, 2900, 1800), heard, wav.rate).correlation, 0.3)
        << "not just any sound";
    EXPECT_EQ(loudness(wav.channel(0)), 0) << "Bob sent silence";
    EXPECT_EQ(pair.failures(), "");
}

INSTANTIATE_TEST_SUITE_P(Codecs, Loopback,
                         testing::Values(CodecCase{"opus", 0.9}, CodecCase{"G722", 0.8},
                                         CodecCase{"PCMA", 0.98}, CodecCase{"PCMU", 0.98},
                                         CodecCase{"GSM", 0.9}, CodecCase{"speex", 0.9},
                                         CodecCase{"L16", 0.98}),
                         [](const auto& codec) { return std::string{codec.param.name}; });

// RFC 7587 §3.1.3. Bob's tone, which has no pauses, is the clock; and a voice still arrives.
TEST(LoopbackSilence, WhereItIsSavedHardlyAPacketIsSent) {
    for (const bool saves : {false, true}) {
        Pair pair;
        SessionOptions talker = patient();
        talker.saves_silence = saves;
        SessionOptions clock = patient();
        clock.source = {.kind = EndKind::tone, .name = "440"};
        pair.connect("opus", talker, clock);
        const auto packets_in_two_seconds = [&] {
            const auto before = pair.statistics(alice);
            auto after = before;
            for (int looks = 0;
                 looks < 200 && after.received_packets < before.received_packets + 100; ++looks) {
                EXPECT_FALSE(pair.next<out::Failed>(alice, std::chrono::milliseconds{50}))
                    << pair.failures();
                after = pair.statistics(alice);
            }
            EXPECT_GE(after.received_packets, before.received_packets + 100);
            return after.sent_packets - before.sent_packets;
        };
        (void)packets_in_two_seconds();  // Opus is sure of silence after some tenths of a second
        const auto silent = packets_in_two_seconds();
        if (saves)
            EXPECT_LE(silent, 20U);
        else
            EXPECT_GE(silent, 80U);
        pair.submit(in::Source{.session = alice, .source = {.kind = EndKind::tone, .name = "600"}});
        (void)packets_in_two_seconds();
        EXPECT_GE(packets_in_two_seconds(), 80U) << "somebody speaks";
        EXPECT_FALSE(pair.has<out::Silent>(bob)) << "an Opus that saves silence is not dead";
        EXPECT_EQ(pair.failures(), "");
    }
}

// Digits arrive once each, in order, whatever the codec's clock; nothing of them is heard twice
// though each goes in many packets (RFC 4733 §2.5).
TEST(LoopbackDtmf, DigitsArriveOnceAndInOrder) {
    for (const auto* codec : {"PCMA", "opus"}) {
        Pair pair;
        pair.connect(codec);
        pair.submit(in::SendDtmf{.session = alice, .digits = "112*D"});
        std::string heard;
        for (int n = 0; n < 5; ++n) {
            const auto digit = pair.next<out::DtmfHeard>(bob);
            ASSERT_TRUE(digit) << codec << " after " << heard;
            heard += digit->digit;
        }
        EXPECT_EQ(heard, "112*D");
        EXPECT_TRUE(pair.next<out::DtmfSent>(alice));
        pair.settle();
        EXPECT_FALSE(pair.has<out::DtmfHeard>(bob)) << "a digit too many";
    }
}

// Hold is no sound, in either direction; resume brings it back (RFC 3264 §8.4).
TEST(LoopbackHold, NothingIsSentWhileHeld) {
    Pair pair;
    pair.connect("PCMA");
    const auto direct = [&](sdp::Direction direction) {
        pair.submit(in::Agreed{.session = alice,
                               .stream = Pair::agreed(pair.first, pair.second, "PCMA", direction)});
    };
    direct(sdp::Direction::inactive);
    const auto before = pair.statistics(alice).sent_packets;  // after the command, in order
    ASSERT_TRUE(pair.next<out::Silent>(bob)) << "Bob may expect sound, and misses it";
    EXPECT_EQ(pair.statistics(alice).sent_packets, before);

    direct(sdp::Direction::sendrecv);
    EXPECT_TRUE(pair.next<out::Heard>(bob));
    EXPECT_GT(pair.statistics(alice).sent_packets, before);
    EXPECT_FALSE(pair.has<out::Silent>(alice)) << "who is held does not complain";
}

// Who is muted before the call has sound is not heard when it begins.
TEST(LoopbackMute, HoldsBeforeTheSoundBegins) {
    Pair pair;
    const SessionOptions loud{.source = {.kind = EndKind::tone, .name = "440"}};
    pair.first = pair.open(alice, loud);
    pair.second = pair.open(bob, loud);
    pair.submit(in::Mute{.session = alice, .microphone = true});
    pair.submit(
        in::Agreed{.session = alice, .stream = Pair::agreed(pair.first, pair.second, "PCMA")});
    pair.submit(
        in::Agreed{.session = bob, .stream = Pair::agreed(pair.second, pair.first, "PCMA")});
    ASSERT_TRUE(pair.next<out::FirstPacket>(alice)) << pair.failures();
    pair.settle();
    EXPECT_LT(pair.statistics(bob).level, -60);
}

// A stream that is switched off is no longer sent: nobody listens to a microphone that is not in
// the call (RFC 3264 §8.2).
TEST(LoopbackHold, NothingIsSentOfARejectedStream) {
    Pair pair;
    pair.connect("PCMA");
    sdp::AgreedStream off;
    off.rejected = true;
    pair.submit(in::Agreed{.session = alice, .stream = off});
    const auto before = pair.statistics(alice).sent_packets;  // after the command, in order
    ASSERT_TRUE(pair.next<out::Silent>(bob)) << "Bob may expect sound, and misses it";
    EXPECT_EQ(pair.statistics(alice).sent_packets, before);
    pair.submit(
        in::Agreed{.session = alice, .stream = Pair::agreed(pair.first, pair.second, "PCMA")});
    EXPECT_TRUE(pair.next<out::Heard>(bob)) << "and on again";
}

// What RTP counted is what was sent: 50 packets a second, none lost on loopback (RFC 3550 §6.4).
TEST(LoopbackFigures, AreThoseOfWhatWasSent) {
    Pair pair;
    pair.connect("PCMA");
    pair.settle();
    const auto sent = pair.statistics(alice);
    const auto received = pair.statistics(bob);
    EXPECT_EQ(sent.codec, "PCMA");
    EXPECT_GE(sent.sent_packets, 10U);
    EXPECT_GE(received.received_packets + 2, sent.sent_packets) << "but for what is on its way";
    EXPECT_LE(received.lost_packets, 0);
    EXPECT_GT(received.mos, 4.2);
    EXPECT_LE(received.mos, 4.5);
    pair.close(alice);
    pair.close(bob);
}

// A codec that was agreed on and cannot be had is said, with what to install; the session ends.
TEST(LoopbackErrors, UnknownCodecIsSaid) {
    Pair pair;
    const auto own = pair.open(alice, {});
    auto stream = Pair::agreed(own, own, "PCMA");
    stream.send[0].name = "G729";
    pair.submit(in::Agreed{.session = alice, .stream = stream});
    const auto failed = pair.next<out::Failed>(alice);
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->kind, out::FailureKind::codec_missing);
    EXPECT_TRUE(failed->ends);
}

// What cannot be played or recorded is said, and the call goes on.
TEST(LoopbackErrors, BadFilesDoNotEndTheCall) {
    Pair pair;
    pair.connect("PCMA");
    pair.submit(in::Source{.session = alice,
                           .source = {.kind = EndKind::file, .name = "/no/such/file.wav"}});
    auto failed = pair.next<out::Failed>(alice);
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->kind, out::FailureKind::device);
    EXPECT_NE(failed->sentence.find("/no/such/file.wav"), std::string::npos) << failed->sentence;
    pair.submit(in::Record{.session = bob, .path = "/no/such/folder/out.wav"});
    failed = pair.next<out::Failed>(bob);
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->kind, out::FailureKind::recording);
    EXPECT_NE(failed->sentence.find("/no/such/folder/out.wav"), std::string::npos)
        << failed->sentence;
    EXPECT_FALSE(failed->ends);
    pair.settle();
}

}  // namespace
}  // namespace holdfast::media
