// One unconnected UDP socket: it serves every target of its family (N7). ICMP errors come from the
// error queue with the destination they are about; a pending error of one target is never taken for
// a failure of the next one sent to.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/flow_error.h"
#include "runtime/descriptor.h"
#include "runtime/loop.h"

namespace holdfast::runtime {

struct UdpHandler {
    std::function<void(const Endpoint& local, const Endpoint& remote, std::string bytes)> received;
    std::function<void(const Endpoint& destination, FlowError error, std::string detail)> failed;
};

class UdpPort {
public:
    // Port 0: any. The error is the system's: EADDRINUSE, EADDRNOTAVAIL, …
    static std::expected<std::unique_ptr<UdpPort>, int> open(Loop& loop, const Endpoint& local,
                                                             UdpHandler handler);

    [[nodiscard]] const Endpoint& local() const { return local_; }
    // A datagram that cannot leave is lost like any other, except that failed() says so if the
    // route is missing.
    void send(const Endpoint& destination, std::string_view bytes);
    // Nothing is reported from now on; for an owner that must wait with the destruction.
    void silence();

private:
    UdpPort(Loop& loop, Descriptor socket, const Endpoint& local, UdpHandler handler);
    void read_datagrams();
    bool read_one_error();  // false: the error queue is empty
    bool read_one_datagram();

    Descriptor socket_;
    Endpoint local_;
    UdpHandler handler_;
    bool silent_ = false;
    std::unique_ptr<std::array<char, 65536>> buffer_;
    Watch watch_;
};

// What an ICMP or ICMPv6 error says about its destination; nothing for those that are no failure
// ("fragmentation needed", "packet too big", parameter problems).
std::optional<FlowError> icmp_failure(Family family, std::uint8_t type, std::uint8_t code);

}  // namespace holdfast::runtime
