// TCP as a kernel shows it to a program, simplified: segments instead of octets, no windows, no
// congestion.
//
// Kept: SYN again after 1, 3, 7 s; RST for a closed port and for a segment of an unknown
// connection; data again after an RTO that doubles; the connection is dropped after user_timeout
// without an acknowledgement (RFC 5482); order; FIN after the data before it. Left out: half-closed
// connections, TIME-WAIT, simultaneous open.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "lab/internet.h"

namespace holdfast::lab {

enum class TcpEventKind : std::uint8_t {
    accepted,
    connected,
    received,
    refused,      // RST or ICMP port unreachable to our SYN
    prohibited,   // ICMP
    unreachable,  // ICMP network unreachable
    reset,
    timed_out,  // data not acknowledged in time
    closed,     // by the peer, in order
};

struct TcpId {  // a connection as its host names it
    Endpoint local;
    Endpoint remote;
    friend auto operator<=>(const TcpId&, const TcpId&) = default;
};

struct TcpEvent {
    TcpEventKind kind = TcpEventKind::received;
    TcpId id;
    std::string bytes{};
};

class TcpHost {
public:
    using Handler = std::function<void(const TcpEvent&)>;

    // The uplink may change (set_uplink) when the host moves.
    TcpHost(Internet& internet, Uplink& uplink, Handler handler)
        : internet_(internet), uplink_(&uplink), handler_(std::move(handler)) {}

    void set_uplink(Uplink& uplink) { uplink_ = &uplink; }
    void listen(std::uint16_t port) { listening_.insert(port); }
    void stop_listening() { listening_.clear(); }
    void set_frozen(bool frozen) { frozen_ = frozen; }  // the host sleeps: nothing is sent

    void connect(const TcpId& id);
    void send(const TcpId& id, std::string bytes);
    void close(const TcpId& id);  // orderly, after what was sent
    void abort(const TcpId& id);  // RST
    void reset_all();             // RST for every connection: the process died
    void forget_all();            // nothing is sent: the machine lost its power
    void receive(const Packet& packet);

    [[nodiscard]] bool is_open(const TcpId& id) const;
    // Both ends agree that this connection exists.
    [[nodiscard]] bool is_same_connection(const TcpId& id, const TcpHost& other,
                                          const TcpId& other_id) const;
    [[nodiscard]] std::vector<TcpId> connections() const;

    static constexpr Duration user_timeout = std::chrono::seconds(10);

private:
    enum class Phase : std::uint8_t { connecting, open, closing };
    struct Segment {
        PacketKind kind = PacketKind::data;
        std::uint64_t sequence = 0;
        std::string bytes;
        Instant first_sent;
    };
    struct Connection {
        Phase phase = Phase::connecting;
        std::uint64_t number = 0;
        std::uint64_t next_to_send = 1;
        std::uint64_t next_expected = 1;
        std::deque<Segment> unacknowledged;
        std::map<std::uint64_t, Packet> early;  // arrived before their turn
        Duration round_trip{};
        Instant syn_sent;
        int syns = 0;
        Duration rto{};
        std::uint64_t timer = 0;  // only the timer of this generation counts
    };
    using Connections = std::map<TcpId, Connection>;

    void transmit(PacketKind kind, const TcpId& id, std::uint64_t number,
                  std::uint64_t sequence = 0, std::string bytes = {});
    void send_syn(const TcpId& id);
    void queue_segment(const TcpId& id, PacketKind kind, std::string bytes);
    void arm(const TcpId& id);
    void on_timer(const TcpId& id, std::uint64_t timer);
    void on_syn(const Packet& packet);
    void on_syn_ack(const TcpId& id, const Packet& packet);
    void on_segment(const TcpId& id, const Packet& packet);
    void on_ack(const TcpId& id, const Packet& packet);
    void on_reset(const TcpId& id, const Packet& packet);
    void on_icmp(const Packet& packet);
    void drop(const TcpId& id, TcpEventKind why);
    Connection* find(const TcpId& id, std::uint64_t number);

    Internet& internet_;
    Uplink* uplink_;
    Handler handler_;
    std::set<std::uint16_t> listening_;
    Connections connections_;
    std::uint64_t timers_ = 0;
    bool frozen_ = false;
};

}  // namespace holdfast::lab
