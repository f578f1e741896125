// Leaving in order (B4), with tiny expiries, against servers that refuse, stay silent or have a
// REGISTER of ours still in flight. Not here: what the engine does meanwhile (engine_test.cpp).
#include <gtest/gtest.h>

#include "registration/resilient_world.h"

namespace holdfast::registration {
namespace {

using Reply = ResilientWorld::Reply;
using Sent = ResilientWorld::Sent;

// B4: an un-REGISTER that is refused is told with the server's words; what may still be there stays
// on disk for the next start (B3).
TEST(B4Leave, ARefusedRemovalIsToldAndRemembered) {
    ResilientWorld world;
    ASSERT_TRUE(world.registers()) << world.story();
    const auto contact = world.binding().contact;
    for (auto& [index, server] : world.servers)
        server.script = [](const Sent& one) -> std::optional<Reply> {
            if (one.only_removes()) return Reply{403};
            return std::nullopt;
        };
    world.tell(told::ShutDown{});
    world.run_for(1s);
    EXPECT_TRUE(world.ended);
    const auto told = world.events_of(EventKind::unregistered);
    ASSERT_EQ(told.size(), 1u) << world.story();
    EXPECT_NE(told.front().reason.find("403"), std::string::npos) << told.front().reason;
    EXPECT_NE(world.stored["binding-1"].find(contact), std::string::npos);
}

// B4: an un-REGISTER that is accepted leaves nothing on disk to be cleaned up.
TEST(B4Leave, AnAcceptedRemovalIsForgotten) {
    ResilientWorld world;
    ASSERT_TRUE(world.registers()) << world.story();
    const auto contact = world.binding().contact;
    world.tell(told::ShutDown{});
    world.run_for(1s);
    EXPECT_EQ(world.events_of(EventKind::unregistered).front().reason, "un-registered on exit");
    EXPECT_EQ(world.stored["binding-1"].find(contact), std::string::npos);
}

// B4: never answered, it is told all the same, after 2 s and not before.
TEST(B4Leave, AnUnansweredRemovalIsToldAfterTwoSeconds) {
    ResilientWorld world;
    ASSERT_TRUE(world.registers()) << world.story();
    for (auto& [index, server] : world.servers) server.silent = true;
    world.tell(told::ShutDown{});
    world.run_for(1999ms);
    EXPECT_FALSE(world.ended);
    world.run_for(1ms);
    EXPECT_TRUE(world.ended);
    ASSERT_EQ(world.count(EventKind::unregistered), 1u) << world.story();
}

// B4, I4: a REGISTER in flight at exit is not sent again, and its Contact is removed where it went:
// sent again behind the removal it would bring the binding back.
TEST(B4Leave, ARegisterInFlightIsAbandonedAndItsContactRemoved) {
    ResilientWorld world;
    for (auto& [index, server] : world.servers) server.silent = true;
    world.start();
    world.run_for(500ms);
    ASSERT_EQ(world.since(0).size(), 1u) << world.story();
    const auto& in_flight = *world.since(0).front();
    const auto contact = in_flight.contacts.front().first;
    const auto server = in_flight.server;
    ASSERT_EQ(world.resilient->view().outstanding.size(), 1u);
    world.tell(told::ShutDown{});
    const auto removals = world.since(1);
    ASSERT_EQ(removals.size(), 1u) << world.story();
    EXPECT_TRUE(removals.front()->only_removes());
    EXPECT_EQ(removals.front()->contacts.front().first, contact);
    EXPECT_EQ(removals.front()->server, server);
    ASSERT_EQ(world.resilient->view().outstanding.size(), 1u) << "the removal alone";
    EXPECT_EQ(world.resilient->view().outstanding.front().settles, true);
}

// B4: a registrar that grants one second is asked no more often than every 5 s, and the lapse
// between is told, not hidden.
TEST(B4Refresh, AOneSecondBindingStartsNoStorm) {
    ResilientWorld world;
    for (auto& [index, server] : world.servers) {
        server.challenges = false;
        server.script = [](const Sent& one) -> std::optional<Reply> {
            return Reply{200, "Contact: <" + one.contacts.front().first + ">;expires=1\r\n"};
        };
    }
    ASSERT_TRUE(world.registers()) << world.story();
    world.run_for(1s);  // the mapping that the first answer told is in the Contact (N3)
    const auto before = world.sent.size();
    world.run_for(60s);
    const auto all = world.since(before);
    EXPECT_GE(all.size(), 8u);
    for (std::size_t i = 1; i < all.size(); ++i)
        EXPECT_GE(all[i]->at - all[i - 1]->at, 5s) << world.story();
    EXPECT_GE(world.count(EventKind::unregistered), 8u);
}

}  // namespace
}  // namespace holdfast::registration
