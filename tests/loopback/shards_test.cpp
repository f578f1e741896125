// Many accounts on several shards, over loopback sockets: each registers once, on its own thread's
// flow; accounts come, go and change while the others stay (issue: many accounts).
#include "runtime/shards.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "live/scratch.h"
#include "live/world.h"
#include "runtime/clock.h"
#include "runtime/loop.h"

namespace holdfast {
namespace {

using namespace std::chrono_literals;

constexpr int accounts = 24;

std::string user_of(int number) { return "u" + std::to_string(number); }
std::string aor_of(int number) { return "sip:" + user_of(number) + "@example.test"; }

class ShardsTest : public testing::Test {
protected:
    void SetUp() override {
        auto opened = live::World::open(loop, {});
        ASSERT_TRUE(opened) << opened.error();
        world = *std::move(opened);
        for (int number = 0; number <= accounts; ++number)
            world->cluster().add_user(user_of(number), "secret");
    }
    void open(std::size_t count) {
        runtime::ShardOptions options{.count = count, .driver = {}};
        options.driver.state_directory = scratch.path();
        options.driver.dns_servers = {world->name_server()};
        options.driver.include_loopback = true;
        auto opened = runtime::Shards::open(
            loop, options,
            {.event = [this](Instant, const Event& event) { ++events[event.account][event.kind]; },
             .gone = [this](AccountId id) { gone.insert(id); },
             .stopped = [this] { stopped = true; },
             .lost = [](std::uint64_t lost) { ADD_FAILURE() << lost << " events lost"; }});
        ASSERT_TRUE(opened) << opened.error().sentence;
        shards = *std::move(opened);
        stopped = false;
        events.clear();
    }
    registration::AccountConfig config_of(int number) const {
        registration::AccountConfig config;
        config.aor = aor_of(number);
        config.password = Redacted<std::string>("secret");
        config.transport = Transport::udp;
        if (world->ports() != live::Ports{})
            config.registrar = "sip:example.test:" + std::to_string(world->ports().sip);
        return config;
    }
    void add_all() {
        for (int number = 0; number < accounts; ++number)
            ids[number] = shards->add(config_of(number));
    }
    // How many of our accounts have exactly one binding.
    [[nodiscard]] int bound() const {
        int found = 0;
        for (int number = 0; number <= accounts; ++number)
            found += world->cluster().bindings(aor_of(number)).size() == 1 ? 1 : 0;
        return found;
    }
    bool all_registered() {
        return std::ranges::all_of(
            ids, [&](const auto& one) { return events[one.second][EventKind::registered] == 1; });
    }
    bool until(const std::function<bool()>& goal) {
        runtime::Timer look{loop, [&] { look.arm(runtime::boot_time() + 2ms); }};
        look.arm(runtime::boot_time());
        return loop.run_until(goal, 20s);
    }
    void leave() {
        shards->shut_down();
        EXPECT_TRUE(until([&] { return stopped; }));
        EXPECT_FALSE(shards->failure());
        shards.reset();
    }

    runtime::Loop loop;
    live::ScratchDirectory scratch;
    std::unique_ptr<live::World> world;
    std::map<AccountId, std::map<EventKind, int>> events;
    std::map<int, AccountId> ids;
    std::set<AccountId> gone;
    bool stopped = false;
    std::unique_ptr<runtime::Shards> shards;
};

TEST_F(ShardsTest, EachAccountRegistersOnceAndAllAreGoneInTheEnd) {
    open(3);
    add_all();
    ASSERT_TRUE(until([&] { return bound() == accounts; })) << bound();
    ASSERT_TRUE(until([&] {
        return std::ranges::all_of(
            ids, [&](const auto& one) { return events[one.second][EventKind::registered] == 1; });
    }));
    std::set<Endpoint> flows;
    std::set<std::string> instances;
    for (int number = 0; number < accounts; ++number)
        for (const auto& binding : world->cluster().bindings(aor_of(number))) {
            flows.insert(binding.flow.remote);
            instances.insert(binding.instance);
        }
    EXPECT_EQ(flows.size(), 3U) << "one flow a shard";
    EXPECT_EQ(instances.size(), static_cast<std::size_t>(accounts)) << "each is its own device";
    std::uint64_t registers = 0;
    for (const auto& shard : shards->totals()) registers += shard.registers_sent;
    EXPECT_GE(registers, 2U * accounts);
    leave();
    EXPECT_EQ(bound(), 0);
}

// Reloading: who is not named does not notice.
TEST_F(ShardsTest, AccountsComeGoAndChangeBesideTheOthers) {
    open(2);
    add_all();
    // At the servers, and known here: the answers come a moment later.
    ASSERT_TRUE(until([&] { return bound() == accounts && all_registered(); }));
    shards->remove(ids[0]);
    ids[accounts] = shards->add(config_of(accounts));
    world->cluster().add_user(user_of(2), "another");
    shards->change_password(ids[2], Redacted<std::string>("another"));
    ASSERT_TRUE(until([&] {
        return gone.contains(ids[0]) && events[ids[accounts]][EventKind::registered] == 1;
    }));
    EXPECT_EQ(events[ids[0]][EventKind::unregistered], 1);
    EXPECT_EQ(world->cluster().bindings(aor_of(0)).size(), 0U);
    EXPECT_EQ(bound(), accounts);
    for (int number = 1; number < accounts; ++number) {
        EXPECT_EQ(events[ids[number]][EventKind::registered], 1) << number;
        EXPECT_EQ(events[ids[number]][EventKind::unregistered], 0) << number;
    }
    leave();
}

// B1, B3: another number of shards, the same devices: no second binding beside the first.
TEST_F(ShardsTest, AnotherNumberOfShardsIsTheSameDevices) {
    std::map<int, std::string> instances;
    for (const std::size_t count : {1U, 3U, 2U}) {
        open(count);
        add_all();
        // In this run: what the one before has left is at the servers already.
        ASSERT_TRUE(until([&] { return all_registered() && bound() == accounts; })) << bound();
        for (int number = 0; number < accounts; ++number) {
            const auto binding = world->cluster().bindings(aor_of(number)).front();
            const auto [known, is_new] = instances.emplace(number, binding.instance);
            EXPECT_EQ(known->second, binding.instance) << number;
        }
        // Ended without un-REGISTER, as by a kill: the next run finds what is there.
        shards.reset();
    }
}

}  // namespace
}  // namespace holdfast
