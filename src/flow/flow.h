// What we know of one flow — one transport association between our socket and one target (RFC 5626
// §3) — and the table of all flows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>

#include "base/address.h"
#include "base/flow_error.h"
#include "base/ids.h"
#include "base/time.h"
#include "flow/keep_alive.h"
#include "flow/mapping.h"
#include "flow/round_trip.h"

namespace holdfast::flow {

enum class FlowState : std::uint8_t { opening, open, failed, closed };
std::string_view name_of(FlowState state);

struct Flow {
    FlowId id;
    Target target;
    std::string tls_name{};   // TLS: the configured name to verify; "" otherwise
    bool spare_port = false;  // K4: never shared, never found by target
    FlowState state = FlowState::opening;
    std::optional<FlowError> error{};  // of failed and closed
    Endpoint local{};                  // our end, once open
    std::string verified_name{};       // TLS, once open
    Instant opened_at{};
    Instant last_heard{};
    bool answered = false;  // anything has come from there
    MappingMemory mapping{};
    RoundTrip rtt{};
    KeepAlive keep_alive{};  // holds the facts too: what was agreed, what was ever answered

    [[nodiscard]] const KeepAliveFacts& facts() const { return keep_alive.facts(); }
    [[nodiscard]] bool is_open() const { return state == FlowState::open; }
    [[nodiscard]] bool is_alive() const {
        return state == FlowState::opening || state == FlowState::open;
    }

    void opened(Instant now, const Endpoint& own_end, std::string_view verified);
    void ended(FlowState how, FlowError why);  // failed or closed; the keep-alive stops
    void heard(Instant now) {
        last_heard = now;
        answered = true;
        keep_alive.heard();
    }
};

// Owns the flows. References stay valid until erase(). Iteration is in order of id, so that a run
// repeats (I7).
class Table {
public:
    // An id that was never used before in this table.
    [[nodiscard]] FlowId fresh_id() { return FlowId{++last_id_}; }
    // A new flow in state opening, with its own id.
    Flow& open(const Target& target, std::string_view tls_name, const KeepAliveSettings& settings,
               bool spare_port = false);
    // One that was made elsewhere; its id is new to the table.
    Flow& add(Flow&& flow);
    bool erase(FlowId id);

    [[nodiscard]] const Flow* find(FlowId id) const;
    [[nodiscard]] Flow* find(FlowId id);
    // The flow to a target that accounts may share (K1): opening or open, no spare port, the
    // oldest. The TLS name belongs to the identity: a connection verified for one name proves
    // nothing for another.
    [[nodiscard]] const Flow* find(const Target& target, std::string_view tls_name) const;
    [[nodiscard]] Flow* find(const Target& target, std::string_view tls_name);
    // The same socket's flow to that remote end (a datagram came from there); the TLS name does not
    // matter.
    [[nodiscard]] const Flow* find_remote(Transport transport, const Endpoint& remote) const;

    [[nodiscard]] auto all() { return std::views::values(flows_); }
    [[nodiscard]] auto all() const { return std::views::values(flows_); }
    [[nodiscard]] std::size_t size() const { return flows_.size(); }
    [[nodiscard]] bool empty() const { return flows_.empty(); }

    // The earliest keep-alive; `flow` is whose it is.
    struct Due {
        Deadline deadline;
        FlowId flow;
    };
    [[nodiscard]] Due next_keep_alive() const;

private:
    std::map<FlowId, Flow> flows_;
    std::uint32_t last_id_ = 0;
};

}  // namespace holdfast::flow
