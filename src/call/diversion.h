// Who has sent a caller elsewhere on the way to us (RFC 5806). What History-Info (RFC 7044) says of
// it is not read: it names whom the request is for as well, so that our own address in it says
// nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sip/message.h"

namespace holdfast::call {

// The first value of a list, and the list without it: values end at a comma outside of quotes and
// brackets.
std::string_view take_value(std::string_view& list);

// The values of all Diversion fields, newest first, limits::diversions at most. They lie in the
// message.
std::vector<std::string_view> diversions_of(const sip::Message& invite);

// The URI of each; "" of one that cannot be read, for it counts too.
std::vector<std::string> diverters_of(const sip::Message& invite);

// A header line of those that can be read, each: for an answer that diverts once more. "" or
// complete lines.
std::string diversion_lines(const sip::Message& invite);

}  // namespace holdfast::call
