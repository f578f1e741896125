// `holdfast lab run` and `holdfast lab list` as commands: what they print and what they end with.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "apps/cli/command_testing.h"
#include "apps/cli/exit_code.h"
#include "apps/cli/lab_command.h"
#include "apps/cli/scenario_file.h"
#include "lab/scenario.h"

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
    [[nodiscard]] std::string file(const std::string& text,
                                   const std::string& name = "own.toml") const {
        const auto path = directory / name;
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

// An option that a word of the lab does not know would do nothing, and nobody would notice.
TEST_F(LabCommand, OptionsOfOtherWordsAreRefused) {
    const auto expect = [&](std::vector<std::string> arguments, std::string_view words) {
        const auto& run = ran(std::move(arguments));
        EXPECT_EQ(run.exit_code(), number_of(ExitCode::usage)) << story(run);
        EXPECT_NE(run.errors().find(words), std::string::npos) << story(run);
        EXPECT_EQ(run.output(), "");
    };
    expect({"lab", "run", "s3-refused-by-icmp", "--runs", "5"},
           "--runs means nothing to lab run: it is of lab swarm.");
    expect({"lab", "list", "--seed", "3"},
           "--seed means nothing to lab list: it is of lab run and lab swarm.");
    expect({"lab", "list", "--preset", "microsip"}, "--preset means nothing to lab list");
    expect({"lab", "swarm", "--runs", "1", "--preset", "microsip"},
           "--preset means nothing to lab swarm: it is of lab run.");
    expect({"lab", "swarm", "--set", "policy.keepalive=none"}, "--set means nothing to lab swarm");
    expect({"lab", "replay", "x.rec", "--minutes", "3"}, "--minutes means nothing to lab replay");
}

TEST_F(LabCommand, AScenarioThatIsNotThereIsSaidWithTheNearest) {
    for (const auto* name : {"s5-node-dise", "s5-node-dise.toml"}) {
        const auto& run = ran({"lab", "run", name});
        EXPECT_EQ(run.exit_code(), number_of(ExitCode::config)) << story(run);
        EXPECT_NE(
            run.errors().find("no scenario of that name; did you mean s5-node-dies? (holdfast "
                              "lab list)"),
            std::string::npos)
            << story(run);
    }
    const auto& run = ran({"lab", "run", "./s5-node-dies"});  // which is a file's name
    EXPECT_EQ(run.exit_code(), number_of(ExitCode::config)) << story(run);
    EXPECT_NE(run.errors().find("No such file"), std::string::npos) << story(run);
}

// What a file is called is somebody else's, and may be anything.
TEST_F(LabCommand, NamesOfFilesAreShownAndNotObeyed) {
    const auto text = std::string(one_phone) + "[[expect]]\nmoves = 0\n";
    const auto own = file(text, "red\x1b[31m\xff.toml");
    const auto& json = ran({"lab", "run", own, "--json"});
    EXPECT_EQ(json.exit_code(), 0) << story(json);
    EXPECT_EQ(nlohmann::json::parse(json.output())["scenario"], "red\x1b[31m\xef\xbf\xbd");
    const auto& run = ran({"lab", "run", own});
    EXPECT_EQ(run.exit_code(), 0) << story(run);
    EXPECT_EQ(run.output().find('\x1b'), std::string::npos) << story(run);
    EXPECT_TRUE(run.said("(red\\x1b[31m\\xff: 30s")) << story(run);
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

TEST_F(LabCommand, JsonSaysWhatWasExpectedAndWhen) {
    const auto own = file(std::string(one_phone) +
                          "[[event]]\nat = \"10s\"\nnode = \"node1\"\ndoes = \"restarts\"\n"
                          "[[expect]]\nfrom = \"2s\"\nto = \"9.5s\"\nrequests_at_most = 1000000\n"
                          "[[expect]]\nreachable_at_least = 90\n");
    const auto& run = ran({"lab", "run", own, "--json"});
    EXPECT_EQ(run.exit_code(), 0) << story(run);
    const auto line = nlohmann::json::parse(run.output());
    const auto& requests = line["expectations"][0];
    EXPECT_EQ(requests["key"], "requests_at_most");
    EXPECT_EQ(requests["from_s"], 2);
    EXPECT_EQ(requests["to_s"], 9.5);
    EXPECT_EQ(requests["limit"], 1'000'000);
    EXPECT_TRUE(requests["limit"].is_number_integer());
    EXPECT_TRUE(requests["seen"].is_number_integer());
    EXPECT_EQ(line["expectations"][1]["from_s"], 0);
    EXPECT_EQ(line["expectations"][1]["to_s"], 30);
    EXPECT_EQ(line["events"][0]["hit_somebody"], true);
    const auto& words = ran({"lab", "run", own});
    EXPECT_TRUE(words.said("all requests (2s to 9.5s) ≤ 1000000: ")) << story(words);
}

// A gap that lasts is told as one, be it the worst or not; an event about nobody, too.
TEST_F(LabCommand, WhatHasNotEndedIsSaid) {
    const auto own =
        file(std::string(one_phone) +
             "[[event]]\nat = \"10s\"\nnode = \"all\"\ndoes = \"silent\"\n"
             "[[event]]\nat = \"20s\"\nnode = \"all\"\ndoes = \"heals\"\n"
             "[[event]]\nat = \"29s\"\nnode = \"all\"\ndoes = \"silent\"\n"
             "[[event]]\nat = \"9s\"\nphone = \"alice\"\ndoes = \"loses-power\"\n"
             "[[event]]\nat = \"9.5s\"\nnode = \"current\"\ndoes = \"silent\"\nname = \"it dies\"\n"
             "[[event]]\nat = \"9.6s\"\nphone = \"alice\"\ndoes = \"starts\"\n"
             "[[expect]]\ngap_at_most = \"20s\"\n");
    const auto& run = ran({"lab", "run", own});
    EXPECT_EQ(run.exit_code(), 1) << story(run);
    EXPECT_TRUE(run.said("worst gap ≤ 20 s: one has not ended")) << story(run);
    EXPECT_FALSE(run.said("> ")) << story(run);
    EXPECT_TRUE(
        std::regex_search(run.output(), std::regex("it dies at 9.5s: back in +\\(nobody\\)")))
        << story(run);
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
    const auto own = file(R"(
title = "A NAT that forgets after 30 s"
length = "4min"
[[cluster]]
nodes = ["203.0.113.11"]
[[dns]]
cluster = "node"
[[nat]]
udp_timeout = "30s"
[[phone]]
transport = "udp"
behind = "home"
expires = "1h"
[[caller]]
phone = "alice"
every = "1min"
from = "1s"
[[expect]]
calls_lost_at_most = 0
)");
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
    // Two columns: the titles stand under each other, behind the longest name too.
    std::set<std::size_t> columns;
    std::istringstream lines(output);
    for (std::string line; std::getline(lines, line);)
        columns.insert(line.find_first_not_of(' ', line.find("  ")));
    EXPECT_EQ(columns.size(), 1U) << output;
    const auto& run = ran({"lab", "run", "s3-refused-by-icmp"});
    EXPECT_EQ(run.exit_code(), 0) << story(run);
}

// docs/lab.md: the example in it runs as it stands there, is about what it says, and what it
// expects holds; and so do the commands above it.
class LabPage : public LabCommand {
protected:
    // What stands between this line and the next fence.
    static std::string fenced(const std::string& page, const std::string& fence) {
        const auto begin = page.find("```" + fence + "\n");
        EXPECT_NE(begin, std::string::npos) << fence;
        const auto text = begin + fence.size() + 4;
        return page.substr(text, page.find("```", text) - text);
    }
};

TEST_F(LabPage, ItsExampleRunsAndHolds) {
    const auto own = file(fenced(lab_page(), "toml"), "mine.toml");
    const auto& run = ran({"lab", "run", own, "--json"});
    ASSERT_EQ(run.exit_code(), 0) << story(run);
    const auto line = nlohmann::json::parse(run.output());
    EXPECT_EQ(line["expectations"].size(), 4U);
    for (const auto& expectation : line["expectations"]) EXPECT_TRUE(expectation["holds"]);
    // Its server has died, and that was to be noticed: calls are lost until it is.
    ASSERT_EQ(line["events"].size(), 1U);
    EXPECT_TRUE(line["events"][0]["hit_somebody"]);
    const auto& alice = line["phones"][0];
    EXPECT_GT(alice["recovery_s"][0], 1);
    EXPECT_GE(alice["calls_lost"], 2);
    EXPECT_EQ(alice["moves"], 1);
    // Each of them can break: whoever notices nothing is found out by it.
    const auto& other = ran({"lab", "run", own, "--set", "policy.keepalive=none", "--seed", "7"});
    EXPECT_EQ(other.exit_code(), 1) << story(other);
    EXPECT_TRUE(other.said("BROKEN  holdfast alice: time to recover after her server dies"))
        << story(other);
    EXPECT_TRUE(other.said("BROKEN  holdfast alice: calls lost")) << story(other);
}

TEST_F(LabPage, ItsCommandsRun) {
    const auto own = file(fenced(lab_page(), "toml"), "mine.toml");
    std::istringstream lines(fenced(lab_page(), "sh"));
    std::size_t commands = 0;
    for (std::string line; std::getline(lines, line); ++commands) {
        std::istringstream words(line.substr(0, line.find('#')));
        std::vector<std::string> arguments;
        for (std::string word; words >> word;)
            arguments.push_back(word == "mine.toml" ? own : word);
        ASSERT_EQ(arguments.front(), "holdfast") << line;
        arguments.erase(arguments.begin());
        const auto& run = ran(arguments);
        const bool breaks = line.find("keepalive=none") != std::string::npos;
        EXPECT_EQ(run.exit_code(), breaks ? 1 : 0) << line << "\n" << story(run);
    }
    EXPECT_EQ(commands, 5U);
}

// And its tables have every key of an expectation, and every word of an event.
TEST_F(LabPage, HasEveryKeyOfAnExpectationAndEveryDeed) {
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

// Each option of the lab is some word's, and no word has another.
TEST(LabWords, HaveEveryOptionOfTheLab) {
    std::set<std::string_view> known;
    for (const auto& option : option_table())
        if ((option.commands & for_lab) != 0) known.insert(option.name);
    std::set<std::string_view> taken;
    for (const auto& word : lab_words()) taken.insert(word.options.begin(), word.options.end());
    EXPECT_EQ(taken, known);
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
