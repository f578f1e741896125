// The demo's cases, in the lab: what `holdfast demo` shows on sockets holds in virtual time, where
// nothing is left to luck. The sockets are tests/loopback's.
#include <gtest/gtest.h>

#include <chrono>

#include "apps/cli/demo_case.h"
#include "apps/cli/demo_report.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

TEST(Demo, HoldfastKeepsEachLimitInTheLab) {
    for (const auto& demo_case : demo_cases()) {
        const auto found = in_virtual_time(demo_case, "holdfast");
        EXPECT_FALSE(found.still) << demo_case.name;
        EXPECT_GT(found.calls, 100U) << demo_case.name;
        if (demo_case.fault == DemoFault::none)
            EXPECT_EQ(found.lost, 0U) << demo_case.name;
        else
            EXPECT_LE(found.length, demo_case.limit + lab_call_interval) << demo_case.name;
    }
}

TEST(Demo, MicrosipNeverLeavesASilentFirstServerWhenDnsIsFixed) {
    const auto& demo_case = demo_cases()[1];
    ASSERT_EQ(demo_case.fault, DemoFault::first_choice_dead);
    ASSERT_FALSE(demo_case.dns_rotates);
    const auto found = in_virtual_time(demo_case, "microsip");
    EXPECT_TRUE(found.still);
    EXPECT_EQ(found.length, lab_length);
}

DemoOutcome good_outcome(const DemoCase& demo_case) {
    return {.of = &demo_case,
            .preset = "holdfast",
            .live = {.length = 100ms, .still = false, .calls = 200, .lost = 0},
            .lab = {},
            .registrations = {},
            .most_bindings = 1,
            .registered_after = 100ms};
}

TEST(Demo, PromiseIsBrokenByWhatItForbids) {
    for (const auto& demo_case : demo_cases()) {
        EXPECT_TRUE(keeps_promise(good_outcome(demo_case)));
        auto still = good_outcome(demo_case);
        still.live.still = true;
        EXPECT_FALSE(keeps_promise(still));
        auto silent = good_outcome(demo_case);
        silent.live.calls = 0;
        EXPECT_FALSE(keeps_promise(silent)) << "nobody called: nothing was shown";
        auto late = good_outcome(demo_case);
        late.live.lost = 200;
        late.live.length = demo_case.limit + 1s;
        EXPECT_FALSE(keeps_promise(late)) << demo_case.name;
    }
    auto moved = good_outcome(demo_cases().front());
    moved.moves = 1;
    EXPECT_FALSE(keeps_promise(moved));
}

TEST(Demo, TableSaysWhatHasNotEndedAndFitsAHundredColumns) {
    std::vector<DemoOutcome> outcomes;
    for (const auto& demo_case : demo_cases())
        for (const auto preset : demo_case.presets) {
            outcomes.push_back(good_outcome(demo_case));
            outcomes.back().preset = preset;
            outcomes.back().live = {.length = 46'700ms, .still = true, .calls = 250, .lost = 230};
            outcomes.back().registrations = {
                {.at = 12'345ms, .server = 2, .seen_as = *Endpoint::parse("203.0.113.195:65535")}};
        }
    const auto text = refreshes_table(outcomes) + reachability_table(outcomes);
    EXPECT_NE(text.find("more than 46 s"), std::string::npos) << text;
    EXPECT_NE(text.find("12.3 s  ip3 :65535"), std::string::npos) << text;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = text.find('\n', begin);
        EXPECT_LE(end - begin, 100U) << text.substr(begin, end - begin);
        begin = end + 1;
    }
    EXPECT_EQ(verdict(outcomes, false).find('\033'), std::string::npos);
}

}  // namespace
}  // namespace holdfast::cli
