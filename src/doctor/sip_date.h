// The Date header (RFC 3261 §20.17, the first form of RFC 2616 §3.3.1): "Sat, 13 Nov 2010 23:29:00
// GMT".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace holdfast::doctor {

// Seconds since 1970; nothing: not such a date.
std::optional<std::int64_t> parse_sip_date(std::string_view text);

}  // namespace holdfast::doctor
