// K1: where no keep-alive of any kind was ever answered, REGISTER proves that the server lives.
//   Not tested here: when the keep-alive finds that out (flow/keep_alive_test.cpp).
#include <gtest/gtest.h>

#include "registration/resilient_world.h"

namespace holdfast::registration {

namespace {

void nothing_answers_keep_alives(ResilientWorld& world) {
    world.tell(told::HoldOnly{world.flows.all().front().id});
}

TEST(K1ProofOfLife, ARegisterAtOnceAndThenEvery120Seconds) {
    ResilientWorld world;
    world.listed = {1};
    ASSERT_TRUE(world.registers()) << world.story();
    const auto before = world.sent.size();
    nothing_answers_keep_alives(world);
    const auto told_at = world.now - Instant{};
    world.run_for(10min);
    auto last = told_at;
    for (const auto* one : world.since(before)) {
        EXPECT_LE(one->at - last, 120s + ResilientWorld::rtt) << world.story();
        last = one->at;
    }
    EXPECT_LE(told_at + 10min - last, 120s);
    EXPECT_EQ(world.since(before).front()->at, told_at) << "the first one at once";
    EXPECT_LE(world.since(before).size(), 7U) << "and no more often: " << world.story();
}

// A server that learns to answer, or that a filter hid, is asked by its keep-alive again.
TEST(K1ProofOfLife, EndsWhenTheKindIsAnswered) {
    ResilientWorld world;
    world.listed = {1};
    ASSERT_TRUE(world.registers()) << world.story();
    nothing_answers_keep_alives(world);
    world.run_for(5min);
    auto* const flow = world.flows.find(world.binding().flow);
    ASSERT_NE(flow, nullptr);
    (void)flow->keep_alive.answered(world.now, flow::Ping::options);
    world.run_for(5min);  // the next one sees it
    const auto before = world.sent.size();
    world.run_for(1h);
    // E is 300 s: a refresh at 75 to 90 % of it.
    EXPECT_LE(world.since(before).size(), 16U) << world.story();
}

// It registered us and died before its first keep-alive: there is nothing that it "answered
// before", and still it is left within seconds, not after two minutes.
TEST(K1ProofOfLife, AServerThatDiedBeforeItsFirstKeepAliveIsLeft) {
    ResilientWorld world;
    ASSERT_TRUE(world.registers()) << world.story();
    const int first = world.at();
    world.servers[first].silent = true;
    nothing_answers_keep_alives(world);
    EXPECT_TRUE(world.run_until([&] { return world.at() != first; }, 1500ms)) << world.story();
    world.run_for(10min);
    EXPECT_NE(world.at(), first);
}

}  // namespace

}  // namespace holdfast::registration
