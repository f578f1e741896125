// Typed readings: RFC 8866 §6, 3605, 4568, 8122, 4145, 8839, 3890, and RFC 3551's static formats.
#include "sdp/attributes.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sdp/formats.h"
#include "sdp/limits.h"

namespace holdfast::sdp {
namespace {

Description read(const std::string& session, const std::string& media) {
    auto description = parse("v=0\r\n" + session + "m=audio 4000 RTP/AVP 0 96 9\r\n" + media);
    EXPECT_TRUE(description);
    return *description;
}

TEST(SdpAttributes, ADirectionIsTheStreamsElseTheSessionsElseBothWays) {  // RFC 8866 §6.7
    const auto direction = [](const std::string& session, const std::string& media) {
        const auto d = read(session, media);
        return direction_of(d, d.media.front());
    };
    EXPECT_EQ(direction("", ""), Direction::sendrecv);
    EXPECT_EQ(direction("a=sendonly\r\n", ""), Direction::sendonly);
    EXPECT_EQ(direction("a=sendonly\r\n", "a=inactive\r\n"), Direction::inactive);
}

TEST(SdpAttributes, AnAddressIsANumberOfItsOwnFamily) {
    const auto address = [](const std::string& line) {
        const auto d = read("", line);
        return address_of(d, d.media.front());
    };
    EXPECT_EQ(address("c=IN IP4 192.0.2.1\r\n"), IpAddress::v4(192, 0, 2, 1));
    EXPECT_EQ(address("c=IN IP6 2001:db8::1\r\n"), IpAddress::parse("2001:db8::1"));
    EXPECT_EQ(address("c=IN IP6 192.0.2.1\r\n"), std::nullopt);
    EXPECT_EQ(address("c=IN IP4 media.example.test\r\n"), std::nullopt);
    EXPECT_EQ(address("c=IN IP4 233.252.0.1/127\r\n"), std::nullopt);
    EXPECT_EQ(address(""), std::nullopt);
}

TEST(SdpAttributes, RtcpIsThePortAboveUnlessItIsSaid) {  // RFC 3550 §11, RFC 3605
    const Endpoint rtp{IpAddress::v4(192, 0, 2, 1), 4000};
    EXPECT_EQ(rtcp_of(read("", "").media.front(), rtp).port, 4001);
    EXPECT_EQ(rtcp_of(read("", "a=rtcp:5000\r\n").media.front(), rtp).port, 5000);
    EXPECT_EQ(rtcp_of(read("", "a=rtcp:5000 IN IP4 192.0.2.7\r\n").media.front(), rtp),
              (Endpoint{IpAddress::v4(192, 0, 2, 7), 5000}));
    EXPECT_EQ(rtcp_of(read("", "a=rtcp:many\r\n").media.front(), rtp).port, 4001);
}

TEST(SdpAttributes, KeysAreReadInOrderAndNeverPrinted) {  // RFC 4568 §9.1
    const auto keys =
        crypto_of(read("",
                       "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:QUJD|2^20\r\n"
                       "a=crypto:x AES_CM_128_HMAC_SHA1_80 inline:QUJD\r\n"
                       "a=crypto:3 AES_CM_128_HMAC_SHA1_32 secret:QUJD\r\n"
                       "a=crypto:4 AES_CM_128_HMAC_SHA1_32 inline:REVG UNENCRYPTED_SRTP\r\n")
                      .media.front());
    ASSERT_EQ(keys.size(), 2U);
    EXPECT_EQ(keys[0].key.reveal(), "QUJD");
    EXPECT_EQ(keys[0].lifetime_and_mki, "2^20");
    EXPECT_EQ(crypto_text(keys[0]), "1 AES_CM_128_HMAC_SHA1_80 inline:QUJD|2^20");
    EXPECT_EQ(keys[0].key.to_string(), "<redacted>");
    EXPECT_EQ(keys[1].tag, 4U);
    EXPECT_EQ(keys[1].session_parameters, "UNENCRYPTED_SRTP");
    EXPECT_EQ(crypto_text(keys[1]), "4 AES_CM_128_HMAC_SHA1_32 inline:REVG UNENCRYPTED_SRTP");
}

TEST(SdpAttributes, FingerprintAndRoleMayStandAtTheSession) {  // RFC 8122 §5, RFC 4145 §4
    const auto d = read("a=fingerprint:SHA-256 AB:CD\r\na=setup:passive\r\n", "");
    EXPECT_EQ(fingerprints_of(d, d.media.front()),
              (std::vector<Fingerprint>{{"sha-256", "AB:CD"}}));
    EXPECT_EQ(setup_of(d, d.media.front()), Setup::passive);
    const auto none = read("a=fingerprint:sha-256\r\na=setup:perhaps\r\n", "");
    EXPECT_TRUE(fingerprints_of(none, none.media.front()).empty());
    EXPECT_EQ(setup_of(none, none.media.front()), std::nullopt);
}

TEST(SdpAttributes, IceNeedsBothCredentials) {  // RFC 8839 §5.4
    const auto d = read("a=ice-lite\r\na=ice-ufrag:abcd\r\n",
                        "a=ice-pwd:0123456789012345678901\r\na=candidate:1 1 UDP 1 192.0.2.1 4000 "
                        "typ host\r\n");
    const auto ice = ice_of(d, d.media.front());
    ASSERT_TRUE(ice);
    EXPECT_EQ(ice->remote.ufrag, "abcd");
    EXPECT_TRUE(ice->remote_lite);
    EXPECT_EQ(ice->candidates.size(), 1U);
    const auto half = read("a=ice-ufrag:abcd\r\n", "");
    EXPECT_FALSE(ice_of(half, half.media.front()));
    std::string many = "a=ice-ufrag:abcd\r\na=ice-pwd:x\r\n";
    for (std::size_t i = 0; i <= limits::candidates; ++i) many += "a=candidate:1\r\n";
    const auto flood = read("", many);
    EXPECT_EQ(ice_of(flood, flood.media.front())->candidates.size(), limits::candidates);
}

TEST(SdpAttributes, TimesAndBandwidths) {  // RFC 8866 §6.4, RFC 3890
    EXPECT_EQ(ptime_of(read("", "a=ptime:20\r\n").media.front()), 20);
    EXPECT_EQ(ptime_of(read("", "a=ptime:60\r\na=maxptime:40\r\n").media.front()), 40);
    EXPECT_EQ(ptime_of(read("", "a=ptime:0\r\n").media.front()), std::nullopt);
    EXPECT_EQ(ptime_of(read("", "a=ptime:99999\r\n").media.front()), std::nullopt);
    EXPECT_EQ(bandwidth_of(read("", "b=TIAS:64001\r\n").media.front()), 65U);
    EXPECT_EQ(bandwidth_of(read("", "b=AS:80\r\n").media.front()), 80U);
}

TEST(SdpFormats, StaticNumbersNeedNoRtpmap) {  // RFC 3551 §6
    const auto media =
        read("", "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1; stereo=0\r\n")
            .media.front();
    EXPECT_EQ(rtpmap(*codec_of(media, "0")), "PCMU/8000");
    EXPECT_EQ(rtpmap(*codec_of(media, "9")), "G722/8000");  // §4.5.2
    const auto opus = codec_of(media, "96");
    ASSERT_TRUE(opus);
    EXPECT_EQ(rtpmap(*opus), "opus/48000/2");
    EXPECT_EQ(fmtp_parameter(*opus, "Stereo"), "0");
    EXPECT_EQ(fmtp_parameter(*opus, "usedtx"), std::nullopt);
    EXPECT_FALSE(codec_of(media, "97"));
    EXPECT_FALSE(codec_of(media, "128"));
    EXPECT_FALSE(codec_of(media, "t38"));
}

TEST(SdpFormats, AnRtpmapStandsAboveTheStaticMeaning) {
    const auto media = read("", "a=rtpmap:0 G726-32/8000\r\na=rtpmap:9 broken\r\n").media.front();
    EXPECT_EQ(codec_of(media, "0")->name, "G726-32");
    EXPECT_FALSE(codec_of(media, "9"));
}

TEST(SdpFormats, OneNameIsNotAlwaysOneFormat) {
    const Codec opus{.name = "opus", .clock_rate = 48000, .channels = 2};
    EXPECT_TRUE(is_same_format(opus, {.name = "OPUS", .clock_rate = 48000}));  // RFC 7587 §7
    EXPECT_FALSE(is_same_format(opus, {.name = "opus", .clock_rate = 16000}));
    const Codec l16{.name = "L16", .clock_rate = 44100, .channels = 2};
    EXPECT_FALSE(is_same_format(l16, {.name = "L16", .clock_rate = 44100}));
    const Codec h264{.name = "H264", .clock_rate = 90000, .fmtp = "packetization-mode=1"};
    EXPECT_FALSE(is_same_format(h264, {.name = "H264", .clock_rate = 90000}));  // RFC 6184 §8.2.2
    EXPECT_TRUE(is_same_format(h264, h264));
}

}  // namespace
}  // namespace holdfast::sdp
