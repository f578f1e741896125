#include "lab/tcp.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace holdfast::lab {

using namespace std::chrono_literals;

namespace {

constexpr Duration first_rto = 200ms;  // on top of the round trip
constexpr Duration longest_rto = 60s;

}  // namespace

void TcpHost::transmit(PacketKind kind, const TcpId& id, std::uint64_t number,
                       std::uint64_t sequence, std::string bytes) {
    if (frozen_) return;
    uplink_->send({.kind = kind,
                   .from = id.local,
                   .to = id.remote,
                   .bytes = std::move(bytes),
                   .connection = number,
                   .sequence = sequence});
}

TcpHost::Connection* TcpHost::find(const TcpId& id, std::uint64_t number) {
    const auto found = connections_.find(id);
    if (found == connections_.end() || found->second.number != number) return nullptr;
    return &found->second;
}

bool TcpHost::is_open(const TcpId& id) const {
    const auto found = connections_.find(id);
    return found != connections_.end() && found->second.phase == Phase::open;
}

bool TcpHost::is_same_connection(const TcpId& id, const TcpHost& other,
                                 const TcpId& other_id) const {
    return is_open(id) && other.is_open(other_id) &&
           connections_.at(id).number == other.connections_.at(other_id).number;
}

std::vector<TcpId> TcpHost::connections() const {
    std::vector<TcpId> ids;
    for (const auto& [id, connection] : connections_)
        if (connection.phase == Phase::open) ids.push_back(id);
    return ids;
}

void TcpHost::connect(const TcpId& id) {
    auto& connection = connections_[id];
    connection = {};
    // Unique in a world and the same in every run of it: time, and who asks.
    connection.number = std::hash<Endpoint>{}(id.local) ^
                        static_cast<std::uint64_t>(internet_.now().time_since_epoch().count());
    send_syn(id);
}

void TcpHost::send_syn(const TcpId& id) {
    auto& connection = connections_.at(id);
    connection.syn_sent = internet_.now();
    ++connection.syns;
    connection.timer = ++timers_;
    transmit(PacketKind::syn, id, connection.number);
    internet_.after(1s * (1 << std::min(connection.syns - 1, 6)),
                    [this, id, timer = connection.timer] { on_timer(id, timer); });
}

void TcpHost::send(const TcpId& id, std::string bytes) {
    if (is_open(id)) queue_segment(id, PacketKind::data, std::move(bytes));
}

void TcpHost::close(const TcpId& id) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    if (found->second.phase == Phase::connecting) {
        connections_.erase(found);
        return;
    }
    if (found->second.phase == Phase::closing) return;
    queue_segment(id, PacketKind::fin, {});
    connections_.at(id).phase = Phase::closing;
}

void TcpHost::abort(const TcpId& id) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    transmit(PacketKind::reset, id, found->second.number);
    connections_.erase(id);
}

void TcpHost::reset_all() {
    for (const auto& [id, connection] : std::exchange(connections_, {}))
        transmit(PacketKind::reset, id, connection.number);
}

void TcpHost::forget_all() { connections_.clear(); }

void TcpHost::queue_segment(const TcpId& id, PacketKind kind, std::string bytes) {
    auto& connection = connections_.at(id);
    const auto sequence = connection.next_to_send++;
    const bool first = connection.unacknowledged.empty();
    connection.unacknowledged.push_back({kind, sequence, bytes, internet_.now()});
    transmit(kind, id, connection.number, sequence, std::move(bytes));
    if (first) {
        connection.rto = first_rto + 2 * connection.round_trip;
        arm(id);
    }
}

void TcpHost::arm(const TcpId& id) {
    auto& connection = connections_.at(id);
    connection.timer = ++timers_;
    const auto gives_up = connection.unacknowledged.front().first_sent + user_timeout;
    internet_.at(std::min(internet_.now() + connection.rto, gives_up),
                 [this, id, timer = connection.timer] { on_timer(id, timer); });
}

void TcpHost::on_timer(const TcpId& id, std::uint64_t timer) {
    const auto found = connections_.find(id);
    if (found == connections_.end() || found->second.timer != timer) return;
    auto& connection = found->second;
    if (connection.phase == Phase::connecting) {
        send_syn(id);  // the program ends it when it has waited enough
        return;
    }
    if (connection.unacknowledged.empty()) return;
    const auto& segment = connection.unacknowledged.front();
    if (internet_.now() - segment.first_sent >= user_timeout) {
        drop(id, TcpEventKind::timed_out);
        return;
    }
    connection.rto = std::min(2 * connection.rto, longest_rto);
    transmit(segment.kind, id, connection.number, segment.sequence, segment.bytes);
    arm(id);
}

