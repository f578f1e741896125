// What comes to a media port, by its first octets, as far as the path of a packet depends on it:
// RTP (RFC 3550 §5.1), RTCP (its §6.1), DTLS (RFC 6347), and the rest. All of it may be a
// stranger's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace holdfast::media {

struct RtpHeader {
    std::uint8_t payload_type = 0;
    std::uint16_t sequence = 0;
    std::uint32_t ssrc = 0;
};

// RFC 5761 §4: RTP's marker and payload type are never in this range of packet types.
constexpr bool is_rtcp(std::span<const std::uint8_t> packet) {
    return packet.size() >= 2 && packet[0] >> 6 == 2 && packet[1] >= 192 && packet[1] <= 223;
}

// RFC 7983 §7.
constexpr bool is_dtls(std::span<const std::uint8_t> packet) {
    return !packet.empty() && packet[0] >= 20 && packet[0] <= 63;
}

// None: this is no RTP. What else comes to such a port: STUN (first byte 0 – 3), DTLS (20 – 63; RFC
// 7983 §7), RTCP where it shares the port (packet type 192 – 223; RFC 5761 §4).
constexpr std::optional<RtpHeader> rtp_header(std::span<const std::uint8_t> packet) {
    if (packet.size() < 12 || (packet[0] >> 6) != 2 || is_rtcp(packet)) return std::nullopt;
    const auto at = [&](std::size_t n) { return static_cast<std::uint32_t>(packet[n]); };
    return RtpHeader{.payload_type = static_cast<std::uint8_t>(packet[1] & 0x7f),
                     .sequence = static_cast<std::uint16_t>(at(2) << 8 | at(3)),
                     .ssrc = at(8) << 24 | at(9) << 16 | at(10) << 8 | at(11)};
}

// Of RTP or RTCP: who sends it (RFC 3550 §5.1, §6.4.1). None: it is neither, or too short to say.
constexpr std::optional<std::uint32_t> ssrc_of(std::span<const std::uint8_t> packet) {
    if (const auto header = rtp_header(packet)) return header->ssrc;
    if (packet.size() < 8 || !is_rtcp(packet)) return std::nullopt;
    std::uint32_t ssrc = 0;
    for (const auto byte : packet.subspan(4, 4)) ssrc = ssrc << 8 | byte;
    return ssrc;
}

}  // namespace holdfast::media
