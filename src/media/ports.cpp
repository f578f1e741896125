#include "media/ports.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace holdfast::media {

namespace {

// What a burst may leave in the kernel while a thread waits for its turn: about 2 s of G.711.
constexpr int receive_buffer = 64 * 1024;

std::expected<Socket, int> bound_socket(const Endpoint& local, std::uint8_t dscp) {
    const bool v6 = local.address.family() == Family::ipv6;
    Socket socket{::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (socket.get() < 0) return std::unexpected(errno);
    const int on = 1;
    const int traffic_class = dscp << 2;
    // Marks are wishes: a host that refuses them has a call all the same.
    (void)::setsockopt(socket.get(), v6 ? int{IPPROTO_IPV6} : int{IPPROTO_IP},
                       v6 ? IPV6_TCLASS : IP_TOS, &traffic_class, sizeof traffic_class);
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const auto& bytes = local.address.bytes();
    int bound = -1;
    if (v6) {
        if (::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0)
            return std::unexpected(errno);
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_port = htons(local.port);
        std::memcpy(&address.sin6_addr, bytes.data(), 16);
        bound = ::bind(socket.get(), std::bit_cast<const sockaddr*>(&address), sizeof address);
    } else {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(local.port);
        std::memcpy(&address.sin_addr, bytes.data(), 4);
        bound = ::bind(socket.get(), std::bit_cast<const sockaddr*>(&address), sizeof address);
    }
    if (bound < 0) return std::unexpected(errno);
    return socket;
}

std::string words_of(int error) { return std::generic_category().message(error); }

}  // namespace

Socket& Socket::operator=(Socket&& other) noexcept {
    if (this != &other) {
        if (descriptor_ >= 0) ::close(descriptor_);
        descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
}

Socket::~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

std::expected<Ports, std::string> open_ports(IpAddress bind, PortRange range, std::uint8_t dscp,
                                             std::uint32_t start) {
    const std::string name = std::to_string(range.first) + "-" + std::to_string(range.last);
    const std::uint32_t first = (range.first + 1U) / 2;
    const std::uint32_t pairs = range.last > range.first ? (range.last + 1U) / 2 - first : 0;
    if (pairs == 0 || range.first == 0)
        return std::unexpected("the RTP port range " + name +
                               " holds no pair of an even port and the one above it: widen it");
    for (std::uint32_t n = 0; n < pairs; ++n) {
        const auto even = static_cast<std::uint16_t>(2 * (first + (start + n) % pairs));
        const Endpoint rtp{.address = bind, .port = even};
        const Endpoint rtcp{.address = bind, .port = static_cast<std::uint16_t>(even + 1)};
        auto lower = bound_socket(rtp, dscp);
        auto upper = lower ? bound_socket(rtcp, dscp)
                           : std::expected<Socket, int>{std::unexpect, lower.error()};
        if (upper) {
            return Ports{.rtp = std::move(*lower),
                         .rtcp = std::move(*upper),
                         .rtp_endpoint = rtp,
                         .rtcp_endpoint = rtcp};
        }
        // A port that is taken or not for us (below 1024): the next. Else the address is at fault.
        if (upper.error() == EADDRINUSE || upper.error() == EACCES) continue;
        return std::unexpected("cannot open an RTP port on " + bind.to_string() + ": " +
                               words_of(upper.error()) + "; is this address of this host?");
    }
    return std::unexpected("all " + std::to_string(pairs) + " pairs of the RTP port range " + name +
                           " on " + bind.to_string() +
                           " are in use: widen the range, or end other calls");
}

}  // namespace holdfast::media
