// Scenario files about what stands between phones and servers: NATs.
#include <gtest/gtest.h>

#include "apps/cli/scenario_testing.h"

namespace holdfast::cli {
namespace {

using namespace lab::scenario;

TEST(ScenarioWays, ANatHasWhatItsTableSays) {
    const auto scenario = parse_scenario(
        least_and("[[nat]]\nname = \"flat\"\nbehind = \"home\"\nhairpin = true\n"), "x.toml");
    ASSERT_TRUE(scenario) << scenario.error();
    EXPECT_EQ(scenario->nats[0].behind, "");
    EXPECT_FALSE(scenario->nats[0].hairpin);
    EXPECT_EQ(scenario->nats[1].behind, "home");
    EXPECT_TRUE(scenario->nats[1].hairpin);
}

TEST(ScenarioWays, WhatANatCannotBeIsSaid) {
    expect_each({
        {"[[nat]]\nname = \"b\"\nbehind = \"hme\"\n",
         "x.toml:10: nat.behind: there is no NAT before this one named \"hme\"; did you mean home?"},
        {"[[nat]]\nname = \"b\"\nbehind = \"b\"\n",
         "x.toml:10: nat.behind: there is no NAT before this one named \"b\""},
        {"[[nat]]\nname = \"b\"\nbehind = \"c\"\n[[nat]]\nname = \"c\"\nbehind = \"b\"\n",
         "x.toml:10: nat.behind: there is no NAT before this one named \"c\""},
        {"[[nat]]\nname = \"b\"\nhairpin = \"yes\"\n", "x.toml:10: nat.hairpin: this is true or"},
    });
}

}  // namespace
}  // namespace holdfast::cli
