// The fixed part of an RTP packet (RFC 3550 §5.1), as far as the path of a packet depends on it.
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

// None: this is no RTP. What else comes to such a port: STUN (first byte 0 – 3), DTLS (20 – 63; RFC
// 7983 §7), RTCP where it shares the port (packet type 192 – 223; RFC 5761 §4).
constexpr std::optional<RtpHeader> rtp_header(std::span<const std::uint8_t> packet) {
    if (packet.size() < 12 || (packet[0] >> 6) != 2) return std::nullopt;
    if (packet[1] >= 192 && packet[1] <= 223) return std::nullopt;
    const auto at = [&](std::size_t n) { return static_cast<std::uint32_t>(packet[n]); };
    return RtpHeader{.payload_type = static_cast<std::uint8_t>(packet[1] & 0x7f),
                     .sequence = static_cast<std::uint16_t>(at(2) << 8 | at(3)),
                     .ssrc = at(8) << 24 | at(9) << 16 | at(10) << 8 | at(11)};
}

}  // namespace holdfast::media
