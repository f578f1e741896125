#include "registration/probe_budget.h"

#include <gtest/gtest.h>

namespace holdfast::registration {
namespace {

using namespace std::chrono_literals;

// I5, S1: one outage's rounds of 4 every 4–8 s are all made; when 280 requests were sent in 10 min,
// there is one in 20 s.
TEST(ProbeBudget, RoundsBecomeRareAfter280Requests) {
    ProbeBudget budget;
    Instant now{1000s};
    for (int i = 0; i < 279; ++i) budget.spent(now);
    EXPECT_TRUE(budget.take_round(now));
    EXPECT_TRUE(budget.take_round(now + 4s)) << "at the limit but one";
    EXPECT_FALSE(budget.runs_short(now + 4s));
    budget.spent(now + 4s);
    EXPECT_TRUE(budget.runs_short(now + 4s));
    EXPECT_FALSE(budget.take_round(now + 23s));
    EXPECT_EQ(budget.next_round(), now + 24s);
    EXPECT_TRUE(budget.take_round(now + 24s));
    EXPECT_FALSE(budget.take_round(now + 30s));
    EXPECT_TRUE(budget.take_round(now + 10min)) << "the 279 are 10 min old";
    EXPECT_TRUE(budget.take_round(now + 10min + 4s));
}

}  // namespace
}  // namespace holdfast::registration
