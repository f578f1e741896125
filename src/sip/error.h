// Why bytes are not a SIP message, and where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
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
    // Of too_large: how many are read at most, and of what if the reason does not say ("octets").
    std::size_t most = 0;
    std::string_view unit = {};  // static text
};

// "too many Contact values (at most 128 are read)", "bad Call-ID (octet 97)".
inline std::string in_words(const ParseError& error) {
    std::string words(error.reason);
    if (error.kind != ParseError::Kind::too_large)
        return words.append(" (octet ").append(std::to_string(error.offset)).append(")");
    if (error.most == 0) return words;
    words.append(" (at most ").append(std::to_string(error.most));
    if (!error.unit.empty()) words.append(" ").append(error.unit);
    return words.append(" are read)");
}

}  // namespace holdfast::sip
