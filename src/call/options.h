// What the user of a call may choose for it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace holdfast::call {

// What is done with a 3xx (RFC 3261 §8.1.3.4); at most limits::redirects targets are tried.
enum class Redirects : std::uint8_t {
    follow,
    same_domain,  // only to URIs of the host that was called
    refuse,       // the call ends, and the user is told where it was sent to
};

// Reliable provisional answers (RFC 3262) to our INVITE. An INVITE that demands them gets them.
enum class Reliable : std::uint8_t { off, supported, required };

// Whether who is asked to call another tells us what becomes of it (RFC 4488). If not, our call
// ends as soon as it says that it will.
enum class Reports : std::uint8_t { wanted, unwanted };

// Whether the other side sees who calls (RFC 3323, RFC 3325 §9.2): withheld, only the account's own
// server learns it.
enum class Number : std::uint8_t { shown, withheld };

// Why a call is forwarded by who is called (RFC 5806 §4).
enum class Diverted : std::uint8_t {
    deflection,  // by the user, while it rings
    unconditional,
    user_busy,
    no_answer,
    do_not_disturb,
};
std::string_view name_of(Diverted why);  // "user-busy"

struct Options {
    Redirects redirects = Redirects::follow;
    Reliable reliable = Reliable::supported;
    // RFC 4028: seconds between refreshes that we ask for; 0: none is asked for. What is below 90
    // is 90.
    std::uint32_t session_interval = 1800;
    std::uint32_t least_interval = 90;               // what is accepted of the peer
    Duration no_answer = std::chrono::seconds{180};  // then an outgoing call is cancelled
    Number number = Number::shown;
    std::string headers{};  // further lines of the INVITE, each with its CRLF
    friend bool operator==(const Options&, const Options&) = default;
};

}  // namespace holdfast::call
