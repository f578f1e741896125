// Which servers an account has: from which URI, in which order, and which of them are its own.
#include "registration/targets.h"

#include <gtest/gtest.h>

#include <set>

#include "registration/targets_world.h"

namespace holdfast::registration {
namespace {

using targets_world::account;
using targets_world::Asked;
using targets_world::ip;
using targets_world::udp_at;

// The next hop: outbound proxy, else registrar, else the AOR's domain; then the backups (L1, F8).
TEST(NextHop, OutboundProxyElseRegistrarElseDomain) {
    auto config = account();
    EXPECT_EQ(next_hop_uris(config), std::vector<std::string>{"sip:example.test"});
    config.registrar = "sip:registrar.example.test";
    EXPECT_EQ(next_hop_uris(config), std::vector<std::string>{"sip:registrar.example.test"});
    config.outbound_proxy = "sip:proxy.example.test:5080";
    EXPECT_EQ(next_hop_uris(config), std::vector<std::string>{"sip:proxy.example.test:5080"});
    config.backups = {{.uri = "sip:backup.test", .domain = {}}};
    EXPECT_EQ(next_hop_uris(config),
              (std::vector<std::string>{"sip:proxy.example.test:5080", "sip:backup.test"}));
    config = account();
    config.aor = "sips:alice@example.test:5071";
    EXPECT_EQ(next_hop_uris(config), std::vector<std::string>{"sips:example.test:5071"});
}

// A numeric host needs no DNS (L1; RFC 3263 §4.2), and never a second look.
TEST(Targets, ANumericHostAsksNothing) {
    auto config = account();
    config.registrar = "sip:203.0.113.11";
    Asked it(config);
    it.start();
    EXPECT_TRUE(it.questions.empty());
    EXPECT_EQ(it.listed(), std::vector{udp_at(11)});
    EXPECT_EQ(it.targets.next_deadline().at, never);
}

// The AOR's domain is not asked for if there is a proxy (L1).
TEST(Targets, OnlyTheNextHopIsResolved) {
    auto config = account();
    config.outbound_proxy = "sip:proxy.test";
    Asked it(config);
    it.zone["proxy.test"] = {ip(30)};
    it.start();
    for (const auto& question : it.questions) EXPECT_EQ(question.name, "proxy.test");
    it.answer();
    EXPECT_EQ(it.listed(), std::vector{udp_at(30)});
}

TEST(Targets, AnUnreadableUriIsSaid) {
    auto config = account();
    config.registrar = "mailto:alice@example.test";
    Asked it(config);
    it.start();
    EXPECT_TRUE(it.targets.has_failed());
    EXPECT_NE(it.targets.problem().find("mailto:alice@example.test"), std::string::npos);
}

// A backup registrar is a further priority, with its own TLS name (F8).
TEST(Targets, ABackupIsAFurtherPriority) {
    auto config = account();
    config.transport = Transport::tls;
    config.backups = {{.uri = "sip:backup.test", .domain = "other.test"}};
    Asked it(config);
    it.zone["backup.test"] = {ip(21)};
    it.start();
    it.answer();
    const auto ranked = it.targets.by_rank_alone(it.context());
    ASSERT_EQ(ranked.size(), 3u);
    EXPECT_EQ(ranked[2].target.endpoint.address, ip(21));
    EXPECT_GT(ranked[2].tier, ranked[1].tier);
    EXPECT_EQ(it.targets.place_of(ranked[2].target), 1u);
    EXPECT_EQ(it.targets.tls_name_of(ranked[2].target), "backup.test");
    EXPECT_EQ(it.targets.tls_name_of(ranked[0].target), "example.test");
    EXPECT_EQ(it.targets.domain_of(1), "other.test");
}

// L2: the order of the records means nothing.
TEST(Targets, TheOrderOfTheRecordsMeansNothing) {
    const auto ranking = [](std::vector<IpAddress> addresses) {
        Asked it;
        it.zone["example.test"] = std::move(addresses);
        it.start();
        it.answer();
        std::vector<Target> order;
        for (const auto& candidate : it.targets.by_rank_alone(it.context()))
            order.push_back(candidate.target);
        return order;
    };
    const auto expected = ranking({ip(11), ip(12), ip(13)});
    EXPECT_EQ(ranking({ip(13), ip(11), ip(12)}), expected);
    EXPECT_EQ(ranking({ip(12), ip(13), ip(11)}), expected);
}

// F5: a redirect may go to the next hop's domain or to a listed address, and nowhere else.
TEST(Targets, WhoseHostsAreOurs) {
    Asked it;
    it.start();
    it.answer();
    for (const std::string_view ours :
         {"example.test", "EXAMPLE.test", "node7.example.test", "203.0.113.11", "203.0.113.12"})
        EXPECT_TRUE(it.targets.host_is_ours(ours)) << ours;
    for (const std::string_view foreign :
         {"203.0.113.99", "badexample.test", "example.test.evil.test", "test", ""})
        EXPECT_FALSE(it.targets.host_is_ours(foreign)) << foreign;
}

// After TLS has worked, `auto` goes to clear text only with allow_downgrade (L1), over restarts
// too.
TEST(Targets, NoWayBackFromTls) {
    const auto transports = [](bool allow, const AccountState& state) {
        auto config = account();
        config.transport.reset();
        config.policy.allow_downgrade = allow;
        Asked it(config, state);
        it.start();
        it.answer();
        std::set<Transport> seen;
        for (const auto& target : it.listed()) seen.insert(target.transport);
        return std::pair(seen, it.stored);
    };
    EXPECT_EQ(transports(false, {}).first.contains(Transport::udp), true);
    auto config = account();
    config.transport.reset();
    Asked it(config);
    it.start();
    it.answer();
    it.registered_at({Transport::tls, {ip(11), 5061}});
    EXPECT_EQ(transports(false, it.stored).first, std::set{Transport::tls});
    EXPECT_TRUE(transports(true, it.stored).first.contains(Transport::udp));
}

}  // namespace
}  // namespace holdfast::registration
