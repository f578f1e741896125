// The client transactions of calls (RFC 3261 §17.1): answers are matched by branch and method
// (§17.1.3), and count only on the flow that the request went out on (N1).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/ids.h"
#include "call/machine.h"
#include "engine/agenda.h"
#include "engine/step.h"
#include "flow/flow.h"
#include "registration/credentials.h"
#include "transaction/invite_client.h"
#include "transaction/matching.h"
#include "transaction/non_invite_client.h"

namespace holdfast::engine {

// A request of a call, ready to go.
struct CallRequest {
    CallRef call;
    call::RequestId id;  // 0: a CANCEL, whose answer concerns nobody
    sip::Method method = sip::Method::invite;
    std::string branch;
    std::string call_id;
    std::uint32_t cseq = 0;
    std::string wire;
    std::string authorization{};  // lines that the wire has: the ACK repeats them
    registration::Credentials::Sent sent{};
    bool by_stand_in = false;  // not over the way that its route set names (call_way.cpp)
};

struct CallAnswer {
    transaction::ClientResult what = transaction::ClientResult::pending;
    CallRef call;
    call::RequestId id;
    FlowId flow;
    sip::Method method = sip::Method::invite;
    bool heard = false;  // any response at all, this one counted
    registration::Credentials::Sent sent{};
    bool by_stand_in = false;
    bool given_up = false;  // its call waits for nothing of it any more
};

class CallClients {
public:
    void send(const Step& step, const flow::Flow& flow, CallRequest request);
    // RFC 3261 §9.1. Nothing happens if the INVITE has a final answer already.
    void cancel(const Step& step, CallRef call, call::RequestId invite);
    // The credentials that an INVITE carried (§22.1), and the flow it went out on.
    struct Went {
        FlowId flow;
        std::string authorization;
    };
    [[nodiscard]] std::optional<Went> went(CallRef call, call::RequestId id) const;

    // Nothing: no transaction of a call, or nothing that its call must know.
    struct Heard {
        bool is_ours = false;
        std::optional<CallAnswer> answer{};
    };
    Heard on_response(const Step& step, FlowId flow, const sip::Message& response);
    // gone: what has no final answer has failed. Else ICMP came for a datagram on the flow: what
    // has had no response has.
    std::vector<CallAnswer> on_flow_trouble(FlowId flow, bool gone);
    std::vector<CallAnswer> on_time(const Step& step);
    // A final answer past a limit (I8), of which this is left: its transaction takes it as any
    // other, and so do its copies.
    std::optional<CallAnswer> on_oversized(const Step& step, FlowId flow,
                                           const sip::Message& salvaged);
    // The requests of a call on this flow that nobody has answered, none twice: they live on.
    std::vector<CallAnswer> give_up_unheard(CallRef call, FlowId flow);
    // The CANCELs of the INVITEs on this flow that have a provisional answer and no final one.
    [[nodiscard]] std::vector<CallRequest> cancels_on(FlowId flow) const;
    // What is answered lives on without the call: a copy of a refusal gets its ACK (RFC 3261
    // §17.1.1.2). So does a BYE, which is sent again until it is answered (§17.1.2.2): the account
    // may be gone before the peer knows.
    void forget(CallRef call);

    [[nodiscard]] Deadline next_deadline() const { return agenda_.next(); }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

private:
    using Machine = std::variant<transaction::InviteClient, transaction::NonInviteClient>;
    struct Entry {
        transaction::ClientKey key;
        CallRequest request;
        transaction::Asked asked;
        Machine machine;
        bool heard = false;
        bool answered = false;
        bool given_up = false;
    };
    using Of = std::pair<CallRef, call::RequestId>;

    [[nodiscard]] static CallAnswer answer_of(const Entry& entry, transaction::ClientResult what);
    [[nodiscard]] static FlowId flow_of(const Entry& entry);
    void settle(TransactionId id);
    void erase(TransactionId id);
    [[nodiscard]] static CallRequest cancel_of(const Entry& entry);

    std::map<TransactionId, Entry> entries_;
    std::unordered_map<transaction::ClientKey, TransactionId> by_key_;
    std::map<Of, TransactionId> by_request_;
    std::set<std::pair<FlowId, TransactionId>> by_flow_;
    Agenda<TransactionId> agenda_;
    TransactionId last_;
};

}  // namespace holdfast::engine
