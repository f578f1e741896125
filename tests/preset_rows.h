// The rows S1–S11 of what phones really do (docs/measured.md, "Staying registered"), as functions:
// a preset and a seed in, one figure out, in virtual time. tests/preset_table.h says what each must
// be.
//
// The circumstances are those of the reference measurements: three registrars with a shared
// location service, a phone behind an endpoint-dependent NAT, answers of DNS not kept for their TTL
// (so that a rotating zone turns with every question), and the fault 6 s after the first 200 (7 s:
// S7).
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>

#include "lab/world.h"

namespace holdfast::lab {

// Seconds, a count, or a share; `never` if it did not happen within the row's limit.
struct Figure {
    static constexpr double never = std::numeric_limits<double>::infinity();
    double value = never;
    std::string story{};  // events and ladder: what a failure needs
};

struct PresetRun {
    std::string_view preset = "holdfast";
    std::uint64_t seed = 1;
    // As between network namespaces of one machine.
    Duration one_way_delay = std::chrono::microseconds(100);
    // What else a test does in this life: before the phone's first step, after each, and when the
    // row has its figure.
    std::function<void(Phone&)> begins{};
    std::function<void(Instant, const AccountStatus&)> watch{};
    std::function<void(World&, Cluster&, Phone&)> ends{};
};

namespace rows {

// Start with dead servers: until registered, 150 s at most.
Figure s1_silent_first(const PresetRun& run);
Figure s1r_silent_first_rotating(const PresetRun& run);
Figure s2_two_silent(const PresetRun& run);
Figure s3_refused_by_icmp(const PresetRun& run);
Figure s4_syn_dropped(const PresetRun& run);
Figure s4b_tcp_refused(const PresetRun& run);
Figure s8a_unavailable(const PresetRun& run);
Figure s8b_unavailable_with_retry_after(const PresetRun& run);

// Bound, then a fault: time without reachability, 240 s at most.
Figure s5_node_silent(const PresetRun& run);
Figure s5r_node_silent_rotating(const PresetRun& run);
Figure s5t_tcp_node_silent(const PresetRun& run);
Figure s5c_tcp_node_restarts(const PresetRun& run);
Figure s7_nat_rebinding(const PresetRun& run);
Figure s10_all_silent_60_s(const PresetRun& run);  // from the healing on, 600 s at most
Figure s10l_all_silent_150_s(const PresetRun& run);

// 5 min of rotating DNS.
Figure s6_refreshes(const PresetRun& run);  // REGISTERs accepted but the first
Figure s6_moves(const PresetRun& run);
Figure s6_unregisters(const PresetRun& run);
Figure s6_contact_is_mapping(const PresetRun& run);  // percent of the time
Figure s6_stale(const PresetRun& run);               // bindings but the newest, at most

Figure s12n_all_bindings_answer(const PresetRun& run);  // percent of 10 min

// SRV priorities 10 (silent) and 20.
Figure s9_to_second_priority(const PresetRun& run);
Figure s9_back(const PresetRun& run);
Figure s9_requests(const PresetRun& run);  // sent in 150 s

// The mapping is not the Contact.
Figure s11_unregisters(const PresetRun& run);
Figure s11_unbound(const PresetRun& run);    // ms without a binding in the first 10 s
Figure s11_stale_for(const PresetRun& run);  // seconds with more than one binding, of 40

}  // namespace rows

}  // namespace holdfast::lab
