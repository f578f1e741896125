// DTLS-SRTP and whoever else knows the port: what is forged does not end a call's sound. Two
// sessions in one process, with a wire between them that a test can speak on.
#include <gio/gio.h>
#include <gtest/gtest.h>

#include "media/gst_dtls.h"
#include "media/gst_pads.h"
#include "media/test_pair.h"
#include "media/test_relay.h"
#include "media/test_sound.h"

namespace holdfast::media {
namespace {

using namespace std::chrono_literals;

// DTLS 1.2 records of epoch 0 (RFC 6347 §4.1), as anybody can write them.
Datagram record(std::uint8_t type, const Datagram& content) {
    Datagram bytes{type, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1};
    bytes.push_back(static_cast<std::uint8_t>(content.size() >> 8));
    bytes.push_back(static_cast<std::uint8_t>(content.size() & 0xff));
    std::ranges::copy(content, std::back_inserter(bytes));
    return bytes;
}
const Datagram fatal_alert = record(21, {2, 40});  // handshake_failure
const Datagram close_notify = record(21, {1, 0});
// A handshake message whose fragment is longer than itself, and one whose content is nonsense.
Datagram handshake(std::uint8_t type, std::uint8_t fragment) {
    Datagram content{type, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, fragment};
    content.resize(52, 0x5a);
    return record(22, content);
}
const Datagram no_record{22, 0xfe, 0xfd, 0, 0};

class Forged : public testing::TestWithParam<bool> {
protected:
    Forged() {
        const SessionOptions options{.srtp = sdp::Srtp::required, .sdes = false};
        pair.first = pair.open(alice, options);
        pair.second = pair.open(bob, options);
        relay = std::make_unique<Relay>(pair.first.rtp, pair.second.rtp);
        to_alice = Pair::agreed(pair.first, pair.second, "PCMA");
        to_alice.remote_rtp = relay->facing_alice();
        to_bob = Pair::agreed(pair.second, pair.first, "PCMA");
        to_bob.remote_rtp = relay->facing_bob();
        to_alice.dtls->we_are_active = GetParam();
        to_bob.dtls->we_are_active = !GetParam();
    }
    void alice_begins() { pair.submit(in::Agreed{.session = alice, .stream = to_alice}); }
    void bob_begins() { pair.submit(in::Agreed{.session = bob, .stream = to_bob}); }
    void expect_sound() {
        ASSERT_TRUE(pair.next<out::FirstPacket>(alice)) << pair.failures();
        ASSERT_TRUE(pair.next<out::FirstPacket>(bob)) << pair.failures();
        pair.settle();
    }
    // What anybody can write; the last is nonsense where the other side's hello should be.
    static std::vector<Datagram> forgeries() {
        const std::uint8_t hello = GetParam() ? 2 : 1;
        return {fatal_alert, close_notify, no_record, handshake(hello, 41), handshake(hello, 40)};
    }
    // What is sent before these figures were asked for and given has been read.
    void let_pass() {
        for (int n = 0; n < 5; ++n) {
            pair.submit(in::AskStatistics{alice});
            pair.next<out::Measured>(alice, 1s);
            pair.next<out::Closed>(alice, 20ms);
        }
    }

