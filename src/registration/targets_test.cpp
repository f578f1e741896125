#include "registration/targets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "flow/flow.h"

namespace holdfast::registration {
namespace {

using namespace std::chrono_literals;

IpAddress ip(int host) { return IpAddress::v4(203, 0, 113, static_cast<std::uint8_t>(host)); }
Target udp(int host) { return {Transport::udp, {ip(host), 5060}}; }

AccountConfig account() {
    AccountConfig config;
    config.aor = "sip:alice@example.test";
    config.transport = Transport::udp;
    config.policy.use_naptr = false;
    config.policy.use_srv = false;
    return config;
}

// Targets and a resolver that answers when it is told to.
class Asked {
public:
    explicit Asked(const AccountConfig& config = account(), AccountState state = {})
        : stored(std::move(state)), targets(config, {"urn:uuid:x", config.aor}, stored) {}

    Context context() {
        actions.clear();
        return {AccountId{1}, now, 0, random, health, pool, flows, addresses, actions};
    }
    void take() {
        for (auto& action : actions) {
            if (auto* ask = std::get_if<act::Ask>(&action)) questions.push_back(ask->question);
            if (auto* store = std::get_if<act::Store>(&action)) stored[store->key] = store->value;
        }
        actions.clear();
    }
    void start() {
        targets.start(context());
        take();
    }
    // Answers everything that is asked: A records from `zone`, SRV records, else no data.
    void answer() {
        while (!questions.empty()) {
            const auto question = questions.front();
            questions.erase(questions.begin());
            ++answered;
            dns::Answer text{.status = status, .records = {}, .ttl = ttl};
            if (status == dns::Status::ok && question.type == dns::RecordType::a)
                for (const auto& address : zone[question.name]) text.records.emplace_back(address);
            if (question.type == dns::RecordType::srv)
                for (const auto& server : servers) text.records.emplace_back(server);
            if (question.name == failing) text = {dns::Status::servfail, {}, {}};
            targets.on_dns({question, text}, context());
            take();
        }
    }
    // To the next deadline, which is so far away.
    Duration wait() {
        const auto before = now;
        now = std::max(now, targets.next_deadline().at);
        targets.on_time(context());
        take();
        return now - before;
    }
    void registered_at(const Target& target) {
        const auto all = context();
        targets.keep_as_good(target, all);
        targets.set_healthy(true, all);
        take();
    }
    std::vector<Target> listed() {
        std::vector<Target> all;
        for (const auto& candidate : targets.by_rank_alone(context()))
            all.push_back(candidate.target);
        std::ranges::sort(all);
        return all;
    }

