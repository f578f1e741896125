// The OPTIONS request of probes and keep-alives (design rule F9; RFC 3261 §11.1).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/address.h"

namespace holdfast::flow {

struct OptionsPing {
    std::string_view domain_uri;  // Request-URI and To: "sip:example.test", no user
    std::string_view aor;         // From: "sip:alice@example.test"
    std::string_view from_tag;
    std::string_view call_id;  // new for each probe or ping, not for a repetition
    std::string_view branch;   // with its cookie and 64 random bits at least (N1)
    std::uint32_t cseq = 1;
    Transport transport = Transport::udp;
    Endpoint local;                 // sent-by (N4)
    bool ask_keep = false;          // `keep` in the Via: we would send keep-alives (RFC 6223 §4.3)
    std::string_view user_agent{};  // "" : none
};

// No credentials (a challenge is an answer), no Contact, no body. Deviates: RFC 3261 §11.1 (Accept
// SHOULD be there): nobody reads the session description of an answer that only proves life, and it
// makes the answer longer.
std::string options_request(const OptionsPing& ping);

}  // namespace holdfast::flow
