// Rules that a test build breaks on purpose, one at a time, to show that the swarm or a scenario
// would notice (tools/check-broken-rules, docs/broken-rules.md). In every other build is_broken()
// is false when compiled, and nothing is left of what stands behind it.
#pragma once

#include <cstdint>

#if defined(HOLDFAST_BREAKABLE) && defined(NDEBUG)
#error "A build whose rules can be broken is for tests: no release is made of it"
#endif

namespace holdfast {

enum class BrokenRule : std::uint8_t {
    none,
    affinity,          // L3: a refresh goes to another server than the last one
    mapping_per_flow,  // N2: the mapping that one server saw is in the Contact at all of them
    changed_mapping,   // K3: the NAT's new mapping is not told
    refresh_in_time,   // B4: a refresh comes when the binding has lapsed
    keep_alive,        // K1: none is sent
    suspicion,         // F6: a keep-alive without an answer means nothing
    failover,          // F3: a silent server is not left
    probes,            // F3, F9: the others are not asked first
    retry_after,       // F5: not heeded
    cseq_rises,        // F1: each REGISTER has the same
    old_contact,       // B6: what was registered before a move or a new mapping is not removed
    old_server,        // B7: nor where only the old server has it
    restart,           // B3: what the last run registered is forgotten
    other_devices,     // B2: other devices' bindings are taken for our own
    two_addresses,     // B1: both flows may go to one server
    rates,             // I5, S1: no back-off, and no limit
};

#ifdef HOLDFAST_BREAKABLE
inline BrokenRule broken_rule = BrokenRule::none;  // set before anything runs
inline bool is_broken(BrokenRule rule) { return broken_rule == rule; }
#else
constexpr bool is_broken(BrokenRule) { return false; }
#endif

}  // namespace holdfast
