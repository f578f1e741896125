// The next hop: where a request goes first, as a person or a Route header wrote it, ready for RFC
// 3263 §4.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"

namespace holdfast::location {

struct NextHop {
    std::string host;                    // lower case, no trailing dot; a number without brackets
    std::uint16_t port = 0;              // 0: none was given
    bool secure = false;                 // sips: TLS only
    std::optional<Transport> transport;  // explicit ;transport=
    friend bool operator==(const NextHop&, const NextHop&) = default;
};

// "sip:example.test", "<sips:[2001:db8::1]:5061;lr>". The error says in words what is wrong.
std::expected<NextHop, std::string> next_hop_of(std::string_view uri_text);

// As a URI again, for people.
std::string to_string(const NextHop& next_hop);

}  // namespace holdfast::location
