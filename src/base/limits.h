// Named limits of everything that grows with what a peer sends (I8). Each has a test at the limit
// and one past it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace holdfast::limits {

// SIP text (src/sip)
constexpr std::size_t message_bytes = 64 * 1024 - 1;
constexpr std::size_t header_fields = 256;

// Location (L2)
constexpr std::size_t srv_records = 64;
constexpr std::size_t targets = 32;
constexpr std::size_t cname_chain = 8;

}  // namespace holdfast::limits
