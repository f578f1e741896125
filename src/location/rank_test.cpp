// Weighted rendezvous hashing: the order of an answer means nothing, the load follows the weights,
// and a server that leaves moves only its own phones (L2).
#include "location/rank.h"

#include <gtest/gtest.h>

#include <cmath>

#include "location/limits.h"
#include "location/testing.h"

namespace holdfast::location {
namespace {

using ::testing::ElementsAre;

Candidate server(const std::string& host, const std::string& where, std::uint32_t weight = 0,
                 std::uint32_t tier = 0) {
    return {target(where), tier, tier, weight, host, "SRV"};
}

RankKey phone(int number) {
    return {"urn:uuid:00000000-0000-4000-8000-" + std::to_string(100000000000 + number),
            "sip:u" + std::to_string(number) + "@example.test"};
}

std::vector<Candidate> cluster() {
    return {server("a.test", "udp:192.0.2.1:5060", 10), server("b.test", "udp:192.0.2.2:5060", 30),
            server("c.test", "udp:192.0.2.3:5060", 60), server("d.test", "udp:192.0.2.4:5060", 0)};
}

std::string first(const std::vector<Candidate>& candidates, int number) {
    return ranked(candidates, phone(number), LookupOrder::rendezvous).front().host;
}

// A permuted answer alone changes nothing (L2, I3).
TEST(Rank, PermutedAnswersGiveTheSameOrder) {
    auto candidates = cluster();
    for (const auto* text :
         {"udp:192.0.2.5:5060", "udp:[2001:db8::5]:5060", "udp:[2001:db8::6]:5060"})
        candidates.push_back(server("e.test", text, 20, 1));
    const auto expected = ranked(candidates, phone(7), LookupOrder::rendezvous);
    Random random{seed_from_number(7)};
    for (int run = 0; run < 200; ++run) {
        for (std::size_t i = candidates.size(); i > 1; --i)
            std::swap(candidates[i - 1], candidates[random.below(i)]);
        EXPECT_EQ(ranked(candidates, phone(7), LookupOrder::rendezvous), expected);
    }
}

// Over 10,000 phones the first choices follow the weights within 4.5 standard deviations; weight 0
// counts as 1/100 of the smallest other (L2; RFC 2782).
TEST(Rank, LoadFollowsWeights) {
    constexpr int phones = 10000;
    std::map<std::string, int> load;
    for (int i = 0; i < phones; ++i) ++load[first(cluster(), i)];
    const double sum = 10 + 30 + 60 + 0.1;
    for (const auto& candidate : cluster()) {
        const double share = (candidate.weight == 0 ? 0.1 : candidate.weight) / sum;
        const double deviation = std::sqrt(phones * share * (1 - share));
        EXPECT_NEAR(load[candidate.host], phones * share, 4.5 * deviation) << candidate.host;
    }
}

// The second choices do too: when a server dies, its phones spread by the weights of the others.
TEST(Rank, SecondChoicesFollowWeights) {
    const std::vector<Candidate> three{cluster()[0], cluster()[1], cluster()[2]};
    int of_c = 0;
    int to_b = 0;
    for (int i = 0; i < 10000; ++i) {
        const auto order = ranked(three, phone(i), LookupOrder::rendezvous);
        if (order[0].host != "c.test") continue;
        ++of_c;
        if (order[1].host == "b.test") ++to_b;
    }
    const double share = 30.0 / 40.0;
    EXPECT_NEAR(to_b, of_c * share, 4.5 * std::sqrt(of_c * share * (1 - share)));
}

// All weights 0: equal. The same holds for the addresses of one name (plain A records).
TEST(Rank, EqualWithoutWeights) {
    std::vector<Candidate> records;
    std::vector<Candidate> addresses;
    for (int i = 1; i <= 3; ++i) {
        const auto where = "udp:203.0.113." + std::to_string(10 + i) + ":5060";
        records.push_back(server("s" + std::to_string(i) + ".test", where));
        addresses.push_back(server("example.test", where));
    }
    for (const auto& candidates : {records, addresses}) {
        std::map<Target, int> load;
        for (int i = 0; i < 9000; ++i)
            ++load[ranked(candidates, phone(i), LookupOrder::rendezvous).front().target];
        for (const auto& [where, count] : load)
            EXPECT_NEAR(count, 3000, 4.5 * std::sqrt(2000.0)) << where.to_string();
        EXPECT_EQ(load.size(), 3U);
    }
}

// A server that leaves moves only its own phones; one that joins takes only its own share (L2).
TEST(Rank, OnlyTheLeaversPhonesMove) {
    const auto all = cluster();
    const std::vector<Candidate> without_b{all[0], all[2], all[3]};
    for (int i = 0; i < 10000; ++i) {
        const auto before = first(all, i);
        if (before != "b.test") {
            EXPECT_EQ(first(without_b, i), before);
        }
    }
}

// A better tier is always first (RFC 2782: priority).
TEST(Rank, TiersComeFirst) {
    const std::vector<Candidate> candidates{server("b.test", "udp:192.0.2.2:5060", 65535, 1),
                                            server("a.test", "udp:192.0.2.1:5060", 1, 0)};
    for (int i = 0; i < 100; ++i) EXPECT_EQ(first(candidates, i), "a.test");
}

// Inside a record families alternate, IPv6 first (RFC 8305 §4).
TEST(Rank, FamiliesAlternate) {
    std::vector<Candidate> candidates;
    for (const auto* where : {"udp:192.0.2.1:5060", "udp:192.0.2.2:5060", "udp:192.0.2.3:5060",
                              "udp:[2001:db8::1]:5060", "udp:[2001:db8::2]:5060"})
        candidates.push_back(server("example.test", where));
    for (int i = 0; i < 20; ++i) {
        std::string families;
        for (const auto& c : ranked(candidates, phone(i), LookupOrder::rendezvous))
            families += c.target.endpoint.address.family() == Family::ipv6 ? '6' : '4';
        EXPECT_EQ(families, "64644");
    }
}

// Same hosts, same order, over every transport: a phone that goes from UDP to TCP stays with its
// server's addresses.
TEST(Rank, AddressesOfANameRankAlikeOnEveryTransport) {
    for (int i = 0; i < 50; ++i) {
        std::vector<std::string> orders[2];
        for (const int tcp : {0, 1}) {
            std::vector<Candidate> candidates;
            for (const auto* where : {"192.0.2.1:5060", "192.0.2.2:5060", "192.0.2.3:5060"})
                candidates.push_back(
                    server("example.test", std::string(tcp == 1 ? "tcp:" : "udp:") + where));
            for (const auto& c : ranked(candidates, phone(i), LookupOrder::rendezvous))
                orders[tcp].push_back(c.target.endpoint.to_string());
        }
        EXPECT_EQ(orders[0], orders[1]);
    }
}

// The rank decides where bindings live: a new version must not move anybody (L3). These are the
// numbers of the first.
TEST(Rank, ScoresNeverChange) {
    EXPECT_NEAR(
        rendezvous_score({"urn:uuid:1", "sip:a@example.test"}, "s1.example.test:5060:udp", 1.0),
        2.640130593612373, 1e-9);
    EXPECT_NEAR(rendezvous_score({"", ""}, "", 4.0), 0.17022287446372628, 1e-9);
}

TEST(Rank, TargetsAtTheLimitAndPastIt) {
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i <= limits::targets; ++i) {
        if (i == limits::targets) {
            EXPECT_EQ(ranked(candidates, phone(1), LookupOrder::rendezvous).size(),
                      limits::targets);
        }
        candidates.push_back(server("s.test", "udp:192.0.2." + std::to_string(i + 1) + ":5060"));
    }
    EXPECT_EQ(ranked(candidates, phone(1), LookupOrder::rendezvous).size(), limits::targets);
}

// What other phones do: tiers, then the order of the answer.
TEST(Rank, FirstListedKeepsTheAnswersOrder) {
    const std::vector<Candidate> candidates{server("c.test", "udp:192.0.2.3:5060", 1, 1),
                                            server("b.test", "udp:192.0.2.2:5060", 1, 0),
                                            server("a.test", "udp:192.0.2.1:5060", 9, 0)};
    EXPECT_THAT(
        lines_of(ranked(candidates, phone(1), LookupOrder::first_listed)),
        ElementsAre("0 udp:192.0.2.2:5060", "0 udp:192.0.2.1:5060", "1 udp:192.0.2.3:5060"));
}

// RFC 2782: drawn anew each time, in proportion to the weights.
TEST(Rank, WeightedRandomIsDrawnEachTime) {
    Random random{seed_from_number(1)};
    std::map<std::string, int> load;
    for (int i = 0; i < 10000; ++i)
        ++load[ranked(cluster(), phone(1), LookupOrder::weighted_random, &random).front().host];
    // Weight 0 is drawn only when the number drawn is 0: one in sum + 1.
    EXPECT_NEAR(load["c.test"], 10000 * 60.0 / 101.0, 4.5 * 50);
    EXPECT_NEAR(load["b.test"], 10000 * 30.0 / 101.0, 4.5 * 46);
    EXPECT_NEAR(load["d.test"], 10000 * 1.0 / 101.0, 4.5 * 10);
    EXPECT_EQ(ranked(cluster(), phone(1), LookupOrder::weighted_random, &random).size(), 4U);
}

}  // namespace
}  // namespace holdfast::location
