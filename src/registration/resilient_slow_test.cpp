// Servers that answer, but later than any patience: whoever answers at all must register us in the
// end, and the late answers must not make us ask more and more often (F3, S1, I5).
//   Not tested here: a slow server beside a quick one (F3, first half).
#include <gtest/gtest.h>

#include "registration/resilient_world.h"

namespace holdfast::registration {

namespace {

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

}  // namespace

}  // namespace holdfast::registration
