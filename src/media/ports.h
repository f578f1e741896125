// The sockets of one call's sound: RTP on an even port, RTCP on the odd one above it (RFC 3550
// §11).
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

#include "base/address.h"
#include "media/types.h"

namespace holdfast::media {

class Socket {
public:
    Socket() = default;
    explicit Socket(int descriptor) : descriptor_(descriptor) {}
    Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    Socket& operator=(Socket&& other) noexcept;
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket();
    [[nodiscard]] int get() const { return descriptor_; }
    [[nodiscard]] int release() { return std::exchange(descriptor_, -1); }  // the caller closes it

private:
    int descriptor_ = -1;
};

struct Ports {
    Socket rtp;
    Socket rtcp;
    Endpoint rtp_endpoint{};  // as bound
    Endpoint rtcp_endpoint{};
};

// The next free pair of the range, from a pair on that `start` picks (any number), once around;
// busy ones are left out. Both sockets mark what they send with `dscp`. Or why not, as a sentence.
std::expected<Ports, std::string> open_ports(IpAddress bind, PortRange range, std::uint8_t dscp,
                                             std::uint32_t start);

}  // namespace holdfast::media
