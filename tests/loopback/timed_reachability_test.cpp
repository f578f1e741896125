// Time without reachability, measured by calls through the cluster, for what takes a keep-alive to
// be noticed: the rows S5 and S7 of what Holdfast must. They run at the same time, each in a world
// of its own.
//   Rules K1, K2, K3, F6, N2. Not tested here: two flows.
#include "tests/loopback/live_fixture.h"

namespace holdfast::live {
namespace {

constexpr Duration keep_alive = 29s;  // at most, on UDP

struct Watched {
    World* world = nullptr;
    Phone* phone = nullptr;
    lab::Caller* caller = nullptr;
};

class TimedReachability : public LiveTest {
protected:
    Watched watch(Transport transport, std::string name) {
        WorldOptions options{.nat = lab::NatOptions{}};
        options.nat->mapping = lab::Dependence::address_and_port_dependent;
        options.nat->name = std::move(name);
        auto& world = add_world(std::move(options));
        auto& phone = add_phone(world, {.transport = transport});
        EXPECT_TRUE(run_until_registered(phone, 5s)) << phone.log() << world.ladder();
        auto& caller = world.add_caller({.kind = lab::CallKind::invite, .rings_for = 100ms});
        EXPECT_TRUE(loop_.run_until([&] { return caller.reached() > 0; }, 2s)) << phone.log();
        return {&world, &phone, &caller};
    }

    static bool rings_again(const Watched& of, std::size_t reached_before) {
        return of.caller->reached() > reached_before;
    }
};

TEST_F(TimedReachability, DyingServerAndNatRebinding) {
    const auto dying = watch(Transport::udp, "nat of the dying server's phone");
    const auto rebound = watch(Transport::udp, "nat that rebinds");
    const auto server = dying.world->server_at(dying.phone->current_target().value());
    dying.world->silence(server.value());
    rebound.world->rebind_nat();
    // What was on its way is over soon; then it counts who rings again.
    loop_.run_until([] { return false; }, 500ms);
    const auto before_dying = dying.caller->reached();
    const auto before_rebinding = rebound.caller->reached();
    EXPECT_TRUE(loop_.run_until(
        [&] { return rings_again(dying, before_dying) && rings_again(rebound, before_rebinding); },
        keep_alive + 10s))
        << dying.phone->log() << rebound.phone->log();
    loop_.run_until([] { return false; }, 5s);  // the patience of calls that were lost

    EXPECT_LE(dying.caller->longest_gap(), keep_alive + 3s + 250ms) << dying.phone->log();
    EXPECT_LE(rebound.caller->longest_gap(), keep_alive + 1s + 250ms) << rebound.phone->log();
    EXPECT_EQ(rebound.phone->count(EventKind::moved), 0U);
    EXPECT_EQ(dying.world->cluster().bindings("sip:alice@example.test").size(), 1U);
    EXPECT_EQ(rebound.world->cluster().bindings("sip:alice@example.test").size(), 1U);
}

}  // namespace
}  // namespace holdfast::live
