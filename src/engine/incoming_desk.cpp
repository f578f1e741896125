#include "engine/incoming_desk.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "engine/flow_desk.h"
#include "engine/limits.h"
#include "engine/message_waiting.h"
#include "sip/response.h"

namespace holdfast::engine {

namespace told = registration::told;
using sip::Method;

namespace {

constexpr std::array methods{Method::invite, Method::ack,     Method::cancel,
                             Method::bye,    Method::options, Method::notify};
constexpr std::array<std::string_view, 3> options{"path", "outbound", "gruu"};
constexpr std::array<std::string_view, 3> media_types{
    "application/sdp", "application/simple-message-summary", "text/plain"};
constexpr std::string_view what_we_can =
    "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY\r\n"
    "Accept: application/sdp, application/simple-message-summary\r\n"
    "Supported: path, outbound, gruu\r\n";

// Of an account that takes calls; what only dialogs know gets 481 here, for there is none.
constexpr std::array call_methods{Method::invite,  Method::ack,    Method::cancel, Method::bye,
                                  Method::options, Method::notify, Method::prack,  Method::update,
                                  Method::info,    Method::refer};
constexpr std::array<std::string_view, 7> call_options{"path",  "outbound", "gruu",      "100rel",
                                                       "timer", "replaces", "norefersub"};
constexpr std::string_view what_calls_can =
    "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, PRACK, UPDATE, INFO, REFER\r\n"
    "Accept: application/sdp, application/simple-message-summary\r\n"
    "Supported: path, outbound, gruu, 100rel, timer, replaces, norefersub\r\n";

sip::Capabilities capabilities(bool takes_calls) {
    sip::Capabilities all{
        .methods = methods, .options = options, .media_types = media_types, .sent_types = {}};
    if (takes_calls) {
        all.methods = call_methods;
        all.options = call_options;
    }
    return all;
}

std::string_view token_of(const sip::Message& request) {
    return request.request_uri().parameters.find("hf").value_or(std::string_view{});
}

bool has_token(const Addressee& addressee, std::string_view token) {
    return !token.empty() &&
           std::ranges::any_of(addressee.view.tokens, [&](const std::string& own) {
               return equals_ignoring_case(own, token);
           });
}

// RFC 5627 §4.5: a request for one of our GRUUs is for us.
bool has_gruu(const Addressee& addressee, const sip::Uri& uri) {
    if (!uri.parameters.has("gr")) return false;
    const auto is_it = [&](const std::string& gruu) {
        const auto own = sip::OwnedUri::parse(gruu);
        return own && sip::equal(own->get(), uri);
    };
    return std::ranges::any_of(addressee.view.bindings, [&](const auto& binding) {
        return is_it(binding.public_gruu) || is_it(binding.temporary_gruu);
    });
}

std::string_view event_package(const sip::Message& request) {
    const auto event = request.header(sip::HeaderName::event).value_or(std::string_view{});
    return trimmed(event.substr(0, event.find(';')));
}

}  // namespace

std::optional<IncomingDesk::Accepted> IncomingDesk::accept(const Incoming& incoming,
                                                           std::span<const Addressee> addressees) {
    const auto token = token_of(incoming.request);
    const auto user = sip::percent_decode(incoming.request.request_uri().user);
    std::optional<Accepted> best;
    int best_score = -1;
    for (const auto& addressee : addressees) {
        flow::SourceFilter filter(addressee.rules);
        filter.set_addresses(addressee.accepted);
        filter.set_tokens(addressee.view.tokens);
        const auto verdict = filter.judge({.source = incoming.source,
                                           .on_own_flow = addressee.on_own_flow,
                                           .token = token,
                                           .of_our_dialog = addressee.sent_it});
        if (!flow::is_accepted(verdict)) continue;
        const bool by_token = has_token(addressee, token);
        // RFC 3261 §8.2.2.1: who calls an address alone means whoever is there.
        const bool by_user = (!addressee.user.empty() && user == addressee.user) ||
                             (addressee.is_direct && user.empty()) ||
                             has_gruu(addressee, incoming.request.request_uri());
        const int score = (by_token ? 4 : 0) + (by_user ? 2 : 0) + (addressee.on_own_flow ? 1 : 0);
        if (score <= best_score) continue;
        best_score = score;
        best = Accepted{&addressee, verdict, by_token || by_user};
    }
    return best;
}

bool IncomingDesk::is_welcome(const Incoming& incoming,
                              std::span<const Addressee> addressees) const {
    if (by_key_.contains(transaction::server_key_of(incoming.request))) return true;  // (d)
    if (incoming.request.method() == Method::cancel && is_from_the_caller(incoming)) return true;
    return accept(incoming, addressees).has_value();
}

bool IncomingDesk::needs_no_flow(const sip::Message& request) const {
    return request.method() == Method::ack || by_key_.contains(transaction::server_key_of(request));
}

bool IncomingDesk::is_full() const {
    return served_.size() >= std::max(limits::server_transactions, accounts_);
}

std::optional<AccountId> IncomingDesk::on_request(const Step& step, const Incoming& incoming,
                                                  std::span<const Addressee> addressees) {
    const auto known = by_key_.find(transaction::server_key_of(incoming.request));
    if (known != by_key_.end()) {
        on_known(step, known->second, incoming.request);
    } else if (incoming.request.method() == Method::ack) {  // never answered
    } else if (is_full()) {
        on_own_options_without_state(step, incoming, addressees);
    } else if (incoming.request.method() == Method::cancel) {
        on_cancel(step, incoming);
    } else if (const auto accepted = accept(incoming, addressees)) {
        return on_new(step, incoming, *accepted);
    }
    return std::nullopt;
}

// Past the limit nothing is answered but our own OPTIONS (R1), which needs no state (RFC 3261
// §8.2.7): thousands of accounts send one each, and who else knows its Call-ID is on its way.
void IncomingDesk::on_own_options_without_state(const Step& step, const Incoming& incoming,
                                                std::span<const Addressee> addressees) const {
    const auto* const flow = step.flows.find(incoming.flow);
    if (incoming.request.method() != Method::options || flow == nullptr || !flow->is_open()) return;
    const auto accepted = accept(incoming, addressees);
    if (!accepted || !accepted->addressee->sent_it) return;
    if (sip::check_request(incoming.request, capabilities(accepted->addressee->takes_calls)))
        return;
    const Reply answer = answer_options(step, incoming, *accepted);
    step.flows.send(step, incoming.flow,
                    response(incoming.request, incoming.source, answer, step.random.token(64)));
}

void IncomingDesk::on_known(const Step& step, ServedId id, const sip::Message& request) {
    Served& served = served_.at(id);
    if (auto* const call = std::get_if<Call>(&served.what)) {
        if (request.method() != Method::ack) {
            call->server.on_request(step.outbox);
        } else if (transaction::ack_fits(request, call->to_tag)) {
            call->server.on_ack(step.now);
        }
    } else {
        std::get<transaction::NonInviteServer>(served.what).on_request(step.outbox);
    }
    watch(id);
}

std::optional<AccountId> IncomingDesk::on_new(const Step& step, const Incoming& incoming,
                                              const Accepted& accepted) {
    const sip::Message& request = incoming.request;
    const bool takes_calls = accepted.addressee->takes_calls;
    const auto answer = [&](const Reply& with) -> std::optional<AccountId> {
        reply(step, incoming, with);
        return std::nullopt;
    };
    if (auto rejection = sip::check_request(request, capabilities(takes_calls)))
        return answer({rejection->status, std::move(rejection->extra_headers), rejection->reason});
    switch (request.method()) {
    case Method::options: {
        const Reply full = answer_options(step, incoming, accepted);
        // A proxy that forks sends two copies; both are proof (R1), one is answered in full.
        return answer(is_merged(request) ? Reply{.status = 482} : full);
    }
    case Method::notify:
        return answer(is_merged(request) ? Reply{.status = 482}
                                         : answer_notify(step, incoming, accepted));
    case Method::invite:
        // RFC 3261 §12.2.2: a To tag names a dialog, and there is none.
        if (!request.to().tag().empty()) return answer({.status = 481});
        if (is_merged(request)) return answer({.status = 482});
        if (!accepted.addressed) return answer({.status = 404});
        if (takes_calls) return accepted.addressee->account;
        on_invite(step, incoming, accepted);
        return std::nullopt;
    case Method::bye:
    case Method::info:
    case Method::prack:
    case Method::update: return answer({.status = 481});
    // RFC 3515 §2.4.2: only who is in a call with us has us call another.
    case Method::refer: return answer({.status = request.to().tag().empty() ? 403 : 481});
    case Method::register_:
    case Method::ack:
    case Method::cancel:
    case Method::subscribe:
    case Method::message:
    case Method::publish:
    case Method::other: break;  // check_request has refused them
    }
    return std::nullopt;
}

IncomingDesk::Reply IncomingDesk::answer_options(const Step& step, const Incoming& incoming,
                                                 const Accepted& accepted) const {
    const Addressee& addressee = *accepted.addressee;
    const auto aor = sip::OwnedUri::parse(addressee.aor);
    const bool from_us = aor && sip::equal(incoming.request.from().uri, aor->get());
    // R1: it came back. Which of its requests it is, the registration knows by the Call-ID.
    if (addressee.sent_it || from_us)
        step.tell(addressee.account,
                  told::Returned{.call_id = std::string(incoming.request.call_id()),
                                 .flow = incoming.arrived,
                                 .ours_by_from = !addressee.sent_it});
    return {.status = 200,
            .headers = std::string(addressee.takes_calls ? what_calls_can : what_we_can)};
}

IncomingDesk::Reply IncomingDesk::answer_notify(const Step& step, const Incoming& incoming,
                                                const Accepted& accepted) const {
    const auto package = event_package(incoming.request);
    const AccountId account = accepted.addressee->account;
    if (equals_ignoring_case(package, "keep-alive")) return {.status = 200};
    if (equals_ignoring_case(package, "check-sync")) {
        // Who is let in only because anybody may call makes us send nothing (§11).
        if (accepted.verdict == flow::SourceVerdict::direct) return {.status = 481};
        step.tell(account, told::CheckSync{});
        return {.status = 200};
    }
    if (equals_ignoring_case(package, "message-summary")) {
        // Unsolicited: only from a server we chose to talk to (§11).
        if (accepted.verdict != flow::SourceVerdict::own_flow) return {.status = 481};
        Event event;
        event.kind = EventKind::notice;
        event.account = account;
        event.reason = messages_waiting_in_words(incoming.request.body());
        step.outbox.push(std::move(event));
        return {.status = 200};
    }
    return {.status = 489, .headers = "Allow-Events: keep-alive, check-sync, message-summary\r\n"};
}

void IncomingDesk::refuse_unreadable(const Step& step, const Incoming& incoming, int status) {
    if (incoming.request.method() == Method::ack || is_full()) return;
    // Without state (RFC 3261 §8.2.7): nothing of it can be relied on, and a copy gets the same.
    step.flows.send(
        step, incoming.flow,
        response(incoming.request, incoming.source, {.status = status}, step.random.token(64)));
}

void IncomingDesk::reply(const Step& step, const Incoming& incoming, const Reply& reply,
                         std::string to_tag) {
    const auto* const flow = step.flows.find(incoming.flow);
    if (flow == nullptr || !flow->is_open()) return;
    // A refused INVITE is repeated until its ACK (RFC 3261 §17.2.1).
    if (incoming.request.method() == Method::invite) return refuse_invite(step, incoming, reply);
    if (to_tag.empty()) to_tag = step.random.token(64);
    transaction::NonInviteServer server({incoming.flow, is_reliable(flow->target.transport), {}},
                                        {});
    server.respond(step.now, reply.status,
                   response(incoming.request, incoming.source, reply, to_tag), step.outbox);
    serve({transaction::server_key_of(incoming.request), merge_key(incoming.request),
           std::move(server)});
}

std::string IncomingDesk::response(const sip::Message& request, const Endpoint& source,
                                   const Reply& reply, std::string_view to_tag) const {
    std::string headers = reply.headers;
    if (!user_agent_.empty()) headers.append("Server: ").append(user_agent_).append("\r\n");
    std::string out;
    sip::write_response(
        out, request,
        {.status = reply.status,
         .reason = reply.reason,
         .to_tag = to_tag,
         .extra_headers = headers,
         .body = {},
         .content_type = {},
         .source = source,
         .copy_record_route = request.method() == Method::invite && reply.status < 300});
    return out;
}

std::string IncomingDesk::merge_key(const sip::Message& request) {
    if (!request.to().tag().empty()) return {};
    return std::string(request.from().tag())
        .append("\n")
        .append(request.call_id())
        .append("\n")
        .append(std::to_string(request.cseq().number))
        .append(" ")
        .append(request.method_text());
}

bool IncomingDesk::is_merged(const sip::Message& request) const {
    const auto merge = merge_key(request);
    return !merge.empty() && by_merge_.contains(merge);
}

FlowId IncomingDesk::flow_of(const Served& served) {
    const auto* const call = std::get_if<Call>(&served.what);
    return call != nullptr ? call->server.flow()
                           : std::get<transaction::NonInviteServer>(served.what).flow();
}

IncomingDesk::ServedId IncomingDesk::serve(Served served) {
    const ServedId id = ++last_;
    by_flow_.add(flow_of(served));
    by_key_.emplace(served.key, id);
    // The first copy keeps its place: it is the one the others are merged into.
    if (!served.merge.empty()) by_merge_.emplace(served.merge, id);
    served_.emplace(id, std::move(served));
    watch(id);
    return id;
}

void IncomingDesk::watch(ServedId id) {
    const auto& what = served_.at(id).what;
    if (const auto* const call = std::get_if<Call>(&what)) {
        Deadline deadline = call->server.next_deadline();
        if (call->ringing == Ringing::yes)
            deadline = sooner(deadline, {call->ring_until, "a call rings"});
        if (call->server.is_done()) return end(id);
        agenda_.put(id, deadline);
    } else {
        const auto& server = std::get<transaction::NonInviteServer>(what);
        if (server.is_done()) return end(id);
        agenda_.put(id, server.next_deadline());
    }
}

void IncomingDesk::end(ServedId id) {
    const Served& served = served_.at(id);
    if (const auto* const call = std::get_if<Call>(&served.what);
        call != nullptr && call->ringing == Ringing::yes)
        --ringing_;
    agenda_.remove(id);
    by_flow_.remove(flow_of(served));
    by_key_.erase(served.key);
    if (const auto merged = by_merge_.find(served.merge);
        merged != by_merge_.end() && merged->second == id)
        by_merge_.erase(merged);
    served_.erase(id);
}

void IncomingDesk::on_time(const Step& step) {
    for (const ServedId id : agenda_.take_due(step.now)) {
        auto& what = served_.at(id).what;
        if (auto* const call = std::get_if<Call>(&what)) {
            call->server.on_time(step.now, step.outbox);
            if (call->ringing == Ringing::yes && call->ring_until <= step.now)
                end_call(step, *call, call->status_when_over, "not answered");
        } else {
            std::get<transaction::NonInviteServer>(what).on_time(step.now);
        }
        watch(id);
    }
}

void IncomingDesk::on_flow_ended(FlowId flow) {
    std::vector<ServedId> over;
    if (by_flow_.of(flow) == 0) return;
    for (const auto& [id, served] : served_)
        if (flow_of(served) == flow) over.push_back(id);
    for (const ServedId id : over) end(id);
}

}  // namespace holdfast::engine
