// What a 200 changes (B1–B6, B8) and what moves or wakes a registration, against scripted servers.
#include <gtest/gtest.h>

#include <set>

#include "registration/resilient_world.h"

namespace holdfast::registration {
namespace {

using Reply = ResilientWorld::Reply;
using Sent = ResilientWorld::Sent;

const std::string other_device = "sip:alice@192.0.2.77:5060";

// B4: the refresh comes at a random 75–90 % of E, not later than E − min(patience·targets + 10 s,
// E/2), counted from the first sending; never more than once in 5 s.
TEST(B4Refresh, ComesInItsWindow) {
    for (const auto expires : {10s, 30s, 60s, 300s, 3600s}) {
        ResilientWorld world([&](auto& config) { config.policy.expires = expires; });
        ASSERT_TRUE(world.registers()) << world.story();
        const auto before = world.sent.size();
        world.run_for(expires * 20);
        const auto refreshes = world.since(before);
        ASSERT_GE(refreshes.size(), 20u);
        const auto margin = std::min<Duration>(3 * 1s + 10s, expires / 2);
        const auto latest = std::min<Duration>(expires * 9 / 10, expires - margin);
        const auto earliest = std::min<Duration>(expires * 3 / 4, latest);
        std::set<Duration> different;
        for (std::size_t i = 1; i < refreshes.size(); ++i) {
            const auto gap = refreshes[i]->at - refreshes[i - 1]->at;
            EXPECT_GE(gap, std::max<Duration>(earliest, 5s)) << expires / 1s;
            EXPECT_LE(gap, std::max<Duration>(latest, 5s + ResilientWorld::rtt)) << expires / 1s;
            different.insert(gap);
        }
        if (expires >= 300s) {
            EXPECT_GT(different.size(), 10u);  // S2
        }
        EXPECT_EQ(world.count(EventKind::unregistered), 0u) << world.story();
    }
}

// B4: E is our Contact's expires, else the Expires header, else what we asked.
TEST(B4Refresh, WhatTheRegistrarGranted) {
    const auto granted = [](const std::string& contact_expires, const std::string& header) {
        ResilientWorld world;
        for (auto& [index, server] : world.servers) {
            server.challenges = false;
            server.script = [=](const Sent& one) -> std::optional<Reply> {
                return Reply{200, "Contact: <" + one.contacts.front().first + ">" +
                                      contact_expires + "\r\n" + header};
            };
        }
        EXPECT_TRUE(world.registers()) << world.story();
        return *world.events_of(EventKind::registered).front().expires;
    };
    EXPECT_EQ(granted(";expires=100", "Expires: 200\r\n"), 100s);
    EXPECT_EQ(granted("", "Expires: 200\r\n"), 200s);
    EXPECT_EQ(granted("", ""), 300s);
}

// B4: on exit the removal goes alone, with expires=0 in both places, to the server that has the
// binding.
TEST(B4Leave, TheRemovalGoesToWhereTheBindingIs) {
    ResilientWorld world;
    ASSERT_TRUE(world.registers()) << world.story();
    const auto here = world.at();
    const auto contact = world.binding().contact;
    const auto before = world.sent.size();
    world.tell(told::ShutDown{});
    world.run_for(1s);
    ASSERT_TRUE(world.ended) << world.story();
    ASSERT_EQ(world.since(before).size(), 1u) << world.story();
    const auto& last = *world.since(before).front();
    EXPECT_EQ(last.server, here);
    EXPECT_EQ(last.contacts, (decltype(last.contacts){{contact, 0}}));
    EXPECT_EQ(last.request.expires(), 0u);
    EXPECT_TRUE(world.servers[here].bindings.empty());
}

// B4: a server that says nothing holds the exit up for 2 s, exactly.
TEST(B4Leave, TwoSecondsAtMost) {
    ResilientWorld world;
    ASSERT_TRUE(world.registers()) << world.story();
    world.servers[world.at()].silent = true;
    world.tell(told::ShutDown{});
    world.run_for(2s - 1ms);
    EXPECT_FALSE(world.ended);
    world.run_for(1ms);
    EXPECT_TRUE(world.ended);
}

// B8: none of ours in the 200: registered, unconfirmed; E = Expires header, else min(asked, 120 s);
// no new REGISTER because of it (B5: registered is what the registrar said).
TEST(B8Unconfirmed, IsRegisteredAllTheSame) {
    for (const auto& [header, expires] :
         {std::pair{"", 120s}, std::pair{"Expires: 240\r\n", 240s}}) {
        ResilientWorld world;
        for (auto& [index, server] : world.servers) {
            server.challenges = false;
            server.script = [header](const Sent&) -> std::optional<Reply> {
                return Reply{200,
                             "Contact: <sip:bob@192.0.2.8>;expires=999\r\n" + std::string(header)};
            };
        }
        ASSERT_TRUE(world.registers()) << world.story();
        const auto told = world.events_of(EventKind::registered).front();
        EXPECT_EQ(told.expires, expires);
        EXPECT_NE(told.reason.find("unconfirmed"), std::string::npos) << told.reason;
        const auto before = world.sent.size();
        world.run_for(expires / 2);
        EXPECT_EQ(world.since(before).size(), 0u) << world.story();
    }
}

// B8: listed before and missing now: REGISTER once, then unconfirmed.
TEST(B8Unconfirmed, MissingOnceIsAskedForOnce) {
    ResilientWorld world;
    ASSERT_TRUE(world.registers()) << world.story();
    for (auto& [index, server] : world.servers)
        server.script = [](const Sent&) -> std::optional<Reply> {
            return Reply{200, "Expires: 300\r\n"};
        };
    auto before = world.sent.size();
    world.tell(told::RegisterNow{});
    world.run_for(30s);
    EXPECT_EQ(world.since(before).size(), 2u) << world.story();
    EXPECT_TRUE(world.registered());
    before = world.sent.size();
    world.tell(told::RegisterNow{});
    world.run_for(30s);
    EXPECT_EQ(world.since(before).size(), 1u) << world.story();
}

// B8: ours with expires=0 is not ours any more: REGISTER once.
TEST(B8Unconfirmed, OursWithExpiresZeroIsAskedForOnce) {
    ResilientWorld world;
    for (auto& [index, server] : world.servers) {
        server.challenges = false;
        server.script = [](const Sent& one) -> std::optional<Reply> {
            return Reply{200, "Contact: <" + one.contacts.front().first + ">;expires=0\r\n"};
        };
    }
    world.start();
    world.run_for(30s);
    EXPECT_EQ(world.since(0).size(), 2u) << world.story();
}

// B2, I6: other devices' Contacts are never named; Contact: * is never sent (RFC 3261 §10.2.2).
TEST(B2Others, AreNeverTouched) {
    ResilientWorld world([](auto& config) { config.policy.expires = 60s; });
    for (auto& [index, server] : world.servers) server.bindings[other_device] = ";expires=900";
    ASSERT_TRUE(world.registers()) << world.story();
    for (int i = 0; i < 3; ++i) {
        world.run_for(100s);
        world.rebind();
    }
    world.servers[world.at()].silent = true;
    world.run_for(5min);
    for (auto& [index, server] : world.servers) server.silent = false;
    world.run_for(5min);
    world.tell(told::ShutDown{});
    world.run_for(3s);
    for (const auto* one : world.since(0)) {
        EXPECT_FALSE(one->request.contact_is_star());
        for (const auto& [uri, expires] : one->contacts) {
            EXPECT_NE(uri, other_device);
            EXPECT_NE(uri.find(";hf="), std::string::npos) << uri;
        }
    }
    for (const auto& [index, server] : world.servers)
        EXPECT_TRUE(server.bindings.contains(other_device));
}

// B2: ours and not current is removed at most 3 times, then left to expire and reported.
TEST(B2Removals, ThreeTimesAtMost) {
    ResilientWorld world;
    ASSERT_TRUE(world.registers()) << world.story();
    const auto here = world.at();
    const auto old = world.binding().contact;
    world.servers[here].script = [&](const Sent& one) -> std::optional<Reply> {
        std::string lines = "Contact: <" + old + ">;expires=200\r\n";
        for (const auto& [uri, expires] : one.contacts)
            if (uri != old && expires != 0U) lines += "Contact: <" + uri + ">;expires=300\r\n";
        return Reply{200, lines};
    };
    const auto before = world.sent.size();
    world.rebind();
    world.run_for(1h);
    std::size_t removals = 0;
    for (const auto* one : world.since(before))
        for (const auto& [uri, expires] : one->contacts)
            removals += uri == old && expires == 0U ? 1U : 0U;
    EXPECT_EQ(removals, 3u) << world.story();
    EXPECT_EQ(world.count(EventKind::binding_debt), 1u) << world.story();
}

// B6: the current Contact first, then the old one, bare, expires=0, in one REGISTER; a removal
// never travels alone to a server where we stay. The old Contact is gone with that one REGISTER.
TEST(B6Removal, TravelsBehindTheCurrentContact) {
    ResilientWorld world;
    ASSERT_TRUE(world.registers()) << world.story();
    const auto here = world.at();
    const auto old = world.binding().contact;
    const auto before = world.sent.size();
    world.rebind();
    world.run_for(1s);
    const auto sent = world.since(before);
    ASSERT_EQ(sent.size(), 1u) << world.story();
    ASSERT_EQ(sent[0]->contacts.size(), 2u);
    EXPECT_NE(sent[0]->contacts[0].first.find(world.mapping_for(here).to_string()),
              std::string::npos);
    EXPECT_EQ(sent[0]->contacts[1], (std::pair{old, std::optional<std::uint32_t>{0}}));
    EXPECT_TRUE(sent[0]->request.contacts()[1].instance().empty());
    EXPECT_EQ(world.servers[here].bindings.size(), 1u);
}

// B6: a registrar that deletes everything with such a REGISTER (Asterisk with rewrite_contact): its
// 200 lacks the current Contact, so that is registered alone, at once, once.
TEST(B6Removal, ARegistrarThatRemovesTooMuch) {
    ResilientWorld world;
    ASSERT_TRUE(world.registers()) << world.story();
    const auto here = world.at();
    world.servers[here].script = [&](const Sent& one) -> std::optional<Reply> {
        if (one.contacts.size() < 2) return std::nullopt;
        world.servers[here].bindings.clear();
        return Reply{200, ""};
    };
    const auto before = world.sent.size();
    world.rebind();
    world.run_for(1s);
    const auto sent = world.since(before);
    ASSERT_EQ(sent.size(), 2u) << world.story();
    EXPECT_EQ(sent[1]->contacts.size(), 1u);
    EXPECT_NE(sent[1]->contacts[0].second, 0u);
    EXPECT_TRUE(world.servers[here].bindings.contains(world.binding().contact)) << world.story();
}

// B3: killed at any moment of its life and started again: one binding, the same Call-ID, a higher
// CSeq (I4).
TEST(B3Crash, KilledAtAnyMomentThereIsOneBinding) {
    for (int moment = 0; moment <= 200; moment += 10) {
        ResilientWorld world([](auto& config) {
            config.policy.expires = 60s;
            config.registrar = "sip:203.0.113.11";
        });
        world.start();
        world.run_for(moment * 1ms);
        ++world.nat_generation;  // the new process gets another mapping
        world.restart();
        ASSERT_TRUE(world.run_until([&] { return world.registered(); }, 2s)) << world.story();
        world.run_for(1s);
        const auto& bindings = world.servers[1].bindings;
        EXPECT_EQ(bindings.size(), 1u) << moment << world.story();
        EXPECT_TRUE(bindings.contains(world.binding().contact)) << moment << world.story();
        std::map<std::string, std::uint32_t> highest;
        for (const auto* one : world.since(0)) {
            auto& last = highest[std::string(one->request.call_id())];
            EXPECT_GT(one->request.cseq().number, last) << moment << world.story();
            last = one->request.cseq().number;
        }
    }
}

// L4: a healthy current target that DNS no longer lists is drained at its next refresh: the new one
// is registered first (make before break).
TEST(L4Drain, MakeBeforeBreakAtTheNextRefresh) {
    ResilientWorld world([](auto& config) { config.policy.expires = 600s; });
    world.dns_ttl = 60s;
    ASSERT_TRUE(world.registers()) << world.story();
    const auto first = world.at();
    std::erase(world.listed, first);
    const auto until = world.now + 30min;
    bool always_registered = true;
    while (world.now < until && world.at() == first) {
        world.run_for(1s);
        always_registered = always_registered && world.registered();
    }
    EXPECT_NE(world.at(), first) << world.story();
    EXPECT_TRUE(always_registered);
    // Listed for 10 min after the last answer that had it.
    EXPECT_GE(world.now - Instant{1000s}, 10min);
    EXPECT_EQ(world.count(EventKind::moved), 1u);
    world.run_for(10s);
    EXPECT_TRUE(world.servers[first].bindings.empty()) << world.story();
}

// L3, I3: DNS answers in any order, for 1,000 refreshes: no move.
TEST(L3Affinity, AThousandRefreshesUnderRotatingDns) {
    ResilientWorld world([](auto& config) { config.policy.expires = 60s; });
    world.dns_ttl = 5s;
    ASSERT_TRUE(world.registers()) << world.story();
    const auto first = world.at();
    while (world.count(EventKind::refreshed) < 1000 && world.now < Instant{30h}) {
        std::ranges::rotate(world.listed, world.listed.begin() + 1);
        world.run_for(7s);
        world.sent.clear();
        ASSERT_EQ(world.at(), first);
    }
    EXPECT_EQ(world.count(EventKind::refreshed), 1000u);
    EXPECT_EQ(world.count(EventKind::moved), 0u);
}

// K3: a changed mapping is acted on at once, at most 3 times in 5 min; then the Contact rests until
// it has been the same for 5 min, and the user is told.
TEST(K3Storm, AMappingThatKeepsChangingIsNotChased) {
    ResilientWorld world([](auto& config) { config.policy.expires = 600s; });
    ASSERT_TRUE(world.registers()) << world.story();
    const auto before = world.sent.size();
    for (int i = 0; i < 20; ++i) {
        world.rebind();
        world.run_for(5s);
    }
    EXPECT_EQ(world.since(before).size(), 3u) << world.story();
    const auto told = world.events_of(EventKind::mapping_changed);
    ASSERT_FALSE(told.empty());
    EXPECT_NE(told.back().reason.find("rests"), std::string::npos);
    // Quiet: the next refresh after 5 min has the mapping of then.
    world.run_for(20min);
    EXPECT_NE(world.binding().contact.find(world.mapping_for(world.at()).to_string()),
              std::string::npos)
        << world.story();
}

// K5, S1: the host wakes while all servers were silent and the binding still counts: the wait ends,
// and a server that is back gets a REGISTER at once (0–500 ms).
TEST(K5Wake, EndsTheWait) {
    ResilientWorld world([](auto& config) { config.policy.expires = 3600s; });
    ASSERT_TRUE(world.registers()) << world.story();
    for (auto& [index, server] : world.servers) {
        server.silent = true;
        server.answers_options = false;
    }
    world.tell(told::Suspect{world.binding().flow, "test"});
    world.run_for(20min);
    ASSERT_TRUE(world.registered());
    for (auto& [index, server] : world.servers) server.silent = false;
    const auto refreshed = world.count(EventKind::refreshed) + world.count(EventKind::moved);
    world.tell(told::Network{.addresses = {IpAddress::v4(10, 0, 0, 2)}, .woke = true});
    EXPECT_TRUE(world.run_until(
        [&] {
            return world.count(EventKind::refreshed) + world.count(EventKind::moved) > refreshed;
        },
        1s))
        << world.story();
}

// K5: a sleep past a refresh: REGISTER first.
TEST(K5Wake, OverdueIsRegisteredAtOnce) {
    ResilientWorld world([](auto& config) { config.policy.expires = 600s; });
    ASSERT_TRUE(world.registers()) << world.story();
    const auto before = world.sent.size();
    world.now = world.binding().refresh_at + 10s;
    world.tell(told::Network{.addresses = {IpAddress::v4(10, 0, 0, 2)}, .woke = true});
    world.run_for(50ms);
    ASSERT_FALSE(world.since(before).empty());
    EXPECT_TRUE(world.registered());
}

// S2: what all accounts of one flow are told at the same moment, a fleet acts on at a moment of its
// spread, however often it is told meanwhile; who is alone with it, or has no spread, at once.
TEST(S2Doubt, IsSpreadWhereOthersAreToldTheSame) {
    const auto waits = [](Duration spread, bool shared) {
        ResilientWorld world([&](auto& config) { config.policy.spread = spread; });
        EXPECT_TRUE(world.registers()) << world.story();
        const auto before = world.sent.size();
        const auto doubted = world.now;
        const told::Suspect doubt{.flow = world.binding().flow, .reason = "", .shared = shared};
        world.tell(doubt);
        EXPECT_EQ(world.count(EventKind::suspect), 1u);
        if (world.sent.size() == before) {
            world.run_for(1ms);
            world.tell(doubt);
            EXPECT_EQ(world.count(EventKind::suspect), 1u) << "it waits already";
        }
        EXPECT_TRUE(world.run_until([&] { return world.sent.size() > before; }, spread));
        return world.now - doubted;
    };
    EXPECT_EQ(waits(10s, false), 0s);
    EXPECT_EQ(waits(0s, true), 0s);
    EXPECT_GT(waits(10s, true), 0s);
    EXPECT_GT(waits(1h, true), 10s);
}

// F8: a backup registrar (another host name) is a further priority, with its own Call-ID; the
// Request-URI, From and To keep the AOR's domain.
TEST(F8Backup, IsAFurtherPriorityWithItsOwnCallId) {
    ResilientWorld world([](auto& config) {
        config.registrar = "sip:203.0.113.11";
        config.backups = {{.uri = "sip:203.0.113.19", .domain = {}}};
        config.policy.expires = 60s;
    });
    ASSERT_TRUE(world.registers()) << world.story();
    EXPECT_EQ(world.at(), 1);
    const auto call_id = std::string(world.sent.back().request.call_id());
    world.servers[1].silent = true;
    ASSERT_TRUE(world.run_until([&] { return world.at() == 9; }, 65s)) << world.story();
    const auto& there = world.servers[9].bindings;
    EXPECT_EQ(there.size(), 1u);
    for (const auto* one : world.since(0)) {
        EXPECT_EQ(one->request.request_uri().text, "sip:example.test");
        EXPECT_EQ(one->request.to().uri.text, "sip:alice@example.test");
        EXPECT_EQ(one->request.call_id() == call_id, one->server == 1) << world.story();
    }
    EXPECT_EQ(world.count(EventKind::unregistered), 0u);
}

}  // namespace
}  // namespace holdfast::registration
