// What travels through the simulated internet: a datagram, a TCP segment in a simplified form, or
// an ICMP error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"

namespace holdfast::lab {

enum class PacketKind : std::uint8_t {
    datagram,
    syn,
    syn_ack,
    data,
    ack,
    fin,
    reset,
    icmp,
};
std::string_view name_of(PacketKind kind);

enum class IcmpReason : std::uint8_t { port_unreachable, prohibited, net_unreachable };
std::string_view name_of(IcmpReason reason);

// The packet an ICMP error is about, as the one who reports it saw it.
struct IcmpError {
    IcmpReason reason = IcmpReason::port_unreachable;
    Endpoint from;
    Endpoint to;
    bool tcp = false;
};

struct Packet {
    PacketKind kind = PacketKind::datagram;
    Endpoint from;
    Endpoint to;
    std::string bytes{};
    // TCP. The connection's number stands for its initial sequence numbers: an old segment on
    // reused ports is known by it. sequence counts segments, not octets: of data and fin its own,
    // of an ack the next expected.
    std::uint64_t connection = 0;
    std::uint64_t sequence = 0;
    std::optional<IcmpError> error{};
    std::size_t trace = 0;  // its line in the ladder
    std::optional<Endpoint>
        inside{};  // who really sent it, if a NAT rewrote `from`; for the ladder only

    [[nodiscard]] bool is_tcp() const {
        return kind != PacketKind::datagram && kind != PacketKind::icmp;
    }
};

}  // namespace holdfast::lab
