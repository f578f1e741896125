// `holdfast run` as a whole, against a world on loopback: accounts register once, a reload touches
// those alone that have changed, hooks are told, metrics tell the truth, all leave in the end.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "apps/fleet/fleet_testing.h"
#include "runtime/shard_state.h"
#include "runtime/shards.h"

namespace holdfast::fleet {
namespace {

using namespace std::chrono_literals;
using testing::aor_of;
using testing::RunCommand;

TEST_F(RunCommand, ReloadsWithoutTouchingWhoHasNotChanged) {
    auto& run = start();
    ASSERT_TRUE(run_until([&] { return bound() == 8 || run.ended(); })) << story(run);
    ASSERT_TRUE(run_until([&] { return count(run.output(), "\"event\":\"registered\"") == 8; }))
        << story(run);
    ASSERT_TRUE(run_until([&] { return count(hook_was_told(), "\"registered\"") == 8; }))
        << hook_was_told() << story(run);

    accounts.erase(0);
    accounts[1] += "[account.policy]\nexpires = 120\n";
    world->cluster().add_user("1002", "another");
    accounts[2] = "password = \"another\"\n";
    json = false;  // of the process: not before the next start
    write_config();
    run.signal(SIGHUP);
    ASSERT_TRUE(run_until([&] { return run.said("1 removed, 1 changed, 1 with a new password"); }))
        << story(run);
    ASSERT_TRUE(run_until([&] { return count(run.output(), "\"event\":\"registered\"") == 9; }))
        << story(run);
    ASSERT_TRUE(run_until([&] {
        return world->cluster().bindings(aor_of(0)).empty() && bound() == 7;
    })) << story(run);
    for (int number = 3; number < 8; ++number) {
        const auto of_account = "\"account\":\"" + aor_of(number) + "\"";
        EXPECT_EQ(count(run.output(), "\"event\":\"unregistered\"," + of_account), 0);
        EXPECT_EQ(count(run.output(), "\"event\":\"registered\"," + of_account), 1);
    }

    std::ofstream(file) << "[[account]]\naor = 7\n";
    run.signal(SIGHUP);
    ASSERT_TRUE(run_until([&] { return run.said("The configuration is not taken over: "); }));
    EXPECT_NE(run.output().find("fleet.toml:2: aor"), std::string::npos) << story(run);
    EXPECT_EQ(bound(), 7);

    // The server knows it before the phone has its answer.
    std::string metrics;
    ASSERT_TRUE(run_until([&] {
        metrics = scrape(run);
        return metrics.find("\nholdfast_accounts_configured 7\n") != std::string::npos;
    })) << metrics;
    EXPECT_NE(metrics.find("\nholdfast_accounts_registered 7\n"), std::string::npos) << metrics;

    run.signal(SIGTERM);
    ASSERT_TRUE(run_until([&] { return run.ended(); })) << story(run);
    EXPECT_EQ(run.exit_code(), 0) << story(run);
    EXPECT_EQ(bound(), 0) << story(run);
    EXPECT_EQ(run.output().find("another"), std::string::npos) << "no password is printed";
}

// As CommandSecretsTest.TheMemoryOfAPhoneIsNotDumped, of the program that `run` starts.
TEST_F(RunCommand, ItsMemoryIsNotDumped) {
    using cli::testing::as_another_than_root;
    using cli::testing::is_dumpable;
    const auto& other =
        runs.emplace_back(std::vector<std::string>{"60"}, std::map<std::string, std::string>{},
                          as_another_than_root("/bin/sleep"));
    if (!run_until([&] { return is_dumpable(other.pid()); }, 5s))
        GTEST_SKIP() << "/proc does not show here whose memory a process is";
    auto& run = start(as_another_than_root(HOLDFAST_COMMAND));
    ASSERT_TRUE(run_until([&] { return bound() == 8 || run.ended(); })) << story(run);
    EXPECT_FALSE(is_dumpable(run.pid()));
    run.signal(SIGTERM);
    ASSERT_TRUE(run_until([&] { return run.ended(); })) << story(run);
    EXPECT_EQ(run.exit_code(), 0) << story(run);
}

TEST_F(RunCommand, WhatCannotBeIsSaid) {
    accounts[3] = "passwort = \"x\"\n";
    auto& run = start();
    ASSERT_TRUE(run_until([&] { return run.ended(); }));
    EXPECT_EQ(run.exit_code(), 3);
    EXPECT_NE(run.errors().find("passwort: there is no such key of an account; did you mean "
                                "password?"),
              std::string::npos)
        << story(run);

    auto& without =
        runs.emplace_back(std::vector<std::string>{"run"}, std::map<std::string, std::string>{});
    ASSERT_TRUE(run_until([&] { return without.ended(); }));
    EXPECT_EQ(without.exit_code(), 2);
    EXPECT_NE(without.errors().find("--config FILE"), std::string::npos) << story(without);
}

// The servers are gone: what stays there is said, with its own exit code.
TEST_F(RunCommand, RegistrationsThatStayAreSaid) {
    auto& run = start_among_the_silent();
    run.signal(SIGTERM);
    ASSERT_TRUE(run_until([&] { return run.ended(); })) << story(run);
    EXPECT_EQ(run.exit_code(), 17) << story(run);
    EXPECT_NE(run.errors().find("8 registrations stay"), std::string::npos) << story(run);
}

// B4, S3: un-REGISTERs go at the rate, also when that takes longer than one server is waited for.
TEST_F(RunCommand, LeavesAtItsRate) {
    rate = 3;  // two a second on one shard, one on the other, for eight accounts
    std::array<int, 2> on_shard{};
    for (int number = 0; number < 8; ++number) ++on_shard.at(runtime::shard_of(aor_of(number), 2));
    Duration least{};  // the last of a shard leaves so long after its first
    for (std::size_t shard = 0; shard < 2; ++shard)
        least = std::max(least, Duration{1s} * (on_shard.at(shard) - 1) /
                                    runtime::registers_per_second_of(3, 2, shard));
    ASSERT_GE(least, 2s);
    for (auto& [number, text] : accounts) text += "[account.policy]\nprove_reachable = false\n";
    auto& run = start();
    ASSERT_TRUE(run_until([&] { return bound() == 8 || run.ended(); })) << story(run);
    ASSERT_TRUE(run_until([&] { return count(run.output(), "\"event\":\"registered\"") == 8; }))
        << story(run);
    const auto before = world->cluster().removals();
    run.signal(SIGTERM);
    ASSERT_TRUE(run_until([&] { return world->cluster().removals() > before; })) << story(run);
    const auto first = runtime::boot_time();
    ASSERT_TRUE(run_until([&] { return world->cluster().removals() == before + 8; }, 60s))
        << story(run);
    EXPECT_GE(runtime::boot_time() - first, least - 500ms) << story(run);  // seen, not sent
    ASSERT_TRUE(run_until([&] { return run.ended(); })) << story(run);
    EXPECT_EQ(run.exit_code(), 0) << story(run);
    EXPECT_EQ(bound(), 0) << story(run);
}

TEST_F(RunCommand, ASignalRegistersAllNow) {
    auto& run = start();
    ASSERT_TRUE(run_until([&] { return count(run.output(), "\"event\":\"registered\"") == 8; }))
        << story(run);
    const auto before = world->cluster().registers();
    run.signal(SIGUSR1);
    ASSERT_TRUE(run_until([&] { return world->cluster().registers() >= before + 8; }, 10s))
        << story(run);
    EXPECT_EQ(bound(), 8) << story(run);
}

// Hooks change at once: the old one is told no more, the new one is.
TEST_F(RunCommand, AReloadChangesTheHooks) {
    auto& run = start();
    ASSERT_TRUE(run_until([&] { return count(hook_was_told(), "\"registered\"") == 8; }))
        << story(run);
    const auto old = told;
    told = scratch.path() / "told-later";
    hook_events = "unregistered";
    accounts.erase(0);
    accounts[1] +=
        "[account.policy]\nexpires = 120\n";  // registers anew, which the old hook was for
    write_config();
    run.signal(SIGHUP);
    ASSERT_TRUE(run_until([&] { return count(hook_was_told(), "\"unregistered\"") >= 1; }))
        << hook_was_told() << story(run);
    ASSERT_TRUE(run_until([&] { return count(run.output(), "\"event\":\"registered\"") == 9; }))
        << story(run);
    run.signal(SIGTERM);  // hooks have ended when it has
    ASSERT_TRUE(run_until([&] { return run.ended(); })) << story(run);
    EXPECT_EQ(count(text_of(old), "\"registered\""), 8) << text_of(old);
}

// B1, B3: kill -9 while they register, after each few REGISTERs: the next start loses no account,
// and each is the device it was (RFC 5626 §4.1), with one binding.
TEST_F(RunCommand, KilledWhileTheyRegisterNoneIsLost) {
    std::map<int, std::string> devices;
    for (const std::size_t registers : {1U, 5U, 9U, 13U, 16U}) {
        const auto before = world->cluster().registers();
        auto& killed = start();
        ASSERT_TRUE(run_until([&] {
            return killed.ended() || world->cluster().registers() >= before + registers;
        })) << story(killed);
        killed.signal(SIGKILL);
        ASSERT_TRUE(run_until([&] { return killed.ended(); }));
        for (int number = 0; number < 8; ++number)
            for (const auto& binding : world->cluster().bindings(aor_of(number)))
                devices.try_emplace(number, binding.instance);
    }
    auto& run = start();
    ASSERT_TRUE(run_until([&] { return count(run.output(), "\"event\":\"registered\"") == 8; }))
        << story(run);
    ASSERT_TRUE(run_until([&] { return bound() == 8; }, 10s)) << "one binding each " << story(run);
    EXPECT_FALSE(devices.empty());
    for (const auto& [number, instance] : devices)
        EXPECT_EQ(world->cluster().bindings(aor_of(number)).front().instance, instance) << number;
}

// B4: a second signal does not wait for the rate.
TEST_F(RunCommand, ASecondSignalEndsItAtOnce) {
    auto& run = start_among_the_silent();
    run.signal(SIGTERM);
    run.signal(SIGINT);  // two of a kind may arrive as one
    ASSERT_TRUE(run_until([&] { return run.ended(); }, 1900ms)) << story(run);
    EXPECT_EQ(run.exit_code(), 17) << story(run);
}

}  // namespace
}  // namespace holdfast::fleet
