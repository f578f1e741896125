// A scenario file that is wrong says where, what, and what to write; one that is right means what
// docs/lab.md says.
#include "apps/cli/scenario_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "lab/scenario.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;
using namespace lab::scenario;

// The least there is, seven lines of it, and what comes behind.
std::string least_and(const std::string& more) {
    return "title = \"A test\"\n"
           "[[cluster]]\n"
           "nodes = [\"203.0.113.11\", \"203.0.113.12\"]\n"
           "[[nat]]\n"
           "name = \"home\"\n"
           "[[phone]]\n"
           "behind = \"home\"\n" +
           more;
}

std::string mistakes_in(const std::string& text) {
    const auto scenario = parse_scenario(text, "x.toml");
    return scenario ? "no error" : scenario.error();
}

TEST(ScenarioFile, TheLeastThereIsIsAPhoneAndAServer) {
    const auto scenario = parse_scenario(least_and(""), "dir/least.toml");
    ASSERT_TRUE(scenario) << scenario.error();
    EXPECT_EQ(scenario->name, "least");
    EXPECT_EQ(scenario->length, 5min);
    EXPECT_EQ(scenario->phones.front().name, "alice");
    EXPECT_EQ(scenario->phones.front().behind, "home");
}

TEST(ScenarioFile, EverythingMeansWhatItSays) {
    const auto scenario = parse_scenario(R"(
title = "All"
length = "10min"
[link]
delay = "20ms"
loss = 0.1
[[cluster]]
name = "best"
server = "kamailio"
nodes = ["203.0.113.11 2001:db8::11"]
location = "separate"
max_contacts = 1
digest = "SHA-256"
ban = { after = 5, lasts = "1h" }
passwords = { bob = "other" }
[[dns]]
name = "_sip._udp.example.test"
srv = ["10 5 5060 a.example.test", "20 0 5070 ."]
naptr = ["10 20 s SIP+D2U _sip._udp.example.test"]
rotate = "random"
ttl = "5s"
[[dns]]
name = "a.example.test"
cluster = "best"
[[phone]]
name = "bob"
count = 3
preset = "microsip"
policy = { patience = "2s", probe = false, listed_answers = 5 }
transport = "tls"
on = "3s"
[[caller]]
kind = "invite"
through = "first node"
[[event]]
at = "2min"
node = "best1"
does = "answers"
status = 500
retry_after = 9
[[event]]
at = "1min"
node = "second choice"
of = "bob"
does = "slow"
delay = "3s"
[[event]]
at = "3min"
link = { delay = "1s" }
[[event]]
at = "4min"
dns = "*"
does = "fails"
status = "REFUSED"
[[event]]
at = "5min"
dns = "a.example.test"
does = "changes"
addresses = ["203.0.113.99"]
[[event]]
at = "6min"
world = "heals"
[[expect]]
preset = "microsip"
phone = "bob"
from = "1min"
to = "2min"
gap_at_most = "1.5s"
calls_lost_at_most = 2
at_node = "best1"
)",
                                         "all.toml");
    ASSERT_TRUE(scenario) << scenario.error();
    const auto& cluster = scenario->clusters.front();
    EXPECT_EQ(cluster.options.location, lab::Location::separate);
    EXPECT_EQ(cluster.options.server.rules.max_contacts, 1U);
    EXPECT_EQ(cluster.options.server.digest.algorithm, sip::DigestAlgorithm::sha256);
    EXPECT_EQ(cluster.options.server.ban.most, 5U);
    EXPECT_EQ(cluster.users.front().second, "other");
    EXPECT_EQ(scenario->dns[0].srv[0], (dns::Srv{10, 5, 5060, "a.example.test"}));
    EXPECT_EQ(scenario->dns[0].srv[1].target, "");
    EXPECT_EQ(scenario->dns[0].naptr[0].service, "SIP+D2U");
    EXPECT_EQ(scenario->dns[0].options.order, lab::Rotation::random);
    EXPECT_EQ(scenario->dns[1].addresses.size(), 2U);
    const auto& phone = scenario->phones.front();
    EXPECT_EQ(phone.preset, "microsip");
    EXPECT_EQ(phone.policy.size(), 3U);
    EXPECT_EQ(phone.transport, Transport::tls);
    EXPECT_EQ(scenario->callers.front().kind, lab::CallKind::invite);
    EXPECT_FALSE(scenario->callers.front().every_node);
    ASSERT_EQ(scenario->events.size(), 6U);  // in the order of time
    EXPECT_EQ(scenario->events[0].choice, NodeChoice::second_choice);
    EXPECT_EQ(scenario->events[0].delay, 3s);
    EXPECT_EQ(scenario->events[1].status, 500);
    EXPECT_EQ(scenario->events[1].retry_after, 9U);
    EXPECT_EQ(scenario->events[2].link.one_way_delay, 1s);
    EXPECT_EQ(scenario->events[3].failure, dns::Status::refused);
    EXPECT_EQ(scenario->events[3].subject, "");
    EXPECT_EQ(scenario->events[4].records.addresses.size(), 1U);
    ASSERT_EQ(scenario->expectations.size(), 3U);
    EXPECT_EQ(scenario->expectations[0].measure, Measure::gap_at_most);
    EXPECT_EQ(scenario->expectations[0].limit, 1.5);
    EXPECT_EQ(scenario->expectations[0].to, 2min);
    EXPECT_EQ(scenario->expectations[2].node, "best1");
}

