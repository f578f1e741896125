// tel: URIs (RFC 3966) as what SIP calls.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace holdfast::phone {

// The user part for the number and its parameters, what stands behind "tel:" (RFC 3261 §19.1.6):
// "+49-30-1234;ext=5" becomes "+49301234;ext=5". A parameter that is there twice, or has a value
// that it cannot have, is an error. It ends a sentence, and quotes no value: "… it has no digit".
std::expected<std::string, std::string> user_of_telephone(std::string_view text);

// What a user part may not hold is escaped (RFC 3261 §25.1), as the # of a feature code. An escape
// of the text is text like any other.
std::string escaped_user(std::string_view text);

}  // namespace holdfast::phone
