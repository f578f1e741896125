// The lab's DNS zone: what phones are told, in which order, and how it fails.
#include "lab/dns_zone.h"

#include <gtest/gtest.h>

namespace holdfast::lab {
namespace {

using namespace std::chrono_literals;
using dns::RecordType;

std::vector<IpAddress> three() {
    return {IpAddress::v4(203, 0, 113, 11), IpAddress::v4(203, 0, 113, 12),
            IpAddress::v4(203, 0, 113, 13)};
}

int last_octet(const dns::Answer& answer, std::size_t index) {
    return std::get<IpAddress>(answer.records.at(index)).bytes()[3];
}

class DnsZoneTest : public testing::Test {
protected:
    DnsZone zone{Random(Seed{1})};
    dns::Answer ask(const std::string& name, RecordType type = RecordType::a) {
        return zone.ask({.name = name, .type = type}).answer;
    }
};

TEST_F(DnsZoneTest, RotatesByOnePerQuery) {
    zone.a("example.test", three(), {.ttl = 5s, .rotate = true});
    EXPECT_EQ(last_octet(ask("example.test"), 0), 11);
    EXPECT_EQ(last_octet(ask("Example.TEST"), 0), 12);
    EXPECT_EQ(last_octet(ask("example.test"), 0), 13);
    EXPECT_EQ(last_octet(ask("example.test"), 0), 11);
    EXPECT_EQ(ask("example.test").ttl, 5s);
}

TEST_F(DnsZoneTest, PeekShowsTheNextAnswerAndChangesNothing) {
    zone.a("example.test", three(), {.order = Rotation::random});
    for (int i = 0; i < 10; ++i) {
        const auto next = zone.peek({.name = "example.test", .type = RecordType::a});
        EXPECT_EQ(next.records, ask("example.test").records);
    }
}

TEST_F(DnsZoneTest, SubsetsShowAFewAtATime) {
    zone.a("example.test", three(), {.rotate = true, .at_most = 1});
    EXPECT_EQ(ask("example.test").records.size(), 1u);
    EXPECT_EQ(last_octet(ask("example.test"), 0), 12);
}

TEST_F(DnsZoneTest, FamiliesAreSeparateAndAMissingTypeIsNoData) {
    zone.a("example.test", three());
    const auto answer = ask("example.test", RecordType::aaaa);
    EXPECT_EQ(answer.status, dns::Status::ok);
    EXPECT_TRUE(answer.records.empty());
    EXPECT_EQ(answer.ttl, DnsZone::negative_ttl);
    EXPECT_EQ(ask("nobody.test").status, dns::Status::nxdomain);
}

TEST_F(DnsZoneTest, FollowsAliasesAndTakesTheShortestTtl) {
    zone.a("real.test", three(), {.ttl = 60s});
    zone.cname("alias.test", "real.test", {.ttl = 7s});
    const auto answer = ask("alias.test");
    ASSERT_EQ(answer.records.size(), 4u);
    EXPECT_EQ(std::get<dns::Cname>(answer.records[0]), (dns::Cname{"alias.test", "real.test"}));
    EXPECT_EQ(answer.ttl, 7s);
}

TEST_F(DnsZoneTest, FailsForAllOrForOneAndHeals) {
    zone.a("example.test", three());
    zone.fail({.status = dns::Status::servfail, .delay = 2s});
    const auto reply = zone.ask({.name = "example.test", .type = RecordType::a});
    EXPECT_EQ(reply.answer.status, dns::Status::servfail);
    EXPECT_EQ(reply.delay, 2s);
    zone.heal();
    zone.fail("other.test", {.status = dns::Status::nxdomain});
    EXPECT_EQ(ask("example.test").status, dns::Status::ok);
    EXPECT_EQ(ask("other.test").status, dns::Status::nxdomain);
}

TEST_F(DnsZoneTest, ServiceRecordsAreGivenAsWritten) {
    zone.srv("_sip._udp.example.test", {{10, 5, 5060, "one.test"}, {20, 5, 5062, "two.test"}});
    const auto answer = ask("_sip._udp.example.test", RecordType::srv);
    ASSERT_EQ(answer.records.size(), 2u);
    EXPECT_EQ(std::get<dns::Srv>(answer.records[1]).port, 5062);
    zone.remove("_sip._udp.example.test");
    EXPECT_EQ(ask("_sip._udp.example.test", RecordType::srv).status, dns::Status::nxdomain);
}

}  // namespace
}  // namespace holdfast::lab