struct Mistake {
    const char* text;
    const char* error;
};

TEST(ScenarioFile, AMistakeIsNamedWithItsLineAndKey) {
    const std::vector<Mistake> mistakes{
        {"lenght = \"3min\"\n", "x.toml:8: phone.lenght: there is no such key"},
        {"[[phone]]\nname = \"bob\"\nbehnid = \"home\"\n",
         "x.toml:10: phone.behnid: there is no such key; did you mean behind?"},
        {"[[phone]]\nname = \"bob\"\nbehind = \"hme\"\n",
         "x.toml:10: phone.behind: there is no NAT \"hme\"; did you mean home?"},
        {"[[phone]]\n", "x.toml:8: phone.name: there is another phone named \"alice\""},
        {"[[phone]]\nname = \"bob\"\npreset = \"microspi\"\n", "x.toml:10: phone.preset: "},
        {"[[phone]]\nname = \"bob\"\ncount = 0\n", "x.toml:10: phone.count: 0 phones are no phone"},
        {"[[phone]]\nname = \"bob\"\ncount = \"many\"\n",
         "x.toml:10: phone.count: this is a whole number"},
        {"[[phone]]\nname = \"bob\"\non = 3\n",
         "x.toml:10: phone.on: this is a duration in quotes"},
        {"[[phone]]\nname = \"bob\"\n[phone.policy]\npatence = \"1s\"\n",
         "x.toml:11: phone.policy.patence: "},
        {"[[phone]]\nname = \"bob\"\naor = \"bob\"\n", "x.toml:10: phone.aor: \"bob\" is no AOR"},
        {"[[cluster]]\nname = \"b\"\n", "x.toml:8: cluster.nodes: which addresses?"},
        {"[[cluster]]\nname = \"b\"\nnodes = [\"203.0.113\"]\n",
         "x.toml:10: cluster.nodes: \"203.0.113\" is no IP address"},
        {"[[cluster]]\nname = \"b\"\nnodes = [\"203.0.113.2\"]\nlocation = \"sharde\"\n",
         "x.toml:11: cluster.location: \"sharde\" is none of shared, separate, replicated; did you "
         "mean shared?"},
        {"[[cluster]]\nname = \"b\"\nnodes = [\"203.0.113.2\"]\n[cluster.ban]\nlasts = \"1h\"\n",
         "x.toml:11: cluster.ban.after: after how many"},
        {"[[dns]]\n", "x.toml:8: dns.addresses: a name has addresses"},
        {"[[dns]]\ncluster = \"nod\"\n", "x.toml:9: dns.cluster: there is no cluster \"nod\""},
        {"[[dns]]\nsrv = [\"10 0 best\"]\n", "x.toml:9: dns.srv: \"10 0 best\" is none: write"},
        {"[[caller]]\nphone = \"bob\"\n", "x.toml:9: caller.phone: there is no phone \"bob\""},
        {"[[event]]\nat = \"1s\"\n", "x.toml:8: event: whom is it about"},
        {"[[event]]\nat = \"1s\"\nnode = \"node3\"\ndoes = \"silent\"\n",
         "x.toml:10: event.node: there is no node \"node3\""},
        {"[[event]]\nat = \"1s\"\nnode = \"node1\"\nnat = \"home\"\ndoes = \"silent\"\n",
         "event.nat: an event is about one thing"},
        {"[[event]]\nnode = \"node1\"\ndoes = \"silent\"\n", "x.toml:8: event.at: when"},
        {"[[event]]\nat = \"9min\"\nnode = \"node1\"\ndoes = \"silent\"\n",
         "x.toml:9: event.at: by then the scenario is over (length = \"300s\")"},
        {"[[event]]\nat = \"1s\"\nnode = \"node1\"\ndoes = \"reboots\"\n",
         "x.toml:11: event.does: \"reboots\" is none of silent, mute"},
        {"[[event]]\nat = \"1s\"\nnode = \"node1\"\ndoes = \"silent\"\nstatus = 503\n",
         "x.toml:12: event.status: there is no such key"},
        {"[[event]]\nat = \"1s\"\nnode = \"node1\"\ndoes = \"slow\"\n",
         "x.toml:8: event.delay: how slow?"},
        {"[[event]]\nat = \"1s\"\nlink = { loss = 3 }\n", "event.link.loss: this is a share"},
        {"[[expect]]\n", "x.toml:8: expect: what must hold?"},
        {"[[expect]]\nmoves_at_mots = 1\n",
         "x.toml:9: expect.moves_at_mots: there is no such key; did you mean moves_at_most?"},
        {"[[expect]]\ngap_at_most = 3\n", "x.toml:9: expect.gap_at_most: this is a duration"},
        {"[[expect]]\nreachable_at_least = 101\n",
         "x.toml:9: expect.reachable_at_least: 100 (percent) is all there is"},
        {"[[expect]]\nfrom = \"3s\"\nto = \"2s\"\nmoves = 0\n",
         "x.toml:9: expect.from: this is not before its end"},
        {"[[expect]]\nafter = \"nothing\"\nrecovered_within = \"1s\"\n",
         "x.toml:9: expect.after: there is no event \"nothing\""},
        {"[[expect]]\nat_node = \"nodd1\"\n",
         "x.toml:9: expect.at_node: there is no node \"nodd1\"; did you mean node1?"},
        {"phone = 3\n", "x.toml:8: "},
    };
    for (const auto& [text, error] : mistakes)
        EXPECT_NE(mistakes_in(least_and(text)).find(error), std::string::npos)
            << text << "\nsaid: " << mistakes_in(least_and(text)) << "\nexpected: " << error;
}

