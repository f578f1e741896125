// What others write: a browser, a PBX with "best effort" encryption, an IPv6 phone that holds with
// a fax stream beside (fuzz/corpus/sdp). Each is answered as its author would expect. And for any
// pair of sides (drawn): an answer of ours is one that the offerer understands, with the same
// streams in the same places.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "sdp/attributes.h"
#include "sdp/testing.h"

namespace holdfast::sdp {
namespace {

using testing_sdp::audio;
using testing_sdp::Pair;

std::string sample(const std::string& name) {
    std::ifstream file(std::string(HOLDFAST_TEST_DATA) + "/../../fuzz/corpus/sdp/" + name,
                       std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

const Codec opus{.name = "opus", .clock_rate = 48000, .channels = 2};
const Codec pcma{.name = "PCMA", .clock_rate = 8000};
const Codec events{.name = "telephone-event", .clock_rate = 8000, .fmtp = "0-16"};
const Codec events48{.name = "telephone-event", .clock_rate = 48000, .fmtp = "0-16"};

TEST(SdpSamples, ABrowsersOffer) {  // RFC 8839, 5763, 5761
    auto stream = audio("192.0.2.1", 4000, {opus, pcma, events, events48});
    stream.srtp = Srtp::optional;
    stream.fingerprint = Fingerprint{"sha-256", "AA"};
    stream.rtcp_mux = true;
    stream.ice = IceCredentials{"abcd", Redacted<std::string>("0123456789012345678901")};
    Negotiation ours{{.session_id = "1"}};
    const auto answer = ours.on_offer(sample("browser"), std::vector{stream});
    ASSERT_TRUE(answer) << answer.error().words;
    const auto& agreed = ours.agreement()->streams.front();
    EXPECT_EQ(agreed.send.front().name, "opus");
    EXPECT_EQ(agreed.send.front().payload_type, 111);
    EXPECT_EQ(agreed.dtmf_send, 110);
    ASSERT_TRUE(agreed.dtls && agreed.ice);
    EXPECT_TRUE(agreed.dtls->we_are_active);
    EXPECT_EQ(agreed.ice->candidates.size(), 1U);
    EXPECT_FALSE(agreed.ice->end_of_candidates);
    EXPECT_TRUE(agreed.rtcp_mux);
    EXPECT_EQ(agreed.source, (Source{3570614608, "4TOk42mSjXCkVIa6"}));
    EXPECT_NE(answer->find("m=audio 4000 UDP/TLS/RTP/SAVPF 111 8 126 110"), std::string::npos)
        << *answer;
    EXPECT_NE(answer->find("a=mid:0"), std::string::npos);
    EXPECT_EQ(answer->find("BUNDLE"), std::string::npos);  // RFC 8843 §7.3: not accepted
}

TEST(SdpSamples, BestEffortEncryptionIsTaken) {
    auto stream = audio("192.0.2.1", 4000, {pcma, events});
    stream.srtp = Srtp::optional;
    stream.crypto = {{.suite = "AES_CM_128_HMAC_SHA1_32", .key = Redacted<std::string>("K32")},
                     {.suite = "AES_CM_128_HMAC_SHA1_80", .key = Redacted<std::string>("K80")}};
    Negotiation ours{{.session_id = "1"}};
    const auto answer = ours.on_offer(sample("best_effort_srtp"), std::vector{stream});
    ASSERT_TRUE(answer) << answer.error().words;
    const auto& agreed = ours.agreement()->streams.front();
    ASSERT_TRUE(agreed.crypto);
    EXPECT_EQ(agreed.crypto->remote.lifetime_and_mki, "2^20|1:4");
    EXPECT_NE(answer->find("m=audio 4000 RTP/AVP 8 96"), std::string::npos) << *answer;
    EXPECT_NE(answer->find("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:K80\r\n"), std::string::npos);
    EXPECT_EQ(agreed.bandwidth_kbps, 64U);
}

TEST(SdpSamples, AHoldWithAFaxBeside) {
    auto stream = audio("2001:db8::1", 4000, {pcma});
    stream.srtp = Srtp::optional;
    stream.crypto = {{.suite = "AES_CM_128_HMAC_SHA1_80", .key = Redacted<std::string>("K80")}};
    Negotiation ours{{.session_id = "1"}};
    // RTP/SAVP without a key is nothing that anybody could answer.
    const auto refused = ours.on_offer(sample("hold_two_streams"), std::vector{stream});
    ASSERT_FALSE(refused);
    auto text = sample("hold_two_streams");
    text.replace(text.find("SAVP"), 4, "AVP");
    const auto answer = ours.on_offer(text, std::vector{stream});
    ASSERT_TRUE(answer) << answer.error().words;
    const auto& agreed = ours.agreement()->streams;
    ASSERT_EQ(agreed.size(), 3U);
    EXPECT_TRUE(agreed[0].held_by_peer);
    EXPECT_EQ(agreed[0].direction, Direction::recvonly);
    EXPECT_EQ(agreed[0].ptime, 20);
    EXPECT_EQ(agreed[0].maxptime, 60);
    EXPECT_TRUE(agreed[1].rejected && agreed[2].rejected);
    EXPECT_NE(answer->find("m=image 0 udptl t38"), std::string::npos) << *answer;
}

const std::vector<Codec> all{opus,
                             pcma,
                             {.name = "PCMU", .clock_rate = 8000},
                             {.name = "G722", .clock_rate = 8000},
                             {.name = "speex", .clock_rate = 16000},
                             events,
                             events48};

std::vector<LocalStream> drawn_streams(const char* address) {
    std::vector<LocalStream> streams;
    const auto count = *rc::gen::inRange(1, 3);
    for (int i = 0; i < count; ++i) {
        const auto chosen = *rc::gen::inRange(1U, 1U << all.size());  // a set that is not empty
        const bool backwards = *rc::gen::arbitrary<bool>();
        auto stream = audio(address, static_cast<std::uint16_t>(4000 + 10 * i), {});
        for (std::size_t index = 0; index < all.size(); ++index)
            if ((chosen >> index & 1U) != 0) stream.codecs.push_back(all[index]);
        if (backwards) std::ranges::reverse(stream.codecs);
        stream.direction = *rc::gen::element(Direction::sendrecv, Direction::sendonly,
                                             Direction::recvonly, Direction::inactive);
        stream.rtcp_mux = *rc::gen::arbitrary<bool>();
        streams.push_back(std::move(stream));
    }
    return streams;
}

RC_GTEST_PROP(SdpProperty, BothSidesBelieveTheSame, ()) {
    Pair pair;
    pair.alice = drawn_streams("192.0.2.1");
    pair.bob = drawn_streams("192.0.2.2");
    if (!pair.call().empty()) return;  // nothing in common
    for (int round = 0; round < 2; ++round) {
        const auto& a = pair.ours.agreement()->streams;
        const auto& b = pair.theirs.agreement()->streams;
        RC_ASSERT(a.size() == b.size());
        for (std::size_t i = 0; i < a.size(); ++i) {
            RC_ASSERT(a[i].rejected == b[i].rejected);
            if (a[i].rejected) continue;
            RC_ASSERT(a[i].direction == reversed(b[i].direction));
            RC_ASSERT(a[i].rtcp_mux == b[i].rtcp_mux);
            RC_ASSERT(a[i].send.size() == b[i].receive.size());
            for (std::size_t c = 0; c < a[i].send.size(); ++c) {
                RC_ASSERT(a[i].send[c].payload_type == b[i].receive[c].payload_type);
                RC_ASSERT(a[i].receive[c].payload_type == b[i].send[c].payload_type);
            }
        }
        if (!pair.call_back().empty()) return;
    }
}

RC_GTEST_PROP(SdpProperty, AnyTextThatIsReadPrintsToItself, ()) {
    Description description;
    description.name =
        *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange('!', '~')));
    const auto count = *rc::gen::inRange(0, 4);
    for (int i = 0; i < count; ++i) {
        const auto word =
            rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange('a', 'z')));
        Media media{.kind = *word, .port = *rc::gen::arbitrary<std::uint16_t>(), .protocol = *word};
        media.formats = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(word));
        if (*rc::gen::arbitrary<bool>()) media.attributes.push_back({*word, *word});
        description.media.push_back(std::move(media));
    }
    const auto read = parse(print(description));
    if (!read) return RC_ASSERT(description.media.size() > 0U);  // past a limit
    RC_ASSERT(read->media == description.media);
    RC_ASSERT(print(*read) == print(description));
}

}  // namespace
}  // namespace holdfast::sdp
