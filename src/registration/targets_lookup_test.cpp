// An account's targets over time: when DNS is asked again, and what serves while it fails (L4–L6).
#include <gtest/gtest.h>

#include <tuple>

#include "registration/targets_world.h"

namespace holdfast::registration {
namespace {

using namespace std::chrono_literals;
using targets_world::account;
using targets_world::Asked;
using targets_world::ip;
using targets_world::udp_at;

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
            it.registered_at(udp_at(11));
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
    it.registered_at(udp_at(11));
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
    often.registered_at(udp_at(11));
    often.zone["example.test"] = {ip(12), ip(13)};
    const auto began = often.now;
    while (often.now + 60s < began + 10min) {
        often.wait();
        often.answer();
        EXPECT_TRUE(often.targets.is_listed(udp_at(11), often.now)) << (often.now - began) / 1s;
    }
    often.now = began + 10min + 1s;
    EXPECT_FALSE(often.targets.is_listed(udp_at(11), often.now));
    EXPECT_TRUE(often.targets.is_listed(udp_at(13), often.now));

    Asked seldom;  // an answer an hour
    seldom.ttl = 1h;
    seldom.start();
    seldom.answer();
    seldom.registered_at(udp_at(11));
    seldom.zone["example.test"] = {ip(12)};
    for (int answers = 2; answers <= 3; ++answers) {
        EXPECT_EQ(seldom.wait(), 1h);
        seldom.answer();
        EXPECT_TRUE(seldom.targets.is_listed(udp_at(11), seldom.now)) << answers;
    }
    seldom.wait();
    seldom.answer();
    EXPECT_FALSE(seldom.targets.is_listed(udp_at(11), seldom.now));
}

// A DNS failure takes nothing away (L5; RFC 8767).
TEST(Targets, AFailureTakesNothingAway) {
    for (const auto failure : {dns::Status::servfail, dns::Status::timed_out, dns::Status::refused,
                               dns::Status::no_server, dns::Status::malformed}) {
        Asked it;
        it.start();
        it.answer();
        it.registered_at(udp_at(11));
        it.status = failure;
        for (int i = 0; i < 50; ++i) {
            it.wait();
            it.answer();
            EXPECT_EQ(it.listed(), (std::vector{udp_at(11), udp_at(12)}));
            EXPECT_TRUE(it.targets.is_listed(udp_at(11), it.now));
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
    alice.registered_at(udp_at(12));
    alice.failing = "best.test";
    alice.wait();
    alice.answer();
    const auto ranked = alice.targets.by_rank_alone(alice.context());
    ASSERT_EQ(ranked.size(), 2u);
    EXPECT_EQ(ranked[0].target, udp_at(11));
    EXPECT_LT(ranked[0].tier, ranked[1].tier);
}

// NXDOMAIN lies too, or an answer that leads nowhere: the last good answer serves (L5).
TEST(Targets, AnEmptyZoneTakesNothingAway) {
    Asked it;
    it.start();
    it.answer();
    it.registered_at(udp_at(11));
    it.zone.clear();
    for (int i = 0; i < 20; ++i) {
        it.wait();
        it.answer();
    }
    it.now += 1h;
    EXPECT_EQ(it.listed(), (std::vector{udp_at(11), udp_at(12)}));
    EXPECT_FALSE(it.targets.has_failed());
}

// A good answer is one of whose targets has registered us: a captive portal's is never kept (L5).
TEST(Targets, OnlyAnAnswerThatRegisteredUsIsKept) {
    Asked it;
    it.start();
    it.answer();
    EXPECT_FALSE(it.stored.contains("last-good-0"));
    it.registered_at(udp_at(99));  // not one of them
    EXPECT_FALSE(it.stored.contains("last-good-0"));
    it.registered_at(udp_at(12));
    EXPECT_TRUE(it.stored.contains("last-good-0"));
}

// Started while DNS is down: the answer on disk serves (L5); started while DNS is slow: after 2 s.
TEST(Targets, StartedWithoutDnsTheLastRunsAnswerServes) {
    Asked first;
    first.start();
    first.answer();
    first.registered_at(udp_at(11));

    Asked down(account(), first.stored);
    down.status = dns::Status::servfail;
    down.start();
    EXPECT_TRUE(down.targets.is_waiting());
    down.answer();
    EXPECT_EQ(down.listed(), (std::vector{udp_at(11), udp_at(12)}));
    EXPECT_FALSE(down.targets.has_failed());

    Asked slow(account(), first.stored);
    slow.start();
    EXPECT_TRUE(slow.listed().empty());
    Duration waited{};
    while (slow.listed().empty() && waited < 10s) waited += slow.wait();
    EXPECT_EQ(waited, 2s);
    EXPECT_EQ(slow.listed(), (std::vector{udp_at(11), udp_at(12)}));
    EXPECT_FALSE(slow.targets.is_waiting());
    slow.zone["example.test"] = {ip(13)};  // the true answer, late
    slow.answer();
    EXPECT_EQ(slow.listed(), std::vector{udp_at(13)});
}

// Without serve_stale there is nothing at all.
TEST(Targets, ServeStaleIsAChoice) {
    Asked first;
    first.start();
    first.answer();
    first.registered_at(udp_at(11));
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
        EXPECT_EQ(it.listed(), std::vector{udp_at(11)});
    }
}

}  // namespace
}  // namespace holdfast::registration
