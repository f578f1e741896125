// The command on a host whose resolver and whose addresses change while it runs. The host is made
// of namespaces (own_host.h): needs root, and says so where it is missing.
#include <csignal>
#include <fstream>

#include "tests/faults/command_world.h"
#include "tests/faults/own_host.h"

namespace holdfast::faults {
namespace {

// Before the world: its sockets are to be in the host's network.
struct HasOwnHost {
    OwnHost host;
};

class ChangingHost : private HasOwnHost, public CommandWorld {
protected:
    ChangingHost() : CommandWorld({.records = {.ttl = 1s}, .name_server_port = 53}) {}
    void SetUp() override {
        if (!host.is_own()) GTEST_SKIP() << "needs root: namespaces cannot be made here";
    }
    using HasOwnHost::host;
    [[nodiscard]] std::size_t requests() const {
        std::size_t found = 0;
        for (const auto& node : world->cluster().nodes()) found += node->counters().requests;
        return found;
    }
};

// A laptop that was started without a network: its resolver comes with the network, later (L6).
TEST_F(ChangingHost, ResolverThatComesLaterIsAskedWithTheNextQuestion) {
    const auto file = scratch.path() / "resolv.conf";
    std::ofstream(file) << "nameserver 127.0.0.99\n";  // nobody
    ASSERT_TRUE(OwnHost::use_resolver(file));
    use_system_resolver = true;
    auto& run = start(scratch.path() / "state");
    ASSERT_TRUE(run_until([&] { return run.said("no DNS server reachable"); })) << story(run);
    EXPECT_EQ(world->cluster().registers(), 0U);
    std::ofstream(file) << "nameserver " << world->name_server().address.to_string() << "\n";
    EXPECT_TRUE(run_until_registered(run, 30s)) << story(run);
    EXPECT_EQ(bindings().size(), 1U);
}

// The host gets another resolver while the phone is registered: what is asked next goes there, and
// nothing more to the old one (L1: the system's resolvers, read again when they change).
TEST_F(ChangingHost, ResolverThatChangesIsAskedFromThenOn) {
    ASSERT_TRUE(world->add_name_server(loop));
    const auto& before = *world->name_servers().at(0);
    const auto& after = *world->name_servers().at(1);
    const auto file = scratch.path() / "resolv.conf";
    std::ofstream(file) << "nameserver " << before.local().address.to_string() << "\n";
    ASSERT_TRUE(OwnHost::use_resolver(file));
    use_system_resolver = true;
    auto& run = start(scratch.path() / "state");
    ASSERT_TRUE(run_until_registered(run)) << story(run);
    EXPECT_GT(before.queries(), 0U);
    EXPECT_EQ(after.queries(), 0U);

    std::ofstream(file) << "nameserver " << after.local().address.to_string() << "\n";
    const auto asked = before.queries();
    EXPECT_TRUE(run_until(
        [&] {
            run.signal(SIGHUP);  // registers now; the addresses' TTL is over
            return after.queries() > 0;
        },
        10s))
        << story(run);
    EXPECT_EQ(before.queries(), asked) << story(run);
    EXPECT_EQ(bindings().size(), 1U) << story(run);
    EXPECT_FALSE(run.said("\"unreachable\"")) << story(run);
}

// K5: every change is looked into within a second or so; the way to the servers is as it was, so
// the binding stays, and nothing is registered anew.
TEST_F(ChangingHost, AddressesThatComeAndGoAreLookedInto) {
    ASSERT_TRUE(host.add("lo:1", "192.0.2.7"));
    auto& run = start(scratch.path() / "state");
    ASSERT_TRUE(run_until_registered(run)) << story(run);
    ASSERT_TRUE(run_until([&] { return run.said("\"reachable\""); }, 5s)) << story(run);
    const auto contact = bindings().front().contact;
    std::vector<std::function<bool()>> changes{[&] { return host.add("lo:2", "198.51.100.9"); },
                                               [&] { return host.remove("lo:1"); },
                                               [&] { return host.add("lo:1", "192.0.2.8"); }};
    if (host.has_ipv6()) {
        changes.emplace_back([&] { return host.add_v6("2001:db8::7"); });
        changes.emplace_back([&] { return host.remove_v6("2001:db8::7"); });
    }
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const auto before = requests();
        ASSERT_TRUE(changes[i]()) << i;
        EXPECT_TRUE(run_until([&] { return requests() > before; }, 3s)) << i << story(run);
        EXPECT_EQ(bindings().size(), 1U) << i << story(run);
    }
    EXPECT_EQ(bindings().front().contact, contact);
    EXPECT_FALSE(run.said("\"unregistered\"")) << story(run);
    ASSERT_TRUE(leave(run));
    EXPECT_EQ(run.exit_code(), 0) << story(run);
}

}  // namespace
}  // namespace holdfast::faults
