// Named limits of SIP text. Each has a test at the limit and one past it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace holdfast::sip::limits {

constexpr std::size_t message_bytes = 65'536;  // whole message; more is no UDP datagram
constexpr std::size_t header_fields = 256;     // header lines in one message
constexpr std::size_t header_bytes = 32'768;   // start line and header section
constexpr std::size_t list_values = 128;   // Via, Contact, Route… values in one message, each kind
constexpr std::size_t parameters = 2'048;  // all parameters of one message
constexpr std::size_t tokens = 512;        // option tags and event packages in one message
constexpr std::size_t uri_bytes = 8'192;   // one URI
constexpr std::uint32_t cseq_number = 0x7fff'ffff;  // RFC 3261 §8.1.1.5: less than 2**31
constexpr std::uint32_t max_forwards = 255;         // RFC 3261 §20.22

}  // namespace holdfast::sip::limits
