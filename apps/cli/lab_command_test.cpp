// `holdfast lab run` and `holdfast lab list` as commands: what they print and what they end with.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

#include "apps/cli/command_testing.h"
#include "apps/cli/exit_code.h"
#include "apps/cli/lab_command.h"
#include "apps/cli/lab_report.h"
#include "apps/cli/scenario_file.h"
#include "lab/scenario_run.h"

namespace holdfast::cli {
namespace {

std::filesystem::path scenario_folder() {
    return std::string(HOLDFAST_TEST_DATA) + "/../../scenarios";
}

std::string lab_page() {
    std::ifstream stream(std::string(HOLDFAST_TEST_DATA) + "/../../docs/lab.md");
    EXPECT_TRUE(stream.good());
    return {std::istreambuf_iterator<char>(stream), {}};
}

class LabCommand : public testing::Bench {
protected:
    testing::CommandRun& ran(std::vector<std::string> arguments) {
        auto& run = start(std::move(arguments));
        EXPECT_TRUE(run_until_end(run)) << story(run);
        return run;
    }
    [[nodiscard]] std::string file(const std::string& text) const {
        const auto path = directory / "own.toml";
        std::ofstream(path) << text;
        return path.string();
    }
    static std::string story(const testing::CommandRun& run) {
        return "exit code " + std::to_string(run.exit_code()) + "\n" + run.output() + run.errors();
    }
};

constexpr auto* one_phone =
    "title = \"One phone\"\nlength = \"30s\"\n"
    "[[cluster]]\nnodes = [\"203.0.113.11\"]\n"
    "[[dns]]\nname = \"example.test\"\ncluster = \"node\"\n[[phone]]\n";

TEST_F(LabCommand, WhatHoldsEndsWith0) {
    const auto& run = ran({"lab", "run", file(std::string(one_phone) + "[[expect]]\nmoves = 0\n")});
    EXPECT_EQ(run.exit_code(), 0) << story(run);
    EXPECT_TRUE(run.said("holds   holdfast alice: moves = 0: 0")) << story(run);
    EXPECT_EQ(run.errors(), "");
}

// An expectation that cannot hold.
TEST_F(LabCommand, WhatDoesNotHoldEndsWith1) {
    const auto& run = ran({"lab", "run", file(std::string(one_phone) + "[[expect]]\nmoves = 3\n")});
    EXPECT_EQ(run.exit_code(), 1) << story(run);
    EXPECT_TRUE(run.said("BROKEN  holdfast alice: moves = 3: 0")) << story(run);
}

// A comparison fails by what is expected of the presets that ran, not by what is expected of
// others.
TEST_F(LabCommand, OtherPresetsAreJudgedOnlyByWhatNamesThem) {
    const auto own = file(std::string(one_phone) + "[[expect]]\nmoves = 3\n");
    const auto& run = ran({"lab", "run", own, "--preset", "microsip", "--preset", "rfc3263"});
    EXPECT_EQ(run.exit_code(), 0) << story(run);
    EXPECT_TRUE(run.said("microsip")) << story(run);
    EXPECT_TRUE(run.said("rfc3263")) << story(run);
}

TEST_F(LabCommand, EveryMistakeOfAFileIsSaidAndEndsWith3) {
    const auto own = file(std::string(one_phone) + "transprot = \"udp\"\n[[expect]]\nmvoes = 1\n");
    const auto& run = ran({"lab", "run", own});
    EXPECT_EQ(run.exit_code(), number_of(ExitCode::config)) << story(run);
    EXPECT_NE(run.errors().find(own + ":9: phone.transprot: there is no such key; did you mean "
                                      "transport?"),
              std::string::npos)
        << story(run);
    EXPECT_NE(run.errors().find(own + ":11: expect.mvoes: "), std::string::npos) << story(run);
    EXPECT_EQ(run.output(), "");
}

TEST_F(LabCommand, WhatCannotBeMeantIsSaid) {
    const auto expect = [&](std::vector<std::string> arguments, std::string_view words) {
        const auto& run = ran(std::move(arguments));
        EXPECT_EQ(run.exit_code(), number_of(ExitCode::usage)) << story(run);
        EXPECT_NE(run.errors().find(words), std::string::npos) << story(run);
    };
    expect({"lab"}, "What shall the lab do?");
    expect({"lab", "rnu"}, "The lab knows no \"rnu\"; did you mean run?");
    expect({"lab", "run"}, "Which scenario?");
    expect({"lab", "run", "x", "--preset", "nobody"}, "--preset: ");
    expect({"lab", "run", "x", "--set", "patence=1s"}, "--set: ");
    expect({"lab", "run", "x", "--set", "preset=fleet"}, "sets nothing");
    expect({"lab", "run", "x", "--seed", "one"}, "\"one\" is no seed");
    expect({"lab", "list", "x"}, "one argument too many");
}

TEST_F(LabCommand, JsonHasALineForEachPreset) {
    const auto own = file(std::string(one_phone) + "[[expect]]\nmoves = 0\n");
    const auto& run =
        ran({"lab", "run", own, "--json", "--preset", "holdfast", "--preset", "fleet"});
    EXPECT_EQ(run.exit_code(), 0) << story(run);
    const auto output = run.output();
    EXPECT_EQ(std::ranges::count(output, '\n'), 2) << output;
    EXPECT_NE(output.find("{\"scenario\":\"own\",\"title\":\"One phone\",\"preset\":\"fleet\","
                          "\"seed\":1,"),
              std::string::npos)
        << output;
}

// I7, as a user sees it: the same seed prints the same, another one another thing.
TEST_F(LabCommand, TheSameSeedPrintsTheSame) {
    const auto own = file(std::string(one_phone) + "[link]\njitter = \"50ms\"\n");
    const auto printed = [&](const std::string& seed) {
        return ran({"lab", "run", own, "--json", "--seed", seed}).output();
    };
    EXPECT_EQ(printed("7"), printed("7"));
    const auto other = printed("8");
    EXPECT_NE(std::regex_replace(other, std::regex("\"seed\":8"), "\"seed\":7"), printed("7"));
}

// --set changes what the phones do: without a keep-alive a NAT that forgets is noticed late.
TEST_F(LabCommand, PolicyValuesAreThePhones) {
    const auto own = (scenario_folder() / "nat-forgets-after-30s.toml").string();
    EXPECT_EQ(ran({"lab", "run", own}).exit_code(), 0);
    const auto& run = ran({"lab", "run", own, "--set", "policy.keepalive=none"});
    EXPECT_EQ(run.exit_code(), 1) << story(run);
}

TEST_F(LabCommand, ListNamesEveryScenarioAndRunTakesItsName) {
    const auto& list = ran({"lab", "list"});
    EXPECT_EQ(list.exit_code(), 0) << story(list);
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(scenario_folder())) {
        if (entry.path().extension() != ".toml") continue;
        ++files;
        const auto scenario = read_scenario_file(entry.path());
        ASSERT_TRUE(scenario) << scenario.error();
        EXPECT_TRUE(list.said(scenario->title)) << entry.path();
    }
    const auto output = list.output();
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(output, '\n')), files);
    const auto& run = ran({"lab", "run", "s3-refused-by-icmp"});
    EXPECT_EQ(run.exit_code(), 0) << story(run);
}

