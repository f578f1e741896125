// Between our words and the socket interface's.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>

#include "base/address.h"
#include "base/flow_error.h"

namespace holdfast::runtime {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = sizeof(sockaddr_storage);

    [[nodiscard]] const sockaddr* get() const;
    [[nodiscard]] sockaddr* get();
};

SocketAddress socket_address_of(const Endpoint& endpoint);
std::optional<Endpoint> endpoint_of(const SocketAddress& address);
std::optional<Endpoint> local_endpoint(int socket);  // getsockname
int domain_of(Family family);                        // AF_INET, AF_INET6
IpAddress any_address(Family family);                // 0.0.0.0, ::

FlowError flow_error_of(int system_error);
std::string words_of(int system_error);  // "No route to host"

// The source address that the host would use towards this destination, or the error that says there
// is none. Nothing is sent.
struct SourceAddress {
    std::optional<IpAddress> address{};
    int system_error = 0;
};
SourceAddress source_address_towards(const Endpoint& destination,
                                     std::optional<IpAddress> bound_to);

}  // namespace holdfast::runtime
