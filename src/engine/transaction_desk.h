// The accounts' requests (RFC 3261 §17.1.2): one client transaction each, answers matched by branch
// and method (§17.1.3), and only if they come on the flow the request went out on (N1).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "engine/agenda.h"
#include "engine/step.h"
#include "flow/flow.h"
#include "transaction/matching.h"
#include "transaction/non_invite_client.h"

namespace holdfast::engine {

struct TransactionResult {
    transaction::ClientResult what = transaction::ClientResult::pending;
    AccountId account;
    registration::AttemptId attempt;
    FlowId flow;
    sip::Method method = sip::Method::register_;
    bool heard = false;             // any response at all, this one counted
    bool repeated = false;          // the request went out more than once
    std::optional<Duration> rtt{};  // of an answer to a request that was sent once (Karn)
};

class TransactionDesk {
public:
    void send(const Step& step, const flow::Flow& flow, AccountId account,
              registration::act::Send request);
    // F3: no more retransmissions; a late answer still counts.
    void abandon(AccountId account, registration::AttemptId attempt);
    void forget(AccountId account);

    // Nothing: no transaction of ours.
    std::optional<TransactionResult> on_response(const Step& step, FlowId flow,
                                                 const sip::Message& response);
    // The flow is gone, or ICMP came for a datagram on it: every request on it that has no final
    // answer has failed.
    std::vector<TransactionResult> on_flow_trouble(FlowId flow);
    std::vector<TransactionResult> on_time(const Step& step);

    [[nodiscard]] bool is_outstanding(AccountId account, registration::AttemptId attempt) const {
        return by_attempt_.contains({account, attempt});
    }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] Deadline next_deadline() const { return agenda_.next(); }

private:
    struct Entry {
        const transaction::ClientKey* key = nullptr;  // by_key_'s own
        AccountId account;
        registration::AttemptId attempt;
        sip::Method method = sip::Method::register_;
        bool heard = false;
        transaction::Asked asked;
        transaction::NonInviteClient client;
    };
    using Attempt = std::pair<AccountId, registration::AttemptId>;

    TransactionResult result_of(const Entry& entry, transaction::ClientResult what) const;
    void settle(TransactionId id, const Entry& entry);
    void erase(TransactionId id, const Entry& entry);

    std::unordered_map<TransactionId, Entry> entries_;
    std::unordered_map<transaction::ClientKey, TransactionId> by_key_;
    std::map<Attempt, TransactionId> by_attempt_;
    std::set<std::pair<FlowId, TransactionId>> by_flow_;
    Agenda<TransactionId> agenda_;
    TransactionId last_;
};

}  // namespace holdfast::engine
