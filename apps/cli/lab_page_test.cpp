// The page of `lab run --html` holds what the run found, and whatever a scenario, a phone or a
// server says stays text in it. How it looks is tests/browser's.
#include "apps/cli/lab_page.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "apps/cli/command_testing.h"
#include "apps/cli/lab_report.h"
#include "apps/cli/page.h"
#include "apps/cli/page_messages.h"
#include "apps/cli/scenario_file.h"

namespace holdfast::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view data_begin = R"(<script id="data" type="application/json">)";
constexpr auto* hostile = "</script><img src=x onerror=alert(1)><!-- & \xe2\x80\xa8";

constexpr auto* server_dies =
    "length = \"60s\"\n"
    "[[cluster]]\nnodes = [\"203.0.113.11\", \"203.0.113.12\"]\n"
    "[[dns]]\nname = \"example.test\"\ncluster = \"node\"\n"
    "[[nat]]\nname = \"home\"\nmapping = \"address-and-port-dependent\"\n"
    "[[phone]]\ntransport = \"udp\"\nbehind = \"home\"\n"
    "[[caller]]\nphone = \"alice\"\nevery = \"1s\"\n"
    "[[event]]\nat = \"20s\"\nnode = \"current\"\ndoes = \"silent\"\nname = \"it dies\"\n"
    "[[expect]]\nrecovered_within = \"32s\"\n"
    "[[expect]]\nmoves = 7\n";

std::string data_of(const std::string& page) {
    const auto begin = page.find(data_begin);
    EXPECT_NE(begin, std::string::npos);
    const auto from = begin + data_begin.size();
    return page.substr(from, page.find("</script>", from) - from);
}

struct Played {
    lab::scenario::Scenario scenario;
    std::vector<PlayedScenario> outcomes;
    ordered_json data;
};

std::unique_ptr<Played> played(const std::string& toml, const std::vector<std::string>& presets,
                               std::size_t lines = 1000, const std::string& title = {}) {
    auto scenario = parse_scenario(toml, "mine.toml");
    EXPECT_TRUE(scenario) << scenario.error();
    if (!title.empty()) scenario->title = title;  // whatever a file may not say
    auto all = std::make_unique<Played>(Played{*std::move(scenario), {}, {}});
    all->outcomes.push_back({&all->scenario, {}});
    for (const auto& preset : presets)
        all->outcomes.front().outcomes.push_back(
            lab::scenario::run(all->scenario, {.preset = preset, .chronicle_lines = lines}));
    all->data = ordered_json::parse(
        data_of(page_of(lab_page_json(all->outcomes, "holdfast lab run mine.toml"))));
    return all;
}

std::string titled(const std::string& title) {
    return "title = " + ordered_json(title).dump() + "\n" + server_dies;
}

TEST(LabPageFile, HoldsWhatTheRunsFound) {
    const auto all = played(titled("It dies"), {"holdfast", "microsip"});
    const auto& scenario = all->data.at("scenarios").at(0);
    EXPECT_EQ(all->data.at("command"), "holdfast lab run mine.toml");
    EXPECT_EQ(scenario.at("title"), "It dies");
    EXPECT_EQ(scenario.at("length"), 60);
    EXPECT_EQ(scenario.at("events").at(0), (ordered_json{{"at", 20}, {"label", "it dies"}}));
    ASSERT_EQ(scenario.at("runs").size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
        const auto& run = scenario.at("runs").at(i);
        const auto& found = all->outcomes.front().outcomes[i];
        EXPECT_EQ(run.at("preset"), found.preset);
        const auto figures = lab_figures(all->scenario, found);
        ASSERT_EQ(run.at("figures").size(), figures.size());
        for (std::size_t row = 0; row < figures.size(); ++row) {
            EXPECT_EQ(run.at("figures").at(row).at(0), figures[row].first);
            EXPECT_EQ(run.at("figures").at(row).at(1), figures[row].second);
        }
        ASSERT_EQ(run.at("verdicts").size(), found.verdicts.size());
        std::size_t lost = 0;
        for (const auto& call : run.at("phones").at(0).at("calls"))
            lost += call.at(3).get<std::size_t>();
        EXPECT_EQ(lost, found.total.lost);
        EXPECT_FALSE(run.at("dns").empty());
    }
    const auto& ours = scenario.at("runs").at(0);
    EXPECT_EQ(ours.at("verdicts").at(0).at("holds"), true);
    EXPECT_EQ(ours.at("verdicts").at(1).at("holds"), false);
    EXPECT_EQ(ours.at("verdicts").at(1).at("text"), "holdfast alice: moves = 7: 1");
    const auto& bindings = ours.at("phones").at(0).at("bindings");
    ASSERT_EQ(bindings.size(), 2U);
    EXPECT_TRUE(bindings[0].at("seen_from").get<std::string>().starts_with("198.51.100.1:"));
    EXPECT_EQ(bindings[0].at("states").at(1), (ordered_json{20, "stale"}));
    EXPECT_EQ(bindings[1].at("ended"), "lasts");
    EXPECT_EQ(bindings[1].at("end"), 60);
    // Stays at its dead server: nothing moves.
    EXPECT_EQ(scenario.at("runs").at(1).at("phones").at(0).at("bindings").size(), 1U);
}

