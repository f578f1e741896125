#include "live/dns_message.h"

#include <ldns/ldns.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/check.h"
#include "base/text.h"

namespace holdfast::live {

namespace {

struct Free {  // ldns hands out what malloc gave it
    void operator()(ldns_pkt* p) const { ldns_pkt_free(p); }
    void operator()(void* p) const { std::free(p); }  // NOLINT(cppcoreguidelines-no-malloc)
};
using Packet = std::unique_ptr<ldns_pkt, Free>;

std::optional<dns::RecordType> record_type_of(ldns_rr_type type) {
    if (type == LDNS_RR_TYPE_A) return dns::RecordType::a;
    if (type == LDNS_RR_TYPE_AAAA) return dns::RecordType::aaaa;
    if (type == LDNS_RR_TYPE_SRV) return dns::RecordType::srv;
    if (type == LDNS_RR_TYPE_NAPTR) return dns::RecordType::naptr;
    return std::nullopt;
}

ldns_pkt_rcode response_code_of(dns::Status status) {
    switch (status) {
    case dns::Status::ok: return LDNS_RCODE_NOERROR;
    case dns::Status::nxdomain: return LDNS_RCODE_NXDOMAIN;
    case dns::Status::refused: return LDNS_RCODE_REFUSED;
    case dns::Status::servfail:
    case dns::Status::timed_out:
    case dns::Status::no_server:
    case dns::Status::malformed: return LDNS_RCODE_SERVFAIL;
    }
    return LDNS_RCODE_SERVFAIL;
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

// A record as a zone file has it, without owner and TTL.
struct ZoneText {
    std::string operator()(const IpAddress& address) const {
        return (address.family() == Family::ipv4 ? "A " : "AAAA ") + address.to_string();
    }
    std::string operator()(const dns::Srv& srv) const {
        return "SRV " + std::to_string(srv.priority) + " " + std::to_string(srv.weight) + " " +
               std::to_string(srv.port) + " " + srv.target + ".";
    }
    std::string operator()(const dns::Naptr& naptr) const {
        return "NAPTR " + std::to_string(naptr.order) + " " + std::to_string(naptr.preference) +
               " " + quoted(naptr.flags) + " " + quoted(naptr.service) + " " +
               quoted(naptr.regexp) + " " + naptr.replacement + ".";
    }
    std::string operator()(const dns::Cname& cname) const { return "CNAME " + cname.name + "."; }
};

void push(ldns_pkt& packet, ldns_pkt_section section, const std::string& text) {
    ldns_rr* record = nullptr;
    const auto status = ldns_rr_new_frm_str(&record, text.c_str(), 0, nullptr, nullptr);
    CHECK(status == LDNS_STATUS_OK);
    ldns_pkt_push_rr(&packet, section, record);
}

std::string wire_of(const ldns_pkt& packet) {
    std::uint8_t* bytes = nullptr;
    std::size_t size = 0;
    if (ldns_pkt2wire(&bytes, &packet, &size) != LDNS_STATUS_OK) return {};
    const std::unique_ptr<std::uint8_t, Free> owned{bytes};
    return {reinterpret_cast<const char*>(bytes), size};
}

Packet packet_of(const DnsQuery& query, const dns::Answer& answer) {
    Packet packet{ldns_pkt_query_new(ldns_dname_new_frm_str(query.name.c_str()),
                                     static_cast<ldns_rr_type>(query.type), LDNS_RR_CLASS_IN,
                                     LDNS_QR | LDNS_AA | LDNS_RD | LDNS_RA)};
    CHECK(packet);
    ldns_pkt_set_id(packet.get(), query.id);
    ldns_pkt_set_rcode(packet.get(), response_code_of(answer.status));
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(answer.ttl).count();
    const auto ttl = " " + std::to_string(seconds) + " IN ";
    auto owner = query.name;
    bool found = false;
    for (const auto& record : answer.records) {
        push(*packet, LDNS_SECTION_ANSWER, owner + ttl + std::visit(ZoneText{}, record));
        if (const auto* alias = std::get_if<dns::Cname>(&record))
            owner = alias->name + ".";
        else
            found = true;
    }
    // RFC 2308 §3: the SOA says how long "there is none" holds.
    if (!found && !dns::is_failure(answer.status))
        push(*packet, LDNS_SECTION_AUTHORITY,
             "." + ttl + "SOA ns.test. hostmaster.test. 1 3600 600 86400 " +
                 std::to_string(seconds));
    return packet;
}

}  // namespace

std::optional<DnsQuery> read_dns_query(std::string_view bytes) {
    ldns_pkt* raw = nullptr;
    const auto* wire = reinterpret_cast<const std::uint8_t*>(bytes.data());
    if (ldns_wire2pkt(&raw, wire, bytes.size()) != LDNS_STATUS_OK) return std::nullopt;
    const Packet packet{raw};
    const auto* questions = ldns_pkt_question(raw);
    if (ldns_pkt_qr(raw) || questions == nullptr || ldns_rr_list_rr_count(questions) != 1)
        return std::nullopt;
    const auto* question = ldns_rr_list_rr(questions, 0);
    const std::unique_ptr<char, Free> name{ldns_rdf2str(ldns_rr_owner(question))};
    DnsQuery query{.id = ldns_pkt_id(raw),
                   .question = {},
                   .name = name ? name.get() : ".",
                   .type = static_cast<std::uint16_t>(ldns_rr_get_type(question))};
    if (ldns_pkt_edns(raw)) query.space = std::max<std::size_t>(512, ldns_pkt_edns_udp_size(raw));
    auto plain = lower_case(query.name);
    if (plain.ends_with('.')) plain.pop_back();
    const auto type = record_type_of(ldns_rr_get_type(question));
    if (type && ldns_rr_get_class(question) == LDNS_RR_CLASS_IN)
        query.question = dns::Question{.name = std::move(plain), .type = *type};
    return query;
}

std::string write_dns_answer(const DnsQuery& query, const dns::Answer& answer, std::size_t limit) {
    auto wire = wire_of(*packet_of(query, answer));
    if (wire.size() <= limit) return wire;
    const auto cut =
        packet_of(query, {.status = dns::Status::servfail, .records = {}, .ttl = answer.ttl});
    ldns_pkt_set_rcode(cut.get(), LDNS_RCODE_NOERROR);
    ldns_pkt_set_tc(cut.get(), true);
    return wire_of(*cut);
}

}  // namespace holdfast::live
