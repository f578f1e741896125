// The examination's flows, and what comes on them.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "doctor/examination.h"
#include "doctor/limits.h"
#include "doctor/sip_date.h"
#include "flow/contact_address.h"
#include "registration/binding.h"
#include "sip/response.h"

namespace holdfast::doctor {

namespace {

std::string sent_by(const sip::Via& via) {
    return via.port == 0 ? std::string(via.host)
                         : joined({via.host, ":", std::to_string(via.port)});
}

}  // namespace

void Examination::on_tls(FlowId flow, const TlsFacts& facts) {
    const auto index = static_cast<std::size_t>(flow.value) - 1;
    if (index < seen_.servers.size()) seen_.servers[index].tls = facts;
}

void Examination::on(Instant now, const in::FlowOpened& opened, Outbox& outbox) {
    if (const auto stranger = strangers_.find(opened.flow); stranger != strangers_.end()) {
        outbox.push(out::Send{opened.flow, std::exchange(stranger->second.answer, {})});
        return;
    }
    const auto index = static_cast<std::size_t>(opened.flow.value) - 1;
    if (index >= lines_.size() || lines_[index].given_up) return;
    auto& line = lines_[index];
    auto& server = seen_.servers[index];
    line.open = true;
    server.local = opened.local;
    server.via_sent = flow::via_sent_by(opened.local);
    if (is_reliable(server.candidate.target.transport)) server.connected_in = now - line.asked_at;
    if (stage_ == Stage::meeting) send({.kind = Kind::ping, .server = index});
}

void Examination::on_trouble(FlowId flow, FlowError error, const std::string& detail) {
    strangers_.erase(flow);
    const auto index = static_cast<std::size_t>(flow.value) - 1;
    if (index >= lines_.size() || lines_[index].given_up) return;
    auto& line = lines_[index];
    auto& server = seen_.servers[index];
    post_.on_flow_trouble(flow, error, detail);
    const bool udp = server.candidate.target.transport == Transport::udp;
    if (server.reach == Reach::not_tried) {
        server.reach = Reach::failed;
        server.error = error;
        server.detail = detail;
    }
    if (!udp || !line.open) line.given_up = true;  // a UDP flow stays usable
}

void Examination::on_bytes(Instant now, FlowId flow, std::string_view bytes, Outbox& outbox) {
    const auto index = static_cast<std::size_t>(flow.value) - 1;
    if (index >= lines_.size()) {
        if (strangers_.contains(flow)) on_message(now, flow, bytes, outbox);
        return;
    }
    if (!is_reliable(seen_.servers[index].candidate.target.transport))
        return on_message(now, flow, bytes, outbox);
    auto& framer = lines_[index].framer;
    framer.feed(bytes);
    while (const auto item = framer.next()) {
        if (item->kind == sip::StreamItem::Kind::error) {
            outbox.push(out::CloseFlow{flow});
            return on_trouble(flow, FlowError::reset, "what came is no SIP");
        }
        if (item->kind == sip::StreamItem::Kind::message)
            on_message(now, flow, item->bytes, outbox);
    }
}

void Examination::on_message(Instant now, FlowId flow, std::string_view bytes, Outbox& outbox) {
    const auto message = sip::Message::parse(bytes);
    if (!message) return;
    const auto index = static_cast<std::size_t>(flow.value) - 1;
    if (!message->is_request()) {
        if (index < lines_.size()) {
            note_answer(now, index, *message);
            post_.on_response(now, flow, *message);
        }
        return;
    }
    const auto source = index < lines_.size() ? seen_.servers[index].candidate.target.endpoint
                                              : strangers_.at(flow).remote;
    on_request(*message, flow, source, outbox);
}

// Another node of the cluster may deliver what we sent to this one.
void Examination::on_stray(Instant, const in::Stray& stray, Outbox& outbox) {
    const auto message = sip::Message::parse(stray.bytes);
    if (!message || !message->is_request() || !is_for_us(*message)) return;
    if (strangers_.size() >= limits::strangers) return;
    last_stranger_ = FlowId{last_stranger_.value + 1};
    strangers_[last_stranger_] = {.remote = stray.remote, .answer = {}};
    on_request(*message, last_stranger_, stray.remote, outbox);
    outbox.push(out::OpenFlow{
        .flow = last_stranger_, .target = {Transport::udp, stray.remote}, .tls_name = {}});
}

// §11: our token in the Request-URI, or our own Call-ID. Everything else is dropped unanswered.
bool Examination::is_for_us(const sip::Message& request) const {
    if (registration::has_token(request.request_uri(), token_)) return true;
    return std::ranges::any_of(errands_, [&](const auto& entry) {
        return entry.second.kind == Kind::prove && entry.second.call_id == request.call_id();
    });
}

// A call that comes to the trial binding rings at nobody's, and the others' phones ring on.
void Examination::on_request(const sip::Message& request, FlowId flow, const Endpoint& source,
                             Outbox& outbox) {
    if (!is_for_us(request)) return;
    for (const auto& [ticket, errand] : errands_) {
        if (errand.kind != Kind::prove || errand.call_id != request.call_id()) continue;
        auto& proofs = seen_.account.proofs;
        const auto proof = std::ranges::find(proofs, errand.server, &PingSeen::server);
        if (proof == proofs.end()) continue;
        proof->came_back = true;
        proof->via_arrived = sent_by(request.vias().back());
    }
    if (request.method() == sip::Method::ack) return;
    int status = 405;
    if (request.method() == sip::Method::options || request.method() == sip::Method::notify)
        status = 200;
    if (request.method() == sip::Method::invite) status = 480;
    std::string answer;
    sip::write_response(answer, request, {.status = status, .to_tag = from_tag_, .source = source});
    const auto stranger = strangers_.find(flow);
    if (stranger != strangers_.end() && stranger->second.answer.empty())
        stranger->second.answer = std::move(answer);  // its flow is being opened
    else
        outbox.push(out::Send{flow, std::move(answer)});
}

void Examination::note_answer(Instant now, std::size_t index, const sip::Message& response) {
    auto& server = seen_.servers[index];
    const auto& via = response.top_via();
    if (server.via_answered.empty()) server.via_answered = sent_by(via);
    if (server.local) {
        auto& memory = lines_[index].mapping;
        const auto there = server.candidate.target.endpoint;
        memory.learn(now, {.received = via.received,
                           .rport = via.rport,
                           .local = *server.local,
                           .source = there,
                           .sent_to = there});
        if (memory.mapping()) server.mapping = memory.mapping();
    }
    if (const auto date = response.header("Date"))
        if (const auto unix = parse_sip_date(*date)) server.clock_ahead = unixtime(now) - *unix;
    if (!server.software.empty()) return;
    for (const auto* name : {"Server", "User-Agent"})
        if (const auto software = response.header(name)) {
            server.software = *software;
            return;
        }
}

}  // namespace holdfast::doctor
