// Time without reachability, measured by calls through the cluster, for what takes a keep-alive to
// be noticed: the rows S5, S5t (over TCP and TLS) and S7 of what Holdfast must. They run at the
// same time, each in a world of its own.
//   Rules K1, K2, K3, F6, N2. Not tested here: two flows; TCP_USER_TIMEOUT (a silent machine's
//   kernel acknowledges nothing, ours does).
#include <algorithm>
#include <array>
#include <ranges>

#include "tests/loopback/live_fixture.h"

namespace holdfast::live {
namespace {

constexpr Duration keep_alive = 29s;         // at most, on UDP
constexpr Duration stream_keep_alive = 15s;  // the shortest there is; 100 s would take too long
constexpr Duration measured_to = 500ms;      // a call before the gap and one after it

struct Watched {
    World* world = nullptr;
    Phone* phone = nullptr;
    lab::Caller* caller = nullptr;
};

class TimedReachability : public LiveTest {
protected:
    Watched watch(PhoneOptions phone_options, std::string name) {
        WorldOptions options{.nat = lab::NatOptions{}};
        if (is_secure(phone_options.transport)) {
            options.authority = &authority;
            phone_options.ca_file = scratch.path() / "ca.pem";
            EXPECT_TRUE(authority.write_to(phone_options.ca_file));
        }
        options.nat->mapping = lab::Dependence::address_and_port_dependent;
        options.nat->name = std::move(name);
        auto& world = add_world(options);
        auto& phone = add_phone(world, std::move(phone_options));
        EXPECT_TRUE(run_until_registered(phone, 5s)) << phone.log() << world.ladder();
        auto& caller = world.add_caller({.kind = lab::CallKind::invite, .rings_for = 100ms});
        EXPECT_TRUE(loop.run_until([&] { return caller.reached() > 0; }, 2s)) << phone.log();
        return {&world, &phone, &caller};
    }

    // Its server dies: silent, the socket open.
    static void silence(const Watched& of) {
        of.world->silence(of.world->server_at(of.phone->current_target().value()).value());
    }

    void pass(Duration time) {
        loop.run_until([] { return false; }, time);
    }

    Authority authority;
};

TEST_F(TimedReachability, DyingServersAndNatRebinding) {
    const auto soon = [](registration::Policy& policy) {
        policy.stream_keepalive_min = stream_keep_alive;
        policy.stream_keepalive_max = stream_keep_alive;
    };
    const auto secure = watch({.transport = Transport::tls, .tune = soon}, "nat of a phone on TLS");
    const auto stream = watch({.transport = Transport::tcp, .tune = soon}, "nat of a phone on TCP");
    const auto file = scratch.path() / "recording";
    const auto dying = watch({.record_file = file}, "nat of the dying server's phone");
    const auto rebound = watch({}, "nat that rebinds");
    silence(dying);
    rebound.world->rebind_nat();
    silence(secure);
    silence(stream);
    pass(500ms);  // what was on its way; from now on it counts who rings again
    const std::array all{dying, rebound, secure, stream};
    std::array<std::size_t, all.size()> before{};
    for (std::size_t i = 0; i < all.size(); ++i) before[i] = all[i].caller->reached();
    EXPECT_TRUE(loop.run_until(
        [&] {
            return std::ranges::all_of(std::views::iota(0U, all.size()), [&](std::size_t i) {
                return all[i].caller->reached() > before[i];
            });
        },
        keep_alive + 10s))
        << dying.phone->log() << rebound.phone->log() << secure.phone->log() << stream.phone->log();
    pass(5s);  // the patience of calls that were lost

    EXPECT_LE(dying.caller->longest_gap(), keep_alive + 3s + measured_to) << dying.phone->log();
    EXPECT_LE(rebound.caller->longest_gap(), keep_alive + 1s + measured_to) << rebound.phone->log();
    EXPECT_LE(secure.caller->longest_gap(), stream_keep_alive + 12s + measured_to)
        << secure.phone->log();
    EXPECT_LE(stream.caller->longest_gap(), stream_keep_alive + 12s + measured_to)
        << stream.phone->log();
    EXPECT_EQ(rebound.phone->count(EventKind::moved), 0U);
    for (const auto& watched : all)
        EXPECT_EQ(watched.world->cluster().bindings("sip:alice@example.test").size(), 1U);
    kill(*dying.phone);
    expect_same_outputs(file);
}

}  // namespace
}  // namespace holdfast::live