// docs/lab.md: the example in it runs, and what it expects holds.
TEST(LabPage, ItsExampleRunsAndHolds) {
    const auto text = lab_page();
    const std::string fence = "```toml\n";
    const auto begin = text.find(fence);
    ASSERT_NE(begin, std::string::npos);
    const auto example = text.substr(begin + fence.size(),
                                     text.find("```", begin + fence.size()) - begin - fence.size());
    const auto scenario = parse_scenario(example, "mine.toml");
    ASSERT_TRUE(scenario) << scenario.error();
    EXPECT_FALSE(scenario->expectations.empty());
    const auto outcome = lab::scenario::run(*scenario, {});
    EXPECT_TRUE(outcome.holds()) << lab_verdicts(std::span(&outcome, 1), false) << outcome.story;
}

// And its tables have every key of an expectation, and every word of an event.
TEST(LabPage, HasEveryKeyOfAnExpectationAndEveryDeed) {
    const auto text = lab_page();
    for (const auto& measure : lab::scenario::measures())
        EXPECT_NE(text.find("| `" + std::string(measure.key) + "`"), std::string::npos)
            << measure.key;
    for (auto deed = 0; deed <= static_cast<int>(lab::scenario::Deed::phone_registers_now);
         ++deed) {
        const std::string name(name_of(static_cast<lab::scenario::Deed>(deed)));
        EXPECT_NE(text.find("`" + name + "`"), std::string::npos) << name;
    }
}

TEST(LabWords, AreInHelpManualAndDocs) {
    std::ifstream manual(std::string(HOLDFAST_TEST_DATA) + "/../../packaging/man/holdfast.1");
    const std::string man{std::istreambuf_iterator<char>(manual), {}};
    std::ifstream commands(std::string(HOLDFAST_TEST_DATA) + "/../../docs/commands.md");
    const std::string docs{std::istreambuf_iterator<char>(commands), {}};
    for (const auto& word : lab_words()) {
        const std::string name(word.name);
        EXPECT_NE(man.find(".B holdfast lab " + name + "\n"), std::string::npos) << name;
        EXPECT_TRUE(std::regex_search(docs, std::regex("\n\\| `" + name + "\\b"))) << name;
    }
}

}  // namespace
}  // namespace holdfast::cli
