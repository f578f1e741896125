// The server's side of DNS on the wire, read back by the runtime's own reader: two authors, one
// format.
#include "live/dns_message.h"

#include <gtest/gtest.h>

#include <chrono>
#include <span>

#include "runtime/dns_wire.h"

namespace holdfast::live {
namespace {

using namespace std::chrono_literals;

// A query as RFC 1035 §4.1 draws it: one question of class IN.
std::string query_for(std::string_view name, std::uint8_t type) {
    std::string bytes("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12);
    while (!name.empty()) {
        const auto label = name.substr(0, name.find('.'));
        bytes += static_cast<char>(label.size());
        bytes += label;
        name.remove_prefix(std::min(name.size(), label.size() + 1));
    }
    return bytes + std::string("\x00\x00", 2) + static_cast<char>(type) +
           std::string("\x00\x01", 2);
}

dns::Answer read_back(const std::string& wire, dns::RecordType type) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(wire.data());
    return runtime::read_dns_answer(std::span(bytes, wire.size()), type);
}

constexpr std::uint8_t type_a = 1;
constexpr std::uint8_t type_txt = 16;
constexpr std::uint8_t type_srv = 33;
constexpr std::uint8_t type_naptr = 35;

TEST(DnsMessage, QuestionIsReadInLowerCaseWithoutTheDot) {
    const auto query = read_dns_query(query_for("Example.TEST", type_a));
    ASSERT_TRUE(query);
    EXPECT_EQ(query->id, 0x1234);
    EXPECT_EQ(query->question, (dns::Question{.name = "example.test", .type = dns::RecordType::a}));
    EXPECT_EQ(query->space, 512U);
}

TEST(DnsMessage, OtherTypesHaveNoQuestionAndAnswersAndNoiseAreNoQueries) {
    const auto text = read_dns_query(query_for("example.test", type_txt));
    ASSERT_TRUE(text);
    EXPECT_FALSE(text->question);
    EXPECT_FALSE(read_dns_query("noise"));
    EXPECT_FALSE(read_dns_query(""));
    auto answer = query_for("example.test", type_a);
    answer[2] = static_cast<char>(0x81);
    EXPECT_FALSE(read_dns_query(answer));
}

TEST(DnsMessage, AnswersAreReadBackAsTheyWere) {
    const auto address = *IpAddress::parse("203.0.113.11");
    const dns::Answer addresses{
        .status = dns::Status::ok,
        .records = {dns::Cname{"example.test", "sip.example.test"}, address},
        .ttl = 60s};
    auto query = read_dns_query(query_for("example.test", type_a)).value();
    auto read = read_back(write_dns_answer(query, addresses, 512), dns::RecordType::a);
    EXPECT_EQ(read.status, dns::Status::ok);
    EXPECT_EQ(read.records, addresses.records);
    EXPECT_EQ(read.ttl, 60s);

    const dns::Answer services{.status = dns::Status::ok,
                               .records = {dns::Srv{10, 5, 5070, "sip1.example.test"}},
                               .ttl = 30s};
    query = read_dns_query(query_for("_sip._udp.example.test", type_srv)).value();
    read = read_back(write_dns_answer(query, services, 512), dns::RecordType::srv);
    EXPECT_EQ(read.records, services.records);

    const dns::Answer pointers{
        .status = dns::Status::ok,
        .records = {dns::Naptr{10, 20, "s", "SIP+D2U", "", "_sip._udp.example.test"}},
        .ttl = 30s};
    query = read_dns_query(query_for("example.test", type_naptr)).value();
    read = read_back(write_dns_answer(query, pointers, 512), dns::RecordType::naptr);
    EXPECT_EQ(read.records, pointers.records);
}

// RFC 2308 §3, §5: the SOA of a negative answer carries its TTL.
TEST(DnsMessage, NegativeAnswersCarryTheirTtl) {
    const auto query = read_dns_query(query_for("nobody.test", type_a)).value();
    for (const auto status : {dns::Status::nxdomain, dns::Status::ok}) {
        const dns::Answer none{.status = status, .records = {}, .ttl = 30s};
        const auto read = read_back(write_dns_answer(query, none, 512), dns::RecordType::a);
        EXPECT_EQ(read.status, status);
        EXPECT_TRUE(read.records.empty());
        EXPECT_EQ(read.ttl, 30s);
    }
}

TEST(DnsMessage, WhatIsTooLongIsCutAndMarked) {
    dns::Answer many{.status = dns::Status::ok, .records = {}, .ttl = 60s};
    for (std::uint8_t i = 1; i <= 64; ++i) many.records.emplace_back(IpAddress::v4(203, 0, 113, i));
    const auto query = read_dns_query(query_for("example.test", type_a)).value();
    const auto cut = write_dns_answer(query, many, 512);
    EXPECT_LE(cut.size(), 512U);
    EXPECT_NE(cut[2] & 0x02, 0) << "TC";
    const auto whole = write_dns_answer(query, many, 65535);
    EXPECT_EQ(read_back(whole, dns::RecordType::a).records.size(), 64U);
}

}  // namespace
}  // namespace holdfast::live
