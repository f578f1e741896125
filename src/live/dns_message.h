// DNS messages on the wire (RFC 1035 §4), the server's side: a question read, an answer written.
// ldns is behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/dns.h"

namespace holdfast::live {

struct DnsQuery {
    std::uint16_t id = 0;
    std::optional<dns::Question> question;  // nothing: of a type or class that we do not have
    std::string name;                       // as asked
    std::uint16_t type = 0;
    std::size_t space = 512;  // bytes that the asker takes in one datagram (EDNS, RFC 6891)
};
std::optional<DnsQuery> read_dns_query(std::string_view bytes);  // nothing: not a query

// limit: of the transport; what is longer is cut and marked (TC). Negative answers carry a SOA (RFC
// 2308).
std::string write_dns_answer(const DnsQuery& query, const dns::Answer& answer, std::size_t limit);

}  // namespace holdfast::live
