#include "engine/transaction_desk.h"

#include <utility>

#include "base/check.h"
#include "engine/flow_desk.h"

namespace holdfast::engine {

using transaction::ClientResult;

void TransactionDesk::send(const Step& step, const flow::Flow& flow, AccountId account,
                           registration::act::Send request) {
    last_ = TransactionId{last_.value + 1};
    const auto [by_key, is_new] = by_key_.emplace(
        transaction::client_key(request.branch, sip::name_of(request.method)), last_);
    CHECK(is_new);  // a new request has a new branch (RFC 3261 §8.1.1.7)
    CHECK(by_attempt_.emplace(Attempt{account, request.attempt}, last_).second);
    by_flow_.emplace(flow.id, last_);
    step.flows.touch(step.now, flow.id);
    transaction::Outgoing wire{flow.id, is_reliable(flow.target.transport),
                               std::move(request.wire)};
    const auto& entry =
        entries_
            .emplace(last_, Entry{&by_key->first, account, request.attempt, request.method, false,
                                  transaction::Asked{std::move(request.call_id), request.cseq},
                                  transaction::NonInviteClient{
                                      step.now, std::move(wire), {}, step.outbox}})
            .first->second;
    agenda_.put(last_, entry.client.next_deadline());
}

void TransactionDesk::abandon(AccountId account, registration::AttemptId attempt) {
    const auto found = by_attempt_.find({account, attempt});
    if (found == by_attempt_.end()) return;
    Entry& entry = entries_.at(found->second);
    entry.client.stop_retransmitting();
    agenda_.put(found->second, entry.client.next_deadline());
}

void TransactionDesk::settle(TransactionId id, const Entry& entry) {
    if (!entry.client.is_done()) {
        agenda_.put(id, entry.client.next_deadline());
        return;
    }
    erase(id, entry);
}

void TransactionDesk::erase(TransactionId id, const Entry& entry) {
    agenda_.remove(id);
    by_flow_.erase({entry.client.flow(), id});
    by_attempt_.erase({entry.account, entry.attempt});
    by_key_.erase(by_key_.find(*entry.key));
    entries_.erase(id);
}

void TransactionDesk::forget(AccountId account) {
    const Attempt first{account, {}};
    for (auto at = by_attempt_.lower_bound(first);
         at != by_attempt_.end() && at->first.first == account;) {
        const auto id = (at++)->second;  // erase() ends its place in the map
        erase(id, entries_.at(id));
    }
}

TransactionResult TransactionDesk::result_of(const Entry& entry, ClientResult what) const {
    return {.what = what,
            .account = entry.account,
            .attempt = entry.attempt,
            .flow = entry.client.flow(),
            .method = entry.method,
            .heard = entry.heard,
            .repeated = entry.client.was_retransmitted()};
}

std::optional<TransactionResult> TransactionDesk::on_response(const Step& step, FlowId flow,
                                                              const sip::Message& response) {
    const auto found = by_key_.find(transaction::client_key_of(response));
    if (found == by_key_.end()) return std::nullopt;
    const TransactionId id = found->second;
    Entry& entry = entries_.at(id);
    if (entry.client.flow() != flow) return std::nullopt;  // N1: from the address we sent to
    if (!transaction::is_answer_to(entry.asked, response)) return std::nullopt;
    const bool first = !std::exchange(entry.heard, true);
    const auto what = entry.client.on_response(step.now, response.status());
    auto result = result_of(entry, what);
    if (first && !entry.client.was_retransmitted()) result.rtt = step.now - entry.client.sent_at();
    settle(id, entry);
    return result;
}

std::vector<TransactionResult> TransactionDesk::on_flow_trouble(FlowId flow) {
    std::vector<TransactionResult> failed;
    for (auto at = by_flow_.lower_bound({flow, {}}); at != by_flow_.end() && at->first == flow;) {
        const TransactionId id = (at++)->second;
        Entry& entry = entries_.at(id);
        if (entry.client.has_final_response()) continue;  // it waits for copies of the answer only
        failed.push_back(result_of(entry, entry.client.on_transport_error()));
        settle(id, entry);
    }
    return failed;
}

std::vector<TransactionResult> TransactionDesk::on_time(const Step& step) {
    std::vector<TransactionResult> ended;
    for (const TransactionId id : agenda_.take_due(step.now)) {
        Entry& entry = entries_.at(id);
        const auto what = entry.client.on_time(step.now, step.outbox);
        if (what == ClientResult::timed_out) ended.push_back(result_of(entry, what));
        settle(id, entry);
    }
    return ended;
}

}  // namespace holdfast::engine
