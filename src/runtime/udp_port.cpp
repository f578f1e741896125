#include "runtime/udp_port.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include <linux/errqueue.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "runtime/socket_address.h"

namespace holdfast::runtime {

namespace {

// More than this many datagrams at once leave the loop to others first.
constexpr int datagrams_per_turn = 64;
// As many errors of other targets may stand before a send: one for each target at most waits there,
// but the queue may fill again while it is emptied.
constexpr int send_attempts = 64;

bool set(int socket, int level, int option, int value) {
    return setsockopt(socket, level, option, &value, sizeof value) == 0;
}

bool set_options(int socket, Family family) {
    // No DF bit, UDP may fragment (N8); and no change of our idea of the path by a "fragmentation
    // needed".
    if (family == Family::ipv4)
        return set(socket, IPPROTO_IP, IP_RECVERR, 1) && set(socket, IPPROTO_IP, IP_PKTINFO, 1) &&
               set(socket, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
    return set(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
           set(socket, IPPROTO_IPV6, IPV6_RECVERR, 1) &&
           set(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) &&
           set(socket, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
}

// The control data of one received message.
struct Ancillary {
    alignas(cmsghdr) std::array<char, 512> bytes{};

    template <class Value>
    static Value read(const cmsghdr& header) {
        Value value{};
        std::memcpy(&value, CMSG_DATA(&header), sizeof value);
        return value;
    }
};

std::optional<IpAddress> destination_of(msghdr& message) {
    for (auto* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
            const auto info = Ancillary::read<in_pktinfo>(*header);
            std::array<std::uint8_t, 4> bytes{};
            std::memcpy(bytes.data(), &info.ipi_addr, bytes.size());
            return IpAddress::v4(bytes);
        }
        if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
            const auto info = Ancillary::read<in6_pktinfo>(*header);
            std::array<std::uint8_t, 16> bytes{};
            std::memcpy(bytes.data(), &info.ipi6_addr, bytes.size());
            return IpAddress::v6(bytes);
        }
    }
    return std::nullopt;
}

std::optional<sock_extended_err> extended_error_of(msghdr& message) {
    for (auto* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header))
        if ((header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR) ||
            (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR))
            return Ancillary::read<sock_extended_err>(*header);
    return std::nullopt;
}

}  // namespace

std::optional<FlowError> icmp_failure(Family family, std::uint8_t type, std::uint8_t code) {
    if (family == Family::ipv4) {
        if (type == ICMP_TIME_EXCEEDED) return FlowError::network_unreachable;
        if (type != ICMP_DEST_UNREACH) return std::nullopt;
        switch (code) {
        case ICMP_FRAG_NEEDED: return std::nullopt;
        case ICMP_PROT_UNREACH:
        case ICMP_PORT_UNREACH: return FlowError::port_unreachable;
        case ICMP_NET_ANO:
        case ICMP_HOST_ANO:
        case ICMP_PKT_FILTERED: return FlowError::prohibited;
        default: return FlowError::network_unreachable;
        }
    }
    if (type == ICMP6_TIME_EXCEEDED) return FlowError::network_unreachable;
    if (type != ICMP6_DST_UNREACH) return std::nullopt;
    constexpr std::uint8_t policy =
        5;  // RFC 4443 §3.1, "source address failed ingress/egress policy"
    constexpr std::uint8_t reject_route = 6;
    switch (code) {
    case ICMP6_DST_UNREACH_NOPORT: return FlowError::port_unreachable;
    case ICMP6_DST_UNREACH_ADMIN:
    case policy:
    case reject_route: return FlowError::prohibited;
    default: return FlowError::network_unreachable;
    }
}

std::expected<std::unique_ptr<UdpPort>, int> UdpPort::open(Loop& loop, const Endpoint& local,
                                                           UdpHandler handler) {
    const auto family = local.address.family();
    Descriptor socket{::socket(domain_of(family), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!socket || !set_options(socket.get(), family)) return std::unexpected(errno);
    const auto address = socket_address_of(local);
    if (::bind(socket.get(), address.get(), address.length) != 0) return std::unexpected(errno);
    const auto bound = local_endpoint(socket.get());
    if (!bound) return std::unexpected(errno);
    return std::unique_ptr<UdpPort>(
        new UdpPort(loop, std::move(socket), *bound, std::move(handler)));
}

UdpPort::UdpPort(Loop& loop, Descriptor socket, const Endpoint& local, UdpHandler handler)
    : socket_(std::move(socket)),
      local_(local),
      handler_(std::move(handler)),
      buffer_(std::make_unique_for_overwrite<std::array<char, 65536>>()),
      watch_(loop, socket_.get(), [this](Ready) { read_datagrams(); }) {}

void UdpPort::silence() { silent_ = true; }

void UdpPort::send(const Endpoint& destination, std::string_view bytes) {
    const auto to = socket_address_of(destination);
    bool unexplained = false;
    for (int attempt = 0; attempt < send_attempts; ++attempt) {
        if (::sendto(socket_.get(), bytes.data(), bytes.size(), 0, to.get(), to.length) >= 0)
            return;
        const int error = errno;
        if (error == EINTR) continue;
        if (error == EAGAIN || error == ENOBUFS || error == EMSGSIZE) return;  // lost
        // Linux reports an earlier ICMP error, of whatever target, on the next send: read it where
        // it is named, and send again (N7). Its record may have been dropped, but then it is
        // reported only once: an error that comes back with nothing to read is this destination's.
        if (read_one_error() || !std::exchange(unexplained, true)) continue;
        if (!silent_) handler_.failed(destination, flow_error_of(error), words_of(error));
        return;
    }
}

void UdpPort::read_datagrams() {
    while (!silent_ && read_one_error()) {
    }
    for (int count = 0; count < datagrams_per_turn && !silent_; ++count)
        if (!read_one_datagram()) return;
}

bool UdpPort::read_one_error() {
    SocketAddress destination;
    Ancillary ancillary;
    char quoted = 0;  // what we sent is of no interest
    iovec space{.iov_base = &quoted, .iov_len = 1};
    msghdr message{};
    message.msg_name = destination.get();
    message.msg_namelen = destination.length;
    message.msg_iov = &space;
    message.msg_iovlen = 1;
    message.msg_control = ancillary.bytes.data();
    message.msg_controllen = ancillary.bytes.size();
    if (::recvmsg(socket_.get(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return false;
    destination.length = message.msg_namelen;
    const auto error = extended_error_of(message);
    const auto endpoint = endpoint_of(destination);
    if (!error || !endpoint || silent_) return true;
    if (error->ee_origin != SO_EE_ORIGIN_ICMP && error->ee_origin != SO_EE_ORIGIN_ICMP6)
        return true;
    if (const auto failure = icmp_failure(local_.address.family(), error->ee_type, error->ee_code))
        handler_.failed(*endpoint, *failure, words_of(static_cast<int>(error->ee_errno)));
    return true;
}

bool UdpPort::read_one_datagram() {
    SocketAddress source;
    Ancillary ancillary;
    iovec space{.iov_base = buffer_->data(), .iov_len = buffer_->size()};
    msghdr message{};
    message.msg_name = source.get();
    message.msg_namelen = source.length;
    message.msg_iov = &space;
    message.msg_iovlen = 1;
    message.msg_control = ancillary.bytes.data();
    message.msg_controllen = ancillary.bytes.size();
    const auto size = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT);
    if (size < 0) {
        if (errno == EAGAIN) return false;
        return errno == EINTR || read_one_error();  // a pending error, to be had from its queue
    }
    source.length = message.msg_namelen;
    const auto remote = endpoint_of(source);
    if (!remote) return true;
    const auto local = destination_of(message).value_or(local_.address);
    handler_.received({local, local_.port}, *remote,
                      std::string(buffer_->data(), static_cast<std::size_t>(size)));
    return true;
}

}  // namespace holdfast::runtime
