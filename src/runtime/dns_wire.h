// A raw DNS answer (RFC 1035 §4) as our answer: the records asked for, the CNAMEs that lead to
// them, and the TTL.
#pragma once

#include <cstdint>
#include <span>

#include "base/dns.h"

namespace holdfast::runtime {

// Whatever the bytes are; malformed is a status. A negative answer's TTL is RFC 2308 §5's, 0
// without a SOA.
dns::Answer read_dns_answer(std::span<const std::uint8_t> message, dns::RecordType asked);

}  // namespace holdfast::runtime
