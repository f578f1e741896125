// F5: what an answer to a REGISTER means, as a table with one row per case.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/flow_error.h"
#include "sip/message.h"

namespace holdfast::registration {

enum class Verdict : std::uint8_t {
    progress,         // 1xx
    success,          // 2xx
    redirect,         // 3xx: only to the next hop's domain or a listed target
    challenge,        // 401, 407
    too_brief,        // 423: Expires = Min-Expires
    bad_extension,    // 420: drop what Unsupported names
    needs_extension,  // 421: add what Require names, if we can
    no_outbound,      // 439: drop outbound, keep the instance-id
    next_target,      // 408, 5xx: another server may do better
    slow,             // tell, and retry slowly: other 4xx, 6xx
};

Verdict verdict_of(int status);

// "403 Forbidden from udp:203.0.113.12:5060: not on the list" — with the reason phrase and the
// Warning text.
std::string in_words(const sip::Message& response, std::string_view from);

// "connection refused", with the system's words behind it unless they say the same again.
std::string in_words(FlowError error, std::string_view detail);

}  // namespace holdfast::registration
