// Encrypted calls: keys from SDP and by DTLS, RTCP beside RTP and on its port. Two sessions in one
// process, on loopback sockets, in real time.
#include <gtest/gtest.h>

#include "media/srtp.h"
#include "media/test_pair.h"
#include "media/test_sound.h"

namespace holdfast::media {
namespace {

Samples prompt(std::uint32_t rate) { return sweep(rate, 0.5, 300, 1500); }

// What Bob hears of a prompt that Alice plays: how like it is, and that it is not just any sound.
void expect_prompt_arrives(Pair& pair, const TestFolder& folder) {
    // Three times: a busy host may delay a packet too long in one of them.
    write_wav(folder / "prompt.wav", 8000, thrice(prompt(8000)));
    pair.settle();
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
    EXPECT_GE(likeness(prompt(wav.rate), heard, wav.rate).correlation, 0.98);
    EXPECT_LT(likeness(sweep(wav.rate, 0.5, 2900, 1800), heard, wav.rate).correlation, 0.3);
    EXPECT_EQ(pair.failures(), "");
}

// The peer's reports arrive: RTCP finds its way. Reports come some seconds apart (RFC 3550 §6.2).
void expect_reports_arrive(Pair& pair) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < end) {
        if (pair.statistics(alice).lost_there) return;
        pair.next<out::Silent>(alice, std::chrono::milliseconds{100});
    }
    ADD_FAILURE() << "no report from Bob";
}

struct WayCase {
    std::string name;
    SessionOptions options;
};
class Encrypted : public testing::TestWithParam<WayCase> {};

// Sound and reports arrive, and both sides have made a key or a certificate of their own.
//   RFC 4568 §6, RFC 5761 §5, RFC 5763 §5, RFC 5764. Not tested here: other implementations.
TEST_P(Encrypted, PromptAndReportsArrive) {
    const TestFolder folder;
    Pair pair;
    pair.connect("PCMA", patient(GetParam().options), patient(GetParam().options));
    if (GetParam().options.sdes) {
        ASSERT_FALSE(pair.first.crypto.empty());
        EXPECT_NE(pair.first.crypto[0].key, pair.second.crypto[0].key) << "a key for each session";
    }
    expect_prompt_arrives(pair, folder);
    expect_reports_arrive(pair);
}

std::vector<WayCase> ways() {
    std::vector<WayCase> cases;
    for (const bool mux : {true, false}) {
        const std::string suffix = mux ? "_mux" : "_two_ports";
        cases.push_back({"plain" + suffix, {.rtcp_mux = mux, .sdes = false, .dtls = false}});
        cases.push_back(
            {"dtls" + suffix, {.rtcp_mux = mux, .srtp = sdp::Srtp::required, .sdes = false}});
        for (const auto& suite : all_suites()) {
            if (!mux && &suite != all_suites().data()) continue;  // one is enough for the ports
            cases.push_back({std::string{suite.name} + suffix,
                             {.rtcp_mux = mux,
                              .srtp = sdp::Srtp::required,
                              .dtls = false,
                              .suites = {std::string{suite.name}}}});
        }
    }
    return cases;
}
INSTANTIATE_TEST_SUITE_P(Ways, Encrypted, testing::ValuesIn(ways()),
                         [](const auto& way) { return way.param.name; });

// What is encrypted with another key, or not at all, is not heard (RFC 3711 §3.3); the other way
// still is.
TEST(EncryptedWrongly, WrongKeyAndNoKeyAreNotHeard) {
    for (const bool encrypts : {true, false}) {
        const SessionOptions options{.srtp = sdp::Srtp::optional, .dtls = false};
        Pair pair;
        pair.first = pair.open(alice, options);
        pair.second = pair.open(bob, options);
        auto wrong = Pair::agreed(pair.second, pair.first, "PCMA");
        ASSERT_TRUE(wrong.crypto);
        if (encrypts)
            wrong.crypto->local.key = wrong.crypto->remote.key;
        else
            wrong.crypto.reset();
        pair.submit(
            in::Agreed{.session = alice, .stream = Pair::agreed(pair.first, pair.second, "PCMA")});
        pair.submit(in::Agreed{.session = bob, .stream = wrong});
        ASSERT_TRUE(pair.next<out::Started>(bob)) << pair.failures();
        EXPECT_TRUE(pair.next<out::Silent>(alice)) << "Bob sends, and Alice hears nothing";
        EXPECT_FALSE(pair.has<out::FirstPacket>(alice));
        EXPECT_EQ(pair.statistics(alice).received_packets, 0U);
        EXPECT_GT(pair.statistics(bob).sent_packets, 10U);
        if (!encrypts) continue;
        EXPECT_TRUE(pair.next<out::FirstPacket>(bob)) << "Alice's key is right";
    }
}

