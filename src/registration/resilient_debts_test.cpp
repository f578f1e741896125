// What a move leaves behind at the old server, and how it is settled there (B7); whose silence
// counts (F7). Against scripted servers.
#include <gtest/gtest.h>

#include "registration/resilient_world.h"

namespace holdfast::registration {
namespace {

using Reply = ResilientWorld::Reply;
using Sent = ResilientWorld::Sent;

// B7, separate location services: the old server still has the old Contact: it is removed there
// alone, after the new one is registered.
TEST(B7Settling, AnOldServerOfItsOwnIsCleaned) {
    ResilientWorld world([](auto& config) { config.policy.expires = 60s; });
    ASSERT_TRUE(world.registers()) << world.story();
    const auto first = world.at();
    const auto old = world.binding().contact;
    world.servers[first].script = [](const Sent& one) -> std::optional<Reply> {
        if (one.contacts.empty() || one.only_removes()) return std::nullopt;
        return Reply{503, ""};  // busy with REGISTERs, but alive
    };
    ASSERT_TRUE(world.run_until([&] { return world.at() != first; }, 60s)) << world.story();
    const auto moved = world.sent.size();
    world.run_for(10s);
    EXPECT_FALSE(world.servers[first].bindings.contains(old)) << world.story();
    std::vector<const Sent*> there;
    for (const auto* one : world.since(moved))
        if (one->server == first) there.push_back(one);
    ASSERT_GE(there.size(), 2u) << world.story();
    EXPECT_TRUE(there.front()->contacts.empty());  // a fetch
    EXPECT_TRUE(there.back()->only_removes());
    EXPECT_EQ(world.count(EventKind::unregistered), 0u);
}

// B7, one shared location service: the fetch lists the new Contact; nothing is removed there.
TEST(B7Settling, ASharedLocationServiceIsLeftAlone) {
    ResilientWorld world([](auto& config) { config.policy.expires = 60s; });
    std::map<std::string, std::string> shared;
    const auto registrar = [&](const Sent& one) -> std::optional<Reply> {
        if (!one.authorized()) return std::nullopt;
        for (const auto& contact : one.request.contacts()) {
            const std::string uri(contact.uri.text);
            shared.erase(uri);
            if (contact.expires != 0U) shared[uri] = ";expires=60";
        }
        std::string lines;
        for (const auto& [uri, parameters] : shared)
            lines += "Contact: <" + uri + ">" + parameters + "\r\n";
        return Reply{200, lines};
    };
    for (auto& [index, server] : world.servers) server.script = registrar;
    ASSERT_TRUE(world.registers()) << world.story();
    const auto first = world.at();
    world.servers[first].script = [&](const Sent& one) -> std::optional<Reply> {
        if (one.authorized() && !one.contacts.empty()) return Reply{503, ""};
        return registrar(one);
    };
    ASSERT_TRUE(world.run_until([&] { return world.at() != first; }, 60s)) << world.story();
    const auto moved = world.sent.size();
    world.run_for(30s);
    ASSERT_EQ(shared.size(), 1u) << world.story();
    EXPECT_EQ(shared.begin()->first, world.binding().contact);
    for (const auto* one : world.since(moved)) EXPECT_FALSE(one->only_removes()) << world.story();
}

// B7: a silent old server is a debt, settled as soon as it answers again, before the binding ends
// there; also by the next run (B3).
TEST(B7Settling, DebtsAreSettledWhenTheServerReturns) {
    for (const bool restarts : {false, true}) {
        ResilientWorld world([](auto& config) { config.policy.expires = 1200s; });
        ASSERT_TRUE(world.registers()) << world.story();
        const auto first = world.at();
        const auto old = world.binding().contact;
        world.servers[first].silent = true;
        for (auto& flow : world.flows.all())
            if (ResilientWorld::server_at(flow.target) == first) {
                world.tell(told::Suspect{flow.id, "test"});
                break;
            }
        ASSERT_TRUE(world.run_until([&] { return world.at() != first; }, 5s)) << world.story();
        world.run_for(60s);
        EXPECT_GE(world.count(EventKind::binding_debt), 1u) << world.story();
        EXPECT_TRUE(world.servers[first].bindings.contains(old));
        if (restarts) {
            world.restart();
            world.run_for(5s);
        }
        world.servers[first].silent = false;
        world.run_for(90s);
        EXPECT_FALSE(world.servers[first].bindings.contains(old)) << restarts << world.story();
    }
}

// B7: the same Contact on both (an endpoint-independent mapping): it is left there, and the flow is
// kept alive until it expires.
TEST(B7Settling, TheSameContactOnBothKeepsTheOldFlowAlive) {
    ResilientWorld world([](auto& config) {
        config.policy.expires = 60s;
        config.policy.rewrite = Rewrite::off;  // the local address everywhere: the same Contact
    });
    ASSERT_TRUE(world.registers()) << world.story();
    const auto first = world.at();
    const auto flow = world.binding().flow;
    world.servers[first].script = [](const Sent& one) -> std::optional<Reply> {
        if (one.contacts.empty() || one.only_removes()) return std::nullopt;
        return Reply{503, ""};
    };
    ASSERT_TRUE(world.run_until([&] { return world.at() != first; }, 60s)) << world.story();
    const auto moved = world.sent.size();
    world.run_for(1s);
    for (const auto* one : world.since(moved)) EXPECT_NE(one->server, first) << world.story();
    EXPECT_TRUE(world.keep_alive.at(flow));
    world.run_for(60s);
    EXPECT_FALSE(world.keep_alive.at(flow));
}

// The current server falls silent, and the phone moves.
void leave_silent_server(ResilientWorld& world) {
    const auto left = world.at();
    world.servers[left].silent = true;
    world.servers[left].answers_options = false;
    world.tell(told::RegisterNow{});
    ASSERT_TRUE(world.run_until([&] { return world.at() != 0 && world.at() != left; }, 10s))
        << world.story();
    world.servers[left].silent = false;
    world.servers[left].answers_options = true;
}

// B7: a phone that goes to and fro between two servers owes each of them one Contact at most; what
// a server's 200 does not list is settled by that 200, and a Contact that is current there again is
// no debt.
TEST(B7Settling, WhatIsOwedTwiceIsOneDebt) {
    ResilientWorld world([](auto& config) { config.policy.expires = 1200s; });
    world.listed = {1, 2};
    ASSERT_TRUE(world.registers()) << world.story();
    for (int move = 0; move < 6; ++move) {
        leave_silent_server(world);
        world.run_for(5s);
    }
    const auto here = world.at();
    const auto before = world.sent.size();
    world.run_for(10min);
    std::size_t elsewhere = 0;
    for (const auto* one : world.since(before)) elsewhere += one->server != here ? 1U : 0U;
    EXPECT_LE(elsewhere, 2u) << world.story();  // a fetch and a removal
    EXPECT_EQ(world.servers[3 - here].bindings.size(), 0u) << world.story();
    EXPECT_EQ(world.servers[here].bindings.size(), 1u) << world.story();
}

// B7, B2: two old Contacts at the same old server, one fetch settles both.
TEST(B7Settling, OneAnswerSettlesAllThatItDoesNotList) {
    ResilientWorld world([](auto& config) { config.policy.expires = 1200s; });
    world.listed = {1, 2};
    ASSERT_TRUE(world.registers()) << world.story();
    const auto first = world.at();
    world.servers[first].script = [](const Sent&) -> std::optional<Reply> {
        return Reply{200, "Expires: 1200\r\n"};  // lists nothing
    };
    leave_silent_server(world);
    world.servers[first].silent = true;
    world.servers[first].answers_options = false;
    world.run_for(10s);
    const auto debts = [&] { return world.stored["debts"]; };
    ASSERT_NE(debts(), "");
    // One more from an earlier run.
    world.stored["debts"] +=
        debts().substr(0, debts().rfind("sip:")) + "sip:alice@192.0.2.9:1;hf=x\n";
    world.restart();
    world.run_for(1s);
    ASSERT_NE(world.at(), first) << world.story();
    world.servers[first].silent = false;
    world.servers[first].answers_options = true;
    const auto before = world.sent.size();
    world.run_for(90s);
    std::size_t asked = 0;
    for (const auto* one : world.since(before)) asked += one->server == first ? 1U : 0U;
    EXPECT_EQ(asked, 1u) << world.story();
    EXPECT_EQ(debts(), "") << world.story();
}

// B7, I5: an old server that cannot serve is asked ever more seldom; the REGISTERs of the 10 min
// are those of a search, should one be needed.
TEST(B7Settling, AnOldServerInTroubleIsAskedEverMoreSeldom) {
    ResilientWorld world([](auto& config) { config.policy.expires = 3600s; });
    ASSERT_TRUE(world.registers()) << world.story();
    const auto first = world.at();
    world.servers[first].script = [](const Sent&) -> std::optional<Reply> { return Reply{500}; };
    world.tell(told::RegisterNow{});
    ASSERT_TRUE(world.run_until([&] { return world.at() != first; }, 5s)) << world.story();
    const auto moved = world.sent.size();
    world.run_for(10min);
    std::vector<Duration> asked;
    for (const auto* one : world.since(moved))
        if (one->server == first) asked.push_back(one->at);
    ASSERT_GE(asked.size(), 6U) << world.story();
    ASSERT_LE(asked.size(), 9U) << world.story();
    EXPECT_LT(asked[1] - asked[0], 30s);
    EXPECT_GE(asked[5] - asked[4], 90s);
    world.servers[first].script = {};
    world.run_for(2min);
    EXPECT_EQ(world.servers[first].bindings.size(), 0U) << world.story();
}

// F7: a server that let an earlier search's patience pass is blamed for that one alone: it may have
// come back since, and a later search must not find it penalised.
TEST(F7Silence, OfAnEarlierSearchIsNotCountedTwice) {
    ResilientWorld world([](auto& config) { config.policy.expires = 1200s; });
    world.listed = {1, 2};
    ASSERT_TRUE(world.registers()) << world.story();
    const auto first = world.at();
    leave_silent_server(world);
    const auto failures = [&](int server) {
        const auto all = world.events_of(EventKind::attempt_failed);
        return std::ranges::count_if(all, [&](const Event& event) {
            return ResilientWorld::server_at(*event.target) == server;
        });
    };
    ASSERT_EQ(failures(first), 1) << world.story();
    leave_silent_server(world);  // the attempt of the first search is still outstanding
    EXPECT_EQ(world.at(), first);
    EXPECT_EQ(failures(first), 1) << world.story();
}

}  // namespace
}  // namespace holdfast::registration