// Who has made three mistakes does not run it three times to find them.
TEST(ScenarioFile, AllMistakesAreSaidInTheOrderOfTheirLines) {
    const auto error =
        mistakes_in(least_and("[[event]]\nat = \"1s\"\nnode = \"nod1\"\ndoes = \"slient\"\n"
                              "[[expect]]\nmoves = -1\n"));
    EXPECT_EQ(std::ranges::count(error, '\n'), 2) << error;
    const auto first = error.find("x.toml:10: event.node");
    const auto second = error.find("x.toml:11: event.does");
    const auto third = error.find("x.toml:13: expect.moves");
    EXPECT_LT(first, second) << error;
    EXPECT_LT(second, third) << error;
    EXPECT_NE(third, std::string::npos) << error;
}

TEST(ScenarioFile, WhatIsNoTomlIsSaidByItsLine) {
    EXPECT_TRUE(mistakes_in("title = \"x\"\nlength = \n").starts_with("x.toml:2: "))
        << mistakes_in("title = \"x\"\nlength = \n");
    EXPECT_EQ(mistakes_in(""),
              "x.toml:1: title: what does it show, in one line? (title = \"…\")\n"
              "x.toml:1: cluster: which servers are there? ([[cluster]])\n"
              "x.toml:1: phone: who is there? ([[phone]])");
}

TEST(ScenarioFile, AFileThatIsNotThereIsSaidSo) {
    const auto missing = read_scenario_file("/nowhere/x.toml");
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().find("No such file"), std::string::npos) << missing.error();
    EXPECT_NE(read_scenario_file("/").error().find("a directory"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::cli
