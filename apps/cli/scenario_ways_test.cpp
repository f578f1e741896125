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
         "x.toml:10: nat.behind: there is no NAT before this one named \"hme\"; did you mean "
         "home?"},
        {"[[nat]]\nname = \"b\"\nbehind = \"b\"\n",
         "x.toml:10: nat.behind: there is no NAT before this one named \"b\""},
        {"[[nat]]\nname = \"b\"\nbehind = \"c\"\n[[nat]]\nname = \"c\"\nbehind = \"b\"\n",
         "x.toml:10: nat.behind: there is no NAT before this one named \"c\""},
        {"[[nat]]\nname = \"b\"\nhairpin = \"yes\"\n", "x.toml:10: nat.hairpin: this is true or"},
    });
}

TEST(ScenarioWays, ANatMayHaveAnAlg) {
    const auto scenario =
        parse_scenario(least_and("[[nat]]\nname = \"b\"\nalg = \"wrong-port\"\n"), "x.toml");
    ASSERT_TRUE(scenario) << scenario.error();
    EXPECT_EQ(scenario->nats[0].alg, lab::SipAlg::none);
    EXPECT_EQ(scenario->nats[1].alg, lab::SipAlg::wrong_port);
    expect_each({{"[[nat]]\nname = \"b\"\nalg = \"ful\"\n", "x.toml:10: nat.alg: "}});
}

std::string cut(const std::string& keys) { return "[[event]]\nat = \"10s\"\n" + keys; }

TEST(ScenarioWays, AWayIsCutBetweenTwo) {
    const auto scenario =
        parse_scenario(least_and(cut("cut = [\"home\", \"node1\"]\n") +
                                 cut("cut = [\"alice\", \"current\"]\ndoes = \"way-in\"\n") +
                                 cut("cut = [\"node2\", \"all\"]\ndoes = \"way-out\"\n") +
                                 cut("cut = [\"home\", \"node1\"]\ndoes = \"heals\"\n")),
                       "x.toml");
    ASSERT_TRUE(scenario) << scenario.error();
    const auto& events = scenario->events;
    EXPECT_EQ(events[0].deed, Deed::cut_both_ways);
    EXPECT_EQ(events[0].cut_off, "home");
    EXPECT_EQ(events[0].subject, "node1");
    EXPECT_EQ(label_of(events[0]), "home and node1: cut");
    EXPECT_EQ(events[1].deed, Deed::cut_way_in);
    EXPECT_EQ(events[1].choice, NodeChoice::current);
    EXPECT_EQ(label_of(events[1]), "alice and current: way in cut");
    EXPECT_EQ(events[2].deed, Deed::cut_way_out);
    EXPECT_EQ(events[2].choice, NodeChoice::all);
    EXPECT_EQ(events[3].deed, Deed::cut_heals);
    EXPECT_EQ(label_of(events[3]), "home and node1: heals");
}

TEST(ScenarioWays, WhatCannotBeCutIsSaid) {
    expect_each({
        {cut("cut = [\"home\"]\n"), "x.toml:10: event.cut: a way has two ends"},
        {cut("cut = [\"home\", \"node1\", \"node2\"]\n"),
         "x.toml:10: event.cut: a way has two ends"},
        {cut("cut = [\"hme\", \"node1\"]\n"),
         "x.toml:10: event.cut: there is no phone, NAT or node \"hme\"; did you mean home?"},
        {cut("cut = [\"home\", \"alice\"]\n"), "x.toml:10: event.cut: there is no node \"alice\""},
        {cut("cut = [\"node1\", \"node1\"]\n"),
         "x.toml:10: event.cut: nothing is cut off from itself"},
        {"[[phone]]\nname = \"home\"\n" + cut("cut = [\"home\", \"node1\"]\n"),
         "x.toml:12: event.cut: \"home\" is the name of several things"},
        {"[[nat]]\nname = \"b\"\n" + cut("cut = [\"b\", \"node1\"]\n"),
         "x.toml:12: event.cut: no phone is ever behind \"b\""},
        {cut("cut = [\"home\", \"third choice\"]\n"),
         "x.toml:10: event.cut: there are not so many servers: 2 in all"},
        {"[[event]]\nat = \"0s\"\ncut = [\"home\", \"current\"]\n",
         "x.toml:10: event.cut: alice is registered nowhere by then"},
        {cut("cut = [\"home\", \"current\"]\ndoes = \"heals\"\n"),
         "x.toml:10: event.cut: by now this can be another node: name it, or all"},
        {cut("cut = [\"home\", \"node1\"]\ndoes = \"silent\"\n"), "x.toml:11: event.does: "},
        {cut("cut = [\"home\", \"node1\"]\nnode = \"node1\"\n"),
         "x.toml:10: event.cut: an event is about one thing"},
        {cut("does = \"cut\"\n"), "node, dns, nat, phone, link, cut or world?"},
    });
}

}  // namespace
}  // namespace holdfast::cli
