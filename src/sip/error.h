// Why bytes are not a SIP message, and where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast::sip {

struct ParseError {
    enum class Kind : std::uint8_t {
        malformed,   // breaks the grammar, or a rule that makes the message unusable
        incomplete,  // ends before it should (no blank line, body shorter than Content-Length)
        unsupported_version,  // a well-formed request of another SIP version (505)
        too_large,            // past a limit of limits.h (513)
    };
    Kind kind = Kind::malformed;
    std::size_t offset = 0;        // of the octet that is wrong, from the start of the message
    std::string_view reason = {};  // static text
    // A request whose Via, From, To, Call-ID and CSeq are usable in spite of the error: it deserves
    // a response (RFC 3261 §8.2, §16.3); Message::salvage gives what write_response needs.
    bool answerable = false;
    int status = 400;  // what to answer with when answerable: 400, 505 or 513
};

}  // namespace holdfast::sip
