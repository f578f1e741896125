// How the plain client's Contact follows the mapping, with the presets of MicroSIP: under rotating
// DNS behind an endpoint-dependent NAT (S6, S11), after a rebinding (S7), and in the other modes of
// Policy::rewrite. The servers here answer at once. Not tested here: failures (plain_test.cpp).
#include <gmock/gmock.h>

#include "registration/plain.h"
#include "registration/plain_world.h"

namespace holdfast::registration {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// ---- S6: DNS rotates, expires 30, 5 min, endpoint-dependent NAT

TEST(PlainRotation, MicrosipMovesWithEveryRefreshAndKeepsAPrivateContact) {
    PlainWorld world("microsip", short_lived);
    rotating_five_minutes(world);
    EXPECT_EQ(world.count(EventKind::refreshed), 11U);
    EXPECT_EQ(world.count(EventKind::moved), 11U);
    EXPECT_EQ(world.count(EventKind::unregistered), 0U);
    for (const auto& request : world.sent) EXPECT_FALSE(request.right);
}

// One nonce for a realm: the next server challenges, and its 401 shows the mapping before it is
// bound.
TEST(PlainRotation, MicrosipRewriteLearnsFromThe401AndIsAlwaysRight) {
    PlainWorld world("microsip-rewrite", short_lived);
    rotating_five_minutes(world);
    EXPECT_EQ(world.count(EventKind::refreshed), 11U);
    EXPECT_EQ(world.count(EventKind::moved), 11U);
    EXPECT_EQ(world.count(EventKind::unregistered), 0U);
    for (const auto& request : world.sent) {
        EXPECT_EQ(request.accepted, request.right) << request.contact;
        // In place: nothing removes the old Contact, which is stale until it expires, 5 s later.
        EXPECT_THAT(request.removed, IsEmpty());
    }
}

TEST(PlainRotation, Microsip320UnregistersEverySecondTimeAtAThirdServer) {
    PlainWorld world("microsip-3.20", short_lived);
    rotating_five_minutes(world);
    EXPECT_EQ(world.count(EventKind::refreshed), 17U);
    EXPECT_EQ(world.count(EventKind::moved), 17U);
    EXPECT_EQ(world.count(EventKind::unregistered), 6U);

    Duration right{};
    const PlainWorld::Sent* last = nullptr;
    std::vector<const PlainWorld::Sent*> accepted;
    for (const auto& request : world.sent)
        if (request.accepted) accepted.push_back(&request);
    for (std::size_t i = 0; i < accepted.size(); ++i) {
        const auto& request = *accepted[i];
        if (request.method == "un-REGISTER") {
            ASSERT_LT(i + 1, accepted.size());
            EXPECT_NE(request.server, accepted[i - 1]->server) << "not where the binding is";
            EXPECT_NE(request.server, accepted[i + 1]->server) << "nor where the next one goes";
            EXPECT_NE(request.call_id, accepted[i + 1]->call_id);
            EXPECT_EQ(request.at, accepted[i + 1]->at) << "in the same moment";
            continue;
        }
        if (last != nullptr && last->right) right += request.at - last->at;
        last = &request;
    }
    ASSERT_NE(last, nullptr);
    if (last->right) right += 300s - last->at;
    EXPECT_EQ(right, 150s) << "half of the time (measured: 49.8 %)";
}

// pjsip's lookups block: the second begins when the first is answered, and so has an answer of its
// own.
TEST(PlainRotation, TheTwoRequestsOfARewriteNeverShareALookup) {
    PlainWorld world("microsip-3.20");
    world.rotate = true;
    world.dns_delay = 100ms;
    world.start();
    world.run_until(1s);
    EXPECT_THAT(times_of(world.sent), ElementsAre(100ms, 100ms, 200ms, 200ms, 300ms, 300ms));
    EXPECT_THAT(servers_of(world.sent), ElementsAre(1, 1, 2, 2, 3, 3));
}

// After a rewrite the next 200 is not looked at (its mapping is another one): else this would be
// endless.
TEST(PlainRotation, TheAnswerAfterARewriteIsNotLookedAt) {
    PlainWorld world("microsip-3.20");
    world.rotate = true;
    world.start();
    world.run_until(10s);
    EXPECT_EQ(world.count(EventKind::unregistered), 1U);
    EXPECT_EQ(world.count(EventKind::mapping_changed), 1U);
    EXPECT_FALSE(world.sent.back().right);
}

// ---- Other ways to follow a mapping

// S7: the NAT forgets at 7 s, expires 120: right again at 115 s.
TEST(PlainRewrite, ANatThatRebindsIsNoticedAtTheRefresh) {
    for (const auto* name : {"microsip-rewrite", "microsip-3.20"}) {
        PlainWorld world(name, [](AccountConfig& config) { config.policy.expires = 120s; });
        world.start();
        world.run_until(7s);
        world.nat_generation = 1;
        const auto before = world.sent.size();
        world.run_until(120s);
        ASSERT_GT(world.sent.size(), before) << name;
        EXPECT_EQ(world.sent[before].at, 115s) << name;
        EXPECT_TRUE(world.sent.back().right) << name;
        EXPECT_EQ(world.sent.back().at - 7s, 108s) << name;
    }
}

TEST(PlainRewrite, WithoutAtOnceTheRegisterWaitsForTheUnregister) {
    PlainWorld world("microsip-3.20",
                     [](AccountConfig& config) { config.policy.unregister_at_once = false; });
    world.rotate = true;
    world.servers[2].silent = true;  // where the un-REGISTER goes
    world.start();
    world.run_until(60s);
    EXPECT_THAT(times_of(world.sent), ElementsAre(0s, 0s, 0s, 32s, 32s));
    EXPECT_THAT(servers_of(world.sent), ElementsAre(1, 1, 2, 3, 3));
    EXPECT_TRUE(world.plain->view().registered);
}

TEST(PlainRewrite, ReplaceRemovesTheOldContactInTheSameRequest) {
    PlainWorld world("microsip",
                     [](AccountConfig& config) { config.policy.rewrite = Rewrite::replace; });
    world.start();
    world.run_until(10s);
    EXPECT_EQ(world.count(EventKind::unregistered), 0U);
    EXPECT_TRUE(world.sent.back().right);
    EXPECT_EQ(world.sent.back().removed, "sip:alice@10.0.0.2:40000");
    EXPECT_EQ(world.sent.back().call_id, world.sent.front().call_id);
}

// N2, where a policy asks for it: a mere change of server is no change of mapping.
TEST(PlainRewrite, ComparedPerTargetAChangeOfServerIsNoChangeOfMappingN2) {
    PlainWorld world("microsip-3.20", [](AccountConfig& config) {
        config.policy.expires = 30s;
        config.policy.compare_across_servers = false;
    });
    rotating_five_minutes(world);
    EXPECT_EQ(world.count(EventKind::unregistered), 1U) << "the first: a private Contact";
}

}  // namespace
}  // namespace holdfast::registration
