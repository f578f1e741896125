#include "engine/call_clients.h"

#include <utility>

#include "base/check.h"
#include "engine/flow_desk.h"
#include "transaction/cancel.h"

namespace holdfast::engine {

using sip::Method;
using transaction::ClientResult;
using transaction::InviteClient;
using transaction::NonInviteClient;

namespace {

// Visits one of two machines of the same shape.
template <class Variant, class Function>
auto with(Variant& machine, Function function) {
    return std::visit([&](auto& it) { return function(it); }, machine);
}

}  // namespace

void CallClients::send(const Step& step, const flow::Flow& flow, CallRequest request) {
    auto key = transaction::client_key(request.branch, sip::name_of(request.method));
    // It has the branch of its INVITE (RFC 3261 §9.1), and each late 1xx may want it: one is
    // enough.
    if (request.method == Method::cancel && by_key_.contains(key)) return;
    last_ = TransactionId{last_.value + 1};
    CHECK(by_key_.emplace(key, last_).second);  // a new branch (RFC 3261 §8.1.1.7)
    if (request.id) by_request_.insert_or_assign(Of{request.call, request.id}, last_);
    by_flow_.emplace(flow.id, last_);
    step.flows.touch(step.now, flow.id);
    const transaction::Outgoing wire{flow.id, is_reliable(flow.target.transport), request.wire};
    auto machine = request.method == Method::invite
                       ? Machine(InviteClient{step.now, wire, {}, step.outbox})
                       : Machine(NonInviteClient{step.now, wire, {}, step.outbox});
    transaction::Asked asked{request.call_id, request.cseq};
    entries_.emplace(last_, Entry{.key = std::move(key),
                                  .request = std::move(request),
                                  .asked = std::move(asked),
                                  .machine = std::move(machine)});
    settle(last_);
}

void CallClients::cancel(const Step& step, CallRef call, call::RequestId invite) {
    const auto found = by_request_.find({call, invite});
    if (found == by_request_.end()) return;
    Entry& entry = entries_.at(found->second);
    auto* const machine = std::get_if<InviteClient>(&entry.machine);
    if (machine == nullptr || entry.answered) return;
    // RFC 3261 §9.1: it ends after 64·T1, also where the way that it went is no more.
    machine->cancelled(step.now);
    agenda_.put(found->second, machine->next_deadline());
    const auto* const flow = step.flows.find(machine->flow());
    if (flow == nullptr || !flow->is_open()) return;
    send(step, *flow, cancel_of(entry));
}

CallRequest CallClients::cancel_of(const Entry& entry) {
    return {.call = entry.request.call,
            .id = {},
            .method = Method::cancel,
            .branch = entry.request.branch,
            .call_id = entry.request.call_id,
            .cseq = entry.request.cseq,
            .wire = transaction::cancel_for(std::get<InviteClient>(entry.machine).invite(), {})};
}

std::vector<CallRequest> CallClients::cancels_on(FlowId flow) const {
    std::vector<CallRequest> cancels;
    for (auto at = by_flow_.lower_bound({flow, {}}); at != by_flow_.end() && at->first == flow;
         ++at) {
        const Entry& entry = entries_.at(at->second);
        if (std::holds_alternative<InviteClient>(entry.machine) && entry.heard && !entry.answered)
            cancels.push_back(cancel_of(entry));
    }
    return cancels;
}

std::vector<CallAnswer> CallClients::give_up_unheard(CallRef call, FlowId flow) {
    std::vector<CallAnswer> waiting;
    for (auto at = by_flow_.lower_bound({flow, {}}); at != by_flow_.end() && at->first == flow;
         ++at) {
        Entry& entry = entries_.at(at->second);
        const bool waits = entry.request.call == call && entry.request.id && !entry.heard;
        if (waits && !std::exchange(entry.given_up, true))
            waiting.push_back(answer_of(entry, ClientResult::pending));
    }
    return waiting;
}

std::optional<CallAnswer> CallClients::on_oversized(const Step& step, FlowId flow,
                                                    const sip::Message& salvaged) {
    if (salvaged.status() < 200) return std::nullopt;  // the final answer may be shorter
    return on_response(step, flow, salvaged).answer;
}

std::optional<CallClients::Went> CallClients::went(CallRef call, call::RequestId id) const {
    const auto found = by_request_.find({call, id});
    if (found == by_request_.end()) return std::nullopt;
    const Entry& entry = entries_.at(found->second);
    return Went{flow_of(entry), entry.request.authorization};
}

CallClients::Heard CallClients::on_response(const Step& step, FlowId flow,
                                            const sip::Message& response) {
    const auto found = by_key_.find(transaction::client_key_of(response));
    if (found == by_key_.end()) return {};
    const TransactionId id = found->second;
    Entry& entry = entries_.at(id);
    if (flow_of(entry) != flow || !transaction::is_answer_to(entry.asked, response)) return {};
    entry.heard = true;
    const auto what =
        std::holds_alternative<InviteClient>(entry.machine)
            ? std::get<InviteClient>(entry.machine).on_response(step.now, response, step.outbox)
            : std::get<NonInviteClient>(entry.machine).on_response(step.now, response.status());
    if (response.status() >= 200) entry.answered = true;
    Heard heard{.is_ours = true};
    if (entry.request.id && what != ClientResult::absorbed) heard.answer = answer_of(entry, what);
    settle(id);
    return heard;
}

std::vector<CallAnswer> CallClients::on_flow_trouble(FlowId flow, bool gone) {
    std::vector<CallAnswer> failed;
    for (auto at = by_flow_.lower_bound({flow, {}}); at != by_flow_.end() && at->first == flow;) {
        const TransactionId id = (at++)->second;
        Entry& entry = entries_.at(id);
        if (entry.answered) continue;  // it waits for copies of the answer only
        // What the server has answered it has; ICMP was for something else.
        if (!gone && entry.heard) continue;
        with(entry.machine, [](auto& machine) { return machine.on_transport_error(); });
        if (entry.request.id) failed.push_back(answer_of(entry, ClientResult::transport_error));
        settle(id);
    }
    return failed;
}

std::vector<CallAnswer> CallClients::on_time(const Step& step) {
    std::vector<CallAnswer> ended;
    for (const TransactionId id : agenda_.take_due(step.now)) {
        Entry& entry = entries_.at(id);
        const auto what = with(
            entry.machine, [&](auto& machine) { return machine.on_time(step.now, step.outbox); });
        if (what == ClientResult::timed_out && entry.request.id)
            ended.push_back(answer_of(entry, what));
        settle(id);
    }
    return ended;
}

void CallClients::forget(CallRef call) {
    for (auto at = by_request_.lower_bound({call, {}});
         at != by_request_.end() && at->first.first == call;) {
        const TransactionId id = at->second;
        Entry& entry = entries_.at(id);
        at = by_request_.erase(at);
        entry.request.id = {};
        if (!entry.answered && entry.request.method != Method::bye) erase(id);
    }
}

CallAnswer CallClients::answer_of(const Entry& entry, ClientResult what) {
    auto sent = entry.request.sent;
    sent.repeated =
        with(entry.machine, [](const auto& machine) { return machine.was_retransmitted(); });
    return {.what = what,
            .call = entry.request.call,
            .id = entry.request.id,
            .flow = flow_of(entry),
            .method = entry.request.method,
            .heard = entry.heard,
            .sent = std::move(sent),
            .by_stand_in = entry.request.by_stand_in,
            .given_up = entry.given_up};
}

FlowId CallClients::flow_of(const Entry& entry) {
    return with(entry.machine, [](const auto& machine) { return machine.flow(); });
}

void CallClients::settle(TransactionId id) {
    const Entry& entry = entries_.at(id);
    if (with(entry.machine, [](const auto& machine) { return machine.is_done(); }))
        return erase(id);
    agenda_.put(id,
                with(entry.machine, [](const auto& machine) { return machine.next_deadline(); }));
}

void CallClients::erase(TransactionId id) {
    const Entry& entry = entries_.at(id);
    agenda_.remove(id);
    by_flow_.erase({flow_of(entry), id});
    by_key_.erase(entry.key);
    const auto of = by_request_.find({entry.request.call, entry.request.id});
    if (of != by_request_.end() && of->second == id) by_request_.erase(of);
    entries_.erase(id);
}

}  // namespace holdfast::engine
