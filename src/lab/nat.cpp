#include "lab/nat.h"

#include <utility>

#include "base/check.h"

namespace holdfast::lab {

namespace {

constexpr std::uint16_t first_port = 10'000;
constexpr std::uint16_t last_port = 60'000;

void lose(Internet& internet, const Packet& packet) {
    internet.ladder().fate(internet.ladder().record(internet.now(), packet), "the way is cut");
}

}  // namespace

Nat::Nat(Internet& internet, NatOptions options, Nat* outer)
    : internet_(internet),
      outer_(outer),
      uplink_(outer != nullptr ? static_cast<Uplink*>(outer) : &internet),
      options_(std::move(options)),
      random_(internet.fork()),
      next_port_(static_cast<std::uint16_t>(first_port + random_.below(20'000))) {
    const auto address = IpAddress::parse(options_.public_address);
    CHECK(address);
    public_address_ = *address;
    uplink_->attach(public_address_, *this, options_.name);
}

void Nat::attach(const IpAddress& address, Node& node, const std::string& name) {
    if (address.family() == Family::ipv6) return uplink_->attach(address, node, name);
    inside_[address] = &node;
    internet_.ladder().name(address, name);
}

void Nat::detach(const IpAddress& address) {
    if (address.family() == Family::ipv6) return uplink_->detach(address);
    inside_.erase(address);
}

Endpoint Nat::reduced(const Endpoint& remote, Dependence dependence) {
    switch (dependence) {
    case Dependence::endpoint_independent: return {};
    case Dependence::address_dependent: return {remote.address, 0};
    case Dependence::address_and_port_dependent: return remote;
    }
    return {};
}

bool Nat::is_alive(const Key& key, const Mapping& mapping) const {
    const auto timeout = !key.tcp              ? options_.udp_timeout
                         : mapping.established ? options_.tcp_timeout
                                               : options_.tcp_transitory_timeout;
    return internet_.now() - mapping.last_used < timeout;
}

bool Nat::is_free(bool tcp, std::uint16_t port) const {
    const auto used = by_public_port_.find({tcp, port});
    if (used == by_public_port_.end()) return !burnt_ports_.contains(port);
    const auto mapping = mappings_.find(used->second);
    return mapping == mappings_.end() || !is_alive(mapping->first, mapping->second);
}

std::uint16_t Nat::choose_port(bool tcp, std::uint16_t inside_port) {
    switch (options_.ports) {
    case PortChoice::preserving:
        if (is_free(tcp, inside_port)) return inside_port;
        break;
    case PortChoice::sequential: break;
    case PortChoice::random:
        next_port_ = static_cast<std::uint16_t>(first_port + random_.below(last_port - first_port));
        break;
    }
    for (int tries = 0; tries < last_port - first_port; ++tries) {
        next_port_ =
            next_port_ >= last_port ? first_port : static_cast<std::uint16_t>(next_port_ + 1);
        if (is_free(tcp, next_port_)) return next_port_;
    }
    CHECK(!"all ports of the NAT are in use");
    return 0;
}

Nat::Mappings::iterator Nat::mapping_for(bool tcp, const Endpoint& inside, const Endpoint& remote) {
    const Key key{tcp, inside, reduced(remote, options_.mapping)};
    auto found = mappings_.find(key);
    if (found != mappings_.end() && !is_alive(found->first, found->second)) {
        by_public_port_.erase({tcp, found->second.public_port});
        mappings_.erase(found);
        found = mappings_.end();
    }
    if (found == mappings_.end()) {
        const auto port = choose_port(tcp, inside.port);
        if (const auto dead = by_public_port_.find({tcp, port}); dead != by_public_port_.end())
            mappings_.erase(dead->second);
        by_public_port_[{tcp, port}] = key;
        found = mappings_.emplace(key, Mapping{port, internet_.now(), false, {}}).first;
    }
    return found;
}

void Nat::send(Packet packet) {
    if (packet.to.address.family() == Family::ipv6) return uplink_->send(std::move(packet));
    if (const auto peer = inside_.find(packet.to.address); peer != inside_.end()) {
        packet.trace = internet_.ladder().record(internet_.now(), packet);
        internet_.after(Duration{1}, [node = peer->second, packet] { node->receive(packet); });
        return;
    }
    const bool tcp = packet.is_tcp() || (packet.error && packet.error->tcp);
    const bool is_lost = cuts_.is_cut(packet.from.address, packet.to.address);
    if (packet.kind ==
        PacketKind::icmp) {  // about a packet that came in: back through the same mapping
        const auto mapping = mapping_of(tcp, packet.error->to, packet.error->from);
        if (!mapping) return;
        packet.error->to = *mapping;
        packet.from = {public_address_, 0};
        return is_lost ? lose(internet_, packet) : uplink_->send(std::move(packet));
    }
    const auto inside = packet.from;
    auto& mapping = mapping_for(tcp, inside, packet.to)->second;
    mapping.last_used = internet_.now();
    mapping.permitted.insert(reduced(packet.to, options_.filtering));
    if (!packet.inside) packet.inside = inside;
    packet.from = {public_address_, mapping.public_port};
    if (!tcp && is_watched(packet.to.port))
        packet.bytes = rewrite_outbound(options_.alg, packet.bytes, inside, packet.from);
    if (is_lost) return lose(internet_, packet);
    if (packet.to.address == public_address_) return turn_around(std::move(packet));
    uplink_->send(std::move(packet));
}

// RFC 4787 REQ-9: it comes in as from outside, with our public address as its source, and the
// filter looks at it as at any other.
void Nat::turn_around(Packet packet) {
    packet.trace = internet_.ladder().record(internet_.now(), packet);
    if (!options_.hairpin) {
        internet_.ladder().fate(packet.trace, "not turned around by NAT");
        return;
    }
    internet_.after(Duration{1}, [this, packet] { receive(packet); });
}

Nat::Mappings::const_iterator Nat::find_public(bool tcp, std::uint16_t port) const {
    const auto key = by_public_port_.find({tcp, port});
    if (key == by_public_port_.end()) return mappings_.end();
    const auto mapping = mappings_.find(key->second);
    if (mapping == mappings_.end() || !is_alive(mapping->first, mapping->second))
        return mappings_.end();
    return mapping;
}

std::optional<Endpoint> Nat::would_deliver(bool tcp, const Endpoint& from,
                                           const Endpoint& to) const {
    if (to.address != public_address_) return std::nullopt;
    const auto mapping = find_public(tcp, to.port);
    if (mapping == mappings_.end()) return std::nullopt;
    if (!mapping->second.permitted.contains(reduced(from, options_.filtering))) return std::nullopt;
    return mapping->first.inside;
}

std::optional<Endpoint> Nat::way_in(bool tcp, const Endpoint& from, const Endpoint& to) const {
    const auto here = outer_ != nullptr ? outer_->way_in(tcp, from, to) : to;
    return here ? would_deliver(tcp, from, *here) : std::nullopt;
}

std::optional<Endpoint> Nat::mapping_of(bool tcp, const Endpoint& inside,
                                        const Endpoint& remote) const {
    const auto found = mappings_.find(Key{tcp, inside, reduced(remote, options_.mapping)});
    if (found == mappings_.end() || !is_alive(found->first, found->second)) return std::nullopt;
    return Endpoint{public_address_, found->second.public_port};
}

void Nat::receive(const Packet& packet) {
    if (packet.kind == PacketKind::icmp) {
        receive_icmp(packet);
        return;
    }
    const auto inside = would_deliver(packet.is_tcp(), packet.from, packet.to);
    if (!inside) {
        internet_.ladder().fate(packet.trace, "dropped by NAT");
        return;
    }
    auto& mapping = mappings_.at(by_public_port_.at({packet.is_tcp(), packet.to.port}));
    if (packet.kind != PacketKind::reset) mapping.established = true;
    if (options_.inbound_refresh || packet.is_tcp()) mapping.last_used = internet_.now();
    auto translated = packet;
    translated.to = *inside;
    internet_.ladder().handed_on(packet.trace, *inside);
    if (!packet.is_tcp() && is_watched(packet.from.port))
        translated.bytes = rewrite_inbound(options_.alg, packet.bytes, *inside, packet.to);
    deliver(translated);
}

// The error quotes the packet as it left the NAT: its source is one of our public ports.
void Nat::receive_icmp(const Packet& packet) {
    const auto mapping = find_public(packet.error->tcp, packet.error->from.port);
    if (mapping == mappings_.end() || packet.error->from.address != public_address_) return;
    auto translated = packet;
    translated.error->from = mapping->first.inside;
    translated.to = mapping->first.inside;
    deliver(translated);
}

void Nat::deliver(const Packet& packet) {
    if (cuts_.is_cut(packet.from.address, packet.to.address)) {
        internet_.ladder().fate(packet.trace, "the way is cut");
        return;
    }
    const auto node = inside_.find(packet.to.address);
    if (node == inside_.end()) {
        internet_.ladder().fate(packet.trace, "nobody inside has this address");
        return;
    }
    node->second->receive(packet);
}

void Nat::rebind() {
    burnt_ports_.clear();
    for (const auto& [port, key] : by_public_port_) burnt_ports_.insert(port.second);
    mappings_.clear();
    by_public_port_.clear();
    internet_.ladder().note(internet_.now(), options_.name + " has lost all mappings");
}

void Nat::rebind(const IpAddress& new_public_address) {
    rebind();
    burnt_ports_.clear();
    uplink_->detach(public_address_);
    public_address_ = new_public_address;
    uplink_->attach(public_address_, *this, options_.name);
}

}  // namespace holdfast::lab
