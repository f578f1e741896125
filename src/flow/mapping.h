// The public address and port a NAT gave a flow, learned from the top Via of answers to our own
// requests (RFC 3581 §4; design rules N1, N2, K3). One memory per flow: mappings of different flows
// are never compared here, because an endpoint-dependent NAT gives each server its own (nat_kind.h
// compares them on purpose).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address.h"
#include "base/time.h"

namespace holdfast::flow {

using namespace std::chrono_literals;

constexpr Duration mapping_change_window = 5min;  // K3, N5
constexpr std::size_t mapping_changes_allowed =
    3;  // in that window; one more, and the mapping is unstable

// What the top Via of one response says, and where the response came from. The caller has matched
// the response to a transaction of ours first: its branch has 64 random bits and more, so nobody
// off the path can forge this (N1).
struct ViaSighting {
    std::optional<std::string_view> received;  // text of the parameter, with or without brackets
    std::optional<std::uint16_t> rport;        // its value; nothing if absent or without one
    Endpoint local;                            // what we wrote as sent-by: our end of the flow
    Endpoint source;                           // where the response came from
    Endpoint sent_to;                          // the flow's target
};

enum class Learned : std::uint8_t {
    none,   // says nothing: no rport, unreadable, or not from the address we sent to
    first,  // the flow had no usable mapping before
    same,
    changed,     // differs from the last usable mapping of this flow
    not_usable,  // shown, but never put into Contact or SDP
};
std::string_view name_of(Learned learned);

// Whether others can be told to send there: a global server cannot truly see a private, shared,
// loopback or link-local address (a balancer or an ALG speaks), and nobody but the host itself can
// reach a loopback one.
bool is_usable_mapping(const Endpoint& mapping, const IpAddress& reported_by);

class MappingMemory {
public:
    // RFC 3581 §4 has the server write `received` whenever it fills `rport`. One that fills rport
    // alone follows RFC 3261 §18.2.1, where a missing `received` means "the source is what you
    // wrote as sent-by": our local address. Should the server merely have forgotten it, the guess
    // is our private address, which is not usable when a global server reports it; so the guess
    // does no harm. `received` without rport tells no port: none.
    Learned learn(Instant now, const ViaSighting& sighting);
    // XOR-MAPPED-ADDRESS of a STUN answer on the same flow (RFC 5626 §4.4.2), its transaction
    // matched by the caller.
    Learned learn_stun(Instant now, const Endpoint& mapped, const Endpoint& source,
                       const Endpoint& sent_to);

    // What was seen last, usable or not: for people.
    [[nodiscard]] std::optional<Endpoint> mapping() const { return shown_; }
    // What may go into Contact and SDP: the last usable mapping. One that is not usable does not
    // replace it.
    [[nodiscard]] std::optional<Endpoint> usable() const { return usable_; }
    [[nodiscard]] bool shown_is_usable() const { return shown_ && shown_ == usable_; }

    // Changes of the usable mapping (the first mapping is none) in the 5 min before now, 4 at most.
    [[nodiscard]] std::size_t changes(Instant now) const;
    // More than 3 changes in 5 min, and not 5 min without change since (N5). While it lasts,
    // rewriting rests (K3).
    [[nodiscard]] bool is_unstable(Instant now) const;
    // Whether a change that was just learned may be acted on at once (K3).
    [[nodiscard]] bool may_rewrite(Instant now) const { return !is_unstable(now); }

private:
    Learned take(Instant now, const Endpoint& reported, const Endpoint& source);
    void count_change(Instant now);

    std::optional<Endpoint> shown_;
    std::optional<Endpoint> usable_;
    std::array<Instant, mapping_changes_allowed + 1>
        changes_{};                 // a ring; only change_count_ of them are real
    std::size_t change_count_ = 0;  // since the beginning
    bool was_unstable_ = false;     // at the last change
};

}  // namespace holdfast::flow
