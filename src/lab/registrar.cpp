#include "lab/registrar.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "flow/stun.h"

namespace holdfast::lab {

std::string to_handshake(const Certificate& certificate) {
    std::string text = certificate.expired ? "\x16"
                                             "expired"
                                           : "\x16"
                                             "valid";
    for (const auto& name : certificate.names) text += " " + name;
    return text;
}

std::optional<Certificate> from_handshake(std::string_view bytes) {
    if (!bytes.starts_with('\x16')) return std::nullopt;
    Certificate certificate;
    bytes.remove_prefix(1);
    for (bool first = true; !bytes.empty(); first = false) {
        const auto word = bytes.substr(0, bytes.find(' '));
        if (first)
            certificate.expired = word == "expired";
        else
            certificate.names.emplace(word);
        bytes.remove_prefix(std::min(bytes.size(), word.size() + 1));
    }
    return certificate;
}

void Registrar::Outlet::send(Packet packet) {
    if (!registrar_.faults_.silent) registrar_.internet_.send(std::move(packet));
}

Registrar::Registrar(Internet& internet, std::string name, std::vector<IpAddress> addresses,
                     ServerOptions options, LocationService& location)
    : internet_(internet),
      name_(std::move(name)),
      addresses_(std::move(addresses)),
      options_(std::move(options)),
      location_(location),
      random_(internet.fork()),
      authenticator_(options_.digest, internet.fork()),
      outlet_(*this),
      tcp_(internet, outlet_, [this](const TcpEvent& event) { on_tcp(event); }),
      proxy_(*this),
      pings_(*this) {
    certificate_.names = {options_.domain};
    for (const auto& address : addresses_) internet_.attach(address, *this, name_);
    listen();
    pings_.start(options_.pings);
}

void Registrar::listen() {
    tcp_.listen(default_port(Transport::tcp));
    tcp_.listen(default_port(Transport::tls));
}

bool Registrar::has(const IpAddress& address) const {
    return std::ranges::find(addresses_, address) != addresses_.end();
}

bool Registrar::is_answering() const {
    return !faults_.silent && !faults_.mute && !faults_.refuses && faults_.status == 0;
}

void Registrar::refuse(IcmpReason reason) {
    faults_.refuses = reason;
    tcp_.reset_all();
    tcp_.stop_listening();
    close_streams();
}

void Registrar::answer_with(int status, std::optional<std::uint32_t> retry_after) {
    faults_.status = status;
    faults_.status_times = 0;
    faults_.retry_after = retry_after;
}

void Registrar::answer_once_with(int status) {
    answer_with(status);
    faults_.status_times = 1;
}

void Registrar::restart(bool forgets_bindings) {
    tcp_.reset_all();
    close_streams();
    answered_.clear();
    proxy_.forget_all();
    authenticator_.forget_nonces();
    if (forgets_bindings) location_.clear();
}

void Registrar::heal() {
    faults_ = {};
    listen();
}

void Registrar::receive(const Packet& packet) {
    if (faults_.silent) {
        internet_.ladder().fate(packet.trace, "silence");
        return;
    }
    if (packet.kind == PacketKind::icmp && !packet.error->tcp) return;
    if (packet.kind != PacketKind::datagram) {
        if (faults_.refuses == IcmpReason::prohibited && packet.kind == PacketKind::syn &&
            refuses_datagram(packet))
            return;
        return tcp_.receive(packet);
    }
    if (refuses_datagram(packet)) return;
    if (ban_filter_.is_banned(internet_.now(), packet.from.address)) {
        ban_filter_.knock(internet_.now(), packet.from.address, options_.ban);
        internet_.ladder().fate(packet.trace, "banned");
        return;
    }
    if (faults_.mute) {
        internet_.ladder().fate(packet.trace, "mute");
        return;
    }
    on_datagram(packet);
}

bool Registrar::refuses_datagram(const Packet& packet) {
    const bool open = packet.to.port == default_port(Transport::udp) || packet.is_tcp();
    if (open && !faults_.refuses) return false;
    const auto reason = faults_.refuses.value_or(IcmpReason::port_unreachable);
    internet_.send({.kind = PacketKind::icmp,
                    .from = packet.to,
                    .to = packet.from,
                    .error = IcmpError{reason, packet.from, packet.to, packet.is_tcp()}});
    return true;
}

void Registrar::on_datagram(const Packet& packet) {
    const Hop hop{Transport::udp, packet.to, packet.from};
    if (flow::is_stun(packet.bytes)) {
        if (!options_.stun) return;
        const auto request = flow::decode_stun(packet.bytes);
        if (!request || request->kind != flow::StunClass::request) return;
        ++counters_.keep_alives;
        send(hop, flow::encode_binding_success(request->transaction, packet.from));
        return;
    }
    if (trimmed(packet.bytes).empty()) {
        ++counters_.keep_alives;
        return;
    }
    on_text(packet.bytes, hop);
}

void Registrar::on_tcp(const TcpEvent& event) {
    switch (event.kind) {
    case TcpEventKind::accepted: on_accepted(event.id); break;
    case TcpEventKind::received:
        if (const auto found = streams_.find(event.id); found != streams_.end())
            found->second.last_heard = internet_.now();
        if (!faults_.mute) on_stream_bytes(event.id, event.bytes);
        break;
    case TcpEventKind::reset:
    case TcpEventKind::timed_out:
    case TcpEventKind::closed: on_closed(event.id); break;
    case TcpEventKind::connected:
    case TcpEventKind::refused:
    case TcpEventKind::prohibited:
    case TcpEventKind::unreachable: break;  // we never connect
    }
}

void Registrar::on_accepted(const TcpId& id) {
    auto& stream = streams_[id];
    stream = {};
    stream.secure = id.local.port == default_port(Transport::tls);
    stream.last_heard = internet_.now();
    stream.number = ++stream_count_;
    close_if_idle(id, stream.number);
}

void Registrar::close_if_idle(const TcpId& id, std::uint64_t number) {
    const auto found = streams_.find(id);
    if (options_.closes_idle_after <= Duration{} || found == streams_.end() ||
        found->second.number != number)
        return;
    const auto end = found->second.last_heard + options_.closes_idle_after;
    if (internet_.now() < end) {
        internet_.at(end, [this, id, number] { close_if_idle(id, number); });
        return;
    }
    tcp_.close(id);
    on_closed(id);
}

void Registrar::on_closed(TcpId id) {
    streams_.erase(id);
    if (!options_.forgets_on_close) return;
    for (const auto& aor : location_.aors()) {
        auto left = location_.bindings(aor);
        const auto came_over_it = [&](const Binding& binding) {
            return is_reliable(binding.flow.transport) && binding.flow.local == id.local &&
                   binding.flow.remote == id.remote;
        };
        if (std::erase_if(left, came_over_it) > 0) location_.put(aor, std::move(left));
    }
}

void Registrar::close_streams() {
    while (!streams_.empty()) on_closed(streams_.begin()->first);
}

void Registrar::on_stream_bytes(const TcpId& id, std::string_view bytes) {
    const auto found = streams_.find(id);
    if (found == streams_.end()) return;
    auto& stream = found->second;
    if (stream.secure && !stream.shaken_hands) {
        stream.shaken_hands = true;
        tcp_.send(id, to_handshake(certificate_));
        return;
    }
    const Hop hop{stream.secure ? Transport::tls : Transport::tcp, id.local, id.remote};
    stream.framer.feed(bytes);
    while (const auto item = stream.framer.next()) {
        switch (item->kind) {
        case sip::StreamItem::Kind::message: on_text(std::string(item->bytes), hop); break;
        case sip::StreamItem::Kind::ping:
            ++counters_.keep_alives;
            if (options_.pong) send(hop, "\r\n");
            break;
        case sip::StreamItem::Kind::pong: break;
        case sip::StreamItem::Kind::error: tcp_.abort(id); break;
        }
        if (!tcp_.is_open(id)) {
            streams_.erase(id);
            return;
        }
    }
}

void Registrar::send(const Hop& hop, std::string bytes) {
    if (is_reliable(hop.transport)) {
        tcp_.send({hop.local, hop.remote}, std::move(bytes));
        return;
    }
    outlet_.send({.kind = PacketKind::datagram,
                  .from = hop.local,
                  .to = hop.remote,
                  .bytes = std::move(bytes)});
}

std::optional<Hop> Registrar::way_to(const Binding& binding) const {
    auto hop = binding.flow;
    if (!binding.outbound && !options_.use_received) {
        const auto uri = sip::OwnedUri::parse(binding.contact);
        const auto address = uri ? uri->get().host_address() : std::nullopt;
        if (!address) return std::nullopt;
        const auto transport = uri->get().transport();
        hop.transport = parse_transport(transport.value_or("udp")).value_or(Transport::udp);
        // A TLS client writes transport=tcp as often as tls: what counts is its open connection.
        if (is_reliable(hop.transport)) hop.transport = binding.flow.transport;
        const auto port = uri->get().port != 0 ? uri->get().port : default_port(hop.transport);
        hop.remote = {*address, port};
        hop.local.port = default_port(hop.transport);
    }
    const bool here = has(hop.local.address);
    if (is_reliable(hop.transport) && here && !tcp_.is_open({hop.local, hop.remote}))
        return std::nullopt;
    return hop;
}

}  // namespace holdfast::lab
