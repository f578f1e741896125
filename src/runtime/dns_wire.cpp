#include "runtime/dns_wire.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"

namespace holdfast::runtime {

namespace {

constexpr std::uint32_t longest_ttl =
    7 * 24 * 3600;  // RFC 8767 §4 caps so: a typo must not last for years

int wire_type_of(dns::RecordType type) {
    switch (type) {
    case dns::RecordType::a: return ns_t_a;
    case dns::RecordType::aaaa: return ns_t_aaaa;
    case dns::RecordType::srv: return ns_t_srv;
    case dns::RecordType::naptr: return ns_t_naptr;
    }
    return ns_t_invalid;
}

// Reads one record's data in order; after a fault everything else is a fault too.
class RecordReader {
public:
    RecordReader(const ns_msg& message, const ns_rr& record)
        : message_begin_(ns_msg_base(message)),
          message_end_(ns_msg_end(message)),
          at_(ns_rr_rdata(record)),
          end_(at_ + ns_rr_rdlen(record)) {}

    [[nodiscard]] bool sound() const { return sound_; }

    std::uint16_t number() {
        if (!has(2)) return 0;
        const auto value = static_cast<std::uint16_t>(at_[0] << 8U | at_[1]);
        at_ += 2;
        return value;
    }
    std::uint32_t long_number() {
        const std::uint32_t high = number();
        return high << 16U | number();
    }
    std::string character_string() {  // RFC 1035 §3.3
        if (!has(1)) return {};
        const std::size_t length = *at_++;
        if (!has(length)) return {};
        std::string text(reinterpret_cast<const char*>(at_), length);
        at_ += length;
        return text;
    }
    std::string name() {
        std::array<char, NS_MAXDNAME> text{};
        const int used =
            sound_ ? dn_expand(message_begin_, message_end_, at_, text.data(), text.size()) : -1;
        if (used < 0 || used > end_ - at_) {
            sound_ = false;
            return {};
        }
        at_ += used;
        return lower_case(text.data());
    }
    template <std::size_t Size>
    std::array<std::uint8_t, Size> bytes() {
        std::array<std::uint8_t, Size> value{};
        if (end_ - at_ != Size) sound_ = false;
        if (sound_) std::copy_n(at_, Size, value.begin());
        return value;
    }

private:
    bool has(std::size_t count) {
        sound_ = sound_ && static_cast<std::size_t>(end_ - at_) >= count;
        return sound_;
    }

    const std::uint8_t* message_begin_;
    const std::uint8_t* message_end_;
    const std::uint8_t* at_;
    const std::uint8_t* end_;
    bool sound_ = true;
};

// Nothing: a record of another type. The reader says whether it was sound.
std::optional<dns::Record> read_record(RecordReader& reader, const ns_rr& record, int asked) {
    const int type = ns_rr_type(record);
    if (type == ns_t_cname) return dns::Cname{lower_case(ns_rr_name(record)), reader.name()};
    if (type != asked) return std::nullopt;
    switch (type) {
    case ns_t_a: return IpAddress::v4(reader.bytes<4>());
    case ns_t_aaaa: return IpAddress::v6(reader.bytes<16>());
    case ns_t_srv: {
        dns::Srv srv;
        srv.priority = reader.number();
        srv.weight = reader.number();
        srv.port = reader.number();
        srv.target = reader.name();
        return srv;
    }
    case ns_t_naptr: {
        dns::Naptr naptr;
        naptr.order = reader.number();
        naptr.preference = reader.number();
        naptr.flags = reader.character_string();
        naptr.service = reader.character_string();
        naptr.regexp = reader.character_string();
        naptr.replacement = reader.name();
        return naptr;
    }
    default: return std::nullopt;
    }
}

Duration ttl_of(std::uint32_t seconds) {
    if (seconds > 0x7fffffff) seconds = 0;  // RFC 2181 §8
    return std::chrono::seconds{std::min(seconds, longest_ttl)};
}

// RFC 2308 §5: the smaller of the SOA's own TTL and its minimum field.
Duration negative_ttl(ns_msg& message) {
    for (int i = 0; i < ns_msg_count(message, ns_s_ns); ++i) {
        ns_rr record{};
        if (ns_parserr(&message, ns_s_ns, i, &record) != 0) break;
        if (ns_rr_type(record) != ns_t_soa) continue;
        RecordReader reader{message, record};
        reader.name();
        reader.name();
        std::uint32_t minimum = 0;
        for (int field = 0; field < 5; ++field) minimum = reader.long_number();  // serial … minimum
        if (reader.sound()) return ttl_of(std::min<std::uint32_t>(ns_rr_ttl(record), minimum));
    }
    return Duration{};
}

dns::Status status_of(int rcode) {
    switch (rcode) {
    case ns_r_noerror: return dns::Status::ok;
    case ns_r_nxdomain: return dns::Status::nxdomain;
    case ns_r_refused:
    case ns_r_notimpl: return dns::Status::refused;
    case ns_r_formerr: return dns::Status::malformed;
    default: return dns::Status::servfail;
    }
}

}  // namespace

dns::Answer read_dns_answer(std::span<const std::uint8_t> bytes, dns::RecordType asked) {
    ns_msg message{};
    if (ns_initparse(bytes.data(), static_cast<int>(bytes.size()), &message) != 0)
        return {.status = dns::Status::malformed, .records = {}};
    dns::Answer answer{.status = status_of(ns_msg_getflag(message, ns_f_rcode)), .records = {}};
    if (dns::is_failure(answer.status)) return answer;

    const int asked_type = wire_type_of(asked);
    std::optional<Duration> shortest;
    bool found = false;
    for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
        ns_rr record{};
        if (ns_parserr(&message, ns_s_an, i, &record) != 0)
            return {.status = dns::Status::malformed, .records = {}};
        if (ns_rr_class(record) != ns_c_in) continue;
        RecordReader reader{message, record};
        auto value = read_record(reader, record, asked_type);
        if (!reader.sound()) return {.status = dns::Status::malformed, .records = {}};
        if (!value) continue;
        found = found || !std::holds_alternative<dns::Cname>(*value);
        answer.records.push_back(*std::move(value));
        const auto ttl = ttl_of(static_cast<std::uint32_t>(ns_rr_ttl(record)));
        shortest = shortest ? std::min(*shortest, ttl) : ttl;
    }
    answer.ttl = found ? *shortest : negative_ttl(message);
    return answer;
}

}  // namespace holdfast::runtime
