#include "lab/registrar.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "flow/stun.h"
#include "sip/response.h"

namespace holdfast::lab {

using namespace std::chrono_literals;

namespace {

constexpr Duration answers_kept = 32s;  // Timer J (RFC 3261 §17.2.2)

std::string transaction_key(const sip::Message& request) {
    const auto& via = request.top_via();
    return std::string(request.method_text()) + " " + std::string(via.branch) + " " +
           std::string(via.host) + ":" + std::to_string(via.port);
}

}  // namespace

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
    case TcpEventKind::accepted:
        streams_[event.id] = {};
        streams_[event.id].secure = event.id.local.port == default_port(Transport::tls);
        break;
    case TcpEventKind::received:
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

void Registrar::on_text(std::string_view text, const Hop& hop) {
    const auto message = sip::Message::parse(text);
    if (!message) return;
    if (!message->is_request()) {
        if (!pings_.on_response(*message)) proxy_.on_response(*message);
        return;
    }
    const bool peer = peers_.contains(hop.remote.address);
    const auto method = message->method();
    if (method == sip::Method::options && faults_.filters_options && !peer) return;
    if (method == sip::Method::register_ && options_.drops_user_in_uri &&
        message->request_uri().has_user)
        return;
    const bool to_user = message->request_uri().has_user && method != sip::Method::register_;
    const bool answers_itself =
        method == sip::Method::options && !peer && options_.options_to_aor == OptionsToAor::answer;
    const bool forwards =
        (to_user && !answers_itself) || method == sip::Method::cancel || method == sip::Method::ack;
    if (forwards && faults_.status == 0) {
        ++counters_.requests;
        if (!authorize_call(*message, hop)) return;
        proxy_.on_request(*message, hop);
        return;
    }
    if (method == sip::Method::ack || method == sip::Method::cancel) return;
    const auto key = transaction_key(*message);
    if (const auto known = answered_.find(key); known != answered_.end()) {
        if (!known->second.response.empty()) transmit_answer(known->second, hop);
        return;
    }
    forget_old_answers();
    answered_[key] = {{}, internet_.now()};
    count(*message);
    if (faults_.slow == Duration{}) return on_new_request(*message, hop);
    internet_.after(faults_.slow, [this, kept = std::string(text), hop] {
        if (const auto again = sip::Message::parse(kept)) on_new_request(*again, hop);
    });
}

void Registrar::count(const sip::Message& request) {
    ++counters_.requests;
    if (request.method() == sip::Method::options) ++counters_.options;
    if (request.method() != sip::Method::register_) return;
    ++counters_.registers;
    ++by_second_[std::chrono::floor<std::chrono::seconds>(internet_.elapsed()).count()];
    if (request.contact_is_star()) ++counters_.star_contacts;
    const auto removes = [&](const sip::Contact& contact) {
        return contact.expires.value_or(request.expires().value_or(1)) == 0;
    };
    // A removal comes twice, before and after the challenge; it counts when it carries credentials.
    if (!request.contacts().empty() && !request.authorizations().empty() &&
        std::ranges::all_of(request.contacts(), removes))
        ++counters_.removals;
}

void Registrar::on_new_request(const sip::Message& request, const Hop& hop) {
    if (faults_.status != 0) {
        std::string extra;
        if (faults_.retry_after)
            extra = "Retry-After: " + std::to_string(*faults_.retry_after) + "\r\n";
        const int status = faults_.status;
        if (faults_.status_times > 0) {
            --faults_.status_times;
            if (faults_.status_times == 0) faults_.status = 0;
        }
        return reply(request, hop, status, {}, extra);
    }
    switch (request.method()) {
    case sip::Method::register_: return on_register(request, hop);
    case sip::Method::options:
        return reply(request, hop, 200, {}, "Allow: REGISTER, OPTIONS, INVITE\r\n");
    case sip::Method::invite:
    case sip::Method::ack:
    case sip::Method::bye:
    case sip::Method::cancel:
    case sip::Method::notify:
    case sip::Method::subscribe:
    case sip::Method::message:
    case sip::Method::info:
    case sip::Method::prack:
    case sip::Method::update:
    case sip::Method::refer:
    case sip::Method::publish:
    case sip::Method::other: return reply(request, hop, 405);
    }
}

bool Registrar::is_ours(std::string_view host) const {
    if (equals_ignoring_case(host, options_.domain)) return true;
    const auto endpoint = Endpoint::parse(host);
    return endpoint && has(endpoint->address);
}

bool Registrar::authorize(const sip::Message& request, const Hop& hop) {
    const auto verdict = authenticator_.check(request, passwords_, internet_.now());
    switch (verdict) {
    case Verdict::accepted: return true;
    case Verdict::wrong:
        ban_filter_.note(internet_.now(), hop.remote.address, Offence::refused, options_.ban);
        if (authenticator_.rules().wrong_is_forbidden) {
            reply(request, hop, 403);
            return false;
        }
        break;
    case Verdict::challenge:
    case Verdict::stale: break;
    }
    ++counters_.challenges;
    ban_filter_.note(internet_.now(), hop.remote.address, Offence::challenged, options_.ban);
    reply(request, hop, 401, {},
          authenticator_.challenge_line(verdict == Verdict::stale, internet_.now()));
    return false;
}

// RFC 3261 §22.3: by the proxy. A copy of an INVITE gets a copy of the 407.
bool Registrar::authorize_call(const sip::Message& request, const Hop& hop) {
    if (!options_.challenges_calls || request.method() != sip::Method::invite ||
        !request.to().tag().empty() || peers_.contains(hop.remote.address))
        return true;
    const auto known = answered_.find(transaction_key(request));
    if (known != answered_.end()) {
        transmit_answer(known->second, hop);
        return false;
    }
    const auto by = Authenticator::By::proxy;
    const auto verdict = authenticator_.check(request, passwords_, internet_.now(), by);
    if (verdict == Verdict::accepted) return true;
    ++counters_.challenges;
    reply(request, hop, 407, {},
          authenticator_.challenge_line(verdict == Verdict::stale, internet_.now(), by));
    return false;
}

void Registrar::on_register(const sip::Message& request, const Hop& hop) {
    if (!is_ours(request.request_uri().host)) return reply(request, hop, 404);
    if (!authorize(request, hop)) return;
    const auto key = aor_key(request.to().uri.text);
    auto result =
        apply_register(request, location_.bindings(key), hop, internet_.now(), options_.rules);
    if (result.stored) location_.put(key, std::move(result.bindings));
    if (result.status == 200 && !request.contacts().empty()) ++counters_.accepted;
    if (result.status == 200) answered_[transaction_key(request)].can_be_lost = true;
    reply(request, hop, result.status, result.reason, result.extra_headers);
}

void Registrar::reply(const sip::Message& request, const Hop& hop, int status,
                      std::string_view reason, std::string_view extra_headers) {
    auto& answered = answered_[transaction_key(request)];
    sip::write_response(answered.response, request,
                        {.status = status,
                         .reason = reason,
                         .to_tag = random_.token(40),
                         .extra_headers = extra_headers,
                         .source = hop.remote});
    if (options_.brackets_received && hop.remote.address.family() == Family::ipv6) {
        const auto bare = ";received=" + hop.remote.address.to_string();
        if (const auto at = answered.response.find(bare); at != std::string::npos)
            answered.response.replace(at, bare.size(),
                                      ";received=[" + hop.remote.address.to_string() + "]");
    }
    answered.since = internet_.now();
    transmit_answer(answered, hop);
}

void Registrar::transmit_answer(Answered& answered, const Hop& hop) {
    if (answered.can_be_lost && faults_.lost_answers > 0) {
        --faults_.lost_answers;
        internet_.ladder().note(internet_.now(), name_ + ": the answer is lost");
        return;
    }
    send(hop, answered.response);
}

void Registrar::forget_old_answers() {
    if (internet_.now() < next_cleaning_) return;
    next_cleaning_ = internet_.now() + answers_kept;
    std::erase_if(answered_, [&](const auto& entry) {
        return internet_.now() - entry.second.since > answers_kept;
    });
}

}  // namespace holdfast::lab
