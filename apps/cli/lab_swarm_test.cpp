// What is printed of worlds that break an invariant: here the lives say so. That real ones do when
// a rule is broken: tools/check-broken-rules; the command as a whole: lab_swarm_command_test.cpp.
#include "apps/cli/lab_swarm.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "apps/cli/lab_options.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// What it writes to its standard output.
std::string output_of(const Options& options, const SwarmLives& lives, ExitCode expected) {
    std::FILE* const file = std::tmpfile();
    const int descriptor = ::fileno(file);
    EXPECT_EQ(run_swarm(options, lives, descriptor), expected);
    std::string text(static_cast<std::size_t>(::lseek(descriptor, 0, SEEK_END)), '\0');
    EXPECT_EQ(::pread(descriptor, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    std::fclose(file);
    return text;
}

Options swarm_of(std::uint32_t runs, std::uint64_t seed) {
    Options options;
    options.lab.runs = runs;
    options.lab.seed = seed;
    return options;
}

bool has_parts(const lab::WorldPlan& plan, std::initializer_list<std::string_view> wanted) {
    const auto parts = lab::parts_of(plan);
    return std::ranges::all_of(
        wanted, [&](auto part) { return std::ranges::find(parts, part) != parts.end(); });
}

lab::SwarmResult good_life(const lab::WorldPlan&) {
    return {.complaints = {}, .text = "0.000  it began\n"};
}

// Worlds from 12 on, as long as these parts are there.
lab::SwarmResult bad_from_12(const lab::WorldPlan& plan) {
    auto result = good_life(plan);
    if (plan.number >= 12 && has_parts(plan, {"fault2", "phone1", "node1"}))
        result.complaints = {"I1: phone1 is not registered", "B1: another"};
    return result;
}

constexpr auto smallest_world = "holdfast lab swarm --seed 12 --minutes ";

TEST(SwarmOutput, FailureIsToldAndMadeSmall) {
    const auto text =
        output_of(swarm_of(4, 10), {.once = bad_from_12, .with_all = bad_from_12}, ExitCode::host);
    EXPECT_THAT(text, HasSubstr("world 12: I1: phone1 is not registered\n"));
    EXPECT_THAT(text, HasSubstr("world 13: I1: phone1 is not registered\n"));
    EXPECT_THAT(text, Not(HasSubstr("more\n")));
    EXPECT_THAT(text, HasSubstr("\nworld 12 broke an invariant:\n"
                                "  I1: phone1 is not registered\n  B1: another\n"
                                "what happened in it, by the second:\n  0.000  it began\n"
                                "again: holdfast lab swarm --seed 12 --minutes 10 --runs 1\n"));
    EXPECT_THAT(text, ContainsRegex("\nminimised, in [0-9]+ tries; nothing more can be left out:\n"
                                    "  I1: phone1 is not registered\n"));
    EXPECT_THAT(text, ContainsRegex("again: holdfast lab swarm --seed 12 --minutes [0-9.]+ "
                                    "--keep fault2,phone1,node1\n"));
    EXPECT_THAT(text, HasSubstr("\n4 worlds of 10 min: 2 broke an invariant ("));
}

// What "again" says is the world that failed.
TEST(SwarmOutput, PrintedCommandLivesTheSmallWorldAgain) {
    const auto text =
        output_of(swarm_of(1, 12), {.once = bad_from_12, .with_all = bad_from_12}, ExitCode::host);
    const auto at = text.rfind(smallest_world) + std::string_view(smallest_world).size();
    Options options = swarm_of(1, 12);
    ASSERT_TRUE(apply_minutes(options, text.substr(at, text.find(' ', at) - at), true));
    options.lab.keep = {"fault2", "phone1", "node1"};
    EXPECT_LT(options.lab.suffering, 10min);
    const auto again = output_of(options, {.with_all = bad_from_12}, ExitCode::host);
    EXPECT_EQ(again, "  0.000  it began\n  I1: phone1 is not registered\n  B1: another\n");
    options.lab.keep = {"phone1", "node1"};
    EXPECT_EQ(output_of(options, {.with_all = bad_from_12}, ExitCode::ok),
              "  0.000  it began\nall invariants held\n");
}

TEST(SwarmOutput, OfManyFailuresTheFirstAreALineEach) {
    const auto text = output_of(swarm_of(25, 100), {.once = bad_from_12, .with_all = bad_from_12},
                                ExitCode::host);
    std::size_t lines = 0;
    for (std::uint64_t world = 100; world < 125; ++world)
        lines += text.contains(fmt::format("world {}: ", world)) ? 1U : 0U;
    EXPECT_EQ(lines, 20u);
    EXPECT_THAT(text, HasSubstr("\nand 5 more\n"));
    EXPECT_THAT(text, HasSubstr("25 broke an invariant"));
}

TEST(SwarmOutput, JsonTellsEveryFailure) {
    auto options = swarm_of(25, 100);
    options.json = true;
    const auto text =
        output_of(options, {.once = bad_from_12, .with_all = bad_from_12}, ExitCode::host);
    std::vector<nlohmann::json> lines;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
        lines.push_back(nlohmann::json::parse(text.substr(at, text.find('\n', at) - at)));
    ASSERT_EQ(lines.size(), 27u);
    std::set<std::uint64_t> worlds;
    for (std::size_t i = 0; i < 25; ++i) {
        const std::uint64_t world = lines[i]["world"];
        worlds.insert(world);
        EXPECT_EQ(lines[i]["complaints"][0], "I1: phone1 is not registered");
        EXPECT_EQ(lines[i]["again"],
                  fmt::format("holdfast lab swarm --seed {} --minutes 10 --runs 1", world));
    }
    EXPECT_EQ(worlds.size(), 25u);
    EXPECT_EQ(lines[25]["minimised"], 100);
    EXPECT_THAT(lines[25]["parts"], ElementsAre("fault2", "phone1", "node1"));
    EXPECT_TRUE(lines[25]["is_minimal"]);
    EXPECT_GT(lines[25]["tries"], 3);
    EXPECT_EQ(lines[25]["text"], "0.000  it began\n");
    EXPECT_EQ(lines[26]["worlds"], 25);
    EXPECT_EQ(lines[26]["broken"], 25);
}

// I3 and I7 need lives that the others do not; those would never fail so again.
TEST(SwarmOutput, SmallerWorldsLiveAsTheKindOfFailureNeeds) {
    for (const std::string kind : {"I1", "I2", "I3", "I7"}) {
        std::atomic<int> once = 0;
        std::atomic<int> with_all = 0;
        const auto fails = [&](std::atomic<int>& lives) {
            return [&](const lab::WorldPlan&) -> lab::SwarmResult {
                ++lives;
                return {.complaints = {kind + ": it is so"}, .text = ""};
            };
        };
        output_of(swarm_of(1, 12), {.once = fails(once), .with_all = fails(with_all)},
                  ExitCode::host);
        const bool is_alone = kind == "I3" || kind == "I7";
        EXPECT_EQ(once == 0, is_alone) << kind;
        EXPECT_EQ(with_all == 1, !is_alone) << kind;
    }
}

TEST(SwarmOutput, MinutesAreSaidToTheMillisecond) {
    for (const Duration ends : {Duration(3s), Duration(600'003s), Duration(604'799'999ms)}) {
        const auto command = command_of(lab::draw_world(2, ends));
        const auto at = command.find("--minutes ") + 10;
        Options options;
        ASSERT_TRUE(apply_minutes(options, command.substr(at, command.find(' ', at) - at), true));
        EXPECT_EQ(options.lab.suffering, ends) << command;
    }
}

TEST(SwarmOutput, ThatNobodyReadsItIsNoSuccess) {
    const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    EXPECT_EQ(run_swarm(swarm_of(2, 1), {.once = good_life, .with_all = good_life}, full),
              ExitCode::host);
    ::close(full);
}

TEST(SwarmOutput, CrashNamesItsWorld) {
    const auto crash = [](const lab::WorldPlan&) -> lab::SwarmResult {
        std::raise(SIGSEGV);
        return {};
    };
    EXPECT_DEATH(run_swarm(swarm_of(1, 0), {.with_all = crash}, STDOUT_FILENO),
                 HasSubstr("I8: the crash is of: "
                           "holdfast lab swarm --seed 0 --minutes 10 --runs 1\n"));
    auto options = swarm_of(1, 12);
    options.lab.suffering = 90s;
    options.lab.keep = {"phone1", "node1"};
    EXPECT_DEATH(run_swarm(options, {.with_all = crash}, STDOUT_FILENO),
                 HasSubstr("--seed 12 --minutes 1.5 --keep phone1,node1\n"));
}

}  // namespace
}  // namespace holdfast::cli
