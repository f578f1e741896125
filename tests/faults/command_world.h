// The real command in a world on loopback, with something wrong around it: its disk, its clock, its
// sleep. The lab's registrars have a location service, so that what is left behind is seen.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "apps/cli/command_runs.h"
#include "live/scratch.h"
#include "live/world.h"

namespace holdfast::faults {

using namespace std::chrono_literals;
using cli::testing::CommandRun;
using Environment = std::map<std::string, std::string>;

constexpr const char* aor = "sip:alice@example.test";

class CommandWorld : public testing::Test, protected cli::testing::CommandRuns {
protected:
    explicit CommandWorld(live::WorldOptions options = {}) {
        auto opened = live::World::open(loop, options);
        if (!opened) throw std::runtime_error(opened.error());
        world = *std::move(opened);
        world->cluster().add_user("alice", "secret");
    }

    // `register` of the account over the transport, with this directory for its state.
    CommandRun& start(const std::filesystem::path& state, Environment environment = {},
                      const std::vector<std::string>& more = {}) {
        std::vector<std::string> arguments{
            "register", account,       "--json", "--transport", std::string(name_of(transport)),
            "--state",  state.string()};
        if (!use_system_resolver) {
            arguments.emplace_back("--dns");
            arguments.push_back(world->name_server().to_string());
        }
        if (world->ports() != live::Ports{}) {  // the usual ones are taken on this host
            arguments.emplace_back("--registrar");
            const auto port = is_secure(transport) ? world->ports().tls : world->ports().sip;
            arguments.push_back("sip:example.test:" + std::to_string(port));
        }
        arguments.insert(arguments.end(), more.begin(), more.end());
        environment.try_emplace("HOLDFAST_PASSWORD", "secret");
        return runs.emplace_back(arguments, environment);
    }
    // The changes that the run makes to files under this directory go wrong: disk_faults.cpp.
    static Environment disk(const std::filesystem::path& directory, const std::string& fault,
                            Environment more = {}) {
        more.insert({{"LD_PRELOAD", HOLDFAST_DISK_FAULTS},
                     {"HOLDFAST_DISK", directory.string()},
                     {"HOLDFAST_DISK_FAULT", fault},
                     // The sanitizers' library wants to be the first, and is not.
                     {"ASAN_OPTIONS", "verify_asan_link_order=0"}});
        return more;
    }

    // Of a state that nobody uses: what is in SQLite's log is in the file then, and there is no
    // log.
    static void fold_log_into_file(const std::filesystem::path& state) {
        sqlite3* database = nullptr;
        ASSERT_EQ(sqlite3_open((state / "state.db").c_str(), &database), SQLITE_OK);
        EXPECT_EQ(
            sqlite3_exec(database, "PRAGMA wal_checkpoint(TRUNCATE)", nullptr, nullptr, nullptr),
            SQLITE_OK);
        EXPECT_EQ(sqlite3_close(database), SQLITE_OK);
        std::filesystem::remove(state / "state.db-wal");
    }

    bool run_until_registered(CommandRun& run, Duration limit = 30s) {
        return run_until([&] { return run.said("\"registered\"") || run.ended(); }, limit) &&
               run.said("\"registered\"");
    }
    static live::WorldOptions behind_nat() {
        live::WorldOptions options{.nat = lab::NatOptions{}};
        options.nat->mapping = lab::Dependence::address_and_port_dependent;
        options.nat->public_address = "203.0.113.195";
        return options;
    }
    // The NAT gives new ports, which the next answer shows, and the binding follows (K3).
    bool change_mapping(CommandRun& run) {
        const auto before = bindings();
        world->rebind_nat();
        run.signal(SIGHUP);  // now, and not with the next keep-alive
        return run_until(
            [&] {
                const auto now = bindings();
                return run.ended() || (now.size() == 1 && !before.empty() &&
                                       now.front().contact != before.front().contact);
            },
            10s);
    }
    bool run_until_end(CommandRun& run) {
        return run_until([&] { return run.ended(); });
    }
    // SIGTERM, and its end.
    bool leave(CommandRun& run) {
        run.signal(SIGTERM);
        return run_until_end(run);
    }

    [[nodiscard]] std::vector<lab::Binding> bindings() const {
        return world->cluster().bindings(aor);
    }
    std::string account = aor;
    Transport transport = Transport::udp;
    bool use_system_resolver = false;
    live::ScratchDirectory scratch;
    std::unique_ptr<live::World> world;
};

}  // namespace holdfast::faults
