// Any bytes as an answer of DNS (the first says which type was asked for): nothing is read past
// them, and what comes out is what location may rely on.
#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "base/check.h"
#include "runtime/dns_wire.h"

namespace {

using namespace holdfast;

constexpr std::size_t longest_name = 1025;   // presentation form, \DDD for an octet (NS_MAXDNAME)
constexpr std::size_t longest_string = 255;  // RFC 1035 §3.3
constexpr std::size_t smallest_record = 11;  // root as the name, type, class, TTL, length
constexpr std::chrono::hours longest_ttl{7 * 24};  // RFC 8767 §4

bool is_name(std::string_view name) {
    return name.size() < longest_name &&
           std::ranges::none_of(name, [](unsigned char c) { return std::isupper(c) || c == '\0'; });
}

bool is_sound(const dns::Srv& srv) { return is_name(srv.target); }
bool is_sound(const dns::Naptr& naptr) {
    return is_name(naptr.replacement) && naptr.flags.size() <= longest_string &&
           naptr.service.size() <= longest_string && naptr.regexp.size() <= longest_string;
}
bool is_sound(const dns::Cname& alias) { return is_name(alias.owner) && is_name(alias.name); }
bool is_sound(const IpAddress& /*unused*/) { return true; }

bool is_of(const dns::Record& record, Family family) {
    const auto* address = std::get_if<IpAddress>(&record);
    return address != nullptr && address->family() == family;
}

bool answers(const dns::Record& record, dns::RecordType asked) {
    if (std::holds_alternative<dns::Cname>(record)) return true;
    switch (asked) {
    case dns::RecordType::a: return is_of(record, Family::ipv4);
    case dns::RecordType::aaaa: return is_of(record, Family::ipv6);
    case dns::RecordType::srv: return std::holds_alternative<dns::Srv>(record);
    case dns::RecordType::naptr: return std::holds_alternative<dns::Naptr>(record);
    }
    return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto asked = static_cast<dns::RecordType>(data[0] % 4);
    const std::span message{data + 1, size - 1};
    const auto answer = runtime::read_dns_answer(message, asked);
    CHECK(answer.status != dns::Status::timed_out && answer.status != dns::Status::no_server);
    CHECK(!dns::is_failure(answer.status) || answer.records.empty());
    CHECK(answer.records.size() <= message.size() / smallest_record);
    CHECK(answer.ttl >= Duration{} && answer.ttl <= longest_ttl);
    for (const auto& record : answer.records) {
        CHECK(answers(record, asked));
        CHECK(std::visit([](const auto& value) { return is_sound(value); }, record));
    }
    return 0;
}
