// DNS as it crosses the engine's seam: one question, one record type, one answer with its TTL.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace holdfast::dns {

enum class RecordType : std::uint8_t { a, aaaa, srv, naptr };
std::string_view name_of(RecordType type);  // "A"

struct Question {
    std::string name;  // without the trailing dot, lower case; always absolute (no search list)
    RecordType type = RecordType::a;
    // Single labels, .local and names of the hosts file are the system resolver's (L1); only A and
    // AAAA.
    bool system_resolver = false;
    friend auto operator<=>(const Question&, const Question&) = default;
};

struct Naptr {  // RFC 3403 §4.1
    std::uint16_t order = 0;
    std::uint16_t preference = 0;
    std::string flags;
    std::string service;
    std::string regexp;
    std::string replacement;
    friend auto operator<=>(const Naptr&, const Naptr&) = default;
};

struct Srv {  // RFC 2782; target "" stands for "." (the service is off)
    std::uint16_t priority = 0;
    std::uint16_t weight = 0;
    std::uint16_t port = 0;
    std::string target;
    friend auto operator<=>(const Srv&, const Srv&) = default;
};

struct Cname {  // owner → name; the reader follows the chain
    std::string owner;
    std::string name;
    friend auto operator<=>(const Cname&, const Cname&) = default;
};

using Record = std::variant<IpAddress, Srv, Naptr, Cname>;

enum class Status : std::uint8_t {
    ok,        // records may still be empty: the name exists, the type does not (NODATA)
    nxdomain,  // the name does not exist
    servfail,
    refused,
    timed_out,  // no server answered
    no_server,  // none configured, or our own network is down
    malformed,
};
std::string_view name_of(Status status);
constexpr bool is_failure(Status s) { return s != Status::ok && s != Status::nxdomain; }

struct Answer {
    Status status = Status::ok;
    std::vector<Record> records;
    Duration ttl{};  // smallest of the answer's records; of a negative answer RFC 2308's
};

}  // namespace holdfast::dns
