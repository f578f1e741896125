#include "runtime/socket_address.h"

#include <netinet/in.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "runtime/descriptor.h"

namespace holdfast::runtime {

const sockaddr* SocketAddress::get() const { return reinterpret_cast<const sockaddr*>(&storage); }
sockaddr* SocketAddress::get() { return reinterpret_cast<sockaddr*>(&storage); }

SocketAddress socket_address_of(const Endpoint& endpoint) {
    SocketAddress address;
    const auto& bytes = endpoint.address.bytes();
    if (endpoint.address.family() == Family::ipv4) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(endpoint.port);
        std::memcpy(&v4.sin_addr, bytes.data(), sizeof v4.sin_addr);
        std::memcpy(&address.storage, &v4, sizeof v4);
        address.length = sizeof v4;
    } else {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(endpoint.port);
        std::memcpy(&v6.sin6_addr, bytes.data(), sizeof v6.sin6_addr);
        std::memcpy(&address.storage, &v6, sizeof v6);
        address.length = sizeof v6;
    }
    return address;
}

std::optional<Endpoint> endpoint_of(const SocketAddress& address) {
    if (address.storage.ss_family == AF_INET && address.length >= sizeof(sockaddr_in)) {
        sockaddr_in v4{};
        std::memcpy(&v4, &address.storage, sizeof v4);
        std::array<std::uint8_t, 4> bytes{};
        std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
        return Endpoint{IpAddress::v4(bytes), ntohs(v4.sin_port)};
    }
    if (address.storage.ss_family == AF_INET6 && address.length >= sizeof(sockaddr_in6)) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &address.storage, sizeof v6);
        std::array<std::uint8_t, 16> bytes{};
        std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
        return Endpoint{IpAddress::v6(bytes), ntohs(v6.sin6_port)};
    }
    return std::nullopt;
}

std::optional<Endpoint> local_endpoint(int socket) {
    SocketAddress address;
    if (getsockname(socket, address.get(), &address.length) != 0) return std::nullopt;
    return endpoint_of(address);
}

int domain_of(Family family) { return family == Family::ipv4 ? AF_INET : AF_INET6; }

IpAddress any_address(Family family) {
    return family == Family::ipv4 ? IpAddress{} : IpAddress::v6({});
}

FlowError flow_error_of(int system_error) {
    switch (system_error) {
    case ECONNREFUSED: return FlowError::refused;
    case ETIMEDOUT: return FlowError::timed_out;
    case EACCES:
    case EPERM: return FlowError::prohibited;
    case EADDRNOTAVAIL: return FlowError::local_address_gone;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case ENETRESET:
    case EAFNOSUPPORT:
    case EINVAL:
        return FlowError::network_unreachable;  // EINVAL: no way there from the address we are
                                                // bound to
    default: return FlowError::reset;
    }
}

std::string words_of(int system_error) { return std::generic_category().message(system_error); }

SourceAddress source_address_towards(const Endpoint& destination,
                                     std::optional<IpAddress> bound_to) {
    const auto family = destination.address.family();
    const Descriptor probe{::socket(domain_of(family), SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    if (!probe) return {.address = {}, .system_error = errno};
    if (bound_to) {
        const auto from = socket_address_of({*bound_to, 0});
        if (::bind(probe.get(), from.get(), from.length) != 0)
            return {.address = {}, .system_error = errno};
    }
    const auto to = socket_address_of(destination);
    if (::connect(probe.get(), to.get(), to.length) != 0)
        return {.address = {}, .system_error = errno};
    const auto local = local_endpoint(probe.get());
    if (!local) return {.address = {}, .system_error = errno};
    return {.address = local->address};
}

}  // namespace holdfast::runtime
