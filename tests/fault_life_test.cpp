// That a life with a fault is held to what docs/faults.md says (tests/fault_life.h,
// tests/direct_demands.h): lives that must be complained of, and the few that must not be. No fault
// is needed for it: what goes wrong here, goes wrong after the world has healed.
#include "tests/fault_life.h"

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/direct_world.h"

namespace holdfast::lab {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class LifeWithAFault : public testing::Test {
protected:
    void SetUp() override {
        if (wanted_host_fault()) GTEST_SKIP() << "these lives have an end of their own";
    }
};

struct Story {
    ClusterOptions cluster{};
    Duration expires = 1h;
    std::function<void(World&, Cluster&, Phone&)> tell;
};

// What is complained of when the story is over.
std::string complaints_about(const Story& story) {
    testing::TestPartResultArray results;
    {
        const testing::ScopedFakeTestPartResultReporter reporter(
            testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
        World world(seed_from_number(1), {.one_way_delay = 10ms});
        auto& cluster = world.add_registrars({"203.0.113.11"}, story.cluster);
        world.dns().a("example.test", cluster.addresses());
        auto& phone = world.add_phone({.transport = Transport::udp, .expires = story.expires});
        const FaultLife life(world, HostFaultPlan(HostFault::none, 0));
        story.tell(world, cluster, phone);
    }
    std::string text;
    for (int i = 0; i < results.size(); ++i) text.append(results.GetTestPartResult(i).message());
    return text.substr(0, text.find('\n', text.find("PROMISE BROKEN")));
}

void take_bindings_away(Cluster& cluster, const Phone& phone) {
    for (const auto& node : cluster.nodes()) node->location_service().put(aor_key(phone.aor()), {});
}

TEST_F(LifeWithAFault, GoodOneIsNotComplainedOf) {
    EXPECT_EQ(complaints_about({.tell = [](World& world, auto&, auto&) { world.run_for(2min); }}),
              "");
}

// F5: a 403 says nothing of the password while the password is right: whoever is refused tries
// again.
TEST_F(LifeWithAFault, RefusalIsNoExcuseForTheRightPassword) {
    const auto refused_for_ever = [](World& world, Cluster& cluster, Phone&) {
        cluster.node(0).answer_with(403);
        world.run_for(1min);
        world.at(world.elapsed() + 10ms, [&] { cluster.node(0).answer_with(403); });
    };
    EXPECT_THAT(complaints_about({.tell = refused_for_ever}),
                HasSubstr("not registered half an hour after the world healed"));
}

TEST_F(LifeWithAFault, WrongPasswordIsOne) {
    for (const bool forbidden : {false, true}) {
        Story story{.tell = [](World& world, Cluster& cluster, Phone& phone) {
            cluster.add_user("alice", "another");
            phone.give(in::RegisterNow{});
            world.run_for(1min);
        }};
        story.cluster.server.digest.wrong_is_forbidden = forbidden;
        story.cluster.server.digest.nonce_lifetime = 10s;
        story.expires = 2min;
        EXPECT_EQ(complaints_about(story), "") << forbidden;
    }
}

// The new password is the server's: then it must register with it.
TEST_F(LifeWithAFault, PasswordThatWasChangedIsTheOneThatCounts) {
    const auto changed = [](World& world, Cluster& cluster, Phone& phone) {
        world.run_for(10s);
        cluster.add_user("alice", "another");
        phone.give(in::ChangePassword{.account = Phone::account,
                                      .password = Redacted<std::string>("another")});
        world.run_for(1min);
        EXPECT_TRUE(cluster.takes("alice", phone.options().password));
        phone.restart();
        world.run_for(1min);
        EXPECT_TRUE(phone.is_registered());
    };
    EXPECT_EQ(complaints_about({.tell = changed}), "");
}

// R1, R2: it said once that nothing can be proven here, for OPTIONS were filtered; now they are
// not. Its binding is gone, and the refresh is far.
TEST_F(LifeWithAFault, OnceUnprovableIsNoExcuse) {
    const auto filtered_once = [](World& world, Cluster& cluster, Phone& phone) {
        cluster.node(0).filter_options();
        world.run_for(2min);
        EXPECT_GT(phone.count(EventKind::unprovable), 0u);
        cluster.node(0).heal();
        world.run_for(20min);
        EXPECT_GT(phone.count(EventKind::reachable), 0u);
        take_bindings_away(cluster, phone);
    };
    EXPECT_THAT(complaints_about({.tell = filtered_once}),
                HasSubstr("registered and not reachable"));
}

TEST_F(LifeWithAFault, ServerThatAnswersOptionsItselfIsOne) {
    const auto taken_away = [](World& world, Cluster& cluster, Phone& phone) {
        world.run_for(10min);
        EXPECT_GT(phone.count(EventKind::unprovable), 0u);
        take_bindings_away(cluster, phone);
    };
    Story story{.tell = taken_away};
    story.cluster.server.options_to_aor = OptionsToAor::answer;
    EXPECT_EQ(complaints_about(story), "");
}

// Of a call to an address: both sides must say that it is over. Here the callee does, and the
// caller knows nothing of it any more.
TEST_F(LifeWithAFault, CallerMustSeeTheEndOfItsCallToo) {
    for (const bool forgets : {false, true}) {
        AddressWorld w;
        auto& alice = w.add_alice(AddressWorld::uri_of(w.bob));
        ASSERT_TRUE(w.until(alice, EventKind::connected));
        const std::function<void()> look = [&] {
            if (alice.count(EventKind::answered) == 0)
                return w.world.at(w.world.elapsed() + 10ms, look);
            alice.crash();
            alice.restart();
            w.bob.give(in::HangUp{.account = Phone::account});
        };
        if (forgets) look();
        EXPECT_EQ(complaint_of_calling(w.world, alice),
                  forgets ? "it hangs up, and its own call does not end" : "")
            << w.story();
    }
}

}  // namespace
}  // namespace holdfast::lab
