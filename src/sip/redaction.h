// Hiding what a password answered, before a message is logged, traced or compared (design:
// recordings and logs hold no Authorization header). Both work on the text and not on a parsed
// message, so that a message that cannot be parsed is hidden too. A line of a body that looks like
// such a header is hidden as well: bodies carry SIP (RFC 3420), and a stream's text may hold
// several messages.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::sip {

// The response parameter's value in every Authorization and Proxy-Authorization header becomes as
// many stars; nothing else changes, nor does the length. Two recordings made with different
// passwords compare equal.
std::string mask_digest_response(std::string_view message_text);

// The whole value of every Authorization and Proxy-Authorization header, its folded lines included,
// becomes
// "<redacted>". All schemes, not only Digest.
std::string redact_authorization(std::string_view message_text);

}  // namespace holdfast::sip
