// N4: asks a STUN server that is no SIP server of ours, from the shared SIP port, what it sees of
// it (RFC 8489 §3). One question at a time for each server, shared by all accounts that ask it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/flow_error.h"
#include "base/ids.h"
#include "engine/agenda.h"
#include "engine/step.h"
#include "flow/flow.h"
#include "flow/stun.h"

namespace holdfast::engine {

class StunDesk {
public:
    // Answered by told::StunAnswered, within limits::stun_lifetime.
    void ask(const Step& step, AccountId account, const Target& server);
    void forget(AccountId account);

    void on_flow_opened(const Step& step, const flow::Flow& flow);
    void on_flow_trouble(const Step& step, const flow::Flow& flow, FlowError error);
    // False: not the answer to a question of this desk.
    bool on_datagram(const Step& step, const flow::Flow& flow, std::string_view bytes);
    void on_time(const Step& step);
    [[nodiscard]] Deadline next_deadline() const { return agenda_.next(); }

private:
    struct Question {
        std::set<AccountId> askers;
        FlowId flow;  // 0: it is being opened
        flow::StunTransaction transaction{};
        std::string wire;
        Instant give_up{};
        bool repeated = false;
    };
    void send(const Step& step, const Target& server, Question& question, FlowId flow);
    void finish(const Step& step, const Target& server, registration::told::StunAnswered answer);

    std::map<Target, Question> questions_;
    Agenda<Target> agenda_;
};

}  // namespace holdfast::engine
