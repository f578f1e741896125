// Digits in the body of an INFO: what phones and gateways have done since RFC 2976, without an Info
// Package (RFC 6086 §2, "legacy INFO usage").
//
//     application/dtmf-relay   Signal=5\r\nDuration=160\r\n
//     application/dtmf         5
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "sip/digit_form.h"

namespace holdfast::sip {

constexpr std::size_t digit_body_most = 256;  // octets; a longer body holds no digit

std::string_view media_type_of(DigitForm form);  // "application/dtmf-relay"
// Nothing: a body of that type is none of digits. Without parameters, in any case.
std::optional<DigitForm> digit_form(std::string_view media_type);

// '0' – '9', '*', '#', 'A' – 'D', also of their numbers 10 – 15 (RFC 4733 §3.2), which some
// gateways write. Nothing: no digit, more than one, or a hook flash (16).
std::optional<char> digit_in(DigitForm form, std::string_view body);

// Digits, of either case, and commas; nothing else, and not nothing.
bool are_keys(std::string_view text);

// `digit` as above; `length` of its sound in whole milliseconds.
std::string digit_body(DigitForm form, char digit, Duration length);

// The same body, as long as it was, with a digit that may be one of a PIN as 'A': what is a digit
// stays one, and what is none stays none, so that a recording can still be replayed.
std::string masked_digits(DigitForm form, std::string_view body);

// Digits as they are typed, with commas: each becomes 'A'.
std::string masked_digits(std::string_view digits);

// Hides the digits in SIP messages that come in pieces, whether they can be parsed or not. A body
// of digits is held back until it is whole.
class DigitHider {
public:
    std::string feed(std::string_view piece);
    std::string finish();  // what was held back; the next piece begins another text

private:
    void end_line();
    void end_field();
    void end_body(std::string& shown);

    std::string field_;  // a header field with its folded lines, as far as it can matter
    bool line_is_empty_ = true;
    std::optional<DigitForm> form_;
    std::optional<std::size_t> length_;
    std::size_t left_ = 0;  // octets of a body of digits that are still to come
    std::string body_;
};

}  // namespace holdfast::sip
