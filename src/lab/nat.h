// A NAT as RFC 4787 (UDP) and RFC 5382 (TCP) classify them: who shares a mapping, who may answer
// through it, which public port it gets, and how long it lives.
//
// A NAT may stand behind another one, as a home router does behind a carrier's (CGNAT, RFC 6888):
// its public address is one of the carrier's inside, and what it sends is translated again there.
//
// Assumed: one public address at a time, unsolicited packets are dropped in silence, a TCP segment
// of an unknown connection from inside makes a new mapping (as Linux and most home routers do), so
// that the other end answers RST. ICMP errors come in through the mapping they are about.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/random.h"
#include "base/time.h"
#include "lab/internet.h"
#include "lab/sip_alg.h"

namespace holdfast::lab {

// RFC 4787 §4.1 and §5.
enum class Dependence : std::uint8_t {
    endpoint_independent,
    address_dependent,
    address_and_port_dependent
};
enum class PortChoice : std::uint8_t { preserving, sequential, random };

struct NatOptions {
    Dependence mapping = Dependence::endpoint_independent;
    Dependence filtering = Dependence::address_and_port_dependent;
    PortChoice ports = PortChoice::random;
    Duration udp_timeout = std::chrono::seconds(120);
    Duration tcp_timeout = std::chrono::hours(2) + std::chrono::minutes(4);
    Duration tcp_transitory_timeout = std::chrono::minutes(4);  // before anything came back
    bool inbound_refresh = false;  // RFC 4787 REQ-6: outbound always does
    // RFC 4787 §6: from inside to our own public address, and so to another host inside.
    bool hairpin = false;
    SipAlg alg = SipAlg::none;
    std::string public_address = "198.51.100.1";
    std::string name = "nat";
    std::string behind{};  // a NAT that the world has already; "": the internet
};

class Nat : public Node, public Uplink {
public:
    // outer: the NAT that this one is behind; none: its public address is one of the internet.
    Nat(Internet& internet, NatOptions options, Nat* outer = nullptr);

    // Inside.
    void attach(const IpAddress& address, Node& node, const std::string& name) override;
    void detach(const IpAddress& address) override;
    void send(Packet packet) override;

    // Outside.
    void receive(const Packet& packet) override;

    // All mappings are gone, as after a reboot. New ones get new ports (also where ports are
    // preserved: the old one counts as taken), or the ports they get anyway at a new public
    // address.
    void rebind();
    void rebind(const IpAddress& new_public_address);

    // What would happen now to a packet from `from` to the public endpoint `to`: the inside
    // endpoint, or nothing.
    [[nodiscard]] std::optional<Endpoint> would_deliver(bool tcp, const Endpoint& from,
                                                        const Endpoint& to) const;
    // The same for a packet from the internet, through all the NATs that this one is behind: `to`
    // is an endpoint of the outermost.
    [[nodiscard]] std::optional<Endpoint> way_in(bool tcp, const Endpoint& from,
                                                 const Endpoint& to) const;
    // The public endpoint of packets from `inside` to `remote`, if there is a mapping now.
    [[nodiscard]] std::optional<Endpoint> mapping_of(bool tcp, const Endpoint& inside,
                                                     const Endpoint& remote) const;
    [[nodiscard]] const IpAddress& public_address() const { return public_address_; }
    [[nodiscard]] const NatOptions& options() const { return options_; }
    Nat* outer() { return outer_; }
    [[nodiscard]] const Nat* outer() const { return outer_; }
    // Ways between IPv4 addresses inside and others. What is cut keeps its mapping alive: it is
    // lost behind the NAT, of one of its hosts.
    Cuts& cuts() { return cuts_; }
    [[nodiscard]] const Cuts& cuts() const { return cuts_; }
    void set_udp_timeout(Duration timeout) { options_.udp_timeout = timeout; }

private:
    struct Key {  // who shares a mapping
        bool tcp = false;
        Endpoint inside;
        Endpoint remote;  // as much of it as the mapping depends on
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    struct Mapping {
        std::uint16_t public_port = 0;
        Instant last_used;
        bool established = false;      // TCP: something came back
        std::set<Endpoint> permitted;  // as much of each remote as the filter looks at
    };
    using Mappings = std::map<Key, Mapping>;

    static Endpoint reduced(const Endpoint& remote, Dependence dependence);
    [[nodiscard]] bool is_alive(const Key& key, const Mapping& mapping) const;
    Mappings::iterator mapping_for(bool tcp, const Endpoint& inside, const Endpoint& remote);
    [[nodiscard]] Mappings::const_iterator find_public(bool tcp, std::uint16_t port) const;
    std::uint16_t choose_port(bool tcp, std::uint16_t inside_port);
    [[nodiscard]] bool is_free(bool tcp, std::uint16_t port) const;
    void turn_around(Packet packet);
    void receive_icmp(const Packet& packet);
    void deliver(const Packet& packet);

    Internet& internet_;
    Nat* outer_;
    Uplink* uplink_;  // it, or the internet
    NatOptions options_;
    Random random_;
    IpAddress public_address_;
    std::map<IpAddress, Node*> inside_;
    Cuts cuts_;
    Mappings mappings_;
    std::map<std::pair<bool, std::uint16_t>, Key> by_public_port_;
    std::set<std::uint16_t> burnt_ports_;  // of before the last rebind
    std::uint16_t next_port_ = 0;
};

}  // namespace holdfast::lab
