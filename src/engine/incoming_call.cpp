// INVITE and CANCEL: a call rings, and ends (RFC 3261 §13.3.1, §9.2). Of an account
// that takes no calls: nobody answers it.
#include <algorithm>
#include <utility>

#include "engine/contact.h"
#include "engine/flow_desk.h"
#include "engine/incoming_desk.h"
#include "engine/limits.h"
#include "sip/response.h"

namespace holdfast::engine {

using sip::Method;

namespace {

std::string caller_in_words(const sip::Message& invite) {
    const auto& from = invite.from();
    const std::string name = sip::unescape(from.display_name);
    const std::string uri(from.uri.text);
    return name.empty() ? uri : name + " <" + uri + ">";
}

// RFC 3261 §9.2, RFC 3326: why a proxy cancels.
std::string_view why_cancelled(const sip::Message& cancel) {
    const auto reason = cancel.header(sip::HeaderName::reason).value_or(std::string_view{});
    return reason.find("cause=200") != std::string_view::npos ? "answered elsewhere"
                                                              : "the caller hung up";
}

}  // namespace

void IncomingDesk::on_invite(const Step& step, const Incoming& incoming, const Accepted& accepted) {
    if (ringing_ >= limits::calls) return reply(step, incoming, {.status = 486});
    const auto* const flow = step.flows.find(incoming.flow);
    if (flow == nullptr || !flow->is_open()) return;
    const sip::Message& invite = incoming.request;
    const bool reliable = is_reliable(flow->target.transport);
    Call call{
        .account = accepted.addressee->account,
        .target = flow->target,
        .source = incoming.source,
        .invite = invite.clone(),
        .to_tag = step.random.token(64),
        .contact = contact_of(accepted.addressee->view, incoming.flow, invite.request_uri().scheme),
        .ring_until = step.now + limits::ring_time,
        .server = {
            step.now,
            {incoming.flow, reliable, response(invite, incoming.source, {.status = 100}, {})},
            {}}};
    // RFC 3261 §13.3.1: an invitation that has expired is answered with 487.
    if (const auto expires = invite.expires();
        expires && step.now + std::chrono::seconds{*expires} < call.ring_until) {
        call.ring_until = step.now + std::chrono::seconds{*expires};
        call.status_when_over = 487;
    }
    respond(step, call, 180);
    Event event = event_of(call, EventKind::ring, 180);
    event.contact = std::string(invite.request_uri().text);
    event.reason = caller_in_words(invite);
    step.outbox.push(std::move(event));
    ++ringing_;
    step.flows.hold(incoming.flow);  // as long as it rings
    serve({transaction::server_key_of(invite), merge_key(invite), std::move(call)});
}

void IncomingDesk::refuse_invite(const Step& step, const Incoming& incoming, const Reply& reply) {
    const auto* const flow = step.flows.find(incoming.flow);
    const std::string to_tag = step.random.token(64);
    Call call{.account = {},
              .target = flow->target,
              .source = incoming.source,
              .invite = {},
              .to_tag = to_tag,
              .contact = {},
              .ring_until = never,
              .ringing = Ringing::no,
              .server = {step.now, {incoming.flow, is_reliable(flow->target.transport), {}}, {}}};
    call.server.respond(step.now, reply.status,
                        response(incoming.request, incoming.source, reply, to_tag), step.outbox);
    serve({transaction::server_key_of(incoming.request), merge_key(incoming.request),
           std::move(call)});
}

void IncomingDesk::respond(const Step& step, Call& call, int status) {
    Reply reply{.status = status};
    // RFC 3261 §12.1.1: a 1xx with a To tag makes an early dialog, which needs a Contact.
    if (status < 300 && !call.contact.empty())
        reply.headers.append("Contact: <").append(call.contact).append(">\r\n");
    step.flows.touch(step.now, call.server.flow());
    call.server.respond(step.now, status, response(call.invite, call.source, reply, call.to_tag),
                        step.outbox);
}

Event IncomingDesk::event_of(const Call& call, EventKind kind, int status) {
    Event event;
    event.kind = kind;
    event.account = call.account;
    event.target = call.target;
    event.status = status;
    return event;
}

void IncomingDesk::end_call(const Step& step, Call& call, int status, std::string_view words) {
    if (std::exchange(call.ringing, Ringing::no) == Ringing::no) return;
    --ringing_;
    respond(step, call, status);
    step.flows.let_go(step.now, call.server.flow());
    Event event = event_of(call, EventKind::call_ended, status);
    event.reason = words;
    step.outbox.push(std::move(event));
}

// RFC 3261 §9.1: a CANCEL goes where the INVITE went, hop by hop. So it comes on the same
// connection, or from the same address; a branch that somebody has seen elsewhere ends no call.
bool IncomingDesk::is_from_the_caller(const Incoming& cancel) const {
    const auto found = by_key_.find(transaction::server_key_of_cancelled(cancel.request));
    if (found == by_key_.end()) return false;
    const auto* const call = std::get_if<Call>(&served_.at(found->second).what);
    if (call == nullptr) return false;
    if (call->target && is_reliable(call->target->transport))
        return cancel.arrived == call->server.flow();
    return cancel.source.address == call->source.address;
}

void IncomingDesk::on_cancel(const Step& step, const Incoming& incoming) {
    const auto found = by_key_.find(transaction::server_key_of_cancelled(incoming.request));
    if (found == by_key_.end() || !is_from_the_caller(incoming))
        return reply(step, incoming, {.status = 481});
    const ServedId id = found->second;
    auto& call = std::get<Call>(served_.at(id).what);
    reply(step, incoming, {.status = 200}, call.to_tag);
    end_call(step, call, 487, why_cancelled(incoming.request));
    watch(id);
}

void IncomingDesk::hang_up(const Step& step, AccountId account) {
    end_calls(step, account, 486, "hung up");
}

void IncomingDesk::forget(const Step& step, AccountId account) {
    end_calls(step, account, 480, "the account is being removed");
}

void IncomingDesk::end_calls(const Step& step, AccountId account, int status,
                             std::string_view words) {
    std::vector<ServedId> its;
    for (auto& [id, served] : served_)
        if (const auto* const call = std::get_if<Call>(&served.what);
            call != nullptr && call->account == account && call->ringing == Ringing::yes)
            its.push_back(id);
    for (const ServedId id : its) {
        end_call(step, std::get<Call>(served_.at(id).what), status, words);
        watch(id);
    }
}

}  // namespace holdfast::engine
