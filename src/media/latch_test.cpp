#include "media/latch.h"

#include <gtest/gtest.h>

#include <array>

namespace holdfast::media {
namespace {

using namespace std::chrono_literals;

constexpr Instant start{};
const Endpoint described{.address = IpAddress::v4(192, 0, 2, 1), .port = 4000};
const Endpoint natted{.address = IpAddress::v4(198, 51, 100, 7), .port = 61000};
const Endpoint stranger{.address = IpAddress::v4(203, 0, 113, 66), .port = 5555};

// Packets of one stream, 20 ms apart.
struct Stream {
    std::uint32_t ssrc = 7;
    std::uint16_t sequence = 65534;  // wraps soon
    Instant at = start;

    Arrival send(Latch& latch, const Endpoint& from) {
        at += 20ms;
        return latch.on_packet(at, from, {.payload_type = 8, .sequence = sequence++, .ssrc = ssrc});
    }
};

TEST(Latch, KeepsToTheDescribedAddressThatSends) {
    Latch latch{described, true};
    Stream stream;
    EXPECT_EQ(stream.send(latch, described), Arrival::expected);
    Stream other{.ssrc = 9, .sequence = 1, .at = stream.at};
    for (int n = 0; n < 200; ++n) EXPECT_EQ(other.send(latch, stranger), Arrival::dropped);
    EXPECT_EQ(latch.target(), described);
}

// Behind a NAT: nothing comes from the described address (RFC 4961).
TEST(Latch, MovesToAnotherSourceAtTheThirdPacketInARow) {
    Latch latch{described, true};
    Stream stream;
    EXPECT_EQ(stream.send(latch, natted), Arrival::elsewhere);
    EXPECT_EQ(stream.send(latch, natted), Arrival::elsewhere);
    EXPECT_EQ(latch.target(), described);
    EXPECT_EQ(stream.send(latch, natted), Arrival::followed);
    EXPECT_EQ(latch.target(), natted);
    EXPECT_EQ(stream.send(latch, natted), Arrival::expected);
}

// What is not yet known to be authentic is let as far as it could go, and moves nothing.
TEST(Latch, AdmitsWhatItCouldLetIn) {
    Latch latch{described, true};
    const RtpHeader forged{.payload_type = 8, .sequence = 1, .ssrc = 9};
    EXPECT_TRUE(latch.admits(start, stranger, forged)) << "a NAT, perhaps";
    Stream stream;
    stream.send(latch, described);
    EXPECT_FALSE(latch.admits(stream.at, stranger, forged));
    EXPECT_TRUE(latch.admits(stream.at, described, forged));
    const RtpHeader next{.payload_type = 8, .sequence = stream.sequence, .ssrc = stream.ssrc};
    EXPECT_FALSE(latch.admits(stream.at + 1s - 1us, natted, next));
    EXPECT_TRUE(latch.admits(stream.at + 1s, natted, next)) << "a NAT that has bound anew";
    EXPECT_FALSE(latch.admits(stream.at + 1s, natted, forged));
    EXPECT_EQ(latch.target(), described);
}

TEST(Latch, StrayPacketsBetweenDoNotMoveIt) {
    Latch latch{described, true};
    Stream stream;
    Stream stray{.ssrc = 9, .sequence = 1};
    for (int n = 0; n < 10; ++n) {
        stream.send(latch, natted);
        EXPECT_NE(stray.send(latch, stranger), Arrival::followed);
        ++stray.sequence;  // no sequence of its own
    }
    EXPECT_NE(latch.target(), stranger);
}

TEST(Latch, DescribedAddressWinsWhenItBegins) {
    Latch latch{described, true};
    Stream early;
    for (int n = 0; n < 3; ++n) early.send(latch, natted);
    ASSERT_EQ(latch.target(), natted);
    Stream stream{.ssrc = 9, .sequence = 1, .at = early.at};
    EXPECT_EQ(stream.send(latch, described), Arrival::dropped);
    EXPECT_EQ(stream.send(latch, described), Arrival::dropped);
    EXPECT_EQ(stream.send(latch, described), Arrival::followed);
    EXPECT_EQ(latch.target(), described);
}

// A NAT binds anew in the call: the same stream comes from another port. Back within 2 s.
TEST(Latch, FollowsTheSameStreamAfterASecondOfSilence) {
    Latch latch{described, true};
    Stream stream;
    for (int n = 0; n < 5; ++n) stream.send(latch, described);
    const Instant rebound = stream.at;
    while (latch.target() == described && stream.at - rebound < 2s) stream.send(latch, natted);
    EXPECT_EQ(latch.target(), natted);
    EXPECT_GE(stream.at - rebound, 1s) << "while the old source may still send, it stays";
}

TEST(Latch, AnotherStreamIsNotFollowedHoweverLongTheFirstIsSilent) {
    Latch latch{described, true};
    Stream stream;
    stream.send(latch, described);
    Stream forged{
        .ssrc = 7, .sequence = 30000, .at = stream.at + 1min};  // its SSRC, not its sequence
    for (int n = 0; n < 10; ++n) EXPECT_EQ(forged.send(latch, stranger), Arrival::dropped);
}

TEST(Latch, OnlyTellsWhereItMayNotFollow) {
    Latch latch{described, false};
    Stream stream;
    for (int n = 0; n < 10; ++n) EXPECT_EQ(stream.send(latch, natted), Arrival::elsewhere);
    EXPECT_EQ(latch.target(), described);
}

TEST(Latch, NewDescriptionBeginsAnewTheSameOneDoesNot) {
    Latch latch{described, true};
    Stream stream;
    for (int n = 0; n < 3; ++n) stream.send(latch, natted);
    latch.describe(described);
    EXPECT_EQ(latch.target(), natted);
    latch.describe(stranger);
    EXPECT_EQ(latch.target(), stranger);
}

// RFC 3550 §5.1; what else comes to the port is none of it (RFC 5761 §4, RFC 7983 §7).
TEST(RtpHeader, IsToldFromRtcpStunAndDtls) {
    std::array<std::uint8_t, 12> packet{0x80, 0x88, 0x12, 0x34, 0, 0, 0, 0, 0xde, 0xad, 0xbe, 0xef};
    const auto header = rtp_header(packet);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->payload_type, 8);
    EXPECT_EQ(header->sequence, 0x1234);
    EXPECT_EQ(header->ssrc, 0xdeadbeefU);
    EXPECT_FALSE(rtp_header(std::span{packet}.first(11)));
    for (const int rtcp : {192, 200, 201, 223}) {
        packet[1] = static_cast<std::uint8_t>(rtcp);
        EXPECT_FALSE(rtp_header(packet));
    }
    packet[1] = 0;
    for (const int first : {0, 1, 22, 63, 64, 192}) {
        packet[0] = static_cast<std::uint8_t>(first);
        EXPECT_FALSE(rtp_header(packet));
    }
}

TEST(RtpHeader, TheSourceOfRtcpIsElsewhereThanThatOfRtp) {
    std::array<std::uint8_t, 12> packet{0x80, 0x88, 0x12, 0x34, 1, 2, 3, 4, 0xde, 0xad, 0xbe, 0xef};
    EXPECT_EQ(ssrc_of(packet), 0xdeadbeefU);
    packet[1] = 201;
    EXPECT_EQ(ssrc_of(packet), 0x01020304U);
    EXPECT_EQ(ssrc_of(std::span{packet}.first(8)), 0x01020304U);
    EXPECT_FALSE(ssrc_of(std::span{packet}.first(7)));
    packet[0] = 0;
    EXPECT_FALSE(ssrc_of(packet)) << "STUN has none";
}

}  // namespace
}  // namespace holdfast::media
