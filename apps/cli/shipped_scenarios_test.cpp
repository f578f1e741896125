// What comes with Holdfast holds for Holdfast: every scenarios/*.toml, in virtual time, with
// several seeds. And the figures of docs/measured.md that other presets have in them.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "apps/cli/lab_report.h"
#include "apps/cli/scenario_file.h"
#include "lab/scenario_run.h"

namespace holdfast::cli {
namespace {

constexpr Duration brief = std::chrono::minutes(15);
constexpr std::uint64_t seeds_of_brief =
    3;  // of longer ones one: a virtual hour takes seconds here

std::vector<std::filesystem::path> scenario_files() {
    std::vector<std::filesystem::path> found;
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(HOLDFAST_TEST_DATA) + "/../../scenarios"))
        if (entry.path().extension() == ".toml") found.push_back(entry.path());
    std::ranges::sort(found);
    return found;
}

std::string name_of_file(const testing::TestParamInfo<std::filesystem::path>& info) {
    auto name = info.param.stem().string();
    std::ranges::replace(name, '-', '_');
    return name;
}

std::string widest_line(const std::string& text) {
    std::string widest;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find('\n', begin), text.size());
        if (end - begin > widest.size()) widest = text.substr(begin, end - begin);
        begin = end + 1;
    }
    return widest;
}

class ShippedScenarios : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(ShippedScenarios, Hold) {
    const auto scenario = read_scenario_file(GetParam());
    ASSERT_TRUE(scenario) << scenario.error();
    EXPECT_FALSE(scenario->title.empty());
    EXPECT_LE(scenario->title.size(), 76U) << scenario->title;
    std::vector<std::string> presets{"holdfast"};
    for (const auto& expectation : scenario->expectations)
        if (std::ranges::find(presets, expectation.preset) == presets.end())
            presets.push_back(expectation.preset);
    const auto seeds = scenario->length <= brief ? seeds_of_brief : 1;
    for (const auto& preset : presets)
        for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
            const auto outcome = lab::scenario::run(*scenario, {.preset = preset, .seed = seed});
            ASSERT_FALSE(outcome.verdicts.empty()) << preset;
            ASSERT_TRUE(outcome.holds())
                << "seed " << seed << "\n"
                << lab_table(*scenario, std::span(&outcome, 1))
                << lab_verdicts(std::span(&outcome, 1), false) << outcome.story;
            EXPECT_LE(widest_line(lab_table(*scenario, std::span(&outcome, 1))).size(), 110U);
        }
}

INSTANTIATE_TEST_SUITE_P(Files, ShippedScenarios, testing::ValuesIn(scenario_files()),
                         name_of_file);

}  // namespace
}  // namespace holdfast::cli
