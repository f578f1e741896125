// A SIP ALG: what many routers do to SIP, asked or not. It reads the datagrams that its NAT
// translates and writes the translation into them.
//
// Text is replaced in the lines it looks for, as such routers do: nothing is parsed further, folded
// header lines are not seen, and SDP is left alone (the lab has no media). UDP and IPv4 only, and
// only to and from port 5060: `is_watched`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/address.h"

namespace holdfast::lab {

enum class SipAlg : std::uint8_t {
    none,
    contact,     // out: Contact. What comes back is left as it is.
    full,        // out: request line, top Via, Contact, From, To; in: the same back, with received
                 // and rport, so that the phone sees nothing of the NAT (as Linux' SIP helper does)
    wrong_port,  // the address as full, never the port; received and rport are left as they are
};

// Whether an ALG looks at datagrams from or to this port of the far end.
constexpr bool is_watched(std::uint16_t remote_port) { return remote_port == 5060; }

// What comes out of the NAT for `text` from inside: `inside` is its source there, `outside` the one
// it gets. What is no SIP message stays as it is.
std::string rewrite_outbound(SipAlg alg, std::string_view text, const Endpoint& inside,
                             const Endpoint& outside);
// And back, for what was sent to `outside`.
std::string rewrite_inbound(SipAlg alg, std::string_view text, const Endpoint& inside,
                            const Endpoint& outside);

}  // namespace holdfast::lab