    Instant now{1000s};
    AccountState stored;
    Random random{seed_from_number(2)};
    location::Health health;
    location::CandidatePool pool;
    flow::Table flows;
    std::vector<IpAddress> addresses{IpAddress::v4(10, 0, 0, 2)};
    Actions actions;
    std::vector<dns::Question> questions;
    std::map<std::string, std::vector<IpAddress>> zone{{"example.test", {ip(11), ip(12)}}};
    std::vector<dns::Srv> servers;  // of every service, without use_srv nobody asks
    std::string failing;            // its questions get SERVFAIL
    dns::Status status = dns::Status::ok;
    Duration ttl = 60s;
    std::size_t answered = 0;
    Targets targets;
};

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
    EXPECT_EQ(it.listed(), std::vector{udp(11)});
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
    EXPECT_EQ(it.listed(), std::vector{udp(30)});
}

// L4: looked up again when the TTL has run out, clamped to 60 s … 24 h while healthy, from 5 s
// while not.
TEST(Targets, TheTtlIsClamped) {
    const std::vector<std::tuple<Duration, Duration, Duration>> rows{
        // ttl, healthy, not healthy
        {0s, 60s, 5s},   {5s, 60s, 5s},         {30s, 60s, 30s},
        {60s, 60s, 60s}, {3600s, 3600s, 3600s}, {48h, 24h, 24h}};
    for (const auto& [ttl, healthy, ailing] : rows) {
        for (const bool well : {true, false}) {
            Asked it;
            it.ttl = ttl;
            it.start();
            it.answer();
            it.registered_at(udp(11));
            it.targets.set_healthy(well, it.context());
            EXPECT_EQ(it.wait(), well ? healthy : ailing) << ttl / 1s;
            EXPECT_FALSE(it.questions.empty());
        }
    }
}

// L4: what is overdue for who is no longer healthy is asked in that instant, and nothing is left
// due.
TEST(Targets, WhatIsOverdueWithoutHealthIsAskedAtOnce) {
    Asked it;
    it.ttl = 5s;
    it.start();
    it.answer();
    it.registered_at(udp(11));
    it.now += 30s;
    it.targets.set_healthy(false, it.context());
    it.take();
    EXPECT_FALSE(it.questions.empty());
    EXPECT_GT(it.targets.next_deadline().at, it.now);
}

// Listed = in any of the last 3 answers or of the last 10 min, whichever is more (L4).
TEST(Targets, ListedIsTheLastThreeAnswersOrTenMinutes) {
    Asked often;
    often.ttl = 60s;
    often.start();
    often.answer();
    often.registered_at(udp(11));
    often.zone["example.test"] = {ip(12), ip(13)};
    const auto began = often.now;
    while (often.now + 60s < began + 10min) {
        often.wait();
        often.answer();
        EXPECT_TRUE(often.targets.is_listed(udp(11), often.now)) << (often.now - began) / 1s;
    }
    often.now = began + 10min + 1s;
    EXPECT_FALSE(often.targets.is_listed(udp(11), often.now));
    EXPECT_TRUE(often.targets.is_listed(udp(13), often.now));

    Asked seldom;  // an answer an hour
    seldom.ttl = 1h;
    seldom.start();
    seldom.answer();
    seldom.registered_at(udp(11));
    seldom.zone["example.test"] = {ip(12)};
    for (int answers = 2; answers <= 3; ++answers) {
        EXPECT_EQ(seldom.wait(), 1h);
        seldom.answer();
        EXPECT_TRUE(seldom.targets.is_listed(udp(11), seldom.now)) << answers;
    }
    seldom.wait();
    seldom.answer();
    EXPECT_FALSE(seldom.targets.is_listed(udp(11), seldom.now));
}

// A DNS failure takes nothing away (L5; RFC 8767).
TEST(Targets, AFailureTakesNothingAway) {
    for (const auto failure : {dns::Status::servfail, dns::Status::timed_out, dns::Status::refused,
                               dns::Status::no_server, dns::Status::malformed}) {
        Asked it;
        it.start();
        it.answer();
        it.registered_at(udp(11));
        it.status = failure;
        for (int i = 0; i < 50; ++i) {
            it.wait();
            it.answer();
            EXPECT_EQ(it.listed(), (std::vector{udp(11), udp(12)}));
            EXPECT_TRUE(it.targets.is_listed(udp(11), it.now));
            EXPECT_FALSE(it.targets.has_failed());
        }
    }
}

// L5, L2: SERVFAIL to the address of the better priority; the other is second to it all the same,
// now and in failback's eyes (L7).
TEST(Targets, AFailureForTheBetterPriorityLeavesItTheBetter) {
    auto config = account();
    config.policy.use_srv = true;
    Asked alice(config);
    alice.zone = {{"best.test", {ip(11)}}, {"backup.test", {ip(12)}}};
    alice.servers = {{10, 0, 5060, "best.test"}, {20, 0, 5060, "backup.test"}};
    alice.start();
    alice.answer();
    alice.registered_at(udp(12));
    alice.failing = "best.test";
    alice.wait();
    alice.answer();
    const auto ranked = alice.targets.by_rank_alone(alice.context());
    ASSERT_EQ(ranked.size(), 2u);
    EXPECT_EQ(ranked[0].target, udp(11));
    EXPECT_LT(ranked[0].tier, ranked[1].tier);
}

// NXDOMAIN lies too, or an answer that leads nowhere: the last good answer serves (L5).
TEST(Targets, AnEmptyZoneTakesNothingAway) {
    Asked it;
    it.start();
    it.answer();
    it.registered_at(udp(11));
    it.zone.clear();
    for (int i = 0; i < 20; ++i) {
        it.wait();
        it.answer();
    }
    it.now += 1h;
    EXPECT_EQ(it.listed(), (std::vector{udp(11), udp(12)}));
    EXPECT_FALSE(it.targets.has_failed());
}

// A good answer is one of whose targets has registered us: a captive portal's is never kept (L5).
TEST(Targets, OnlyAnAnswerThatRegisteredUsIsKept) {
    Asked it;
    it.start();
    it.answer();
    EXPECT_FALSE(it.stored.contains("last-good-0"));
    it.registered_at(udp(99));  // not one of them
    EXPECT_FALSE(it.stored.contains("last-good-0"));
    it.registered_at(udp(12));
    EXPECT_TRUE(it.stored.contains("last-good-0"));
}

// Started while DNS is down: the answer on disk serves (L5); started while DNS is slow: after 2 s.
TEST(Targets, StartedWithoutDnsTheLastRunsAnswerServes) {
    Asked first;
    first.start();
    first.answer();
    first.registered_at(udp(11));

    Asked down(account(), first.stored);
    down.status = dns::Status::servfail;
    down.start();
    EXPECT_TRUE(down.targets.is_waiting());
    down.answer();
    EXPECT_EQ(down.listed(), (std::vector{udp(11), udp(12)}));
    EXPECT_FALSE(down.targets.has_failed());

    Asked slow(account(), first.stored);
    slow.start();
    EXPECT_TRUE(slow.listed().empty());
    Duration waited{};
    while (slow.listed().empty() && waited < 10s) waited += slow.wait();
    EXPECT_EQ(waited, 2s);
    EXPECT_EQ(slow.listed(), (std::vector{udp(11), udp(12)}));
    EXPECT_FALSE(slow.targets.is_waiting());
    slow.zone["example.test"] = {ip(13)};  // the true answer, late
    slow.answer();
    EXPECT_EQ(slow.listed(), std::vector{udp(13)});
}

// Without serve_stale there is nothing at all.
TEST(Targets, ServeStaleIsAChoice) {
    Asked first;
    first.start();
    first.answer();
    first.registered_at(udp(11));
    auto config = account();
    config.policy.serve_stale = false;
    Asked it(config, first.stored);
    it.status = dns::Status::servfail;
    it.start();
    it.answer();
    EXPECT_TRUE(it.listed().empty());
    EXPECT_TRUE(it.targets.has_failed());
}

// NXDOMAIN or an empty answer at the first start: said in plain words, with the name, and tried
// again with back-off (L6).
TEST(Targets, AtTheFirstStartTheUserIsTold) {
    for (const auto status : {dns::Status::nxdomain, dns::Status::ok, dns::Status::servfail}) {
        Asked it;
        it.zone.clear();
        it.status = status;
        it.start();
        EXPECT_EQ(it.targets.problem(), "");
        it.answer();
        EXPECT_TRUE(it.targets.has_failed());
        EXPECT_NE(it.targets.problem().find("example.test"), std::string::npos)
            << it.targets.problem();
        Duration last{};
        for (int i = 0; i < 12; ++i) {
            const auto waited = it.wait();
            EXPECT_GE(waited, last);  // with back-off, and never given up
            EXPECT_LE(waited, 300s);
            last = waited;
            it.answer();
        }
        EXPECT_GE(last, 60s);
        it.status = dns::Status::ok;
        it.zone["example.test"] = {ip(11)};
        it.wait();
        it.answer();
        EXPECT_FALSE(it.targets.has_failed());
        EXPECT_EQ(it.targets.problem(), "");
        EXPECT_EQ(it.listed(), std::vector{udp(11)});
    }
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
