// Running phones of a test, driven from outside by the command as a person or a script has it,
// through a registrar's proxy on loopback.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>

#include "apps/phone/world_of_three.h"

namespace holdfast::phone::testing_phones {

class RunningPhones : public WorldOfThree {
protected:
    // With a control socket that has its name.
    [[nodiscard]] Words usual(const std::string& name) const {
        auto words = WorldOfThree::usual(name);
        words.insert(words.end(), {"--socket", file(name + ".sock")});
        return words;
    }
    CommandRun& start_phone(const std::string& name, const Words& more = {}) {
        Words words{"phone", "sip:" + name + "@example.test"};
        for (const auto& word : usual(name)) words.push_back(word);
        if (std::ranges::find(more, "--audio") != more.end()) {  // other than the usual sound
            const auto audio = std::ranges::find(words, "--audio");
            words.erase(audio, audio + 2);
        }
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
};

}  // namespace holdfast::phone::testing_phones
