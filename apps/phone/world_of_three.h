// A registrar with a proxy on loopback that knows alice, bob and carol, for commands that are
// started as a person or a script starts them.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "apps/cli/command_runs.h"
#include "live/scratch.h"
#include "live/world.h"

namespace holdfast::phone::testing_phones {

using namespace std::chrono_literals;
using cli::testing::CommandRun;
using Words = std::vector<std::string>;

class WorldOfThree : public testing::Test, protected cli::testing::CommandRuns {
protected:
    WorldOfThree() {
        live::WorldOptions options{.servers = 1};
        options.cluster.server.record_route = true;
        auto opened = live::World::open(loop, options);
        if (!opened) throw std::runtime_error(opened.error());
        world = *std::move(opened);
        for (const auto* user : {"alice", "bob", "carol"})
            world->cluster().add_user(user, "secret");
    }
    [[nodiscard]] std::string file(const std::string& name) const {
        return (scratch.path() / name).string();
    }
    // What every command of this world needs; its state has its name.
    [[nodiscard]] Words usual(const std::string& name) const {
        Words words{"--json",
                    "--transport",
                    "udp",
                    "--state",
                    file("state-" + name),
                    "--dns",
                    world->name_server().to_string(),
                    "--audio",
                    "null"};
        if (world->ports() != live::Ports{}) {  // the usual ones are taken on this host
            words.emplace_back("--registrar");
            words.push_back("sip:example.test:" + std::to_string(world->ports().sip));
        }
        return words;
    }
    [[nodiscard]] static std::map<std::string, std::string> environment() {
        return {{"HOLDFAST_PASSWORD", "secret"},
                // Only so does the leak check see whose GLib's allocations are.
                {"ASAN_OPTIONS", "fast_unwind_on_malloc=0"},
                {"LSAN_OPTIONS",
                 "suppressions=" HOLDFAST_TEST_DATA "/sanitizers/glib.supp:print_suppressions=0"}};
    }

    live::ScratchDirectory scratch;
    std::unique_ptr<live::World> world;
};

}  // namespace holdfast::phone::testing_phones
