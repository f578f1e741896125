// F5's rows, and what stands around them (L9, B8), of the whole registration
// against scripted servers. Not here: silence and refused connections (search_test.cpp, tests/).
#include <gtest/gtest.h>

#include <set>

#include "registration/resilient_world.h"

namespace holdfast::registration {
namespace {

using Reply = ResilientWorld::Reply;
using Sent = ResilientWorld::Sent;

bool is_register(const Sent& one) { return one.request.method() == sip::Method::register_; }
// The first so many REGISTERs that carry credentials get this.
auto first_of(int count, Reply reply) {
    return [count, reply = std::move(reply)](const Sent& one) mutable -> std::optional<Reply> {
        if (!is_register(one) || !one.authorized() || count-- <= 0) return std::nullopt;
        return reply;
    };
}
auto always(Reply reply) {
    return [reply = std::move(reply)](const Sent& one) -> std::optional<Reply> {
        if (!is_register(one) || !one.authorized()) return std::nullopt;
        return reply;
    };
}
void all(ResilientWorld& world, const std::function<std::optional<Reply>(const Sent&)>& script) {
    for (auto& [index, server] : world.servers) server.script = script;
}

// 503, 500, 502, 504, 408 and any other 5xx: the next target, in the round trip it takes (F5).
TEST(F5Answers, ServerErrorsGoToTheNextTarget) {
    for (const int status : {503, 500, 502, 504, 408, 513, 580}) {
        ResilientWorld world;
        all(world, {});
        world.start();
        const auto first = world.sent.front().server;
        world.servers[first].script = always({status, ""});
        ASSERT_TRUE(world.run_until([&] { return world.registered(); }, 1s)) << world.story();
        EXPECT_NE(world.at(), first) << world.story();
        EXPECT_LE(world.now - Instant{1000s}, 4 * ResilientWorld::rtt + 10ms) << world.story();
    }
}

// Retry-After bars REGISTERs of the account to that target until its end, whatever happens (F5).
TEST(F5Answers, RetryAfterBarsTheTarget) {
    ResilientWorld world([](auto& config) { config.policy.expires = 30s; });
    world.start();
    const auto first = world.sent.front().server;
    world.servers[first].script = always({503, "Retry-After: 120\r\n"});
    ASSERT_TRUE(world.run_until([&] { return world.registered(); }, 1s)) << world.story();
    const auto barred = world.now;
    const auto there = world.sent.size();
    // Its other servers go silent one after the other: even then it is left alone.
    for (auto& [index, server] : world.servers) server.silent = index != first;
    world.run_for(barred + 119s - world.now);
    for (const auto* one : world.since(there))
        EXPECT_NE(one->server, first) << one->at / 1s << world.story();
    // +0–20 %; then its turn comes with the next search (S1: at most 240 s by then).
    world.servers[first].script = {};
    EXPECT_TRUE(world.run_until([&] { return world.at() == first; }, 25s + 240s)) << world.story();
}

// Only the user ends a Retry-After early (F5).
TEST(F5Answers, TheUserEndsARetryAfter) {
    ResilientWorld world([](auto& config) { config.registrar = "sip:203.0.113.11"; });
    world.servers[1].script = first_of(1, {503, "Retry-After: 3600\r\n"});
    world.start();
    world.run_for(30s);
    EXPECT_FALSE(world.registered());
    const auto before = world.since(0).size();
    world.tell(told::Network{.addresses = {IpAddress::v4(10, 0, 0, 2)}, .woke = false});
    world.run_for(60s);
    EXPECT_EQ(world.since(0).size(), before) << world.story();
    world.tell(told::RegisterNow{});
    EXPECT_TRUE(world.run_until([&] { return world.registered(); }, 1s)) << world.story();
}

// 423: Expires = Min-Expires, in the header and in the Contact, and lasting (F5; RFC 3261 §10.2.8).
TEST(F5Answers, TooBriefAsksForMinExpires) {
    ResilientWorld world([](auto& config) { config.policy.expires = 60s; });
    all(world, [](const Sent& one) -> std::optional<Reply> {
        if (!one.authorized() || one.request.expires().value_or(0) >= 1800) return std::nullopt;
        return Reply{423, "Min-Expires: 1800\r\n"};
    });
    ASSERT_TRUE(world.registers(1s)) << world.story();
    EXPECT_EQ(world.sent.back().request.expires(), 1800u);
    EXPECT_EQ(world.sent.back().contacts.front().second, 1800u);
    EXPECT_EQ(world.count(EventKind::refused), 0u);
    const auto before = world.sent.size();
    world.run_for(1800s);
    ASSERT_GT(world.sent.size(), before);
    EXPECT_EQ(world.since(before).front()->request.expires(), 1800u) << world.story();
}

// A 423 that asks for no more than we asked already is no reason to go on asking (F5).
TEST(F5Answers, ASenseless423IsRetriedSlowly) {
    for (const auto* lines : {"Min-Expires: 10\r\n", "", "Min-Expires: nonsense\r\n"}) {
        ResilientWorld world;
        all(world, always({423, lines}));
        world.start();
        world.run_for(5min);
        EXPECT_LE(world.since(0).size(), 3u) << world.story();
    }
}

// 420: what `Unsupported` names is dropped (F5; RFC 3261 §8.1.3.5).
TEST(F5Answers, BadExtensionIsDropped) {
    ResilientWorld world;
    all(world, [](const Sent& one) -> std::optional<Reply> {
        if (!one.authorized() || !one.request.supports("outbound")) return std::nullopt;
        return Reply{420, "Unsupported: outbound\r\n"};
    });
    ASSERT_TRUE(world.registers(1s)) << world.story();
    const auto& last = world.sent.back().request;
    EXPECT_FALSE(last.supports("outbound"));
    EXPECT_TRUE(last.supports("path"));
    EXPECT_FALSE(last.contacts().front().reg_id());  // RFC 5626 §4.2.1: belongs to outbound
    EXPECT_FALSE(last.contacts().front().instance().empty());
}

// 421: what `Require` names is added, if we can (F5).
TEST(F5Answers, NeededExtensionIsAddedIfWeCan) {
    ResilientWorld world;
    all(world, [](const Sent& one) -> std::optional<Reply> {
        if (!one.authorized() || one.request.demands("path")) return std::nullopt;
        return Reply{421, "Require: path\r\n"};
    });
    ASSERT_TRUE(world.registers(1s)) << world.story();
    EXPECT_TRUE(world.sent.back().request.demands("path"));

    ResilientWorld cannot;
    all(cannot, always({421, "Require: timetravel\r\n"}));
    cannot.start();
    cannot.run_for(5min);
    ASSERT_EQ(cannot.count(EventKind::refused), 1u) << cannot.story();  // else tell
    EXPECT_NE(cannot.events_of(EventKind::refused).front().reason.find("421"), std::string::npos);
    EXPECT_LE(cannot.since(0).size(), 3u);
}

// 439: outbound is dropped, the instance-id stays (F5; RFC 5626 §11.6).
TEST(F5Answers, FirstHopLacksOutbound) {
    ResilientWorld world;
    all(world, [](const Sent& one) -> std::optional<Reply> {
        if (!one.authorized() || !one.request.contacts().front().reg_id()) return std::nullopt;
        return Reply{439, ""};
    });
    ASSERT_TRUE(world.registers(1s)) << world.story();
    const auto& last = world.sent.back().request;
    EXPECT_FALSE(last.supports("outbound"));
    EXPECT_EQ(last.contacts().front().instance(), "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
}

// 403, 404, 429, other 4xx and 6xx: told in words, then 10 min, doubling, jittered ± 20 %; never
// given up for good (F5).
TEST(F5Answers, RefusalsAreRetriedSlowly) {
    for (const int status : {404, 429, 402, 482, 600, 603}) {
        ResilientWorld world;
        all(world, always({status, "Warning: 399 x \"because\"\r\n"}));
        world.start();
        world.run_for(1s);
        ASSERT_EQ(world.count(EventKind::refused), 1u) << world.story();
        const auto told = world.events_of(EventKind::refused).front();
        EXPECT_EQ(told.status, status);
        EXPECT_NE(told.reason.find(std::to_string(status) + " Words"), std::string::npos);
        EXPECT_NE(told.reason.find("because"), std::string::npos) << told.reason;
        world.run_for(24h);
        std::vector<Instant> refusals;
        for (const auto& [at, event] : world.events)
            if (event.kind == EventKind::refused) refusals.push_back(at);
        ASSERT_GE(refusals.size(), 6u) << world.story();
        Duration wait = 10min;
        for (std::size_t i = 1; i < 5; ++i, wait *= 2) {
            const auto waited = refusals[i] - refusals[i - 1];
            EXPECT_GE(waited, wait * 8 / 10) << i;
            EXPECT_LE(waited, wait * 12 / 10 + 1s) << i;
        }
        // It ends when the server changes its mind.
        for (auto& [index, server] : world.servers) server.script = {};
        EXPECT_TRUE(world.run_until([&] { return world.registered(); }, 12h)) << world.story();
    }
}

// Retry-After wins over the 10 min (F5).
TEST(F5Answers, RetryAfterOfARefusalWins) {
    for (const auto& [retry_after, waits] :
         {std::pair{"Retry-After: 30\r\n", 30s}, std::pair{"Retry-After: 3600\r\n", 3600s}}) {
        ResilientWorld world;
        all(world, first_of(1, {404, retry_after}));
        world.start();
        ASSERT_TRUE(world.run_until([&] { return world.registered(); }, 2h)) << world.story();
        EXPECT_GE(world.now - Instant{1000s}, waits);
        EXPECT_LE(world.now - Instant{1000s}, waits * 12 / 10 + 1s);
    }
}

// A changed password or network retries at once (F5).
TEST(F5Answers, AChangedNetworkRetriesAtOnce) {
    ResilientWorld world;
    all(world, first_of(1, {404, ""}));
    world.start();
    world.run_for(10s);
    ASSERT_FALSE(world.registered());
    world.tell(told::Network{.addresses = {IpAddress::v4(10, 0, 0, 2)}, .woke = false});
    EXPECT_TRUE(world.run_until([&] { return world.registered(); }, 1s)) << world.story();
}
TEST(F5Answers, AChangedPasswordRetriesAtOnce) {
    ResilientWorld world;
    all(world, first_of(1, {404, ""}));
    world.start();
    world.run_for(10s);
    ASSERT_FALSE(world.registered());
    world.tell(told::PasswordChanged{Redacted<std::string>("secret")});
    EXPECT_TRUE(world.run_until([&] { return world.registered(); }, 1s)) << world.story();
}

// A wrong password is two refusals in a row of answers to nonces just received (F5); one that never
// worked stops everything, and it is told; a changed one is tried at once.
TEST(F5Password, TwoRefusalsInARowStopOneThatNeverWorked) {
    ResilientWorld world([](auto& config) { config.password = Redacted<std::string>("wrong"); });
    world.start();
    world.run_for(1h);
    EXPECT_EQ(world.count(EventKind::auth_failed), 1u) << world.story();
    std::size_t refused = 0;
    for (const auto* one : world.since(0)) refused += one->authorized() ? 1U : 0U;
    EXPECT_EQ(refused, 2u) << world.story();
    EXPECT_EQ(world.since(0).size(), 3u) << world.story();  // and the one without credentials
    world.tell(told::PasswordChanged{Redacted<std::string>("secret")});
    EXPECT_TRUE(world.run_until([&] { return world.registered(); }, 1s)) << world.story();
}

// One refusal alone is no wrong password: a server that forgot its nonce at once gets another
// answer (F5).
TEST(F5Password, OneRefusalIsNotEnough) {
    ResilientWorld world;
    all(world, first_of(1, {401,
                            "WWW-Authenticate: Digest realm=\"example.test\", "
                            "nonce=\"n1-x\", qop=\"auth\"\r\n"}));
    ASSERT_TRUE(world.registers(1s)) << world.story();
    EXPECT_EQ(world.count(EventKind::auth_failed), 0u);
}

// 403 to an answer to a nonce just received says the same, at once (F5; FreeSWITCH).
TEST(F5Password, ForbiddenToAFreshAnswerStopsToo) {
    ResilientWorld world;
    all(world, always({403, ""}));
    world.start();
    world.run_for(1h);
    EXPECT_EQ(world.count(EventKind::auth_failed), 1u) << world.story();
    EXPECT_EQ(world.since(0).size(), 2u) << world.story();
}

// N3's steps are logins too: where the password was changed and the NAT rebinds, the 403s to them
// count (F5: never more than 3 refusals in 10 min), a whole day.
TEST(F5Password, StepsDownAreRefusalsToo) {
    ResilientWorld world([](auto& config) { config.registrar = "sip:203.0.113.11"; });
    ASSERT_TRUE(world.registers()) << world.story();
    world.servers[1].script = [](const Sent& one) -> std::optional<Reply> {
        if (!one.authorized()) return std::nullopt;
        return Reply{403, ""};
    };
    const auto before = world.sent.size();
    world.rebind();
    world.run_for(24h);
    std::vector<Duration> refused;
    for (const auto* one : world.since(before))
        if (one->authorized()) refused.push_back(one->at);
    ASSERT_GE(refused.size(), 4u) << world.story();
    for (std::size_t i = 3; i < refused.size(); ++i)
        EXPECT_GE(refused[i] - refused[i - 3], 10min) << i << world.story();
    // Never given up for good.
    world.servers[1].script = {};
    EXPECT_TRUE(world.run_until([&] { return world.registered(); }, 8h)) << world.story();
}

// It worked before: one other target once, then as 403; never more than 3 refusals in 10 min (F5).
TEST(F5Password, OneThatWorkedBeforeIsTriedOnOneOtherTarget) {
    ResilientWorld world([](auto& config) { config.policy.expires = 60s; });
    ASSERT_TRUE(world.registers()) << world.story();
    const auto before = world.sent.size();
    for (auto& [index, server] : world.servers) server.password = "changed";
    world.run_for(10min);
    std::set<int> asked;
    std::size_t refused = 0;
    for (const auto* one : world.since(before)) {
        asked.insert(one->server);
        refused += one->authorized() && one->answered == 401 ? 1U : 0U;
    }
    EXPECT_EQ(asked.size(), 2u) << world.story();
    // The first of them may be the refusal of a cached nonce, which is none of the password.
    EXPECT_LE(refused, 4u) << world.story();
    EXPECT_GE(world.count(EventKind::auth_failed), 1u);
    // Never given up for good.
    for (auto& [index, server] : world.servers) server.password = "secret";
    EXPECT_TRUE(world.run_until([&] { return world.registered(); }, 2h)) << world.story();
}

// Only one server has it wrong: the other one serves (F5).
TEST(F5Password, AnotherTargetMayKnowBetter) {
    ResilientWorld world([](auto& config) { config.policy.expires = 60s; });
    ASSERT_TRUE(world.registers()) << world.story();
    const auto first = world.at();
    world.servers[first].password = "out of date";
    EXPECT_TRUE(world.run_until([&] { return world.at() != first; }, 60s)) << world.story();
    EXPECT_TRUE(world.registered()) << world.story();
}

// Refreshes carry credentials at once, nc rises, and a refused cached nonce costs one more round
// trip and no alarm (L9, F5).
TEST(L9Nonces, RefreshesAreAuthorizedAtOnce) {
    ResilientWorld world([](auto& config) { config.policy.expires = 60s; });
    ASSERT_TRUE(world.registers()) << world.story();
    const auto before = world.sent.size();
    world.run_for(10min);
    const auto refreshes = world.since(before);
    ASSERT_GE(refreshes.size(), 10u);
    std::uint32_t count = 0;
    for (const auto* one : refreshes) {
        ASSERT_TRUE(one->authorized()) << world.story();
        const auto said = sip::digest_credentials_of(one->request.authorizations().front());
        ASSERT_TRUE(said);
        EXPECT_GT(said->nonce_count, count);
        count = said->nonce_count;
        EXPECT_EQ(one->answered, 200);
    }
}

// The nonce of a REGISTER that timed out is not used again with the same count (L9).
TEST(L9Nonces, ATimedOutCountIsNotReused) {
    ResilientWorld world([](auto& config) {
        config.policy.expires = 60s;
        config.registrar = "sip:203.0.113.11";
    });
    ASSERT_TRUE(world.registers()) << world.story();
    world.servers[1].silent = true;
    world.run_for(5min);
    world.servers[1].silent = false;
    ASSERT_TRUE(world.run_until([&] { return world.registered(); }, 3min)) << world.story();
    std::set<std::pair<std::string, std::uint32_t>> used;
    for (const auto* one : world.since(0)) {
        if (!one->authorized()) continue;
        const auto said = sip::digest_credentials_of(one->request.authorizations().front());
        ASSERT_TRUE(said);
        EXPECT_TRUE(used.emplace(said->nonce, said->nonce_count).second) << world.story();
    }
}

// At most 4 rounds an attempt, then it is another server's turn (F5).
TEST(F5Answers, FourRoundsAreEnough) {
    ResilientWorld world;
    world.start();
    const auto first = world.sent.front().server;
    int nonce = 0;
    world.servers[first].script = [&](const Sent&) -> std::optional<Reply> {
        return Reply{401, "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"s" +
                              std::to_string(++nonce) + "\", stale=true, qop=\"auth\"\r\n"};
    };
    ASSERT_TRUE(world.run_until([&] { return world.registered(); }, 1s)) << world.story();
    EXPECT_NE(world.at(), first);
    std::size_t there = 0;
    for (const auto* one : world.since(0)) there += one->server == first ? 1U : 0U;
    EXPECT_EQ(there, 5u) << world.story();  // the first and 4 rounds
}

// 3xx: to a listed address, the Request-URI stays the domain (F5).
TEST(F5Redirect, ToOneOfOurs) {
    ResilientWorld world;
    world.start();
    const auto order = world.order();
    const auto last = order.back();
    world.servers[order.front()].script =
        always({302, "Contact: <sip:" + ResilientWorld::address_of(last).to_string() + ">\r\n"});
    ASSERT_TRUE(world.run_until([&] { return world.registered(); }, 1s)) << world.story();
    EXPECT_EQ(world.at(), last) << world.story();
    EXPECT_EQ(world.sent.back().request.request_uri().text, "sip:example.test");
}

// Nowhere else: not to a stranger, and then the next target is tried (F5, §11).
TEST(F5Redirect, NotToAStranger) {
    for (const auto* contact : {"sip:192.0.2.66", "sip:evil.test", "mailto:a@example.test"}) {
        ResilientWorld world;
        world.start();
        const auto order = world.order();
        world.servers[order.front()].script =
            always({302, "Contact: <" + std::string(contact) + ">\r\n"});
        ASSERT_TRUE(world.run_until([&] { return world.registered(); }, 1s)) << world.story();
        EXPECT_EQ(world.at(), order[1]) << world.story();
        for (const auto* one : world.since(0)) EXPECT_LE(one->server, 3) << world.story();
    }
}

// Two that redirect to each other end as any other outage does (F5, S1, I5).
TEST(F5Redirect, CirclesEnd) {
    ResilientWorld world;
    for (auto& [index, server] : world.servers)
        server.script = always({302,
                                "Contact: <sip:203.0.113.11>, <sip:203.0.113.12>, "
                                "<sip:203.0.113.13>\r\n"});
    world.start();
    world.run_for(10s);
    EXPECT_LE(world.since(0).size(), 2 * 3u + 8u) << world.story();  // I5
    world.run_for(10min);
    EXPECT_LE(world.since(0).size(), 6 * 3u + 60u) << world.story();
}

// Nor does one that names a new port of its own each time lead us on for ever: 5 places in a
// search, then the others have their turn (F5, I8).
TEST(F5Redirect, AServerThatAlwaysKnowsAnotherPortIsLeft) {
    ResilientWorld world;
    world.start();
    const auto order = world.order();
    const auto own = ResilientWorld::address_of(order.front()).to_string();
    int port = 20000;
    world.servers[order.front()].script = [&](const Sent&) {
        std::string contacts;
        for (int i = 0; i < 5; ++i)
            contacts += "Contact: <sip:" + own + ":" + std::to_string(++port) + ">\r\n";
        return std::optional(Reply{302, contacts});
    };
    ASSERT_TRUE(world.run_until([&] { return world.registered(); }, 1s)) << world.story();
    EXPECT_EQ(world.at(), order[1]) << world.story();
    std::size_t there = 0;
    for (const auto* one : world.since(0)) there += one->server == order.front() ? 1U : 0U;
    EXPECT_EQ(there, 2u + 5u) << world.story();  // its 401, its first 302, and 5 places
}

// 400 or 500 with a Call-ID from an earlier run: once with a new Call-ID (F5).
TEST(F5Answers, AnEarlierRunsCallIdIsGivenUpOnce) {
    for (const int status : {400, 500}) {
        ResilientWorld world;
        ASSERT_TRUE(world.registers()) << world.story();
        const auto old = std::string(world.sent.back().request.call_id());
        all(world, [&](const Sent& one) -> std::optional<Reply> {
            if (one.request.call_id() != old) return std::nullopt;
            return Reply{status, ""};
        });
        const auto before = world.sent.size();
        world.restart();
        ASSERT_TRUE(world.run_until([&] { return world.registered(); }, 1s)) << world.story();
        EXPECT_EQ(world.since(before).front()->request.call_id(), old);  // B1: lasting
        EXPECT_NE(world.sent.back().request.call_id(), old);
    }
}

// In a first run there is nothing to give up: 400 is a refusal, 500 another server's turn (F5).
TEST(F5Answers, AFreshCallIdIsNotGivenUp) {
    ResilientWorld world;
    all(world, always({400, ""}));
    world.start();
    world.run_for(1min);
    std::set<std::string> call_ids;
    for (const auto* one : world.since(0)) call_ids.emplace(one->request.call_id());
    EXPECT_EQ(call_ids.size(), 1u) << world.story();
    EXPECT_EQ(world.count(EventKind::refused), 1u);
}

// Each attempt is a new transaction: new branch, CSeq + 1, the same Call-ID (F1; RFC 3261 §10.2).
TEST(F1Attempts, EachHasANewBranchAndTheNextCseq) {
    ResilientWorld world([](auto& config) { config.policy.expires = 60s; });
    world.servers[1].silent = true;
    ASSERT_TRUE(world.registers()) << world.story();
    world.servers[world.at()].silent = true;
    world.run_for(10min);
    const auto all_sent = world.since(0);
    ASSERT_GE(all_sent.size(), 10u);
    std::set<std::string> branches;
    for (std::size_t i = 0; i < all_sent.size(); ++i) {
        EXPECT_TRUE(branches.emplace(all_sent[i]->request.top_via().branch).second);
        EXPECT_EQ(all_sent[i]->request.call_id(), all_sent[0]->request.call_id());
        if (i > 0) {
            EXPECT_EQ(all_sent[i]->request.cseq().number,
                      all_sent[i - 1]->request.cseq().number + 1);
        }
    }
}

}  // namespace
}  // namespace holdfast::registration