TEST(LabPageFile, HasEveryMessageWholeAndNoAnswerToAChallenge) {
    const auto all = played(titled("It dies"), {"holdfast"});
    const auto& messages = all->data.at("scenarios").at(0).at("runs").at(0).at("messages");
    std::size_t registers = 0;
    bool challenged = false;
    for (const auto& message : messages) {
        if (!message.contains("text")) continue;
        const auto text = message.at("text").get<std::string>();
        if (text.starts_with("REGISTER ")) ++registers;
        if (text.contains("WWW-Authenticate")) challenged = true;
        EXPECT_FALSE(text.contains("response=")) << text;
        EXPECT_TRUE(text.contains("CSeq: ")) << text;
    }
    EXPECT_GE(registers, all->outcomes.front().outcomes.front().total.registers);
    EXPECT_TRUE(challenged);
    EXPECT_TRUE(std::ranges::any_of(messages, [](const ordered_json& message) {
        return message.contains("text") &&
               message.at("text").get<std::string>().contains("Authorization: <redacted>");
    }));
    EXPECT_TRUE(std::ranges::any_of(messages, [](const ordered_json& message) {
        return message.contains("fate") && message.at("fate") == "silence";
    }));
    EXPECT_TRUE(std::ranges::any_of(messages, [](const ordered_json& message) {
        return message.contains("note") && message.at("note") == "it dies" && message.at("t") == 20;
    }));
}

// What would end the element, begin another, or end a line of an old script: never there as it is.
TEST(LabPageFile, HostileTextsStayTexts) {
    const auto all = played(titled("It dies"), {"holdfast"}, 1000, hostile);
    EXPECT_EQ(all->data.at("scenarios").at(0).at("title"), hostile);
    const auto html = page_of(lab_page_json(all->outcomes, hostile));
    const auto data = data_of(html);
    EXPECT_EQ(data.find_first_of("<>&"), std::string::npos);
    EXPECT_EQ(data.find("\xe2\x80\xa8"), std::string::npos);
    EXPECT_FALSE(html.contains("<img"));
    EXPECT_EQ(html.substr(html.find(data) + data.size()),
              std::string(page_template()).substr(page_template().find("@LAB_DATA@") + 10));
}

// Octets that are no UTF-8, control characters and marks of direction, in a message.
TEST(LabPageFile, AMessageIsPrintable) {
    const auto json = json_of(PageMessage{
        .at = 1,
        .about = "signalling",
        .from = "alice",
        .to = "node1",
        .bytes =
            "INVITE sip:\xff\x1b[2J@example.test SIP/2.0\r\nFrom: \"\xe2\x80\xae</script>\"\r\n"
            "Authorization: Digest response=\"0123\"\r\nCSeq: 1 INVITE\r\n\r\n"});
    const auto text = json.at("text").get<std::string>();
    EXPECT_TRUE(text.starts_with("INVITE sip:\\xff\\x1b[2J@example.test SIP/2.0\n")) << text;
    EXPECT_TRUE(text.contains("</script>")) << text;
    EXPECT_FALSE(text.contains("0123")) << text;
    EXPECT_FALSE(text.contains("\xe2\x80\xae")) << text;
    EXPECT_EQ(json.at("first"), "INVITE sip:\\xff\\x1b[2J@example.test · CSeq 1");
    EXPECT_NO_THROW((void)json.dump());
}

