// Running phones of a test, driven from outside by the command as a person or a script has it,
// through a registrar's proxy on loopback.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
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

class RunningPhones : public testing::Test, protected cli::testing::CommandRuns {
protected:
    RunningPhones() {
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
    // What every phone of this world needs; its socket and state have its name.
    [[nodiscard]] Words usual(const std::string& name) const {
        Words words{"--json",
                    "--transport",
                    "udp",
                    "--state",
                    file("state-" + name),
                    "--dns",
                    world->name_server().to_string(),
                    "--audio",
                    "null",
                    "--socket",
                    file(name + ".sock")};
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
    CommandRun& start_phone(const std::string& name, const Words& more = {}) {
        Words words{"phone", "sip:" + name + "@example.test"};
        for (const auto& word : usual(name)) words.push_back(word);
        words.insert(words.end(), more.begin(), more.end());
        return runs.emplace_back(words, environment());
    }
    CommandRun& phone(const std::string& name, const Words& more = {}) {
        auto& run = start_phone(name, more);
        EXPECT_TRUE(run_until([&] { return run.said("\"registered\"") || run.ended(); }))
            << story(run);
        return run;
    }
    CommandRun& start_ctl(const std::string& name, const Words& verb) {
        Words words{"ctl", "--socket", file(name + ".sock")};
        words.insert(words.end(), verb.begin(), verb.end());
        return runs.emplace_back(words, std::map<std::string, std::string>{});
    }
    // Done, and with this exit code; returns what it printed.
    std::string ctl(const std::string& name, const Words& verb, int exit_code = 0) {
        auto& run = start_ctl(name, verb);
        EXPECT_TRUE(run_until([&] { return run.ended(); })) << story(run);
        EXPECT_EQ(run.exit_code(), exit_code) << testing::PrintToString(verb) << story(run);
        const auto said = run.output() + run.errors();
        runs.remove_if([&](const CommandRun& each) { return &each == &run; });
        return said;
    }
    bool hears(CommandRun& run, const std::string& what) {
        return run_until([&] { return run.said(what) || run.ended(); }) && run.said(what);
    }
    // Both talk; alice has dialled.
    void connect(CommandRun& alice, CommandRun& bob) {
        EXPECT_EQ(ctl("alice", {"dial", "bob"}), "call 1\n");
        ASSERT_TRUE(hears(bob, "\"ring\"")) << story(alice) << story(bob);
        EXPECT_EQ(ctl("bob", {"answer"}).substr(0, 5), "call ");
        ASSERT_TRUE(hears(alice, "\"answered\"")) << story(alice) << story(bob);
        ASSERT_TRUE(hears(bob, "\"answered\"")) << story(alice) << story(bob);
    }
    void quits(CommandRun& run, const std::string& name) {
        EXPECT_EQ(ctl(name, {"quit"}), "The phone ends\n");
        ASSERT_TRUE(run_until([&] { return run.ended(); })) << story(run);
        EXPECT_EQ(run.exit_code(), 0) << story(run);
        EXPECT_FALSE(std::filesystem::exists(file(name + ".sock")));
    }

    live::ScratchDirectory scratch;
    std::unique_ptr<live::World> world;
};

}  // namespace holdfast::phone::testing_phones
