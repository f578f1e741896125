// A telephone number as people write it, paste it from a page and keep it in an address book: what
// only parts the digits for the eye, where digits to press begin, and what of it may be shown.
// Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::phone {

// How many octets at the begin only part digits for the eye: RFC 3966 §3 visual-separator, blanks,
// hyphens and marks of direction of Unicode (UTF-8). 0: none.
std::size_t separator_size(std::string_view text);
// Without blanks and invisible marks at both ends.
std::string_view without_marks(std::string_view text);

// Without what parts the digits, and without the (0) behind a country code that is dialled within
// the country alone: "+49 (0)30 12" becomes "+493012". In Italy and San Marino it is always
// dialled, and stays. Anything else stays, too.
std::string bare_number(std::string_view text);
// Of digits, * # + and separators.
bool looks_like_a_number(std::string_view text);

// A sign in front of digits to press: , and p are a pause, ; and w wait for a key; %2C and %3B are
// what a link makes of two of them.
struct PauseSign {
    std::size_t size = 0;  // octets; 0: none
    bool waits = false;
};
PauseSign pause_sign(std::string_view text);

// Where the first such sign stands; npos: nowhere. A p or w is one behind a number that has a key
// behind it (a name may begin with digits), a ; behind a name or URI if a key follows.
std::size_t pause_in_bare(std::string_view text);
std::size_t pause_in_telephone(std::string_view text);  // "tel:…"
std::size_t pause_in_uri(std::string_view text);        // with a scheme, or an @

// Whether the word goes on what stands before the blank: "97," and "1234#" are one thing.
bool goes_on(std::string_view before, std::string_view word);

// Where something begins that may be a PIN, and is not to be shown; npos: nowhere.
std::size_t secret_at(std::string_view text);
// For a sentence: "97…" of 97,1234.
std::string in_quotes(std::string_view text);
// Nothing but keys of a telephone: a word of its own that may be a PIN.
bool may_be_pin(std::string_view word);

}  // namespace holdfast::phone