TEST(LabPageFile, ALongMessageIsCutAndSaysSo) {
    const auto json = json_of(
        PageMessage{.bytes = "MESSAGE sip:a@b SIP/2.0\r\n\r\n" + std::string(100'000, 'x')});
    const auto text = json.at("text").get<std::string>();
    EXPECT_LT(text.size(), 6100U);
    EXPECT_TRUE(text.contains("more octets are left out here"));
}

void keys_of(const ordered_json& json, std::set<std::string>& keys) {
    if (json.is_object())
        for (const auto& [key, value] : json.items()) keys.insert(key);
    for (const auto& value : json)
        if (value.is_structured()) keys_of(value, keys);
}

// The writer and the page's script speak of the same keys: those that a comment of the page lists.
TEST(LabPageFile, ThePageReadsWhatIsWritten) {
    const std::string html(page_template());
    const auto begin = html.find("<!-- Keys of the data: ");
    ASSERT_NE(begin, std::string::npos);
    const auto list = html.substr(begin + 23, html.find("-->", begin) - begin - 23);
    std::set<std::string> listed;
    std::istringstream words(list);
    for (std::string word; words >> word;) listed.insert(word);
    std::set<std::string> written;
    keys_of(played(titled("It dies"), {"holdfast"})->data, written);
    keys_of(played(titled("It dies"), {"holdfast"}, 10)->data, written);  // with lines left out
    EXPECT_EQ(written, listed);
    const auto script = html.substr(html.find("\"use strict\""));
    for (const auto& key : listed)
        EXPECT_TRUE(std::regex_search(script, std::regex("(\\.|\\{|, )" + key + "\\b"))) << key;
}

TEST(LabPageFile, FetchesNothing) {
    const std::string html(page_template());
    std::smatch found;
    const std::regex link(
        R"((https?:)?//[a-z]|\b(src|href|srcset|action)="|@import|url\(['"]?[^#'"])");
    for (std::sregex_iterator at(html.begin(), html.end(), link), last; at != last; ++at) {
        const auto around = html.substr(static_cast<std::size_t>(at->position()), 40);
        EXPECT_TRUE(around.starts_with("//www.w3.org/2000/svg") ||
                    around.starts_with("http://www.w3.org/2000/svg"))
            << around;
    }
    EXPECT_TRUE(html.contains("default-src 'none'"));
}

class LabPageCommand : public testing::Bench {
protected:
    testing::CommandRun& ran(std::vector<std::string> arguments) {
        auto& run = start(std::move(arguments));
        EXPECT_TRUE(run_until_end(run));
        return run;
    }
    [[nodiscard]] std::string scenario() const {
        const auto path = directory / "own.toml";
        std::ofstream(path) << titled("It dies");
        return path.string();
    }
};

TEST_F(LabPageCommand, RunWritesIt) {
    const auto file = directory / "page.html";
    const auto& run = ran({"lab", "run", scenario(), "--html", file.string(), "--preset",
                           "holdfast", "--preset", "microsip"});
    EXPECT_EQ(run.exit_code(), 1) << run.errors();  // seven moves are expected, and it says so
    std::ifstream stream(file);
    const std::string html{std::istreambuf_iterator<char>(stream), {}};
    const auto data = ordered_json::parse(data_of(html));
    EXPECT_EQ(data.at("scenarios").at(0).at("runs").size(), 2U);
    EXPECT_TRUE(data.at("command").get<std::string>().ends_with(
        "own.toml --preset holdfast --preset microsip"));
}

TEST_F(LabPageCommand, WhereItCannotBeWrittenNothingIsRun) {
    const auto missing = (directory / "missing" / "page.html").string();
    const auto& run = ran({"lab", "run", scenario(), "--html", missing});
    EXPECT_EQ(run.exit_code(), 10);
    EXPECT_EQ(run.output(), "");
    EXPECT_TRUE(run.errors().contains(missing + " cannot be written: No such file or directory"))
        << run.errors();
}

}  // namespace
}  // namespace holdfast::cli
