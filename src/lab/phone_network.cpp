// The phone's host: what the engine asks for, performed in the simulated internet, and what comes
// from there.
#include <algorithm>

#include "base/text.h"
#include "lab/phone.h"
#include "lab/registrar.h"
#include "lab/transcript.h"
#include "sip/message.h"

namespace holdfast::lab {

using namespace std::chrono_literals;

namespace {

constexpr Duration connect_timeout = 10s;
constexpr Duration dns_timeout = 10s;

FlowError error_of(IcmpReason reason) {
    switch (reason) {
    case IcmpReason::port_unreachable: return FlowError::port_unreachable;
    case IcmpReason::prohibited: return FlowError::prohibited;
    case IcmpReason::net_unreachable: return FlowError::network_unreachable;
    }
    return FlowError::refused;
}

FlowError error_of(TcpEventKind kind) {
    switch (kind) {
    case TcpEventKind::refused: return FlowError::refused;
    case TcpEventKind::prohibited: return FlowError::prohibited;
    case TcpEventKind::unreachable: return FlowError::network_unreachable;
    case TcpEventKind::reset: return FlowError::reset;
    case TcpEventKind::timed_out: return FlowError::timed_out;
    case TcpEventKind::closed:
    case TcpEventKind::accepted:
    case TcpEventKind::connected:
    case TcpEventKind::received: return FlowError::closed_by_peer;
    }
    return FlowError::closed_by_peer;
}

}  // namespace

// Durable before anything of the step is sent (B3).
void Phone::perform(std::vector<Output> outputs) {
    bool told = false;
    for (const auto& output : outputs)
        if (const auto* store = std::get_if<out::Store>(&output)) perform(*store);
    for (auto& output : outputs) {
        if (const auto* open = std::get_if<out::OpenFlow>(&output)) perform(*open);
        if (const auto* close = std::get_if<out::CloseFlow>(&output)) perform(*close);
        if (const auto* send = std::get_if<out::Send>(&output)) perform(*send);
        if (const auto* resolve = std::get_if<out::Resolve>(&output)) perform(*resolve);
        if (const auto* media = std::get_if<out::Media>(&output)) perform(*media);
        if (auto* event = std::get_if<Event>(&output)) {
            perform(*event);
            told = true;
        }
    }
    if (told && engine_) registered_ = status().registered;
    if (stopped_) crash();  // the process is done
}

void Phone::perform(const out::Store& store) {
    if (store.value.empty()) {
        state_.erase(store.key);
    } else {
        state_[store.key] = store.value;
    }
}

void Phone::perform(const out::Media& media) {
    internet_.ladder().note(internet_.now(),
                            name_ + (media.agreed ? ": media of call " : ": no media of call ") +
                                std::to_string(media.call.value));
    media_.push_back({internet_.now(), media});
}

void Phone::perform(Event& event) {
    internet_.ladder().note(internet_.now(),
                            name_ + ": " + std::string(name_of(event.kind)) +
                                (event.target ? " " + event.target->to_string() : "") +
                                (event.reason.empty() ? "" : ": " + event.reason));
    if (event.kind == EventKind::stopped) stopped_ = true;
    events_.push_back({internet_.now(), std::move(event)});
}

void Phone::perform(const out::OpenFlow& open) {
    const auto family = open.target.endpoint.address.family();
    const auto address = address_of(family);
    if (!address) {
        later(0s, in::FlowFailed{open.flow, FlowError::network_unreachable, "no source address"});
        return;
    }
    const bool is_stream = is_reliable(open.target.transport);
    if (fails_now(HostFault::open_refused)) {
        const auto error = is_stream ? FlowError::refused : FlowError::network_unreachable;
        later(0s, in::FlowFailed{open.flow, error, "the host fails"});
        return;
    }
    if (is_stream && fails_now(HostFault::open_times_out)) {
        later(connect_timeout, in::FlowFailed{open.flow, FlowError::timed_out, "the host fails"});
        return;
    }
    auto& flow = flows_[open.flow];
    flow = {.target = open.target,
            .tls_name = open.tls_name,
            .local = {*address, 0},
            .spare = open.spare_port};
    if (is_stream) {
        connect(open.flow, flow);
        return;
    }
    flow.local.port = open.spare_port ? new_port() : ports_.at(family);
    later(0s, in::FlowOpened{open.flow, flow.local, {}});
}

void Phone::connect(FlowId id, Flow& flow) {
    flow.stage = Stage::connecting;
    flow.local.port = new_port();
    const TcpId connection{flow.local, flow.target.endpoint};
    tcp_.connect(connection);
    internet_.after(connect_timeout, [this, run = run_, id, connection] {
        const auto found = flows_.find(id);
        if (run != run_ || found == flows_.end() || found->second.stage == Stage::open) return;
        tcp_.close(connection);
        flows_.erase(found);
        feed(in::FlowFailed{id, FlowError::timed_out, {}});
    });
}

void Phone::perform(const out::CloseFlow& close) {
    const auto found = flows_.find(close.flow);
    if (found == flows_.end()) return;
    if (is_reliable(found->second.target.transport))
        tcp_.close({found->second.local, found->second.target.endpoint});
    flows_.erase(found);
}

void Phone::perform(const out::Send& send) {
    const auto found = flows_.find(send.flow);
    if (found == flows_.end()) return;
    auto& flow = found->second;
    note_request(flow, send.bytes);
    if (send_fails(found)) return;
    if (is_reliable(flow.target.transport)) {
        tcp_.send({flow.local, flow.target.endpoint}, send.bytes);
        return;
    }
    const auto address = address_of(flow.target.endpoint.address.family());
    if (!address) {
        later(0s,
              in::FlowFailed{send.flow, FlowError::network_unreachable, "network is unreachable"});
        return;
    }
    flow.local.address = *address;  // one socket for any address of the host
    uplink_->send({.kind = PacketKind::datagram,
                   .from = flow.local,
                   .to = flow.target.endpoint,
                   .bytes = send.bytes});
}

bool Phone::fails_now(HostFault fault) {
    if (!host_faults_->fails_now(fault)) return false;
    internet_.ladder().note(internet_.now(), name_ + ": the host fails");
    return true;
}

bool Phone::send_fails(std::map<FlowId, Flow>::iterator flow) {
    const bool lost = fails_now(HostFault::send_lost);
    if (!lost && !fails_now(HostFault::send_refused)) return false;
    const auto [id, broken] = *flow;
    if (is_reliable(broken.target.transport)) {
        flows_.erase(flow);
        tcp_.abort({broken.local, broken.target.endpoint});
        later(0s, in::FlowClosed{id, FlowError::reset, "the host fails"});
    } else if (!lost) {
        later(0s, in::FlowFailed{id, FlowError::network_unreachable, "the host fails"});
    }
    return true;
}

// A transaction is counted once, by its branch, however often its request is sent.
void Phone::note_request(const Flow& flow, std::string_view bytes) {
    const auto method = bytes.substr(0, bytes.find(' '));
    if (method == "SIP/2.0" || bytes.size() < 100 || method.size() > 10) return;
    const auto start = bytes.find("branch=");
    if (start == std::string_view::npos) return;
    const auto branch = bytes.substr(start, bytes.find_first_of(";,\r", start) - start);
    // A CANCEL has the branch of its INVITE.
    if (method == "ACK" || !branches_.emplace(std::string(method).append(branch)).second) return;
    SentRequest request{internet_.now(), flow.target, std::string(method), {}, 0, run_};
    if (method == "REGISTER") {
        if (const auto message = sip::Message::parse(bytes)) {
            request.call_id = message->call_id();
            request.cseq = message->cseq().number;
        }
    }
    sent_.push_back(std::move(request));
}

void Phone::perform(const out::Resolve& resolve) {
    auto delay = options_.dns_round_trip.value_or(2 * internet_.link().options().one_way_delay);
    auto answer = lookup(resolve.question, delay);
    if (fails_now(HostFault::dns_servfail)) answer = {dns::Status::servfail, {}, {}};
    if (fails_now(HostFault::dns_times_out)) answer = {dns::Status::timed_out, {}, {}};
    if (delay > dns_timeout || answer.status == dns::Status::timed_out) {
        answer = {.status = dns::Status::timed_out, .records = {}, .ttl = {}};
        delay = dns_timeout;
    }
    if (auto* transcript = internet_.ladder().transcript())
        transcript->answer({internet_.now() + delay, name_, resolve.question, answer});
    later(delay, in::DnsAnswer{resolve.query, std::move(answer)});
}

dns::Answer Phone::lookup(const dns::Question& question, Duration& delay) {
    if (addresses_.empty()) {
        delay = {};
        return {.status = dns::Status::no_server, .records = {}, .ttl = {}};
    }
    delay += dns_fault_.delay;
    if (dns_fault_.status != dns::Status::ok)
        return {.status = dns_fault_.status, .records = {}, .ttl = {}};
    const auto cached = cache_.find(question);
    if (options_.resolver_cache && cached != cache_.end() &&
        cached->second.until > internet_.now()) {
        auto answer = cached->second.answer;
        answer.ttl = cached->second.until - internet_.now();
        return answer;
    }
    auto reply = zone_.ask(question);
    delay += reply.delay;
    if (options_.resolver_cache && !dns::is_failure(reply.answer.status))
        cache_[question] = {reply.answer, internet_.now() + reply.answer.ttl};
    return reply.answer;
}

void Phone::receive(const Packet& packet) {
    if (asleep_ || !powered_) {
        internet_.ladder().fate(packet.trace, asleep_ ? "the host sleeps" : "the host is off");
        return;
    }
    if (packet.kind == PacketKind::datagram) return on_datagram(packet);
    if (packet.kind == PacketKind::icmp && !packet.error->tcp) return on_icmp(packet);
    tcp_.receive(packet);
}

void Phone::on_datagram(const Packet& packet) {
    const bool shared = engine_ && packet.to.port == ports_.at(packet.to.address.family());
    for (const auto& [id, flow] : flows_) {
        if (is_reliable(flow.target.transport) || flow.target.endpoint != packet.from) continue;
        if (flow.spare ? flow.local.port != packet.to.port : !shared) continue;
        return feed(in::Received{id, packet.bytes});
    }
    if (shared) return feed(in::Stray{packet.to, packet.from, packet.bytes});
    if (std::ranges::any_of(flows_, [&](const auto& entry) {
            return entry.second.spare && entry.second.local.port == packet.to.port;
        }))
        return;
    uplink_->send(
        {.kind = PacketKind::icmp,
         .from = packet.to,
         .to = packet.from,
         .error = IcmpError{IcmpReason::port_unreachable, packet.from, packet.to, false}});
}

// From the socket's error queue, with the destination it is about (N7).
void Phone::on_icmp(const Packet& packet) {
    for (const auto& [id, flow] : flows_) {
        if (is_reliable(flow.target.transport) || flow.target.endpoint != packet.error->to)
            continue;
        if (flow.local.port != packet.error->from.port) continue;
        return feed(in::FlowFailed{id, error_of(packet.error->reason), {}});
    }
}

std::map<FlowId, Phone::Flow>::iterator Phone::flow_of(const TcpId& id) {
    return std::ranges::find_if(flows_, [&](const auto& entry) {
        const auto& flow = entry.second;
        return is_reliable(flow.target.transport) && flow.local == id.local &&
               flow.target.endpoint == id.remote;
    });
}

void Phone::on_tcp(const TcpEvent& event) {
    const auto found = flow_of(event.id);
    if (found == flows_.end()) return;
    const auto id = found->first;
    auto& flow = found->second;
    switch (event.kind) {
    case TcpEventKind::connected:
        if (flow.target.transport == Transport::tls) {
            flow.stage = Stage::shaking_hands;
            tcp_.send(event.id, "\x16" + flow.tls_name);
            return;
        }
        flow.stage = Stage::open;
        return feed(in::FlowOpened{id, flow.local, {}});
    case TcpEventKind::received:
        if (flow.stage == Stage::shaking_hands) return on_handshake(id, flow, event.bytes);
        return feed(in::Received{id, event.bytes});
    case TcpEventKind::accepted: return;
    case TcpEventKind::refused:
    case TcpEventKind::prohibited:
    case TcpEventKind::unreachable:
    case TcpEventKind::reset:
    case TcpEventKind::timed_out:
    case TcpEventKind::closed: break;
    }
    const bool was_open = flow.stage == Stage::open;
    flows_.erase(found);
    if (was_open) return feed(in::FlowClosed{id, error_of(event.kind), {}});
    feed(in::FlowFailed{id, error_of(event.kind), {}});
}

// RFC 5922 §7: the certificate is checked against the configured name.
void Phone::on_handshake(FlowId id, Flow& flow, std::string_view bytes) {
    const auto certificate = from_handshake(bytes);
    const TcpId connection{flow.local, flow.target.endpoint};
    const bool named =
        certificate && std::ranges::any_of(certificate->names, [&](const std::string& name) {
            return equals_ignoring_case(name, flow.tls_name);
        });
    if (named && !certificate->expired) {
        flow.stage = Stage::open;
        return feed(in::FlowOpened{id, flow.local, flow.tls_name});
    }
    std::string detail = "no certificate";
    if (certificate)
        detail =
            certificate->expired ? "certificate has expired" : "certificate is for another name";
    const auto error = certificate ? FlowError::certificate : FlowError::tls;
    tcp_.close(connection);
    flows_.erase(id);
    feed(in::FlowFailed{id, error, detail});
}

}  // namespace holdfast::lab
