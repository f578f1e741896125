// holdfast lab swarm and replay as a whole: what they print, and what they end with. Worlds and
// engine are the lab's own (tests/swarm_test.cpp, tests/replay_test.cpp); that a broken rule is
// found: tools/check-broken-rules.
#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "apps/cli/command_testing.h"
#include "lab/world.h"

namespace holdfast::cli::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class LabWorlds : public Bench {
protected:
    CommandRun& lab_says(std::vector<std::string> words) {
        words.insert(words.begin(), "lab");
        auto& command = start(std::move(words));
        EXPECT_TRUE(run_until_end(command)) << command.output() << command.errors();
        return command;
    }
    // A minute of a phone that was recorded.
    [[nodiscard]] std::string recorded_minute() const {
        lab::World world(seed_from_number(7), {.one_way_delay = 10ms});
        auto& cluster = world.add_registrars({"203.0.113.11", "203.0.113.12"});
        world.dns().a("example.test", cluster.addresses(), {.ttl = 5s, .rotate = true});
        auto& phone = world.add_phone({.expires = 60s, .record = true});
        world.run_for(60s);
        EXPECT_TRUE(phone.is_registered());
        return phone.recording();
    }
    [[nodiscard]] std::string file(const std::string& name, const std::string& text) const {
        const auto path = directory / name;
        std::ofstream(path, std::ios::binary) << text;
        return path.string();
    }
};

TEST_F(LabWorlds, RecordingReplaysAsItWas) {
    const auto path = file("minute.rec", recorded_minute());
    auto& replay = lab_says({"replay", path});
    EXPECT_EQ(replay.exit_code(), 0) << replay.errors();
    EXPECT_THAT(replay.output(), HasSubstr(" steps replayed: all outputs are as recorded."));
    auto& json = lab_says({"replay", path, "--json"});
    const auto line = nlohmann::json::parse(json.output());
    EXPECT_EQ(json.exit_code(), 0);
    EXPECT_GT(line["steps"], 10);
    EXPECT_EQ(line["equal"], line["steps"]);
    EXPECT_TRUE(line["same"]);
}

TEST_F(LabWorlds, DifferenceIsShownWithItsStep) {
    auto text = recorded_minute();
    const auto at = text.find("REGISTER sip:example.test");
    ASSERT_NE(at, std::string::npos);
    text.replace(at, 8, "register");
    const auto path = file("changed.rec", text);
    auto& replay = lab_says({"replay", path});
    EXPECT_EQ(replay.exit_code(), 1);
    EXPECT_THAT(replay.output(), HasSubstr("replayed as recorded; then this differs"));
    EXPECT_THAT(replay.output(), HasSubstr("\n- "));
    EXPECT_THAT(replay.output(), HasSubstr("\n+ "));
    auto& json = lab_says({"replay", path, "--json"});
    const auto line = nlohmann::json::parse(json.output());
    EXPECT_EQ(json.exit_code(), 1);
    EXPECT_FALSE(line["same"]);
    EXPECT_EQ(line["difference"]["step"].get<std::size_t>(), line["equal"].get<std::size_t>() + 1);
    EXPECT_FALSE(line["difference"]["recorded"].empty());
}

TEST_F(LabWorlds, WhatIsNoRecordingIsSaid) {
    auto& missing = lab_says({"replay", (directory / "none.rec").string()});
    EXPECT_EQ(missing.exit_code(), 3);
    EXPECT_THAT(missing.errors(), HasSubstr("none.rec cannot be read: No such file or directory"));
    EXPECT_EQ(lab_says({"replay", directory.string()}).exit_code(), 3);

    auto newer = recorded_minute();
    const std::string version = "\"holdfast_recording\":1";
    newer.replace(newer.find(version), version.size(), "\"holdfast_recording\":2");
    auto& foreign = lab_says({"replay", file("newer.rec", newer)});
    EXPECT_EQ(foreign.exit_code(), 3);
    EXPECT_THAT(foreign.errors(),
                HasSubstr("line 1 is not the beginning of a recording of this version"));
    EXPECT_THAT(foreign.errors(), HasSubstr("Use the version of Holdfast"));

    auto& garbled = lab_says({"replay", file("garbled.rec", recorded_minute() + "{}\n")});
    EXPECT_EQ(garbled.exit_code(), 3);
    EXPECT_THAT(garbled.errors(), HasSubstr("is not an input or output"));
    EXPECT_EQ(lab_says({"replay", file("empty.rec", "")}).exit_code(), 3);
}

TEST_F(LabWorlds, WorldsOfTheSwarmHold) {
    auto& swarm = lab_says({"swarm", "--runs", "6", "--seed", "40", "--minutes", "1"});
    EXPECT_EQ(swarm.exit_code(), 0) << swarm.output();
    EXPECT_THAT(swarm.output(), HasSubstr("6 worlds of 1 min: 0 broke an invariant"));
    EXPECT_EQ(swarm.errors(), "");  // no progress: that is no terminal
    auto& json = lab_says({"swarm", "--runs", "3", "--minutes", "0.5", "--json"});
    const auto line = nlohmann::json::parse(json.output());
    EXPECT_EQ(line["worlds"], 3);
    EXPECT_EQ(line["broken"], 0);
    EXPECT_EQ(line["minutes"], 0.5);
}

TEST_F(LabWorlds, PartOfAWorldIsToldInWords) {
    auto& part = lab_says({"swarm", "--seed", "4", "--minutes", "1", "--keep", "phone1, node1"});
    EXPECT_EQ(part.exit_code(), 0) << part.output() << part.errors();
    EXPECT_THAT(part.output(), HasSubstr("phone1 over "));
    EXPECT_THAT(part.output(), HasSubstr("all invariants held"));
    auto& none = lab_says({"swarm", "--seed", "4", "--keep", "phone1,node1,phone9"});
    EXPECT_EQ(none.exit_code(), 2);
    EXPECT_THAT(none.errors(), HasSubstr("world 4 has no phone9"));
}

TEST_F(LabWorlds, WrongWordsAreSaid) {
    auto& word = lab_says({"swrm"});
    EXPECT_EQ(word.exit_code(), 2);
    EXPECT_THAT(word.errors(), HasSubstr("did you mean swarm?"));
    EXPECT_EQ(lab_says({}).exit_code(), 2);
    EXPECT_EQ(lab_says({"replay"}).exit_code(), 2);
    EXPECT_EQ(lab_says({"replay", "a", "b"}).exit_code(), 2);
    EXPECT_EQ(lab_says({"swarm", "a"}).exit_code(), 2);
    for (const auto& [option, value] :
         {std::pair{"--runs", "0"}, std::pair{"--runs", "x"}, std::pair{"--seed", "-1"},
          std::pair{"--minutes", "0"}, std::pair{"--minutes", "1e9"}, std::pair{"--keep", ","}}) {
        auto& wrong = lab_says({"swarm", option, value});
        EXPECT_EQ(wrong.exit_code(), 2) << option << ' ' << value;
        EXPECT_THAT(wrong.errors(), HasSubstr(option));
    }
}

}  // namespace
}  // namespace holdfast::cli::testing
