// Where several faults come together: one flow left of two (B1), late answers (F3, S1), wishes that
// meet, and the limits behind the rules (I4, I5).
#include <gtest/gtest.h>

#include "registration/resilient_world.h"

namespace holdfast::registration {
namespace {

using Reply = ResilientWorld::Reply;
using Sent = ResilientWorld::Sent;

// S1: a server that answers an abandoned REGISTER late with 503 starts no new search: it is as far
// from serving as if it had said so in time.
TEST(S1Storm, ALateServerErrorStartsNoSearch) {
    ResilientWorld world;
    world.listed = {1, 2};
    for (auto& [index, server] : world.servers) server.silent = true;
    world.start();
    ASSERT_TRUE(world.run_until([&] { return world.count(EventKind::waiting) == 1; }, 20s))
        << world.story();
    const auto asked = world.since(0).size();
    const auto outstanding = world.resilient->view().outstanding;
    ASSERT_FALSE(outstanding.empty());
    const auto last = world.since(0).back();
    const auto text = "SIP/2.0 503 Busy\r\nVia: " + std::string(last->request.top_via().text) +
                      "\r\nFrom: " + std::string(last->request.from().text) +
                      "\r\nTo: " + std::string(last->request.to().text) +
                      ";tag=t\r\nCall-ID: " + std::string(last->request.call_id()) +
                      "\r\nCSeq: " + std::to_string(last->request.cseq().number) +
                      " REGISTER\r\nContent-Length: 0\r\n\r\n";
    const auto late = sip::Message::parse(text);
    ASSERT_TRUE(late.has_value());
    for (std::uint32_t id = 1; id <= asked; ++id)  // whichever it belongs to, abandoned or not
        world.tell(told::Response{AttemptId{id}, outstanding.front().flow, &*late});
    world.run_for(1s);
    EXPECT_EQ(world.since(asked).size(), 0u) << world.story();
}

// S1: what an exhausted search left outstanding counts: its late 200 registers, without another
// REGISTER.
TEST(S1Storm, WhatAnExhaustedSearchLeftOutstandingCounts) {
    ResilientWorld world;
    world.listed = {1};
    world.servers[1].silent = true;
    world.servers[1].challenges = false;
    world.start();
    ASSERT_TRUE(world.run_until([&] { return world.count(EventKind::waiting) == 1; }, 20s));
    const auto outstanding = world.resilient->view().outstanding;
    ASSERT_EQ(outstanding.size(), 1u);
    const auto last = world.since(0).back();
    const auto text = "SIP/2.0 200 OK\r\nVia: " + std::string(last->request.top_via().text) +
                      "\r\nFrom: " + std::string(last->request.from().text) +
                      "\r\nTo: " + std::string(last->request.to().text) +
                      ";tag=t\r\nCall-ID: " + std::string(last->request.call_id()) +
                      "\r\nCSeq: " + std::to_string(last->request.cseq().number) +
                      " REGISTER\r\nContact: <" + last->contacts.front().first +
                      ">;expires=300\r\nContent-Length: 0\r\n\r\n";
    const auto late = sip::Message::parse(text);
    ASSERT_TRUE(late.has_value());
    world.tell(told::Response{AttemptId{1}, outstanding.front().flow, &*late});
    EXPECT_TRUE(world.registered()) << world.story();
    EXPECT_EQ(world.since(0).size(), 1u) << world.story();
}

// Wishes of several reasons that come during one search are one REGISTER afterwards. What one of
// them wants besides outlives the others: R3Proof.AFreshContactOutlivesOtherWishes.
TEST(Wishes, OfSeveralReasonsAreOneRegister) {
    ResilientWorld world;
    ASSERT_TRUE(world.registers()) << world.story();
    const auto before = world.since(0).size();
    world.tell(told::CheckSync{});
    world.tell(told::CheckSync{});
    world.tell(told::RegisterNow{});
    world.run_for(2s);
    EXPECT_EQ(world.since(before).size(), 2u) << world.story();
}

// I4: a new search gives up what would make it three of a reg-id.
TEST(I4Outstanding, NeverMoreThanTwoOfARegId) {
    ResilientWorld world;
    for (auto& [index, server] : world.servers) server.silent = true;
    world.start();
    std::size_t most = 0;
    for (int i = 0; i < 600; ++i) {
        world.run_for(100ms);
        if (i % 70 == 69) world.tell(told::RegisterNow{});
        const auto outstanding = world.resilient->view().outstanding;
        most = std::max(most, outstanding.size());
        for (std::size_t a = 0; a < outstanding.size(); ++a)
            for (std::size_t b = 0; b < a; ++b)
                EXPECT_NE(outstanding[a].flow, outstanding[b].flow) << world.story();
    }
    EXPECT_EQ(most, 2u) << world.story();
}

// B1, B2: one flow again leaves nobody behind: where the registrar keeps one binding only, the
// second's Contact is removed by the first, and it says so once.
TEST(B1OneFlow, LeavesNobodyBehind) {
    ResilientWorld world([](auto& config) { config.policy.flows = 2; });
    std::string kept;
    for (auto& [index, server] : world.servers) {
        server.challenges = false;
        server.script = [&kept](const Sent& one) -> std::optional<Reply> {
            if (one.request.method() != sip::Method::register_) return std::nullopt;
            if (one.contacts.empty() || one.contacts.front().second == 0U) return Reply{};
            kept = one.contacts.front().first;  // one binding: the last to arrive
            return Reply{200, "Contact: <" + kept + ">;expires=300\r\n"};
        };
    }
    ASSERT_TRUE(world.registers()) << world.story();
    world.run_for(5s);
    EXPECT_EQ(world.resilient->view().bindings.size(), 1u) << world.story();
    EXPECT_EQ(world.binding().contact, kept) << "what is listed is the flow that stays";
    EXPECT_TRUE(world.stored.contains("one-flow-only"));
    EXPECT_FALSE(world.stored.contains("binding-2"));
}

// I5, I1: what a storm used up comes back bit by bit: when the servers are well again, a REGISTER
// is never minutes away.
TEST(I5Budget, IsNeverUsedUpForMinutes) {
    ResilientWorld world;
    for (auto& [index, server] : world.servers)
        server.script = [](const Sent&) -> std::optional<Reply> { return Reply{500}; };
    world.start();
    for (int i = 0; i < 200; ++i) {
        world.run_for(3s);
        world.tell(told::RegisterNow{});
    }
    const auto all = world.since(0);
    EXPECT_LE(all.size(), 6 * 3u + 60u);
    for (auto& [index, server] : world.servers) server.script = {};
    EXPECT_TRUE(world.run_until([&] { return world.registered(); }, 35s)) << world.story();
}

}  // namespace
}  // namespace holdfast::registration
