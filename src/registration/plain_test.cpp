// The plain client with the presets of MicroSIP and RFC 3263: each test is one habit, with its
// exact durations. The figures are those that were measured of pjsip with MicroSIP's settings; the
// servers here answer at once, so that what is left is what the client waits for. Not tested here:
// retransmissions and keep-alive's bytes (the engine's).
#include "registration/plain.h"

#include <gmock/gmock.h>

#include "registration/plain_world.h"

namespace holdfast::registration {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

// ---- Registering and refreshing

// RFC 3261 §22.2; pjsip keeps the address of a request that is sent again with credentials.
TEST(PlainRegister, AnswersAChallengeAtTheTargetThatAskedAndIsRegistered) {
    PlainWorld world("microsip");
    world.rotate = true;
    world.start();
    EXPECT_THAT(servers_of(world.sent), ElementsAre(1, 1));
    EXPECT_FALSE(world.sent[0].authorized);
    EXPECT_TRUE(world.sent[1].authorized);
    EXPECT_EQ(world.sent[0].call_id, world.sent[1].call_id);
    EXPECT_EQ(world.count(EventKind::registered), 1U);
    EXPECT_TRUE(world.plain->view().registered);
    EXPECT_EQ(world.sent[1].contact, "sip:alice@10.0.0.2:40000")
        << "rewrite is off: the local address";
    EXPECT_EQ(world.questions.size(), 1U) << "A only: no SRV, no NAPTR, no IPv6 address here";
}

TEST(PlainRegister, MicrosipRefreshesFiveSecondsBeforeTheEndWithALookupOfItsOwn) {
    PlainWorld world("microsip");
    world.rotate = true;
    world.start();
    world.run_until(300s);
    EXPECT_THAT(world.times_of(EventKind::refreshed), ElementsAre(295s));
    EXPECT_EQ(world.sent.back().server, 2) << "the first address of the next answer";
    EXPECT_EQ(world.questions.size(), 2U);
}

// B4: the share instead, where a policy has no refresh_before.
TEST(PlainRegister, Rfc3263RefreshesByTheShareB4) {
    PlainWorld world("rfc3263");
    world.start();
    world.run_until(300s);
    EXPECT_THAT(world.times_of(EventKind::refreshed), SizeIs(1));
    EXPECT_THAT(world.times_of(EventKind::refreshed), Each(AllOf(Ge(225s), Le(270s))));
}

TEST(PlainRegister, TooBriefIsAskedAgainAsLongAsTheServerWants) {
    PlainWorld world("microsip", [](AccountConfig& config) { config.policy.expires = 60s; });
    for (auto& [index, server] : world.servers) server.min_expires = 120;
    world.start();
    world.run_until(116s);
    EXPECT_THAT(world.times_of(EventKind::registered), ElementsAre(0s));
    EXPECT_THAT(world.times_of(EventKind::refreshed), ElementsAre(115s));
}

TEST(PlainRegister, AnOutboundProxyIsTheNextHopAndARoute) {
    PlainWorld world("microsip", [](AccountConfig& config) {
        config.outbound_proxy = "sip:proxy.example.test";
    });
    world.start();
    ASSERT_THAT(world.questions, SizeIs(1));
    EXPECT_EQ(world.questions[0].name, "proxy.example.test");
    EXPECT_TRUE(world.plain->view().registered);
}

// ---- Failing and waiting

TEST(PlainFailure, SilenceCosts32SecondsThenOneRetryIn10ThenOneIn300) {
    PlainWorld world("microsip");
    for (auto& [index, server] : world.servers) server.silent = true;
    world.start();
    world.run_until(1000s);
    EXPECT_THAT(servers_of(world.sent), Each(1)) << "DNS is fixed: never another one (S1)";
    const auto tries = times_of(world.sent);
    ASSERT_THAT(tries, SizeIs(4));
    EXPECT_EQ(tries[0], 0s);
    EXPECT_THAT(tries[1] - tries[0], AllOf(Ge(32s), Le(42s)));
    EXPECT_THAT(tries[2] - tries[1], AllOf(Ge(32s + 290s), Le(32s + 310s)));
    EXPECT_THAT(tries[3] - tries[2], AllOf(Ge(32s + 290s), Le(32s + 310s)));
    EXPECT_EQ(world.times_of(EventKind::attempt_failed)[0], 32s);
    EXPECT_NE(world.sent[0].call_id, world.sent[1].call_id) << "pjsip begins anew";
}

// S1r: DNS rotates: the retry takes the next one. Measured: 34-40 s.
TEST(PlainFailure, WithRotatingDnsTheRetryFindsTheNextServer) {
    PlainWorld world("microsip-rewrite");
    world.rotate = true;
    world.servers[1].silent = true;
    world.start();
    world.run_until(60s);
    EXPECT_THAT(world.times_of(EventKind::registered), ElementsAre(AllOf(Ge(32s), Le(42s))));
}

// S5r: bound at 0 s with expires 60, silent from 6 s: reachable again at the refresh, 49 s later.
TEST(PlainFailure, ADeadServerIsNoticedAtTheRefreshOnly) {
    PlainWorld world("microsip", [](AccountConfig& config) { config.policy.expires = 60s; });
    world.rotate = true;
    world.start();
    world.run_until(6s);
    world.servers[1].silent = true;
    world.run_until(60s);
    EXPECT_THAT(world.times_of(EventKind::moved), ElementsAre(55s));
}

// S10l: all silent for 150 s, from 1 s on, expires 30: back 229-259 s after the servers are
// (measured: 228-249).
TEST(PlainFailure, ALongOutageIsFollowedByMinutesOfWaiting) {
    PlainWorld world("microsip", short_lived);
    world.start();
    world.run_until(1s);
    for (auto& [index, server] : world.servers) server.silent = true;
    world.run_until(151s);
    for (auto& [index, server] : world.servers) server.silent = false;
    world.run_until(600s);
    const auto back = world.times_of(EventKind::registered);
    ASSERT_THAT(back, SizeIs(2));
    EXPECT_THAT(back[1] - 151s, AllOf(Ge(228s), Le(258s)));
}

TEST(PlainFailure, IcmpAnd503DoNotMoveMicrosip) {
    PlainWorld icmp("microsip");
    icmp.servers[1].refuses = true;
    icmp.start();
    icmp.run_until(31s);
    EXPECT_THAT(servers_of(icmp.sent), ElementsAre(1)) << "S3";

    PlainWorld busy("microsip");
    busy.servers[1].status = 503;
    busy.start();
    busy.run_until(200s);
    EXPECT_THAT(servers_of(busy.sent), ElementsAre(1, 1))
        << "S8: once more after 0-10 s, at the same";
    EXPECT_THAT(busy.sent[1].at, Le(10s));
}

TEST(PlainFailure, DnsWithoutAnAnswerIsRetriedLikeAnyFailure) {
    PlainWorld world("microsip");
    world.dns_status = dns::Status::servfail;
    world.start();
    world.run_until(11s);
    EXPECT_THAT(world.sent, IsEmpty());
    EXPECT_EQ(world.count(EventKind::resolved), 2U);
    EXPECT_EQ(world.count(EventKind::waiting), 2U);
    EXPECT_THAT(world.events_of(EventKind::waiting)[1].expires, AllOf(Ge(290s), Le(310s)));
}

// S9: a domain with SRV records alone does not exist for it.
TEST(PlainFailure, MicrosipSendsNothingWhereThereIsOnlySrv) {
    PlainWorld world("microsip");
    world.listed.clear();
    world.start();
    EXPECT_THAT(world.sent, IsEmpty());
    for (const auto& question : world.questions) EXPECT_EQ(question.type, dns::RecordType::a);
    EXPECT_EQ(world.count(EventKind::waiting), 1U);
}

TEST(PlainFailure, AWrongPasswordEndsItUntilThereIsAnother) {
    PlainWorld world("microsip");
    for (auto& [index, server] : world.servers) server.knows_no_password = true;
    world.start();
    world.run_until(1000s);
    EXPECT_EQ(world.sent.size(), 2U);
    EXPECT_EQ(world.count(EventKind::auth_failed), 1U);
    EXPECT_EQ(world.count(EventKind::waiting), 0U);
    for (auto& [index, server] : world.servers) server.knows_no_password = false;
    world.tell(told::PasswordChanged{Redacted<std::string>("better")});
    EXPECT_TRUE(world.plain->view().registered);
}

TEST(PlainFailure, ARefusalIsFinal) {
    PlainWorld world("microsip");
    world.servers[1].status = 403;
    world.start();
    world.run_until(1000s);
    EXPECT_EQ(world.sent.size(), 1U);
    ASSERT_EQ(world.count(EventKind::refused), 1U);
    EXPECT_THAT(world.events_of(EventKind::refused)[0].reason,
                HasSubstr("403 Words from udp:203.0.113.11:5060"));
}

TEST(PlainFailure, AnAddressThatLeadsNowhereIsSaid) {
    PlainWorld world("microsip", [](AccountConfig& config) { config.aor = "alice"; });
    world.start();
    EXPECT_EQ(world.count(EventKind::notice), 1U);
    EXPECT_EQ(world.plain->next_deadline().at, never);
}

// ---- Streams

void over_tcp(AccountConfig& config) { config.transport = Transport::tcp; }

// S4b: the one case in which pjsip fails over.
TEST(PlainStream, ARefusedConnectTakesTheNextAddressAtOnce) {
    PlainWorld world("microsip", over_tcp);
    world.servers[1].refuses = true;
    world.servers[2].refuses = true;
    world.start();
    EXPECT_THAT(servers_of(world.sent), ElementsAre(3, 3));
    EXPECT_THAT(world.times_of(EventKind::registered), ElementsAre(0s));
    EXPECT_THAT(world.sent.back().contact, HasSubstr(";transport=tcp"));
}

// S4: a dropped SYN is repeated for longer than Timer F; our shorter connects are begun again.
TEST(PlainStream, ADroppedSynIsSilenceAndNeverMovesIt) {
    PlainWorld world("microsip", over_tcp);
    world.servers[1].silent = true;
    world.start();
    world.run_until(1000s);
    EXPECT_THAT(world.sent, IsEmpty());
    EXPECT_EQ(world.times_of(EventKind::attempt_failed)[0], 32s);
    EXPECT_THAT(world.times_of(EventKind::attempt_failed)[1], AllOf(Ge(64s), Le(74s)));
}

// S4: the retry joins a connect that the request before it began, and which ends just then.
TEST(PlainStream, TheEndOfAnEarlierConnectIsSilenceToo) {
    PlainWorld world("microsip", over_tcp);
    world.servers[1].silent = true;
    world.start();
    world.run_until(33s);
    world.tell(told::RegisterNow{});
    const Target first{.transport = Transport::tcp, .endpoint = {address_of(1), 5060}};
    world.tell(told::FlowFailed{first, FlowError::timed_out, {}});
    world.run_until(39s);
    EXPECT_THAT(world.sent, IsEmpty());
    EXPECT_FALSE(world.plain->view().registered);
}

// S5c: the node restarts: retry in 0-10 s, where the refused connect moves it. Measured: 2-8 s.
TEST(PlainStream, ALostConnectionIsRetriedInTenSeconds) {
    PlainWorld world("microsip", over_tcp);
    world.start();
    world.run_until(20s);
    world.servers[1].refuses = true;
    world.break_connections(1);
    EXPECT_FALSE(world.plain->view().registered);
    world.run_until(31s);
    EXPECT_THAT(world.times_of(EventKind::registered), ElementsAre(0s, AllOf(Ge(20s), Le(30s))));
    EXPECT_EQ(world.sent.back().server, 2);
}

// ---- Keep-alive and flows

TEST(PlainFlow, KeepAliveFollowsTheRegistrationAndOldFlowsAreReleased) {
    PlainWorld world("microsip", short_lived);
    world.rotate = true;
    world.start();
    ASSERT_THAT(world.keep_alives, SizeIs(1));
    const auto first = world.keep_alives[0].first;
    world.run_until(26s);
    ASSERT_THAT(world.keep_alives, SizeIs(3));
    EXPECT_EQ(world.keep_alives[1], std::pair(first, false));
    EXPECT_TRUE(world.keep_alives[2].second);
    EXPECT_TRUE(world.released.contains(first));
    EXPECT_FALSE(world.released.contains(world.keep_alives[2].first));
}

TEST(PlainFlow, KeepAliveStopsWhenRegisteringFails) {
    PlainWorld world("microsip", short_lived);
    world.start();
    for (auto& [index, server] : world.servers) server.silent = true;
    world.run_until(25s + 32s);
    EXPECT_FALSE(world.keep_alives.back().second);
    EXPECT_FALSE(world.plain->view().registered);
}

// ---- Leaving

TEST(PlainLeaving, UnregistersWithALookupOfItsOwn) {
    PlainWorld world("microsip");
    world.rotate = true;
    world.start();
    world.run_until(10s);
    world.tell(told::ShutDown{});
    EXPECT_EQ(world.unregistered_at, 10s);
    EXPECT_EQ(world.sent.back().method, "un-REGISTER");
    EXPECT_EQ(world.sent.back().server, 2) << "not where the binding is";
    EXPECT_EQ(world.count(EventKind::unregistered), 1U);
    world.run_until(1000s);
    EXPECT_EQ(world.sent.back().at, 10s);
}

TEST(PlainLeaving, TakesTwoSecondsAtMost) {
    PlainWorld world("microsip");
    world.start();
    world.run_until(10s);
    world.servers[1].silent = true;
    world.tell(told::ShutDown{});
    world.run_until(100s);
    EXPECT_EQ(world.unregistered_at, 12s);
}

TEST(PlainLeaving, WithoutABindingThereIsNothingToDo) {
    PlainWorld world("microsip");
    world.servers[1].silent = true;
    world.start();
    world.run_until(5s);
    world.tell(told::ShutDown{});
    EXPECT_EQ(world.unregistered_at, 5s);
    EXPECT_EQ(world.sent.size(), 1U);
    EXPECT_EQ(world.plain->next_deadline().at, never);
}

TEST(PlainLeaving, EvenWhileAContactIsBeingReplaced) {
    PlainWorld world("microsip-3.20");
    world.dns_delay = 1s;
    world.start();
    world.run_until(1500ms);  // the rewrite's first lookup is on its way
    world.tell(told::ShutDown{});
    world.run_until(100s);
    EXPECT_EQ(world.unregistered_at, 2s) << "the same question: its answer serves the last request";
}

// ---- RFC 3263

// §4.3: the next element on 503, on a transport that fails (ICMP), after 32 s of silence.
TEST(PlainRfc3263, TriesTheNextTargetAsTheRfcSays) {
    const auto over_udp = [](AccountConfig& config) { config.transport = Transport::udp; };
    struct Case {
        std::function<void(PlainWorld::Server&)> fault;
        Duration per_target;
    };
    const std::vector<Case> cases{{[](auto& server) { server.status = 503; }, 0s},
                                  {[](auto& server) { server.refuses = true; }, 0s},
                                  {[](auto& server) { server.silent = true; }, 32s}};
    for (const auto& test : cases) {
        PlainWorld world("rfc3263", over_udp);
        world.srv = true;
        for (auto& [index, server] : world.servers) test.fault(server);
        world.start();
        world.run_until(97s);
        ASSERT_GE(world.sent.size(), 3U);
        const std::set<int> all{world.sent[0].server, world.sent[1].server, world.sent[2].server};
        EXPECT_THAT(all, SizeIs(3));
        EXPECT_EQ(world.sent[2].at, 2 * test.per_target);
        ASSERT_THAT(world.events_of(EventKind::waiting), testing::Not(IsEmpty()));
        EXPECT_EQ(world.times_of(EventKind::waiting)[0], 3 * test.per_target);
        EXPECT_THAT(world.events_of(EventKind::waiting)[0].expires, AllOf(Ge(30s), Le(60s)));
    }
}

// §4.2 and RFC 2782: three records of one priority and weight.
TEST(PlainRfc3263, DrawsAFreshOrderForEachRequest) {
    PlainWorld world("rfc3263", [](AccountConfig& config) {
        config.transport = Transport::udp;
        config.policy.expires = 30s;
    });
    world.srv = true;
    world.start();
    world.run_until(1000s);
    std::set<int> used;
    for (const auto& request : world.sent) used.insert(request.server);
    EXPECT_THAT(used, SizeIs(3)) << "DNS is fixed; the draw is not";
    EXPECT_GT(world.count(EventKind::moved), 10U);
}

// RFC 3263 §4.1: NAPTR and SRV are asked for.
TEST(PlainRfc3263, AsksForNaptrAndSrv) {
    PlainWorld world("rfc3263");
    world.start();
    std::set<dns::RecordType> types;
    for (const auto& question : world.questions) types.insert(question.type);
    EXPECT_TRUE(types.contains(dns::RecordType::naptr));
    EXPECT_TRUE(types.contains(dns::RecordType::srv));
    EXPECT_TRUE(world.plain->view().registered);
}

// L3, if a policy wants it: a plain client that stays.
TEST(PlainRfc3263, AffinityStaysWhileDnsListsTheTargetL3) {
    PlainWorld world("microsip", [](AccountConfig& config) {
        config.policy.expires = 30s;
        config.policy.affinity = true;
    });
    rotating_five_minutes(world);
    EXPECT_EQ(world.count(EventKind::moved), 0U);
    EXPECT_EQ(world.count(EventKind::refreshed), 11U);
}

}  // namespace
}  // namespace holdfast::registration
