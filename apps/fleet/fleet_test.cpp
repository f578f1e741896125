// `holdfast run` as a whole, against a world on loopback: accounts register once, a reload touches
// those alone that have changed, hooks are told, metrics tell the truth, all leave in the end.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apps/cli/command_runs.h"
#include "live/scratch.h"
#include "live/world.h"
#include "runtime/shard_state.h"
#include "runtime/shards.h"

namespace holdfast::fleet {
namespace {

using namespace std::chrono_literals;
using cli::testing::CommandRun;

std::string aor_of(int number) { return "sip:" + std::to_string(1000 + number) + "@example.test"; }

class RunCommand : public testing::Test, protected cli::testing::CommandRuns {
protected:
    void SetUp() override {
        auto opened = live::World::open(loop, {});
        ASSERT_TRUE(opened) << opened.error();
        world = *std::move(opened);
        for (int number = 0; number < 8; ++number) {
            world->cluster().add_user(std::to_string(1000 + number), "secret");
            accounts[number] = "password = \"secret\"\n";
        }
    }
    void write_config() const {
        std::ofstream stream(file);
        stream << "state = \"" << (scratch.path() / "state").string() << "\"\nshards = 2\n"
               << "transport = \"udp\"\njson = " << (json ? "true" : "false") << "\ndns = \""
               << world->name_server().to_string()
               << "\"\nmetrics = \"127.0.0.1:0\"\nregisters-per-second = " << rate << "\n";
        if (world->ports() != live::Ports{})
            stream << "registrar = \"sip:example.test:" << world->ports().sip << "\"\n";
        for (const auto& [number, text] : accounts)
            stream << "[[account]]\naor = \"" << aor_of(number) << "\"\n" << text;
        stream << "[[hook]]\nevents = \"" << hook_events
               << "\"\ncommand = [\"/bin/sh\", \"-c\", \"cat >> " << told.string() << "\"]\n";
        stream.close();
        ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
    }
    CommandRun& start(const std::vector<std::string>& program = {HOLDFAST_COMMAND}) {
        write_config();
        return runs.emplace_back(std::vector<std::string>{"run", "--config", file.string()},
                                 std::map<std::string, std::string>{}, program);
    }
    // All are registered, and then no server answers any more.
    CommandRun& start_among_the_silent() {
        auto& run = start();
        EXPECT_TRUE(run_until([&] {
            return count(run.output(), "\"event\":\"registered\"") == 8 || run.ended();
        })) << story(run);
        for (std::size_t server = 0; server < world->servers(); ++server) world->silence(server);
        return run;
    }
    [[nodiscard]] int bound() const {
        int found = 0;
        for (int number = 0; number < 8; ++number)
            found += world->cluster().bindings(aor_of(number)).size() == 1 ? 1 : 0;
        return found;
    }
    static int count(const std::string& text, const std::string& what) {
        int found = 0;
        for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
            ++found;
        return found;
    }
    // What the command serves for Prometheus; it says where.
    static std::string scrape(const CommandRun& run) {
        const std::string begin = "metrics at http://127.0.0.1:";
        const auto at = run.output().find(begin);
        if (at == std::string::npos) return "no address was said";
        const auto port = std::stoi(run.output().substr(at + begin.size()));
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const timeval patience{.tv_sec = 10, .tv_usec = 0};
        ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        std::string text;
        if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
            const std::string request =
                "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
            std::array<char, 65536> buffer{};
            for (ssize_t size = 1; size > 0;)
                if (size = ::recv(fd, buffer.data(), buffer.size(), 0); size > 0)
                    text.append(buffer.data(), static_cast<std::size_t>(size));
        }
        ::close(fd);
        return text;
    }
    [[nodiscard]] std::string hook_was_told() const { return text_of(told); }
    static std::string text_of(const std::filesystem::path& path) {
        std::ifstream stream(path);
        return {std::istreambuf_iterator<char>(stream), {}};
    }

    live::ScratchDirectory scratch;
    std::unique_ptr<live::World> world;
    bool json = true;
    int rate = 0;
    std::string hook_events = "registered";
    std::map<int, std::string> accounts;
    std::filesystem::path file = scratch.path() / "fleet.toml";
    std::filesystem::path told = scratch.path() / "told";
};

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

    const auto metrics = scrape(run);
    EXPECT_NE(metrics.find("\nholdfast_accounts_configured 7\n"), std::string::npos) << metrics;
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
