#include "live/border.h"

#include <utility>

#include "base/check.h"

namespace holdfast::live {

Border::Border(runtime::Loop& loop, RealTime& time, lab::Internet& internet, lab::Uplink& uplink,
               Ports ports)
    : loop_(loop),
      time_(time),
      uplink_(uplink),
      ports_(ports),
      phones_tcp_(internet, uplink, [this](const lab::TcpEvent& event) { on_tcp(event); }) {}

Border::~Border() {
    for (const auto& [address, name] : phones_) uplink_.detach(address);
}

std::expected<void, int> Border::admit(lab::Registrar& node,
                                       std::optional<ServerCertificate> certificate) {
    auto& door = doors_[node.addresses().front()];
    door.node = &node;
    door.certificate = std::move(certificate);
    return open(door);
}

std::expected<void, int> Border::open(Door& door) {
    const auto address = door.node->addresses().front();
    runtime::UdpHandler handler{
        .received = [this, address](
                        const Endpoint&, const Endpoint& phone,
                        std::string bytes) { on_datagram(address, phone, std::move(bytes)); },
        .failed = [](const Endpoint&, FlowError, const std::string&) {}};  // the phone is gone
    auto udp = runtime::UdpPort::open(loop_, {address, ports_.sip}, std::move(handler));
    if (!udp) return std::unexpected(udp.error());
    auto tcp = listen(door, Transport::tcp);
    if (!tcp) return std::unexpected(tcp.error());
    door.udp = *std::move(udp);
    door.tcp = *std::move(tcp);
    if (!door.certificate) return {};
    auto tls = listen(door, Transport::tls);
    if (!tls) return std::unexpected(tls.error());
    door.tls = *std::move(tls);
    return {};
}

std::expected<std::unique_ptr<Listener>, int> Border::listen(Door& door, Transport transport) {
    const Endpoint local{door.node->addresses().front(),
                         is_secure(transport) ? ports_.tls : ports_.sip};
    return Listener::open(
        loop_, local, [this, &door, transport](runtime::Descriptor socket, const Endpoint& phone) {
            on_accepted(door, transport, std::move(socket), phone);
        });
}

Border::Door& Border::door_of(const lab::Registrar& node) {
    const auto found = doors_.find(node.addresses().front());
    CHECK(found != doors_.end());
    return found->second;
}

void Border::silence(lab::Registrar& node) {
    auto& door = door_of(node);
    time_.happen([&] { node.silence(); });
    if (door.tcp) door.tcp->drop_syns();
    if (door.tls) door.tls->drop_syns();
}

// The sockets first: a connection that is reset meets a closed port when it is tried again.
void Border::refuse(lab::Registrar& node) {
    auto& door = door_of(node);
    door.udp.reset();
    door.tcp.reset();
    door.tls.reset();
    time_.happen([&] { node.refuse(); });
}

std::expected<void, int> Border::heal(lab::Registrar& node) {
    auto& door = door_of(node);
    time_.happen([&] { node.heal(); });
    if (!door.udp) return open(door);
    door.tcp->accept_again();
    if (door.tls) door.tls->accept_again();
    return {};
}

// A phone's address is in the simulated internet from its first packet on.
void Border::know(const IpAddress& phone) {
    const auto number = phones_.size() + 1;
    if (phones_.contains(phone)) return;
    phones_[phone] = "phone" + std::to_string(number);
    uplink_.attach(phone, *this, phones_[phone]);
}

void Border::on_datagram(const IpAddress& server, const Endpoint& phone, std::string bytes) {
    time_.happen([&] {
        know(phone.address);
        uplink_.send({.kind = lab::PacketKind::datagram,
                      .from = phone,
                      .to = {server, default_port(Transport::udp)},
                      .bytes = std::move(bytes)});
    });
}

void Border::receive(const lab::Packet& packet) {
    if (packet.is_tcp() || (packet.error && packet.error->tcp)) return phones_tcp_.receive(packet);
    if (packet.kind != lab::PacketKind::datagram) return;  // real ICMP comes from the closed port
    const auto door = doors_.find(packet.from.address);
    if (door != doors_.end() && door->second.udp) door->second.udp->send(packet.to, packet.bytes);
}

void Border::on_accepted(Door& door, Transport transport, runtime::Descriptor socket,
                         const Endpoint& phone) {
    const lab::TcpId id{phone, {door.node->addresses().front(), default_port(transport)}};
    ServerStreamHandler handler{
        .opened = [this, id] { time_.happen([&] { phones_tcp_.connect(id); }); },
        .received = [this, id](std::string bytes) { from_phone(id, std::move(bytes)); },
        .ended =
            [this, id] {
                retire(id);
                time_.happen([&] { phones_tcp_.close(id); });
            }};
    auto& connection = connections_[id];
    connection = {};
    connection.secure = is_secure(transport);
    connection.stream = std::make_shared<ServerStream>(
        loop_, std::move(socket), connection.secure ? &*door.certificate : nullptr,
        std::move(handler));
    const auto stream = connection.stream;
    time_.happen([&] { know(phone.address); });
    stream->start();
}

void Border::from_phone(const lab::TcpId& id, std::string bytes) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    if (!found->second.open) {
        found->second.early += bytes;
        return;
    }
    time_.happen([&] { phones_tcp_.send(id, std::move(bytes)); });
}

void Border::on_tcp(const lab::TcpEvent& event) {
    const auto found = connections_.find(event.id);
    if (found == connections_.end()) return;
    auto& connection = found->second;
    switch (event.kind) {
    case lab::TcpEventKind::connected:
        if (connection.secure)
            phones_tcp_.send(event.id, lab::to_handshake({}));  // any: TLS has been spoken here
        else
            opened(event.id, connection);
        break;
    case lab::TcpEventKind::received:
        if (connection.open)
            connection.stream->send(event.bytes);
        else
            opened(event.id, connection);  // the node's half of the stand-in
        break;
    case lab::TcpEventKind::refused:
    case lab::TcpEventKind::prohibited:
    case lab::TcpEventKind::unreachable:
    case lab::TcpEventKind::reset:
        connection.stream->abort();
        retire(event.id);
        break;
    case lab::TcpEventKind::closed:
        connection.stream->close();
        retire(event.id);
        break;
    case lab::TcpEventKind::timed_out:  // a machine that is gone closes nothing
        connection.stream->fall_silent();
        break;
    case lab::TcpEventKind::accepted: break;  // phones are not called on streams
    }
}

void Border::opened(const lab::TcpId& id, Connection& connection) {
    connection.open = true;
    if (!connection.early.empty()) phones_tcp_.send(id, std::exchange(connection.early, {}));
}

void Border::retire(const lab::TcpId& id) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    keep_for_now(std::move(found->second.stream));
    connections_.erase(found);
}

// It may be its own callback that led here: it goes when that has returned.
void Border::keep_for_now(std::shared_ptr<void> part) {
    loop_.post([part = std::move(part)] {});
}

}  // namespace holdfast::live
