// Named limits of a call, and the times that the RFCs give or leave open.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace holdfast::call::limits {

using namespace std::chrono_literals;

constexpr std::size_t early_dialogs =
    16;  // of one outgoing call (RFC 3261 §12.1.2); more are not kept
constexpr std::size_t unwanted_answers = 16;  // 2xx of further branches that get ACK and BYE
constexpr std::size_t redirects = 5;          // targets tried after 3xx (RFC 3261 §8.1.3.4)
constexpr std::size_t diversions = 5;  // that a caller has behind him and is sent on (RFC 5806)
constexpr std::size_t challenges = 4;  // rounds of one request (F5)
constexpr std::size_t pending_requests = 32;  // client transactions of one call without an answer
constexpr std::size_t interval_rounds = 4;    // 422 to one INVITE (RFC 4028 §7.4)

constexpr std::size_t referrals = 16;  // REFERs that are followed in one call, one after the other

constexpr Duration t1 = 500ms;  // RFC 3261 §17.1.1.1
constexpr Duration t2 = 4s;
constexpr Duration give_up = 64 * t1;

constexpr Duration ring_time = 180s;     // RFC 3261 §13.3.1.1 asks for patience; then 480
constexpr Duration ringing_again = 60s;  // RFC 3261 §13.3.1.1: a provisional answer every minute
constexpr Duration refresh_again = 10s;  // after one that was refused
constexpr Duration longest_wait = 320s;  // whatever a Retry-After says
constexpr Duration way_again = 5s;       // a request that did not get there
constexpr std::size_t abandoned =
    8;                           // INVITEs given up; from here on those with a 2xx are forgotten
constexpr std::size_t ways = 4;  // an INVITE or BYE that did not get there goes so often again
// RFC 3263 §4.3: where an INVITE goes to one target after the other, and those are counted
// elsewhere.
constexpr std::size_t targets = 32;

constexpr std::size_t digits = 256;         // that wait to be sent by INFO, commas included
constexpr Duration digit_pause = 1s;        // a comma among them
constexpr Duration shortest_digit = 40ms;   // as the media have it (media/dtmf.h)
constexpr Duration longest_digit = 8s;      // and what is asked for beyond is this
constexpr Duration between_digits = 100ms;  // of silence, where the other side makes tones of them

constexpr Duration referral_dialled = 10s;   // the application follows a REFER within so long
constexpr Duration referral_reports = 240s;  // RFC 3515 §3.4: longer than a call rings
constexpr Duration first_report = 64 * t1;   // of a REFER that was accepted (RFC 6665 §4.1.2.4)
constexpr Duration longest_reports = 600s;   // whatever the other side promises
constexpr Duration between_reports = 1s;     // RFC 3515 §3.10

constexpr std::uint32_t least_interval = 90;  // RFC 4028 §4, §5, in seconds

}  // namespace holdfast::call::limits
