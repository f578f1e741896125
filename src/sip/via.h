// One Via value (RFC 3261 §20.42, RFC 3581).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "sip/parameters.h"

namespace holdfast::sip {

constexpr std::string_view branch_cookie = "z9hG4bK";  // RFC 3261 §8.1.1.7

struct Via {
    std::string_view text;       // the whole value as written
    std::string_view transport;  // as written: "UDP"
    std::string_view host;       // sent-by; IPv6 with its brackets
    std::string_view branch;     // "" when absent (RFC 2543)
    Parameters parameters;
    std::optional<std::string_view> received;
    std::optional<std::uint16_t> rport;  // with a value: what the next hop saw
    std::uint16_t port = 0;              // 0: none
    bool has_rport = false;              // with or without a value

    // RFC 3261 §17.2.3: a branch that identifies a transaction: the cookie, any case, and something
    // after it.
    [[nodiscard]] bool has_magic_cookie() const;
};

}  // namespace holdfast::sip