void TcpHost::drop(const TcpId& id, TcpEventKind why) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    const bool tell = found->second.phase != Phase::closing;
    connections_.erase(found);
    if (tell) handler_({why, id});
}

void TcpHost::receive(const Packet& packet) {
    const TcpId id{packet.to, packet.from};
    switch (packet.kind) {
    case PacketKind::syn: on_syn(packet); break;
    case PacketKind::syn_ack: on_syn_ack(id, packet); break;
    case PacketKind::data:
    case PacketKind::fin: on_segment(id, packet); break;
    case PacketKind::ack: on_ack(id, packet); break;
    case PacketKind::reset: on_reset(id, packet); break;
    case PacketKind::icmp: on_icmp(packet); break;
    case PacketKind::datagram: break;
    }
}

void TcpHost::on_syn(const Packet& packet) {
    const TcpId id{packet.to, packet.from};
    if (find(id, packet.connection) != nullptr) {  // our SYN-ACK was lost
        transmit(PacketKind::syn_ack, id, packet.connection);
        return;
    }
    if (!listening_.contains(packet.to.port)) {
        transmit(PacketKind::reset, id, packet.connection);
        return;
    }
    connections_[id] = {};
    connections_[id].phase = Phase::open;
    connections_[id].number = packet.connection;
    transmit(PacketKind::syn_ack, id, packet.connection);
    handler_({TcpEventKind::accepted, id});
}

void TcpHost::on_syn_ack(const TcpId& id, const Packet& packet) {
    auto* connection = find(id, packet.connection);
    if (connection == nullptr) {
        transmit(PacketKind::reset, id, packet.connection);
        return;
    }
    if (connection->phase != Phase::connecting) return;
    connection->phase = Phase::open;
    connection->round_trip = internet_.now() - connection->syn_sent;
    connection->timer = ++timers_;
    handler_({TcpEventKind::connected, id});
}

void TcpHost::on_segment(const TcpId& id, const Packet& packet) {
    auto* connection = find(id, packet.connection);
    if (connection == nullptr) {
        // A FIN of a connection that is closed here too needs no answer.
        if (packet.kind == PacketKind::data) transmit(PacketKind::reset, id, packet.connection);
        return;
    }
    if (packet.sequence >= connection->next_expected)
        connection->early.emplace(packet.sequence, packet);
    std::vector<TcpEvent> in_order;
    while (!connection->early.empty() &&
           connection->early.begin()->first == connection->next_expected) {
        auto segment = std::move(connection->early.extract(connection->early.begin()).mapped());
        ++connection->next_expected;
        const auto kind =
            segment.kind == PacketKind::fin ? TcpEventKind::closed : TcpEventKind::received;
        in_order.push_back({kind, id, std::move(segment.bytes)});
    }
    transmit(PacketKind::ack, id, connection->number, connection->next_expected);
    for (const auto& event : in_order) {
        if (find(id, packet.connection) == nullptr) return;  // the program closed it meanwhile
        if (event.kind == TcpEventKind::closed) {
            drop(id, TcpEventKind::closed);
        } else if (connections_.at(id).phase == Phase::open) {
            handler_(event);
        }
    }
}

void TcpHost::on_ack(const TcpId& id, const Packet& packet) {
    auto* connection = find(id, packet.connection);
    if (connection == nullptr) return;
    bool news = false;
    while (!connection->unacknowledged.empty() &&
           connection->unacknowledged.front().sequence < packet.sequence) {
        connection->unacknowledged.pop_front();
        news = true;
    }
    if (!news) return;
    connection->timer = ++timers_;
    if (connection->unacknowledged.empty()) {
        if (connection->phase == Phase::closing) connections_.erase(id);
        return;
    }
    connection->rto = first_rto + 2 * connection->round_trip;
    arm(id);
}

void TcpHost::on_reset(const TcpId& id, const Packet& packet) {
    const auto* connection = find(id, packet.connection);
    if (connection == nullptr) return;
    drop(id, connection->phase == Phase::connecting ? TcpEventKind::refused : TcpEventKind::reset);
}

// Once a connection is open, an ICMP error is only a hint (RFC 5461): retransmission decides.
void TcpHost::on_icmp(const Packet& packet) {
    const TcpId id{packet.error->from, packet.error->to};
    const auto found = connections_.find(id);
    if (found == connections_.end() || found->second.phase != Phase::connecting) return;
    switch (packet.error->reason) {
    case IcmpReason::port_unreachable: drop(id, TcpEventKind::refused); break;
    case IcmpReason::prohibited: drop(id, TcpEventKind::prohibited); break;
    case IcmpReason::net_unreachable: drop(id, TcpEventKind::unreachable); break;
    }
}

}  // namespace holdfast::lab
