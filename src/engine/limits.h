// Named limits of the engine. Each has a test at the limit and one past it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/limits.h"
#include "base/time.h"

namespace holdfast::engine::limits {

using namespace holdfast::limits;
using namespace std::chrono_literals;

constexpr Duration dns_answer = 12s;   // the driver owes an answer within 10 s
constexpr Duration unused_flow = 32s;  // L8: a flow that was left lives so long, at least

// Of requests that came, or one for each account if these are more (R1); further ones get no
// answer.
constexpr std::size_t server_transactions = 1024;
constexpr std::size_t calls =
    64;  // at once, those that only ring and those that are calls each; else 486
// RFC 3891 §3: calls that have just ended are remembered, so many and so long.
constexpr std::size_t ended_dialogs = 64;
constexpr Duration ended_dialog_life = 32s;
// Opened to answer somebody who is no target of ours, beside those that calls hold: one more takes
// the place of the one that was used last the longest time ago.
constexpr std::size_t stray_flows = 64;
// Requests outside dialogs that came on one of these; further ones get no answer until these have
// ended (32 s, over UDP). All of them together leave half of the server transactions to others.
constexpr std::size_t stray_transactions = 8;
// The same of the requests in one call, whoever has it with us: digits may come twice a second.
constexpr std::size_t transactions_of_a_call = 64;

// F9: at most one probe per target in 4 s, 10 per second in all.
constexpr Duration probe_spacing = 4s;
constexpr std::size_t probes_per_second = 10;
constexpr Duration probe_lifetime = 2s;
constexpr Duration probe_repeat_least = 500ms;

// N4: a STUN server that is asked once.
constexpr Duration stun_repeat = 250ms;
constexpr Duration stun_lifetime = 2s;

// N5: what was seen within so long of each other is compared; a kind that wavers is told so often.
constexpr Duration mapping_fresh = 30s;
constexpr Duration nat_kind_spacing = 5min;
constexpr std::size_t nat_ports = 16;  // local ports whose mappings are remembered

// R1: how long, and how many of, our own OPTIONS are remembered; a copy may be forked and
// challenged on its way.
constexpr Duration own_options_life = 64s;
constexpr std::size_t own_options = 4096;  // or one for each account, if these are more

constexpr std::size_t datagrams_for_a_flow =
    4;                                         // kept while the flow to answer them is being opened
constexpr std::size_t accounts_searched = 64;  // for a request that names none of them
constexpr std::size_t targets_heard = 1024;
constexpr Duration heard_again =
    150s;  // a target heard after so long a silence is news to all accounts

// I8: an answer that cannot be read is told once in so long for each target.
constexpr Duration unreadable_again = 60s;
constexpr std::size_t unreadable_targets = 64;  // remembered; when there are more, all are told

constexpr Duration learn_again = 1h;  // K4: after a trial that taught nothing, at the same target

constexpr Duration ring_time = 20s;     // then 480: of an account that takes no calls
constexpr Duration health_store = 60s;  // what is known of targets is written that often, at most

// No input leads to more steps than this for each account; more is a loop of our own.
constexpr std::size_t steps_per_account = 256;

}  // namespace holdfast::engine::limits