    Pair pair;
    std::unique_ptr<Relay> relay;
    sdp::AgreedStream to_alice;
    sdp::AgreedStream to_bob;
};

// Before there are keys, whoever knows the port may write: it is not the other side's.
//   RFC 6347 §4.1.2.7. Not tested here: a forger who guesses the handshake's next message while it
//   is under way.
TEST_P(Forged, DatagramsOfAStrangerDoNotDisturbTheHandshake) {
    const LoopbackSocket stranger;
    alice_begins();
    let_pass();
    for (const auto& forged : forgeries()) stranger.send(pair.first.rtp, forged);
    let_pass();
    bob_begins();
    expect_sound();
    EXPECT_EQ(pair.failures(), "");
}

// Who writes the other side's address upon it is told of at most once, and ends nothing.
TEST_P(Forged, RecordsInTheOtherSidesNameDoNotEndTheSound) {
    alice_begins();
    let_pass();
    for (const auto& forged : forgeries()) relay->forge_to_alice(forged);
    let_pass();
    bob_begins();
    expect_sound();
    for (const auto side : {alice, bob}) {
        const auto told = pair.next<out::Failed>(side, 1ms);
        EXPECT_FALSE(told && told->ends) << told->sentence;
        // Bob reads the alert with which Alice answers nonsense.
        EXPECT_TRUE(told || side == bob);
    }
    EXPECT_EQ(pair.failures(), "");
}

// Nor once there are keys: a record without them is no record (RFC 6347 §4.1.2.7).
TEST_P(Forged, RecordsWithoutKeysAreNothingOnceThereAreKeys) {
    const LoopbackSocket stranger;
    alice_begins();
    bob_begins();
    expect_sound();
    for (const auto& forged : forgeries()) {
        relay->forge_to_alice(forged);
        stranger.send(pair.first.rtp, forged);
    }
    let_pass();
    pair.settle();
    EXPECT_EQ(pair.failures(), "");
}

// A new codec in the call is no new association, no new key and no new stream: what Alice sends
// goes on with its SSRC and its sequence, and both count on.
//   RFC 8842 §3.1, RFC 3264 §8.3.2, RFC 3550 §5.1, RFC 7160 §4.1. Not tested here: SRTP's rollover
//   counter, which lives as long as what it counts for.
TEST_P(Forged, NewCodecGoesOnAsTheSameStream) {
    alice_begins();
    bob_begins();
    expect_sound();
    const auto sent_before = pair.statistics(alice).sent_packets;
    const auto handshakes = relay->from_alice().size();
    for (const auto* codec : {"PCMU", "opus"}) {
        const auto change = [&](SessionId session, const sdp::LocalStream& own,
                                const sdp::LocalStream& peer, const sdp::AgreedStream& before) {
            auto stream = Pair::agreed(own, peer, codec);
            stream.remote_rtp = before.remote_rtp;
            stream.dtls = before.dtls;
            pair.submit(in::Agreed{.session = session, .stream = stream});
            return stream;
        };
        change(bob, pair.second, pair.first, to_bob);
        const auto number = change(alice, pair.first, pair.second, to_alice).send[0].payload_type;
        const auto heard = pair.next<out::FirstPacket>(bob);
        ASSERT_TRUE(heard) << codec << pair.failures();
        EXPECT_EQ(heard->codec, codec);
        const auto packets = relay->rtp_from_alice(*number);
        const auto earlier = relay->rtp_from_alice(8);  // PCMA
        ASSERT_FALSE(packets.empty() || earlier.empty());
        EXPECT_EQ(packets.front().ssrc, earlier.back().ssrc);
        EXPECT_EQ(pair.statistics(alice).codec, codec);
    }
    pair.settle();
    std::optional<std::uint16_t> last;
    for (const auto& datagram : relay->from_alice()) {
        const auto header = rtp_header(datagram);
        if (!header) continue;
        if (last) {
            EXPECT_EQ(header->sequence, static_cast<std::uint16_t>(*last + 1));
        }
        last = header->sequence;
    }
    const auto datagrams = relay->from_alice();
    EXPECT_TRUE(std::none_of(datagrams.begin() + static_cast<long>(handshakes), datagrams.end(),
                             [](const Datagram& d) { return d[0] >= 20 && d[0] <= 63; }))
        << "no new handshake";
    EXPECT_GT(pair.statistics(alice).sent_packets, sent_before);
    EXPECT_GE(pair.statistics(bob).received_packets, sent_before);
    EXPECT_EQ(pair.failures(), "");
}

// A file that is played begins when it can be heard: the peer misses nothing of it while the
// handshake waits for it.
TEST_P(Forged, WhatIsPlayedBeginsWhenThereAreKeys) {
    const TestFolder folder;
    const auto prompt = sweep(8000, 1.0, 300, 1500);
    write_wav(folder / "prompt.wav", 8000, prompt);
    pair.submit(in::Source{.session = alice,
                           .source = {.kind = EndKind::file, .name = folder / "prompt.wav"}});
    alice_begins();
    EXPECT_TRUE(pair.next<out::Silent>(alice)) << "longer than the file, and nobody is there";
    bob_begins();
    pair.submit(in::Record{.session = bob, .path = folder / "heard.wav"});
    ASSERT_TRUE(pair.next<out::Played>(alice)) << pair.failures();
    pair.settle();
    pair.submit(in::StopRecording{bob});
    ASSERT_TRUE(pair.next<out::Recorded>(bob)) << pair.failures();
    const auto wav = read_wav(folder / "heard.wav");
    ASSERT_EQ(wav.channels, 2);
    EXPECT_GE(likeness(prompt, wav.channel(1), wav.rate).correlation, 0.9);
}

// Tones that nobody can hear yet are not told as sent.
TEST_P(Forged, TonesWaitForKeys) {
    alice_begins();
    pair.submit(in::SendDtmf{.session = alice, .digits = "5", .method = DtmfMethod::in_band});
    EXPECT_TRUE(pair.next<out::Silent>(alice)) << "3 s later";
    EXPECT_FALSE(pair.has<out::DtmfSent>(alice));
    bob_begins();
    EXPECT_TRUE(pair.next<out::DtmfSent>(alice)) << pair.failures();
}

// RTCP on its own port has an association of its own (RFC 5764 §4.1): while that one waits, there
// is sound.
TEST(TwoPorts, SoundDoesNotWaitForTheAssociationOfRtcp) {
    const SessionOptions options{.rtcp_mux = false, .srtp = sdp::Srtp::required, .sdes = false};
    Pair pair;
    pair.first = pair.open(alice, options);
    pair.second = pair.open(bob, options);
    const LoopbackSocket nobody;
    for (const auto session : {alice, bob}) {
        const bool is_alice = session == alice;
        auto stream = Pair::agreed(is_alice ? pair.first : pair.second,
                                   is_alice ? pair.second : pair.first, "PCMA");
        stream.remote_rtcp = nobody.endpoint();
        pair.submit(in::Agreed{.session = session, .stream = stream});
    }
    EXPECT_TRUE(pair.next<out::FirstPacket>(alice)) << pair.failures();
    EXPECT_TRUE(pair.next<out::FirstPacket>(bob)) << pair.failures();
}

// Who closes the association has said that nothing more comes (RFC 5246 §7.2.1): that is told,
// once, and the session goes on.
TEST(ClosedByThePeer, CloseNotifyIsToldOnce) {
    Pair pair;
    const auto own = pair.open(alice, {.srtp = sdp::Srtp::required, .sdes = false});
    const LoopbackSocket socket;
    auto stream = Pair::agreed(own, own, "PCMA");
    stream.remote_rtp = socket.endpoint();
    stream.dtls->we_are_active = false;
    pair.submit(in::Agreed{.session = alice, .stream = stream});
    // A peer of GStreamer's DTLS, whose certificate is that of this process, as Alice's is.
    const std::string words =
        "udpsrc name=from ! dtlsdec connection-id=test-peer "
        "appsrc name=in format=time caps=application/data ! dtlsenc connection-id=test-peer "
        "is-client=true ! udpsink name=to async=false sync=false host=127.0.0.1 port=" +
        std::to_string(own.rtp.port);
    const auto peer = gst::owned(gst_parse_launch(words.c_str(), nullptr));
    ASSERT_TRUE(peer);
    const gst::Ref<GObject> shared{G_OBJECT(g_socket_new_from_fd(::dup(socket.get()), nullptr))};
    for (const auto* name : {"from", "to"}) {
        const gst::Ref<GstElement> end{gst_bin_get_by_name(GST_BIN(peer.get()), name)};
        g_object_set(end.get(), "socket", shared.get(), "close-socket", FALSE, nullptr);
    }
    gst_element_set_state(peer.get(), GST_STATE_PLAYING);
    ASSERT_TRUE(pair.next<out::Started>(alice)) << pair.failures();
    const gst::Ref<GstElement> in{gst_bin_get_by_name(GST_BIN(peer.get()), "in")};
    GstFlowReturn ended = GST_FLOW_OK;
    g_signal_emit_by_name(in.get(), "end-of-stream", &ended);
    const auto told = pair.next<out::Failed>(alice);
    EXPECT_TRUE(told) << "nothing said";
    if (told) {
        EXPECT_EQ(told->kind, out::FailureKind::encryption);
        EXPECT_FALSE(told->ends);
        EXPECT_NE(told->sentence.find("ended"), std::string::npos) << told->sentence;
    }
    EXPECT_TRUE(pair.next<out::Silent>(alice)) << "the session goes on";
    EXPECT_EQ(pair.failures(), "");
    gst_element_set_state(peer.get(), GST_STATE_NULL);
}

INSTANTIATE_TEST_SUITE_P(Roles, Forged, testing::Bool(),
                         [](const auto& role) { return role.param ? "Active" : "Passive"; });

}  // namespace
}  // namespace holdfast::media
