// Where one request of a plain client goes: a lookup of its own, the targets in the order that the
// policy likes, and what makes it take the next one (Policy::failover). It knows targets and time,
// not messages: its owner writes the request when it hears Progress::send, and reads the answers.
//
//   looking up ──targets──► opening ──flow──► ready ──sent()──► waiting ──the owner has its answer
//       │ none               │ ▲  failed         │ silence, 503, … as the policy counts
//       ▼                    ▼ └───next target───┘
//     failed ◄──none left──── ◄─────────────────┘
//
// Failover::on_connect_failure is pjsip's way: within Timer F (RFC 3261 §17.1.2.2) the next address
// is taken only if no connection could be made; Timer F runs from the beginning, lookup and
// connects included. The other ways are RFC 3263 §4.3: 503, a dead transport or 32 s without any
// answer.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "location/lookup.h"
#include "registration/machine.h"
#include "registration/policy.h"

namespace holdfast::registration {

class PlainAttempt {
public:
    struct Settings {
        location::NextHop next_hop;
        location::Constraints constraints;  // the families are filled in
        LookupOrder order = LookupOrder::first_listed;
        Failover failover = Failover::on_connect_failure;
        std::optional<Target> preferred;  // affinity: tried first, if DNS still lists it
    };
    enum class Progress : std::uint8_t { none, send, failed };

    explicit PlainAttempt(Settings settings) : settings_(std::move(settings)) {}

    Progress start(const Context& context);
    // Everything but responses; what is not about this attempt is ignored.
    Progress handle(const Told& told, const Context& context);
    // The request was handed to the engine. Again after an answer that asked for it: a new
    // transaction.
    void sent(AttemptId attempt, Instant now);
    [[nodiscard]] bool awaits(AttemptId attempt) const {
        return state_ == State::waiting && attempt_ == attempt;
    }
    void on_provisional() { answered_ = true; }
    // A final answer that ends the attempt at this target.
    Progress on_refused(int status, std::string reason, const Context& context);
    void abandon(const Context& context);

    [[nodiscard]] Deadline next_deadline() const;
    [[nodiscard]] bool is_located() const {
        return state_ != State::idle && state_ != State::looking_up;
    }
    [[nodiscard]] FlowId flow() const { return flow_; }  // 0: none yet
    [[nodiscard]] const Target& target() const {
        return candidates_[index_].target;
    }  // once located, before failed
    [[nodiscard]] bool has_target() const { return index_ < candidates_.size(); }
    [[nodiscard]] const std::vector<location::Candidate>& candidates() const { return candidates_; }
    // Why it failed. 408: silence; 503: a transport that failed; 0: no target at all.
    [[nodiscard]] int status() const { return status_; }
    [[nodiscard]] const std::string& reason() const { return reason_; }

private:
    enum class State : std::uint8_t { idle, looking_up, opening, ready, waiting, over };

    Progress on_dns(const told::Dns& dns, const Context& context);
    Progress located(const Context& context);
    Progress open(const Context& context);
    Progress on_flow_failed(const told::FlowFailed& failed, const Context& context);
    Progress on_flow_lost(const told::FlowLost& lost, const Context& context);
    Progress on_send_failed(const told::SendFailed& failed, const Context& context);
    Progress on_silence(const Context& context);
    Progress leave_target(int status, std::string reason, bool next, const Context& context);
    [[nodiscard]] bool only_connects_count() const {
        return settings_.failover == Failover::on_connect_failure;
    }
    [[nodiscard]] bool is_current(const Target& target) const {
        return has_target() && candidates_[index_].target == target;
    }

    Settings settings_;
    State state_ = State::idle;
    std::optional<location::Lookup> lookup_;
    std::vector<location::Candidate> candidates_;
    std::size_t index_ = 0;
    FlowId flow_;
    AttemptId attempt_;
    Instant opened_at_{};
    Instant over_at_ = never;      // Timer F of the whole request
    bool joined_connect_ = false;  // one that was under way already
    bool answered_ = false;        // RFC 3263 §4.3: "without ever having received any response"
    int status_ = 0;
    std::string reason_;
};

}  // namespace holdfast::registration
