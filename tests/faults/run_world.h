// `holdfast run` with three accounts on two shards, in a world on loopback behind a NAT, with
// something wrong around it.
#pragma once

#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "runtime/shard_state.h"
#include "tests/faults/command_world.h"

namespace holdfast::faults {

class RunWorld : public CommandWorld {
protected:
    static constexpr int phones = 3;  // two in one shard, one in the other
    static constexpr std::size_t shards = 2;

    RunWorld() : CommandWorld(behind_nat()) {
        for (int number = 0; number < phones; ++number) {
            world->cluster().add_user(std::to_string(1000 + number), "secret");
            accounts.push_back(number);
        }
    }
    static std::string phone_aor(int number) {
        return "sip:" + std::to_string(1000 + number) + "@example.test";
    }
    static std::filesystem::path shard_directory(const std::filesystem::path& state, int number) {
        return runtime::shard_directory(state, runtime::shard_of(phone_aor(number), shards));
    }
    [[nodiscard]] std::filesystem::path config() const { return scratch.path() / "run.toml"; }
    void write_config(const std::filesystem::path& state) const {
        std::ofstream stream(config());
        stream << "state = \"" << state.string() << "\"\nshards = " << shards
               << "\ntransport = \"udp\"\njson = true\ndns = \"" << world->name_server().to_string()
               << "\"\n";
        if (world->ports() != live::Ports{})  // the usual ones are taken on this host
            stream << "registrar = \"sip:example.test:" << world->ports().sip << "\"\n";
        for (const int number : accounts)
            stream << "[[account]]\naor = \"" << phone_aor(number) << "\"\npassword = \"secret\"\n";
        stream.close();
        EXPECT_EQ(::chmod(config().c_str(), 0600), 0);
    }
    CommandRun& start_run(const std::filesystem::path& state, const Environment& environment = {},
                          const std::vector<std::string>& program = {HOLDFAST_COMMAND}) {
        write_config(state);
        return runs.emplace_back(std::vector<std::string>{"run", "--config", config().string()},
                                 environment, program);
    }
    // Each phone of the configuration has said so.
    bool run_until_all_registered(CommandRun& run) {
        return run_until([&] { return run.ended() || all_registered(run.output()); }) &&
               all_registered(run.output());
    }
    [[nodiscard]] bool all_registered(const std::string& output) const {
        for (const int number : accounts) {
            std::istringstream lines(output);
            const auto who = "\"" + phone_aor(number) + "\"";
            bool found = false;
            for (std::string line; !found && std::getline(lines, line);)
                found = line.find("\"event\":\"registered\"") != std::string::npos &&
                        line.find(who) != std::string::npos;
            if (!found) return false;
        }
        return true;
    }
    [[nodiscard]] std::vector<lab::Binding> bindings_of(int number) const {
        return world->cluster().bindings(phone_aor(number));
    }
    [[nodiscard]] bool each_has_one() const {
        for (const int number : accounts)
            if (bindings_of(number).size() != 1) return false;
        return true;
    }
    [[nodiscard]] bool nobody_has_one() const {
        for (const int number : accounts)
            if (!bindings_of(number).empty()) return false;
        return true;
    }
    static std::string text_of(const std::filesystem::path& file) {
        std::ostringstream bytes;
        bytes << std::ifstream{file, std::ios::binary}.rdbuf();
        return bytes.str();
    }

    std::vector<int> accounts;
};

}  // namespace holdfast::faults
