#include "registration/register_budget.h"

#include <gtest/gtest.h>

namespace holdfast::registration {
namespace {

using namespace std::chrono_literals;
using For = RegisterBudget::For;

Target target(std::size_t host) {
    return {Transport::udp, {IpAddress::v4(203, 0, 113, static_cast<std::uint8_t>(host)), 5060}};
}

// REGISTERs begun as fast as the budget lets: never more than 2n + 8 in 10 s, 6n + 60 in 10 min, 10
// per target in 10 s (I5).
TEST(RegisterBudget, NeverAllowsAStorm) {
    for (const std::size_t n : {1U, 2U, 3U, 12U}) {
        RegisterBudget budget;
        std::vector<std::pair<Instant, Target>> begun;
        for (Instant now{1000s}; now < Instant{3000s}; now += 50ms) {
            const auto to = target(begun.size() % n);
            if (budget.exhausted_until(now, to, n, For::attempt)) continue;
            budget.spent(now, to, For::attempt);
            begun.emplace_back(now, to);
        }
        for (std::size_t i = 0; i < begun.size(); ++i) {
            const auto within = [&](Duration window, bool same_target) {
                std::size_t count = 0;
                for (std::size_t k = i;
                     k < begun.size() && begun[k].first < begun[i].first + window; ++k)
                    count += !same_target || begun[k].second == begun[i].second ? 1U : 0U;
                return count;
            };
            EXPECT_LE(within(10s, false), 2 * n + 8);
            EXPECT_LE(within(10min, false), 6 * n + 60);
            EXPECT_LE(within(10s, true), 10U);
        }
        EXPECT_GE(begun.size(), 3 * (6 * n + 60 - 12)) << "and it uses what it may";
    }
}

// It says exactly when the next one may begin (I5).
TEST(RegisterBudget, SaysWhenItIsFreeAgain) {
    RegisterBudget budget;
    const Instant start{1000s};
    for (int i = 0; i < 7; ++i) {
        EXPECT_EQ(budget.exhausted_until(start, target(1), 1, For::search), std::nullopt);
        budget.spent(start, target(1), For::search);
    }
    EXPECT_EQ(budget.exhausted_until(start, target(1), 1, For::search), start + 10s);
    EXPECT_EQ(budget.exhausted_until(start + 10s, target(1), 1, For::search), std::nullopt);
}

// B4, I5: a registrar that grants little is asked often, with a challenge each time; that is
// neither stopped nor does it leave less for a search when its server dies.
TEST(RegisterBudget, ARefreshThatIsDueTakesNothingFromASearch) {
    RegisterBudget budget;
    for (Instant now{1000s}; now < Instant{3000s}; now += 5s) {
        EXPECT_EQ(budget.exhausted_until(now, target(1), 1, For::refresh), std::nullopt);
        budget.spent(now, target(1), For::refresh);
        EXPECT_EQ(budget.exhausted_until(now, target(1), 1, For::refresh_answer), std::nullopt);
        budget.spent(now, target(1), For::refresh_answer);
    }
    EXPECT_EQ(budget.exhausted_until(Instant{3000s}, target(1), 1, For::search), std::nullopt);
}

// B7, I1: what is owed to old servers may use half of what comes back; a search finds the rest.
TEST(RegisterBudget, SettlingLeavesHalfToASearch) {
    RegisterBudget budget;
    const Instant start{1000s};
    Instant now = start;
    for (; now < start + 10min; now += 2s)
        if (!budget.exhausted_until(now, target(2), 4, For::settle))
            budget.spent(now, target(2), For::settle);
    for (int i = 0; i < 6; ++i, now += 2s) {
        EXPECT_EQ(budget.exhausted_until(now, target(1), 4, For::search), std::nullopt) << i;
        budget.spent(now, target(1), For::search);
    }
}

// Even refreshes keep to 10 per target in 10 s (I5).
TEST(RegisterBudget, NoRefreshesByTheDozenEither) {
    RegisterBudget budget;
    const Instant start{1000s};
    for (int i = 0; i < 8; ++i) budget.spent(start, target(1), For::refresh);
    EXPECT_EQ(budget.exhausted_until(start, target(1), 9, For::refresh), start + 10s);
}

}  // namespace
}  // namespace holdfast::registration
