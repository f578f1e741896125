// The ladder of a recording: every message as it went over the wire, streams put together, what a
// password answered left out, and what happened meanwhile.
#include "apps/cli/recording_ladder.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/cli/command_testing.h"
#include "apps/cli/page.h"
#include "lab/world.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

// A minute of a phone whose server falls silent.
std::string recorded_minute(Transport transport) {
    lab::World world(seed_from_number(7), {.one_way_delay = 10ms});
    auto& cluster = world.add_registrars({"203.0.113.11", "203.0.113.12"});
    world.dns().a("example.test", cluster.addresses(), {.ttl = 5s, .rotate = true});
    auto& phone = world.add_phone({.transport = transport, .expires = 60s, .record = true});
    world.run_for(10s);
    EXPECT_TRUE(phone.is_registered());
    world.silence(*phone.current_target());
    world.run_for(50s);
    return phone.recording();
}

RecordedLadder ladder_of_minute(Transport transport, Recording& recording) {
    auto parsed = parse_recording(recorded_minute(transport));
    EXPECT_TRUE(parsed) << parsed.error();
    recording = *std::move(parsed);
    return ladder_of(recording);
}

class RecordingLadder : public ::testing::TestWithParam<Transport> {};

TEST_P(RecordingLadder, HasEveryMessageOnceAndWhole) {
    Recording recording;
    const auto ladder = ladder_of_minute(GetParam(), recording);
    std::size_t challenges = 0;
    std::size_t answers = 0;
    for (const auto& line : ladder.lines) {
        if (line.bytes.starts_with("SIP/2.0 401")) ++challenges;
        if (line.bytes.contains("Authorization: ") && line.bytes.starts_with("REGISTER "))
            ++answers;
        if (line.bytes.empty()) continue;
        const bool ours = line.from == "this host";
        EXPECT_EQ(ours, line.to != "this host");
        EXPECT_THAT(ours ? line.to : line.from, HasSubstr(":203.0.113.1"));
        EXPECT_THAT(line.bytes, HasSubstr("\r\n\r\n"));
        EXPECT_THAT(line.bytes, Not(ContainsRegex("response=\"[0-9a-f]")));
    }
    EXPECT_GE(challenges, 1U);
    EXPECT_GE(answers, challenges);
    EXPECT_TRUE(std::ranges::any_of(ladder.answers, [](const RecordedAnswer& answer) {
        return answer.question.name == "example.test" && answer.answer.records.size() == 2;
    }));
}

INSTANTIATE_TEST_SUITE_P(Transports, RecordingLadder,
                         ::testing::Values(Transport::udp, Transport::tcp));

// A connection is read as it comes: what was cut is one message, and what came at once is two.
TEST(RecordingLadderStream, PiecesArePutTogether) {
    const auto whole = recorded_minute(Transport::tcp);
    std::string cut;
    std::istringstream lines(whole);
    std::size_t cuts = 0;
    for (std::string line; std::getline(lines, line);) {
        auto json = nlohmann::ordered_json::parse(line);
        if (json.value("in", "") == "received" && json["bytes"].contains("text")) {
            auto& text = json["bytes"]["text"];
            const auto bytes = text.get<std::string>();
            text = bytes.substr(0, bytes.size() / 2);
            cut += json.dump() + "\n";
            text = bytes.substr(bytes.size() / 2);
            ++cuts;
        }
        cut += json.dump() + "\n";
    }
    ASSERT_GT(cuts, 3U);
    const auto of_whole = parse_recording(whole);
    const auto of_cut = parse_recording(cut);
    ASSERT_TRUE(of_cut) << of_cut.error();
    EXPECT_EQ(ladder_text(*of_cut, ladder_of(*of_cut)),
              ladder_text(*of_whole, ladder_of(*of_whole)));
}

TEST(RecordingLadderText, IsALineForEach) {
    Recording recording;
    const auto ladder = ladder_of_minute(Transport::udp, recording);
    const auto text = ladder_text(recording, ladder);
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(text, '\n')), ladder.lines.size());
    EXPECT_THAT(text, HasSubstr("  this host → udp:203.0.113."));
    EXPECT_THAT(text, HasSubstr(" → this host  401 Unauthorized · "));
    EXPECT_THAT(text, HasSubstr("  * registered udp:203.0.113."));
    EXPECT_THAT(text, HasSubstr("  * suspect udp:203.0.113."));
}

class TraceCommand : public testing::Bench {
protected:
    testing::CommandRun& ran(std::vector<std::string> arguments) {
        auto& run = start(std::move(arguments));
        EXPECT_TRUE(run_until_end(run)) << run.errors();
        return run;
    }
};

TEST_F(TraceCommand, PrintsTheLadderOrWritesThePage) {
    const auto file = (directory / "minute.rec").string();
    std::ofstream(file, std::ios::binary) << recorded_minute(Transport::udp);
    const auto& text = ran({"trace", file});
    EXPECT_EQ(text.exit_code(), 0) << text.errors();
    EXPECT_THAT(text.output(), HasSubstr("REGISTER sip:example.test · CSeq "));
    const auto page = directory / "minute.html";
    const auto& html = ran({"trace", file, "--html", page.string()});
    EXPECT_EQ(html.exit_code(), 0) << html.errors();
    EXPECT_EQ(html.output(), "");
    std::ifstream stream(page);
    const std::string written{std::istreambuf_iterator<char>(stream), {}};
    const std::string begin = R"(<script id="data" type="application/json">)";
    const auto from = written.find(begin) + begin.size();
    const auto data =
        nlohmann::json::parse(written.substr(from, written.find("</script>", from) - from));
    const auto& run = data.at("scenarios").at(0).at("runs").at(0);
    EXPECT_EQ(data.at("scenarios").at(0).at("title"), "Recording minute.rec");
    EXPECT_EQ(run.at("order").at(0), "this host");
    const auto lines = text.output();
    EXPECT_EQ(run.at("messages").size(), static_cast<std::size_t>(std::ranges::count(lines, '\n')));
    EXPECT_FALSE(run.at("dns").empty());
}

TEST_F(TraceCommand, WhatCannotBeReadOrWrittenIsSaid) {
    EXPECT_EQ(ran({"trace"}).exit_code(), 2);
    const auto& missing = ran({"trace", (directory / "none.rec").string()});
    EXPECT_EQ(missing.exit_code(), 3);
    EXPECT_THAT(missing.errors(), HasSubstr("none.rec cannot be read: No such file or directory"));
    const auto file = (directory / "no.rec").string();
    std::ofstream(file) << "{\"no\":1}\n";
    EXPECT_THAT(ran({"trace", file}).errors(), HasSubstr("is not the beginning of a recording"));
}

}  // namespace
}  // namespace holdfast::cli