// Whoever answers the handshake with another certificate gets no sound and is not heard, and the
// user reads why (RFC 5763 §5).
TEST(EncryptedWrongly, OtherCertificateIsRefusedInWords) {
    const SessionOptions options{.srtp = sdp::Srtp::required, .sdes = false};
    for (const bool active : {true, false}) {
        Pair pair;
        pair.first = pair.open(alice, options);
        pair.second = pair.open(bob, options);
        auto wrong = Pair::agreed(pair.first, pair.second, "PCMA");
        auto right = Pair::agreed(pair.second, pair.first, "PCMA");
        ASSERT_TRUE(wrong.dtls && right.dtls);
        wrong.dtls->we_are_active = active;
        right.dtls->we_are_active = !active;
        auto& hex = wrong.dtls->fingerprints[0].hex;
        hex[0] = hex[0] == '0' ? '1' : '0';
        pair.submit(in::Agreed{.session = alice, .stream = wrong});
        pair.submit(in::Agreed{.session = bob, .stream = right});
        const auto failed = pair.next<out::Failed>(alice);
        ASSERT_TRUE(failed);
        EXPECT_EQ(failed->kind, out::FailureKind::encryption);
        EXPECT_TRUE(failed->ends);
        EXPECT_NE(failed->sentence.find("certificate"), std::string::npos) << failed->sentence;
        EXPECT_TRUE(pair.next<out::Silent>(bob)) << "Alice sends nothing";
        EXPECT_FALSE(pair.has<out::FirstPacket>(alice));
        EXPECT_FALSE(pair.has<out::FirstPacket>(bob));
    }
}

// Required means required, whatever the caller of media says was agreed on.
TEST(EncryptedWrongly, NothingAgreedIsRefusedWhereItIsRequired) {
    Pair pair;
    const auto own = pair.open(alice, {.srtp = sdp::Srtp::required});
    auto stream = Pair::agreed(own, own, "PCMA");
    stream.crypto.reset();
    stream.dtls.reset();
    pair.submit(in::Agreed{.session = alice, .stream = stream});
    const auto failed = pair.next<out::Failed>(alice);
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->kind, out::FailureKind::encryption);
    EXPECT_TRUE(failed->ends);
}

// Nor does it go on, encrypted as before, when a later agreement has no keys.
TEST(EncryptedWrongly, RequiredEndsWhenItIsAgreedAway) {
    const SessionOptions options{.srtp = sdp::Srtp::required, .dtls = false};
    Pair pair;
    pair.connect("PCMA", patient(options), patient(options));
    auto stream = Pair::agreed(pair.first, pair.second, "PCMA");
    stream.crypto.reset();
    pair.submit(in::Agreed{.session = alice, .stream = stream});
    const auto failed = pair.next<out::Failed>(alice);
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->kind, out::FailureKind::encryption);
    EXPECT_TRUE(failed->ends);
    EXPECT_TRUE(pair.next<out::Silent>(bob));
}

// No sentence has a key in it, nor a part of one.
TEST(EncryptedWrongly, SentencesHaveNoKey) {
    Pair pair;
    const auto own = pair.open(alice, {.srtp = sdp::Srtp::required, .suites = {"ROT13"}});
    const auto unknown = pair.next<out::Failed>(alice);
    ASSERT_TRUE(unknown);
    EXPECT_NE(unknown->sentence.find("ROT13"), std::string::npos) << unknown->sentence;
    auto stream = Pair::agreed(own, own, "PCMA");
    const sdp::CryptoKey odd{.suite = "AES_CM_128_HMAC_SHA1_80",
                             .key = Redacted<std::string>{"c2VjcmV0IHNlY3JldA=="}};
    stream.crypto = sdp::AgreedCrypto{.local = odd, .remote = odd};
    pair.submit(in::Agreed{.session = alice, .stream = stream});
    const auto failed = pair.next<out::Failed>(alice);
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->kind, out::FailureKind::encryption);
    EXPECT_EQ(failed->sentence.find("c2Vj"), std::string::npos) << failed->sentence;
    EXPECT_EQ(failed->sentence.find("secret"), std::string::npos) << failed->sentence;
}

// A new codec in the call keeps the keys, and the stream goes on (RFC 3264 §8.3).
TEST(EncryptedChange, NewCodecKeepsTheKeys) {
    const TestFolder folder;
    const SessionOptions options{.srtp = sdp::Srtp::required, .dtls = false};
    Pair pair;
    pair.connect("PCMA", patient(options), patient(options));
    pair.submit(
        in::Agreed{.session = alice, .stream = Pair::agreed(pair.first, pair.second, "PCMU")});
    pair.submit(
        in::Agreed{.session = bob, .stream = Pair::agreed(pair.second, pair.first, "PCMU")});
    expect_prompt_arrives(pair, folder);
}

}  // namespace
}  // namespace holdfast::media
