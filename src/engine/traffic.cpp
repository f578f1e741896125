// Bytes that come on flows: framed, parsed, and brought to the desk they are for; and flows that
// fail under them.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "engine/impl.h"
#include "engine/limits.h"
#include "flow/outbound.h"
#include "flow/stun.h"
#include "sip/response.h"
#include "sip/verdict.h"

namespace holdfast {

namespace told = registration::told;
using transaction::ClientResult;

namespace {

// CRLF keep-alives, and the four zero bytes that some servers send (§11): not worth a word.
bool is_keep_alive(std::string_view datagram) {
    return std::ranges::all_of(datagram,
                               [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

}  // namespace

void Engine::Impl::on_stream(const Step& step, FlowId id, std::string_view bytes) {
    flows_.framer(id)->feed(bytes);
    std::string pongs;  // one writing for all: a flood of pings must not take all our time
    while (auto* const flow = flows_.find(id)) {
        if (!flow->is_open()) return;  // what came before has ended it
        const auto item = flows_.framer(id)->next();
        if (!item) {
            if (!pongs.empty()) flows_.send(step, id, std::move(pongs));
            return;
        }
        switch (item->kind) {
        case sip::StreamItem::Kind::message:
            on_message(step, id, flow->target.endpoint, item->bytes);
            break;
        case sip::StreamItem::Kind::ping:  // RFC 5626 §3.5.1
            on_heard(step, *flow);
            pongs += "\r\n";
            break;
        case sip::StreamItem::Kind::pong:
            on_heard(step, *flow);
            keep_alives_.on_pong(step, *flow);
            break;
        case sip::StreamItem::Kind::error: {
            const engine::FlowTrouble trouble{id, flow->target, FlowError::reset,
                                              std::string("not SIP: ").append(item->error.reason)};
            on_unreadable_answer(step, id, item->bytes, item->error);
            flows_.close(step, id, trouble.error);
            end_flow(step, trouble);
            return;
        }
        }
        work(step);  // while the message is alive
    }
}

void Engine::Impl::on_datagram(const Step& step, FlowId id, std::string_view bytes) {
    auto& flow = *flows_.find(id);
    if (flow::is_stun(bytes)) {
        if (stun_.on_datagram(step, flow, bytes)) return;
        on_learned(step, flow, keep_alives_.on_stun(step, flow, bytes));
        on_heard(step, flow);
    } else if (is_keep_alive(bytes)) {
        on_heard(step, flow);
    } else {
        on_message(step, id, flow.target.endpoint, bytes);
    }
}

void Engine::Impl::on_message(const Step& step, FlowId arrived, const Endpoint& source,
                              std::string_view bytes) {
    const auto parsed = message_.reparse(bytes);
    auto* const flow = flows_.find(arrived);
    if (!parsed) {
        if (flow == nullptr || !flows_.is_ours(arrived)) return;
        on_unreadable_answer(step, arrived, bytes, parsed.error());
        // RFC 3261 §8.2: an answer, if it can be read so far, but only to whom we talk to (§11 a).
        if (!parsed.error().answerable) return;
        if (const auto readable = sip::Message::salvage(bytes))
            incoming_.refuse_unreadable(step, {*readable, source, arrived, arrived},
                                        parsed.error().status);
        return;
    }
    if (flow != nullptr) on_heard(step, *flow);
    if (message_.is_request()) {
        on_request(step, {message_, source, arrived, {}});
    } else if (flow != nullptr) {
        on_response(step, *flow, message_);
    }
    work(step);  // while the message is alive
}

// I8: it is dropped, which must not look like silence. One past a limit ends the request that it
// answers: every copy of it will be as long. One that breaks SIP may have been broken on its way.
void Engine::Impl::on_unreadable_answer(const Step& step, FlowId id, std::string_view bytes,
                                        const sip::ParseError& error) {
    const auto* const flow = flows_.find(id);
    if (flow == nullptr || !flows_.is_ours(id) || !engine::UnreadableAnswers::is_answer(bytes))
        return;
    if (auto event = unreadable_.on_answer(step.now, flow->target, error))
        step.outbox.push(std::move(*event));
    if (error.kind != sip::ParseError::Kind::too_large) return;
    const auto salvaged = sip::Message::salvage_answer(bytes);
    if (!salvaged) return;
    const engine::FlowTrouble trouble{id, flow->target, FlowError::answer_past_limit,
                                      in_words(error)};
    if (const auto result = transactions_.on_oversized(id, *salvaged))
        report(step, *result, trouble, nullptr);
    else
        calls_.on_oversized(step, accounts_, trouble, *salvaged);
}

void Engine::Impl::on_response(const Step& step, flow::Flow& flow, const sip::Message& response) {
    // Deviates: RFC 3261 §18.1.2 (sent-by): an ALG may have rewritten it; our branch has 96 random
    // bits (N1).
    if (sip::check_response(response)) return;
    const auto result = transactions_.on_response(step, flow.id, response);
    if (result) {
        const bool is_register = result->method == sip::Method::register_;
        if (result->rtt && is_register) flow.rtt.add(*result->rtt);
        // R1's OPTIONS shows that this server answers the kind: its silence later means something
        // (K2).
        if (result->method == sip::Method::options) keep_alives_.on_options_answered(step, flow);
        health_.on_answer(flow.target, step.now, is_register ? result->rtt : std::nullopt);
    } else if (calls_.on_response(step, accounts_, flow.id, response)) {
        health_.on_answer(flow.target, step.now, std::nullopt);
    } else if (probes_.on_response(step, flow, response)) {
        keep_alives_.on_options_answered(step, flow);
    } else if (!keep_alives_.on_response(step, flow, response)) {
        return;  // RFC 3261 §18.1.2: a response to nothing of ours
    }
    calls_.hear_from(step, flow.id);
    const Endpoint& server = flow.target.endpoint;
    on_learned(
        step, flow,
        flow.mapping.learn(step.now, flow::sighting_of(response, flow.local, server, server)));
    if (const auto agreement = flow::agreement_of(response);
        agreement.any() || agreement.flow_timer)
        keep_alives_.on_agreement(step, flow, agreement);
    // Last: who reads the answer already knows the mapping it brought (N3).
    if (result) report(step, *result, {}, &response);
}

// N1, N2: what the top Via of an answer to our own request, or a STUN answer, says of this flow's
// mapping.
void Engine::Impl::on_learned(const Step& step, flow::Flow& flow, flow::Learned learned) {
    if (const auto nat = nat_.on_sighting(step.now, flow, learned)) {  // N5
        Event event{.kind = EventKind::notice};  // of the device: no account's own
        event.target = flow.target;
        event.mapping = flow.mapping.mapping();
        event.reason = "NAT: " + nat->to_string();
        step.outbox.push(std::move(event));
    }
    switch (learned) {
    case flow::Learned::none:
    case flow::Learned::not_usable: return;
    case flow::Learned::same: break;
    case flow::Learned::first:
    case flow::Learned::changed:
        for (const AccountId id : flows_.users(flow.id))
            step.tell(id, told::MappingChanged{flow.id, learned == flow::Learned::first});
        calls_.on_mapping(step, accounts_, flow.id);
        break;
    }
    keep_alives_.on_mapping(step, flow);
    learning_.on_answer(step, flow);
}

void Engine::Impl::on_heard(const Step& step, flow::Flow& flow) {
    keep_alives_.on_heard(flow, step.now);
    if (!flows_.is_ours(flow.id)) return;
    if (heard_.size() >= engine::limits::targets_heard) heard_.clear();
    const auto [at, is_new] = heard_.try_emplace(flow.target, step.now);
    const bool was_silent = is_new || step.now - at->second >= engine::limits::heard_again ||
                            health_.silent(flow.target, step.now);
    at->second = step.now;
    if (was_silent) tell_all(step, told::Alive{flow.target});
}

void Engine::Impl::report(const Step& step, const engine::TransactionResult& result,
                          const engine::FlowTrouble& trouble, const sip::Message* message) {
    switch (result.what) {
    case ClientResult::provisional:
    case ClientResult::final_response:
        step.tell(result.account,
                  told::Response{result.attempt, result.flow, message, result.repeated});
        break;
    case ClientResult::timed_out:
        step.tell(result.account, told::Timeout{result.attempt});
        // F6: not even a 1xx. (What silence to a REGISTER means is the registration's own business,
        // F3.) R1's OPTIONS never counts: it may have been lost on its way back to us.
        if (!result.heard && result.method != sip::Method::register_ &&
            result.method != sip::Method::options)
            for (const AccountId id : flows_.users(result.flow))
                step.tell(id, told::Suspect{.flow = result.flow,
                                            .reason = "a request was not answered",
                                            .shared = flows_.users(result.flow).size() > 1});
        break;
    case ClientResult::transport_error:
        step.tell(result.account, told::SendFailed{result.attempt, trouble.error, trouble.detail});
        break;
    case ClientResult::pending:
    case ClientResult::success:
    case ClientResult::absorbed:
    case ClientResult::done: break;
    }
}

// ICMP for a datagram; the flow stays usable. F2: a hard failure where an attempt is outstanding;
// otherwise doubt.
void Engine::Impl::on_icmp(const Step& step, const engine::FlowTrouble& trouble) {
    std::set<AccountId> with_attempt;
    for (const auto& result : transactions_.on_flow_trouble(trouble.flow)) {
        with_attempt.insert(result.account);
        report(step, result, trouble, nullptr);
    }
    for (const AccountId id : flows_.users(trouble.flow))
        if (!with_attempt.contains(id))
            step.tell(id, told::FlowLost{.flow = trouble.flow,
                                         .target = trouble.target,
                                         .error = trouble.error,
                                         .detail = trouble.detail,
                                         .usable = true,
                                         .shared = flows_.users(trouble.flow).size() > 1});
    learning_.on_flow_ended(step, trouble.flow);  // does nothing unless it is the spare flow
    if (const auto* const flow = flows_.find(trouble.flow)) {
        probes_.on_flow_trouble(step, *flow, trouble.error);
        stun_.on_flow_trouble(step, *flow, trouble.error);
    }
    calls_.on_flow_trouble(step, accounts_, trouble, false);
}

void Engine::Impl::end_flow(const Step& step, const engine::FlowTrouble& trouble) {
    for (const auto& result : transactions_.on_flow_trouble(trouble.flow))
        report(step, result, trouble, nullptr);
    for (const AccountId id : flows_.users(trouble.flow))
        step.tell(
            id, told::FlowLost{trouble.flow, trouble.target, trouble.error, trouble.detail, false});
    if (const auto* const flow = flows_.find(trouble.flow)) {
        probes_.on_flow_trouble(step, *flow, trouble.error);
        stun_.on_flow_trouble(step, *flow, trouble.error);
    }
    keep_alives_.on_flow_ended(trouble.flow);
    learning_.on_flow_ended(step, trouble.flow);
    incoming_.on_flow_ended(trouble.flow);
    calls_.on_flow_trouble(step, accounts_, trouble, true);
}

void Engine::Impl::on_request(const Step& step, engine::Incoming incoming) {
    if (calls_.is_ours(step, accounts_, incoming)) return on_request_of_call(step, incoming);
    const auto candidates = addressees(step, incoming.arrived, incoming.request);
    if (!incoming_.is_welcome(incoming, candidates)) return;  // §11: dropped unanswered
    if (!incoming_.needs_no_flow(incoming.request)) {
        const auto flow = flow_to_answer(step, incoming);
        if (!flow) return;
        // §11: who asks so often makes us deaf to nobody else.
        if (flows_.is_stray(*flow) && incoming_.on_flow(*flow) + calls_.refused_on(*flow) >=
                                          engine::limits::stray_transactions)
            return;
        incoming.flow = *flow;
        flows_.touch(step.now, *flow);
    }
    if (const auto called = incoming_.on_request(step, incoming, candidates))
        calls_.on_invite(step, accounts_, incoming, *called);
}

void Engine::Impl::on_request_of_call(const Step& step, engine::Incoming incoming) {
    if (!calls_.needs_no_flow(incoming.request)) {
        const auto flow = flow_to_answer(step, incoming);
        if (!flow) return;
        incoming.flow = *flow;
        flows_.touch(step.now, *flow);
    }
    calls_.on_request(step, accounts_, incoming);
}

std::optional<FlowId> Engine::Impl::flow_to_answer(const Step& step,
                                                   const engine::Incoming& incoming) {
    // RFC 3261 §18.2.2, RFC 3581 §4: on a stream its connection, else where the top Via says.
    const auto* const arrived = flows_.find(incoming.arrived);
    if (arrived != nullptr && is_reliable(arrived->target.transport)) return incoming.arrived;
    const Endpoint destination = sip::response_destination(incoming.request, incoming.source);
    if (arrived != nullptr && arrived->target.endpoint == destination) return incoming.arrived;
    auto opened = flows_.open_to_answer(step, destination);
    if (!opened) {
        make_room_for_a_stray(step);
        opened = flows_.open_to_answer(step, destination);
    }
    if (!opened || flows_.find(*opened)->is_open()) return opened;
    auto& waiting = strays_[*opened];
    if (waiting.size() < engine::limits::datagrams_for_a_flow)
        waiting.push_back(
            {incoming.arrived, incoming.source, std::string(incoming.request.text())});
    return std::nullopt;
}

// §11: strangers, however many, keep out nobody who comes after them. What they asked is answered
// by then; whose answer was lost asks again, and is answered anew. While all flows are being opened
// (a flood of one moment) the request is lost, as any datagram may be, and comes again.
void Engine::Impl::make_room_for_a_stray(const Step& step) {
    while (const auto oldest = flows_.stray_to_give_up()) {
        const engine::FlowTrouble trouble{*oldest, flows_.find(*oldest)->target,
                                          FlowError::closed_by_peer, "others came after it"};
        flows_.close(step, *oldest, trouble.error);
        end_flow(step, trouble);
    }
}

engine::Addressee Engine::Impl::addressee(const Step& step, FlowId flow, AccountId id,
                                          const sip::Message& request) const {
    const Account& account = accounts_.at(id);
    // A copy of our own OPTIONS (R1) in clear text proves nothing to who asked for TLS, whoever has
    // seen its Call-ID on the way.
    const auto* const arrived = flows_.find(flow);
    const bool may_be_proof = !account.registration.is_secure_only() ||
                              (arrived != nullptr && is_secure(arrived->target.transport));
    auto accepted = account.registration.accepted(step.now);
    const bool on_own_flow = flows_.trusts(step.now, flow, id, accepted);
    return {.account = id,
            .user = account.user,
            .aor = account.registration.aor(),
            .view = account.registration.view(),
            .accepted = std::move(accepted),
            .rules = {.secure = account.registration.is_secure_only(),
                      .accept_direct_calls = account.registration.policy().accept_direct_calls},
            .on_own_flow = on_own_flow,
            .sent_it = may_be_proof && own_options_.sender(step.now, request.call_id()) == id,
            .takes_calls = account.calls != nullptr,
            .is_direct = account.registration.is_direct()};
}

// Who a request may be for: who has the user of its Request-URI; else who uses the flow, or a few
// of all. Never a walk over a hundred thousand accounts for one datagram of a stranger.
std::vector<engine::Addressee> Engine::Impl::addressees(const Step& step, FlowId flow,
                                                        const sip::Message& request) const {
    std::set<AccountId> candidates;
    const auto add = [&](AccountId id) {
        const auto found = accounts_.find(id);
        if (found == accounts_.end() || candidates.size() >= engine::limits::accounts_searched)
            return;
        // Nobody calls a direct account: whom it calls speaks in the dialog (§11 d).
        const auto& registration = found->second.registration;
        if (registration.is_direct() && !registration.policy().accept_direct_calls) return;
        candidates.insert(id);
    };
    const auto user = sip::percent_decode(request.request_uri().user);
    for (auto named = by_user_.lower_bound({user, AccountId{}});
         named != by_user_.end() && named->first == user; ++named)
        add(named->second);
    add(own_options_.sender(step.now, request.call_id()));
    if (candidates.empty()) {
        const auto& users = flows_.users(flow);
        for (auto at = users.begin(); at != users.end() && candidates.empty(); ++at) add(*at);
        if (accounts_.size() <= engine::limits::accounts_searched)
            for (const auto& [id, account] : accounts_) add(id);
    }
    std::vector<engine::Addressee> found;
    found.reserve(candidates.size());
    for (const AccountId id : candidates) found.push_back(addressee(step, flow, id, request));
    return found;
}

}  // namespace holdfast
