// What kind of NAT is between us and our servers, judged by their words (RFC 4787 §4.1; design rule
// N5).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace holdfast::flow {

enum class NatKind : std::uint8_t {
    unknown,               // too little seen
    none,                  // servers see our own address and port
    endpoint_independent,  // servers at two addresses see one mapping
    endpoint_dependent,    // they see different ones
};
std::string_view name_of(NatKind kind);

struct MappingSeen {
    Target seen_by;
    Endpoint local;
    Endpoint mapping;
};

struct NatView {
    NatKind kind = NatKind::unknown;
    std::vector<MappingSeen> as_seen_by;  // what the judgement rests on, in order of target
    // "endpoint-dependent, as seen by udp:203.0.113.11:5060 and …": a server behind a balancer sees
    // the balancer.
    [[nodiscard]] std::string to_string() const;
};

// Compares what was seen of one local port; rows of other ports, and mappings that are not usable,
// say nothing. Servers that see us as we are (own network) do not count where another sees a NAT.
NatView nat_kind(const Endpoint& local, std::span<const MappingSeen> seen);

}  // namespace holdfast::flow
