// The bench of tests of `holdfast run`: a world on loopback, a configuration file with eight
// accounts and a hook, and what the command is seen to do.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apps/cli/command_runs.h"
#include "live/scratch.h"
#include "live/world.h"

namespace holdfast::fleet::testing {

using namespace std::chrono_literals;
using cli::testing::CommandRun;

inline std::string aor_of(int number) {
    return "sip:" + std::to_string(1000 + number) + "@example.test";
}

class RunCommand : public ::testing::Test, protected cli::testing::CommandRuns {
protected:
    void SetUp() override {
        auto opened = live::World::open(loop, world_options);
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
               << "\"\nmetrics = \"127.0.0.1:0\"\nregisters-per-second = " << rate << "\n"
               << more;
        if (world->ports() != live::Ports{})
            stream << "registrar = \"sip:example.test:" << world->ports().sip << "\"\n";
        for (const auto& [number, text] : accounts)
            stream << "[[account]]\naor = \"" << aor_of(number) << "\"\n" << text;
        stream << "[[hook]]\n";
        if (!hook_events.empty()) stream << "events = \"" << hook_events << "\"\n";
        stream << "command = [\"/bin/sh\", \"-c\", \"{ " << hook_reads << "; } >> " << told.string()
               << "\"]\n";
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
    live::WorldOptions world_options{};
    bool json = true;
    int rate = 0;
    std::string more;                        // of the file, for all accounts
    std::string hook_events = "registered";  // "": all
    std::string hook_reads = "cat";
    std::map<int, std::string> accounts;
    std::filesystem::path file = scratch.path() / "fleet.toml";
    std::filesystem::path told = scratch.path() / "told";
};

}  // namespace holdfast::fleet::testing
