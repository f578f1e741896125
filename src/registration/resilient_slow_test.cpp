// Servers that answer, but later than any patience: whoever answers at all must register us in the
// end, and the late answers must not make us ask more and more often (F3, S1, I5).
//   Not tested here: a slow server beside a quick one (F3, first half).
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "registration/resilient_world.h"

namespace holdfast::registration {

namespace {

using Reply = ResilientWorld::Reply;
using Sent = ResilientWorld::Sent;

void all_answer_after(ResilientWorld& world, Duration wait) {
    for (const int server : world.listed) world.servers[server].answers_after = wait;
}

TEST(F3SlowServers, TheOnlyOneIsWaitedFor) {
    ResilientWorld world;
    world.listed = {1};
    all_answer_after(world, 3s);
    EXPECT_TRUE(world.registers(10s)) << world.story();
    EXPECT_LE(world.since(0).size(), 4U) << world.story();
}

// Two REGISTERs are on their way to the same server; the late challenge of the first one, which was
// abandoned, must not put an end to the second, or no challenge would ever be answered.
TEST(F3SlowServers, ALateAnswerToTheFirstDoesNotEndTheSecond) {
    ResilientWorld world;
    world.listed = {1};
    all_answer_after(world, 3s);
    world.start();
    world.run_for(1300ms);
    world.tell(told::Network{.addresses = {IpAddress::v4(10, 0, 0, 2)}, .woke = false});
    EXPECT_TRUE(world.run_until([&] { return world.registered(); }, 15s)) << world.story();
    EXPECT_LE(world.since(0).size(), 6U) << world.story();
    EXPECT_EQ(world.servers[1].bindings.size(), 1U) << world.story();
}

TEST(F3SlowServers, AClusterThatIsSlowAsAWhole) {
    ResilientWorld world;
    all_answer_after(world, 3s);
    EXPECT_TRUE(world.registers(60s)) << world.story();
    EXPECT_LE(world.since(0).size(), 2 * 3 + 8U) << "I5: " << world.story();
}

// count: -1, all.
std::function<std::optional<Reply>(const Sent&)> refuses(int count) {
    return [count, made = 0](const Sent& one) mutable -> std::optional<Reply> {
        if (!one.authorized() || made == count) return std::nullopt;
        return Reply{401, "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"n1-" +
                              std::to_string(1000 + ++made) + "\", qop=\"auth\"\r\n"};
    };
}

// F5: a server that takes a nonce once, and is so late that each request reaches it twice: the
// second copy is challenged like a stranger's. The new nonce is answered; that is no wrong
// password.
TEST(F5Repetitions, TwoRefusedInARowAreNoWrongPassword) {
    ResilientWorld world;
    world.listed = {1};
    all_answer_after(world, 600ms);
    world.servers[1].script = refuses(2);
    EXPECT_TRUE(world.registers(5s)) << world.story();
    EXPECT_EQ(world.count(EventKind::auth_failed), 0U) << world.story();
}

// F5: for ever it is bounded, three in any 10 min, and never given up.
TEST(F5Repetitions, ForEverTheyAreBoundedAndNeverGivenUp) {
    ResilientWorld world;
    world.listed = {1};
    all_answer_after(world, 600ms);
    world.servers[1].script = refuses(-1);
    world.start();
    world.run_for(6h);
    std::vector<Duration> refused;
    for (const auto* one : world.since(0))
        if (one->authorized()) refused.push_back(one->at);
    ASSERT_GE(refused.size(), 6U) << world.story();
    for (std::size_t i = 3; i < refused.size(); ++i)
        EXPECT_GE(refused[i] - refused[i - 3], 10min) << i << world.story();
    EXPECT_EQ(world.count(EventKind::auth_failed), 0U) << world.story();
    EXPECT_GE(world.count(EventKind::refused), 2U) << "it is told";
    world.servers[1].script = {};
    EXPECT_TRUE(world.run_until([&] { return world.registered(); }, 8h)) << world.story();
}

// F5: who repeats the nonce does not say that it was used up, however late.
TEST(F5Repetitions, TheSameNonceAgainIsARefusal) {
    ResilientWorld world;
    world.listed = {1};
    all_answer_after(world, 600ms);
    world.servers[1].script = [](const Sent&) {
        return Reply{401,
                     "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"n1-same\", "
                     "qop=\"auth\"\r\n"};
    };
    world.start();
    world.run_for(1h);
    EXPECT_EQ(world.count(EventKind::auth_failed), 1U) << world.story();
    EXPECT_EQ(world.since(0).size(), 3U) << world.story();
}

}  // namespace

}  // namespace holdfast::registration
