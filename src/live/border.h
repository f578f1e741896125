// The border between loopback and a simulated internet: real datagrams and connections to a
// server's address become the lab's packets to its node, and the node's packets become real ones.
//
//   phone (a real process, real sockets) ⇄ 127.x.1.1:5060 ⇄ border ⇄ NAT of the lab ⇄ node of the
//   lab
//
// A node's faults become the sockets': silent = open and deaf (SYNs are dropped, too), refused =
// closed, so that the kernel answers with ICMP or RST. TLS ends here; towards the node it is the
// lab's stand-in. The lab's packets are made of what was read, so a datagram stays a datagram;
// segments of a stream do not keep their bounds.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "lab/internet.h"
#include "lab/registrar.h"
#include "lab/tcp.h"
#include "live/authority.h"
#include "live/listener.h"
#include "live/real_time.h"
#include "live/server_stream.h"
#include "runtime/loop.h"
#include "runtime/udp_port.h"

namespace holdfast::live {

// The real ports of every server; in the lab they are 5060 and 5061.
struct Ports {
    std::uint16_t sip = 5060;
    std::uint16_t tls = 5061;
    friend bool operator==(const Ports&, const Ports&) = default;
};

class Border final : public lab::Node {
public:
    // uplink: where the phones are plugged in, the simulated internet itself or the inside of a
    // NAT.
    Border(runtime::Loop& loop, RealTime& time, lab::Internet& internet, lab::Uplink& uplink,
           Ports ports);
    Border(const Border&) = delete;
    Border& operator=(const Border&) = delete;
    ~Border() override;

    // The node gets sockets at its first address. With a certificate also for TLS. The error is the
    // system's.
    std::expected<void, int> admit(lab::Registrar& node,
                                   std::optional<ServerCertificate> certificate);

    // Faults: of the node and of its sockets at once. Not from inside the simulated part: it may be
    // one of these sockets that has just called.
    void silence(lab::Registrar& node);
    void refuse(lab::Registrar& node);
    std::expected<void, int> heal(lab::Registrar& node);

    [[nodiscard]] const Ports& ports() const { return ports_; }

    void receive(const lab::Packet& packet) override;

private:
    struct Door {  // a server's sockets
        lab::Registrar* node = nullptr;
        std::optional<ServerCertificate> certificate;
        std::unique_ptr<runtime::UdpPort> udp;
        std::unique_ptr<Listener> tcp;
        std::unique_ptr<Listener> tls;
    };
    struct Connection {  // the phone's end of it, as the lab has it
        std::shared_ptr<ServerStream> stream;
        bool secure = false;
        bool open = false;  // the lab's connection, with its handshake
        std::string early;  // came before that
    };

    std::expected<void, int> open(Door& door);
    std::expected<std::unique_ptr<Listener>, int> listen(Door& door, Transport transport);
    Door& door_of(const lab::Registrar& node);
    void know(const IpAddress& phone);
    void on_datagram(const IpAddress& server, const Endpoint& phone, std::string bytes);
    void on_accepted(Door& door, Transport transport, runtime::Descriptor socket,
                     const Endpoint& phone);
    void from_phone(const lab::TcpId& id, std::string bytes);
    void on_tcp(const lab::TcpEvent& event);
    void opened(const lab::TcpId& id, Connection& connection);
    void retire(const lab::TcpId& id);
    void keep_for_now(std::shared_ptr<void> part);

    runtime::Loop& loop_;
    RealTime& time_;
    lab::Uplink& uplink_;
    Ports ports_;
    std::map<IpAddress, Door> doors_;
    std::map<IpAddress, std::string> phones_;
    lab::TcpHost phones_tcp_;
    std::map<lab::TcpId, Connection> connections_;
};

}  // namespace holdfast::live
