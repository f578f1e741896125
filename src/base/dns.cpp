#include "base/dns.h"

namespace holdfast::dns {

std::string_view name_of(RecordType type) {
    switch (type) {
    case RecordType::a: return "A";
    case RecordType::aaaa: return "AAAA";
    case RecordType::srv: return "SRV";
    case RecordType::naptr: return "NAPTR";
    }
    return "?";
}

std::string_view name_of(Status status) {
    switch (status) {
    case Status::ok: return "ok";
    case Status::nxdomain: return "NXDOMAIN";
    case Status::servfail: return "SERVFAIL";
    case Status::refused: return "REFUSED";
    case Status::timed_out: return "timeout";
    case Status::no_server: return "no DNS server reachable";
    case Status::malformed: return "malformed answer";
    }
    return "?";
}

}  // namespace holdfast::dns
