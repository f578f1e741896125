// The server transactions of calls (RFC 3261 §17.2): copies get the same answer, the text of a
// response is made here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>

#include "base/address.h"
#include "base/ids.h"
#include "call/machine.h"
#include "engine/agenda.h"
#include "engine/step.h"
#include "engine/tally.h"
#include "sip/message.h"
#include "transaction/invite_server.h"
#include "transaction/matching.h"
#include "transaction/non_invite_server.h"

namespace holdfast::engine {

struct CallResponse {
    int status = 200;
    std::string reason{};
    std::string headers{};  // complete lines
    std::string contact{};  // "" : none
    std::string to_tag{};
    std::string body{};  // SDP
};

class CallServers {
public:
    explicit CallServers(std::string user_agent) : user_agent_(std::move(user_agent)) {}

    [[nodiscard]] bool knows(const sip::Message& request) const {
        return by_key_.contains(transaction::server_key_of(request));
    }
    // RFC 3261 §8.2.2.2: the same request came another way before.
    [[nodiscard]] bool is_merged(const sip::Message& request) const;
    // The INVITE that a CANCEL is about, if the CANCEL comes from where the INVITE came from
    // (§9.1); 0: none.
    [[nodiscard]] call::ServerId cancelled_by(const sip::Message& cancel, const Endpoint& source,
                                              FlowId arrived) const;

    // A new request, not an ACK; answers go over the flow. An INVITE gets its 100 after 200 ms.
    call::ServerId begin(const Step& step, CallRef call, const sip::Message& request,
                         const Endpoint& source, FlowId flow);
    // A copy of a request that is known.
    void again(const Step& step, const sip::Message& request);
    // An ACK with the key of a known INVITE: true if it is one of a 2xx, and the dialog's.
    bool on_ack(const Step& step, const sip::Message& ack);
    void respond(const Step& step, call::ServerId server, const CallResponse& response);

    [[nodiscard]] CallRef call_of(call::ServerId server) const;
    [[nodiscard]] FlowId flow_of(call::ServerId server) const;
    [[nodiscard]] const sip::Message* request_of(call::ServerId server) const;
    void on_flow_ended(FlowId flow);
    void on_time(const Step& step);
    [[nodiscard]] Deadline next_deadline() const { return agenda_.next(); }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] std::size_t of_call(CallRef call) const { return by_call_.of(call); }
    // Those of no call: refused.
    [[nodiscard]] std::size_t refused_on(FlowId flow) const { return refused_.of(flow); }

private:
    struct Entry {
        transaction::ServerKey key;
        std::string merge;
        CallRef call;
        sip::Message request;
        Endpoint source;
        std::string to_tag{};  // of the responses, once there was one
        std::variant<transaction::InviteServer, transaction::NonInviteServer> machine;
    };
    void settle(call::ServerId id);
    void erase(call::ServerId id);
    [[nodiscard]] std::string text_of(const Entry& entry, const CallResponse& response) const;

    std::string user_agent_;
    std::map<call::ServerId, Entry> entries_;
    std::unordered_map<transaction::ServerKey, call::ServerId> by_key_;
    std::unordered_map<std::string, call::ServerId> by_merge_;
    Tally<CallRef> by_call_;
    Tally<FlowId> refused_;
    Agenda<call::ServerId> agenda_;
    std::uint32_t last_ = 0;
};

}  // namespace holdfast::engine
