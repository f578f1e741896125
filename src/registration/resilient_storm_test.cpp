// Where several faults come together: one flow left of two (B1), late answers (F3, S1), wishes that
// meet, and the limits behind the rules (I4, I5).
#include <gtest/gtest.h>

#include "registration/resilient_world.h"

namespace holdfast::registration {
namespace {

using Reply = ResilientWorld::Reply;
using Sent = ResilientWorld::Sent;

// A final answer that comes when nobody expects it any more.
sip::Message late_answer(const Sent& one, const std::string& status, const std::string& lines) {
    const auto text = "SIP/2.0 " + status + "\r\nVia: " + std::string(one.request.top_via().text) +
                      "\r\nFrom: " + std::string(one.request.from().text) +
                      "\r\nTo: " + std::string(one.request.to().text) +
                      ";tag=t\r\nCall-ID: " + std::string(one.request.call_id()) +
                      "\r\nCSeq: " + std::to_string(one.request.cseq().number) + " REGISTER\r\n" +
                      lines + "Content-Length: 0\r\n\r\n";
    auto message = sip::Message::parse(text);
    EXPECT_TRUE(message.has_value()) << text;
    return std::move(*message);
}

// All servers let their REGISTER pass, and their answers are awaited still.
void nobody_answers(ResilientWorld& world) {
    world.listed = {1, 2};
    for (auto& [index, server] : world.servers) server.silent = true;
    world.start();
    ASSERT_TRUE(world.run_until([&] { return world.count(EventKind::waiting) == 1; }, 20s))
        << world.story();
    ASSERT_EQ(world.since(0).size(), 2U) << world.story();
}

void answer_late(ResilientWorld& world, std::uint32_t attempt, const std::string& status,
                 const std::string& lines = {}) {
    const auto& one = *world.since(0).at(attempt - 1);
    const auto answer = late_answer(one, status, lines);
    for (const auto& flow : world.flows.all())
        if (ResilientWorld::server_at(flow.target) == one.server)
            return world.tell(told::Response{AttemptId{attempt}, flow.id, &answer});
    FAIL() << "no flow to server " << one.server;
}

// S1: a server that answers an abandoned REGISTER late with 503 starts no new search: it is as far
// from serving as if it had said so in time.
TEST(S1Storm, ALateServerErrorStartsNoSearch) {
    ResilientWorld world;
    nobody_answers(world);
    for (const std::uint32_t attempt : {1U, 2U}) answer_late(world, attempt, "503 Busy");
    world.run_for(1s);
    EXPECT_EQ(world.since(0).size(), 2U) << world.story();
}

// S1, F5: nor does one that asks to be left alone for 10 s; but when it lives, it is asked after
// them, and not at the end of a wait that knew nothing of it.
TEST(S1Storm, AfterALateRetryAfterAServerThatLivesIsAsked) {
    ResilientWorld world;
    nobody_answers(world);
    for (const std::uint32_t attempt : {1U, 2U})
        answer_late(world, attempt, "503 Busy", "Retry-After: 10\r\n");
    for (auto& [index, server] : world.servers) server.silent = false;
    world.run_for(9s);
    EXPECT_EQ(world.since(0).size(), 2U) << world.story();
    EXPECT_TRUE(world.run_until([&] { return world.registered(); }, 6s)) << world.story();
}

// S1: one search that fails is one failure, also where a server asks for the password late and then
// is silent: the wait is not begun anew.
TEST(S1Storm, ALateChallengeMakesNoSecondFailure) {
    ResilientWorld world;
    nobody_answers(world);
    answer_late(world, 2, "401 Unauthorized",
                "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"n2-1\"\r\n");
    world.run_for(3s);
    EXPECT_EQ(world.since(0).size(), 3U) << world.story();
    EXPECT_EQ(world.count(EventKind::waiting), 1U) << world.story();
}

// F5: several servers say that the interval is too brief, of what was asked before the first of
// them had said so: each is asked again with what they want, and none has refused for good.
TEST(F5Adapted, ByTwoServersAtOnce) {
    const std::vector<std::pair<std::string, std::string>> rows = {
        {"423 Interval Too Brief", "Min-Expires: 900\r\n"},
        {"420 Bad Extension", "Unsupported: outbound\r\n"},
        {"439 First Hop Lacks Outbound Support", ""},
    };
    for (const auto& [status, lines] : rows) {
        ResilientWorld world;
        nobody_answers(world);
        answer_late(world, 1, status, lines);
        answer_late(world, 2, status, lines);
        EXPECT_EQ(world.count(EventKind::refused), 0U) << status << world.story();
        ASSERT_EQ(world.since(0).size(), 4U) << status << world.story();
        EXPECT_EQ(world.since(0)[3]->server, world.since(0)[1]->server) << world.story();
    }
}

// B6, B7: the server that had let patience pass has the binding after all, while the phone is
// registered elsewhere: what it has leads to a port of its own behind this NAT, and goes.
TEST(S1Storm, WhatASlowServerTookIsRemovedThere) {
    ResilientWorld world([](auto& config) { config.policy.expires = 1200s; });
    world.listed = {1, 2};
    const int slow = 1;
    world.servers[slow].answers_after = 3s;
    world.servers[slow].challenges = false;
    world.start();
    ASSERT_TRUE(world.run_until([&] { return world.at() == 2; }, 10s)) << world.story();
    ASSERT_FALSE(world.servers[slow].bindings.empty()) << world.story();
    world.servers[slow].answers_after = ResilientWorld::rtt;
    world.run_for(30s);
    EXPECT_EQ(world.at(), 2) << world.story();
    EXPECT_TRUE(world.servers[slow].bindings.empty()) << world.story();
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

// Servers with one location service, in which another device has a binding too.
struct OneLocationService {
    std::map<std::string, std::uint32_t> kept{};  // ours: URI, expires
    std::size_t room = 2;

    std::optional<Reply> answer(const Sent& one) {
        if (one.request.method() != sip::Method::register_ || !one.authorized())
            return std::nullopt;
        auto after = kept;
        for (const auto& [uri, expires] : one.contacts)
            if (expires == 0U)
                after.erase(uri);
            else
                after[uri] = 120;
        if (after.size() > room) return Reply{503};
        kept = after;
        std::string lines = "Contact: <sip:alice@192.0.2.250>;expires=9000\r\n";
        for (const auto& [uri, expires] : kept) lines += "Contact: <" + uri + ">;expires=120\r\n";
        return Reply{200, lines};
    }
};

class B1TwoFlows : public ::testing::Test {
protected:
    void SetUp() override {
        for (auto& [index, server] : world.servers)
            server.script = [this](const Sent& one) { return location.answer(one); };
        ASSERT_TRUE(world.registers()) << world.story();
        world.run_for(5s);
        ASSERT_EQ(location.kept.size(), 2U) << world.story();
    }
    OneLocationService location;
    ResilientWorld world{[](auto& config) {
        config.policy.flows = 2;
        config.policy.expires = 120s;
    }};
};

// B1: there is no room for the second flow's binding, which came while the servers had not yet
// heard of the first, and every refresh is refused. It goes, and the account stays registered.
TEST_F(B1TwoFlows, WhereThereIsRoomForOne) {
    location.room = 1;
    for (int i = 0; i < 50; ++i) {
        world.run_for(5s);
        ASSERT_TRUE(world.registered()) << world.story();
    }
    EXPECT_EQ(world.resilient->view().bindings.size(), 1U) << world.story();
    EXPECT_EQ(location.kept.size(), 1U) << world.story();
    EXPECT_TRUE(location.kept.contains(world.binding().contact)) << world.story();
    location.room = 2;  // the other device has gone
    world.run_for(59min);
    EXPECT_EQ(world.resilient->view().bindings.size(), 2U) << world.story();
}

// F5, B1: servers that say when they will serve again are busy, and cost no flow.
TEST_F(B1TwoFlows, BusyServersCostNone) {
    for (auto& [index, server] : world.servers)
        server.script = [](const Sent&) -> std::optional<Reply> {
            return Reply{503, "Retry-After: 20\r\n"};
        };
    world.tell(told::RegisterNow{});
    world.run_for(10s);
    for (auto& [index, server] : world.servers)
        server.script = [this](const Sent& one) { return location.answer(one); };
    world.run_for(1min);
    EXPECT_EQ(world.resilient->view().bindings.size(), 2U) << world.story();
    EXPECT_TRUE(world.registered());
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
