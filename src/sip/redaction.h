// Hiding what a password answered, before a message is logged, traced or compared (design:
// recordings and logs hold no Authorization header). Both work on the text and not on a parsed
// message, so that a message that cannot be parsed is hidden too. A line of a body that looks like
// such a header is hidden as well: bodies carry SIP (RFC 3420), and a stream's text may hold
// several messages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sip/digit_info.h"

namespace holdfast::sip {

// The response parameter's value in every Authorization and Proxy-Authorization header becomes as
// many stars; nothing else changes, nor does the length. Two recordings made with different
// passwords compare equal.
std::string mask_digest_response(std::string_view message_text);

// The whole value of every Authorization and Proxy-Authorization header, its folded lines included,
// becomes
// "<redacted>". All schemes, not only Digest. In a body the keys of SRTP (RFC 4568 §6.1, behind
// "inline:") and the password of ICE (RFC 8839 §5.4) become as many letters A, so that a recording
// can still be replayed, and the digit in an INFO an A (digit_info.h): it may be one of a PIN.
std::string redact_authorization(std::string_view message_text);

// The same for a text that comes in pieces, as a stream is read: what the pieces give, one behind
// the other, is what redact_authorization() gives of the whole, wherever it was cut.
class AuthorizationRedactor {
public:
    // What may be shown so far. The line end of a hidden header is held back until it is known
    // whether the header goes on behind it (RFC 3261 §7.3.1), a body of digits until it is whole.
    std::string feed(std::string_view piece);
    std::string finish();  // what was held back; the next piece begins another text

private:
    enum class Where : std::uint8_t {
        name,        // at the beginning of a line, before any colon
        blank_name,  // the same, after blanks behind a name: HCOLON allows them
        rest,        // in a line that is of no interest
        hidden,      // in a value that is hidden
        hidden_end,  // behind a line end in it: a blank goes on, anything else is another line
    };
    void step(char c, std::string& shown);
    void hide_keys(std::string& shown);

    Where where_ = Where::name;
    std::string name_;  // lower case, as far as it can matter
    std::string line_end_;
    std::string before_key_;  // the last octets shown, as many as a key's introduction has
    bool in_key_ = false;
    DigitHider digits_;
};

}  // namespace holdfast::sip
