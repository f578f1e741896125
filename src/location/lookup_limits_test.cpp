// What grows with an answer has its limit, and is cut after ranking (L2, I8).
#include <gtest/gtest.h>

#include "location/limits.h"
#include "location/lookup.h"
#include "location/rank.h"
#include "location/testing.h"

namespace holdfast::location {
namespace {

using dns::RecordType;
using ::testing::HasSubstr;

Constraints only(Transport transport) { return {.transports = {transport}}; }

// Up to the limit links are followed, in whatever answers they come (L1).
Zone chain_of(std::size_t links) {
    Zone zone;
    for (std::size_t i = 0; i < links; ++i) {
        const auto name = "n" + std::to_string(i) + ".test";
        zone.add(name, RecordType::a, {dns::Cname{name, "n" + std::to_string(i + 1) + ".test"}});
    }
    return zone.a("n" + std::to_string(links) + ".test", {"192.0.2.1"});
}

TEST(LookupLimits, CnameChainAtTheLimitAndPastIt) {
    const Constraints udp4{.transports = {Transport::udp}, .ipv6 = false};
    EXPECT_EQ(resolve(chain_of(limits::cname_chain), "sip:n0.test:5060", udp4).outcome.status,
              LookupStatus::ok);
    const auto past = resolve(chain_of(limits::cname_chain + 1), "sip:n0.test:5060", udp4);
    EXPECT_EQ(past.outcome.status, LookupStatus::empty);
    EXPECT_THAT(past.outcome.problem, HasSubstr("too long"));
    Zone loop;
    loop.add("a.test", RecordType::a, {dns::Cname{"a.test", "b.test"}});
    loop.add("b.test", RecordType::a, {dns::Cname{"b.test", "a.test"}});
    EXPECT_EQ(resolve(loop, "sip:a.test:5060", udp4).outcome.status, LookupStatus::empty);
}

Zone farm(std::size_t records) {
    Zone zone;
    std::vector<dns::Srv> srv;
    for (std::size_t i = 0; i < records; ++i) {
        const auto n = std::to_string(i);
        srv.push_back({0, 10, 5060, "s" + n + ".test"});
        zone.a("s" + n + ".test",
               {"10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1)});
    }
    return zone.srv("_sip._udp.example.test", srv);
}

// 64 records at most, cut after ranking: the same ones however the answer was permuted, others for
// other phones (L2).
TEST(LookupLimits, RecordsAtTheLimitAndPastIt) {
    const auto kept = [](std::size_t records, const RankKey& key, std::uint64_t run) {
        Random random{seed_from_number(run)};
        const Constraints constraints{.transports = {Transport::udp}, .ipv6 = false, .key = key};
        auto lines = lines_of(resolve(farm(records), "sip:example.test", constraints, {}, &random)
                                  .outcome.candidates);
        std::sort(lines.begin(), lines.end());
        return lines;
    };
    EXPECT_EQ(kept(limits::srv_records, {}, 1).size(), limits::srv_records);
    const auto one = kept(limits::srv_records + 30, {"urn:uuid:1", "sip:a@example.test"}, 1);
    EXPECT_EQ(one.size(), limits::srv_records);
    EXPECT_EQ(one, kept(limits::srv_records + 30, {"urn:uuid:1", "sip:a@example.test"}, 2));
    EXPECT_NE(one, kept(limits::srv_records + 30, {"urn:uuid:2", "sip:a@example.test"}, 1));
}

TEST(LookupLimits, AddressesOfANameAtTheLimitAndPastIt) {
    for (const std::size_t count : {limits::addresses_per_name, limits::addresses_per_name + 1}) {
        std::vector<std::string> addresses;
        for (std::size_t i = 0; i < count; ++i)
            addresses.push_back("192.0.2." + std::to_string(i + 1));
        Zone zone;
        zone.a("example.test", addresses);
        EXPECT_EQ(
            resolve(zone, "sip:example.test:5060", only(Transport::udp)).outcome.candidates.size(),
            limits::addresses_per_name);
    }
}

// 192 questions at most: a zone that leads every target through aliases is cut off, and the outcome
// says so (I8).
TEST(LookupLimits, QuestionsAtTheLimitAndPastIt) {
    const auto aliased = [](std::size_t hosts, std::size_t links) {
        Zone zone;
        std::vector<dns::Srv> srv;
        for (std::size_t i = 0; i < hosts; ++i) {
            const auto name = [&](std::size_t link) {
                return "s" + std::to_string(i) + "l" + std::to_string(link) + ".test";
            };
            srv.push_back({0, 1, 5060, name(0)});
            for (std::size_t link = 0; link < links; ++link)
                zone.add(name(link), RecordType::a, {dns::Cname{name(link), name(link + 1)}});
            zone.a(name(links), {"10.0.0." + std::to_string(i + 1)});
        }
        return resolve(zone.srv("_sip._udp.example.test", srv), "sip:example.test;transport=udp",
                       {.ipv6 = false});
    };
    constexpr std::size_t hosts = 24;
    const auto links = (limits::lookup_questions - 1) / hosts - 1;
    const auto within = aliased(hosts, links);  // 1 + 24 · 7
    EXPECT_EQ(within.questions.size(), 1 + hosts * (links + 1));
    EXPECT_EQ(within.outcome.candidates.size(), hosts);
    EXPECT_FALSE(within.outcome.partial);
    const auto past = aliased(hosts, links + 1);
    EXPECT_EQ(past.questions.size(), limits::lookup_questions);
    EXPECT_TRUE(past.outcome.partial);
    EXPECT_GT(past.outcome.candidates.size(), 0U);
    EXPECT_THAT(past.outcome.problem, HasSubstr("too many questions"));
}

TEST(LookupLimits, NaptrServicesAtTheLimitAndPastIt) {
    for (const std::size_t count : {limits::naptr_services, limits::naptr_services + 1}) {
        Zone zone;
        std::vector<dns::Naptr> records;
        for (std::size_t i = count; i > 0; --i) {  // the worst first: the best are kept
            const auto n = std::to_string(i);
            records.push_back({static_cast<std::uint16_t>(i), 0, "s", "SIP+D2U", "",
                               "_sip._udp.n" + n + ".test"});
            zone.srv("_sip._udp.n" + n + ".test", {{0, 0, 5060, "192.0.2." + n}});
        }
        const auto asked = resolve(zone.naptr("example.test", records), "sip:example.test");
        ASSERT_EQ(asked.outcome.candidates.size(), limits::naptr_services);
        EXPECT_EQ(asked.outcome.candidates.front().target, target("udp:192.0.2.1:5060"));
    }
}

// Words for a person stay short (I8).
TEST(LookupLimits, ProblemIsCutAtItsLimit) {
    Zone zone;
    std::vector<dns::Srv> srv;
    for (int i = 0; i < 60; ++i)
        srv.push_back({0, 1, 5060, "target-number-" + std::to_string(i) + ".example.test"});
    const auto asked =
        resolve(zone.srv("_sip._udp.example.test", srv), "sip:example.test;transport=udp");
    EXPECT_EQ(asked.outcome.status, LookupStatus::empty);
    EXPECT_LE(asked.outcome.problem.size(), limits::problem_bytes + 8);
    EXPECT_TRUE(asked.outcome.problem.ends_with("…"));
}

}  // namespace
}  // namespace holdfast::location
