// F9: a probe is one OPTIONS, sent again after max(0.5 s, 1.5·RTT), forgotten after 2 s. At most
// one per target in 4 s — who asks within that time gets the same result — and 10 per second in
// all; further ones wait their turn.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/ids.h"
#include "engine/agenda.h"
#include "engine/ping_identity.h"
#include "engine/step.h"
#include "flow/flow.h"
#include "transaction/matching.h"

namespace holdfast::engine {

class ProbeDesk {
public:
    void ask(const Step& step, AccountId account, const registration::act::Probe& probe,
             PingIdentityPtr identity);
    void on_flow_opened(const Step& step, const flow::Flow& flow);
    // Could not be opened, is gone, or ICMP came: what is out on it has failed.
    void on_flow_trouble(const Step& step, const flow::Flow& flow, FlowError error);
    // False: not the answer to a probe.
    bool on_response(const Step& step, const flow::Flow& flow, const sip::Message& response);
    void on_time(const Step& step);
    void forget(AccountId account);
    [[nodiscard]] Deadline next_deadline() const;

private:
    using Key = std::pair<Target, std::string>;  // the TLS name belongs to the identity
    enum class State : std::uint8_t { queued, opening, asked, asked_twice, done };
    struct Probe {
        State state = State::queued;
        std::set<AccountId> askers;
        PingIdentityPtr identity;
        FlowId flow{};
        Ping ping{};
        Instant started{};
        Instant sent_at{};
        registration::told::Probed result{};
    };

    void begin_queued(const Step& step);
    void begin(const Step& step, const Key& key, Probe& probe);
    void send(const Step& step, const Key& key, Probe& probe, const flow::Flow& flow);
    void finish(const Step& step, const Key& key, Probe& probe, registration::told::Probed result);
    [[nodiscard]] Instant next_start() const;

    std::map<Key, Probe> probes_;
    std::unordered_map<transaction::ClientKey, Key> by_branch_;
    std::deque<Key> queue_;
    std::deque<Instant> recent_;  // when the last ones began
    Agenda<Key> agenda_;
};

}  // namespace holdfast::engine
