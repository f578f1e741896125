// A scenario file that is wrong says where, what, and what to write; one that is right means what
// docs/lab.md says.
#include "apps/cli/scenario_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "apps/cli/scenario_testing.h"
#include "lab/scenario.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;
using namespace lab::scenario;

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
nodes = ["203.0.113.11 2001:db8::11", "203.0.113.12"]
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
    EXPECT_EQ(scenario->dns[1].addresses.size(), 3U);
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
    expect_each(mistakes);
}

// What was silently made something else of, or ended the run by a CHECK.
TEST(ScenarioFile, WhatIsNoNameOrAddressIsSaid) {
    const std::string bob = "[[phone]]\nname = \"bob\"\n";
    const std::string b = "[[cluster]]\nname = \"b\"\nnodes = [\"203.0.113.2\"]\n";
    expect_each({
        {bob + "aor = \"sip:example.test\"\n",
         "x.toml:10: phone.aor: \"sip:example.test\" is no "
         "AOR"},
        {bob + "aor = \"sip:bob@exa mple.test\"\n", "x.toml:10: phone.aor: "},
        {bob + "aor = \"sip:bob@a..test\"\n", "x.toml:10: phone.aor: "},
        {bob + "aor = \"tel:110\"\n", "x.toml:10: phone.aor: "},
        {bob + "registrar = \"example.test\"\n",
         "x.toml:10: phone.registrar: \"example.test\": not a SIP URI"},
        {bob + "outbound_proxy = \"sip:a b\"\n", "x.toml:10: phone.outbound_proxy: \"sip:a b\": "},
        {bob + "backups = [\"sip:a.test\",\n\"b\"]\n", "x.toml:11: phone.backups: \"b\": "},
        {b + "domain = \"a..test\"\n", "x.toml:11: cluster.domain: \"a..test\" is no name"},
        {"[[dns]]\nname = \"a b.test\"\ncluster = \"node\"\n",
         "x.toml:9: dns.name: \"a b.test\" is no name that DNS can have"},
        {"[[dns]]\nsrv = [\"10 0 5060 a..b\"]\n", "x.toml:9: dns.srv: \"a..b\" is no name"},
        {"[[dns]]\nnaptr = [\"10 10 s SIP+D2U a..b\"]\n", "x.toml:9: dns.naptr: \"a..b\" is no"},
        {"[[dns]]\ncname = \"other.test.\"\n", "x.toml:9: dns.cname: \"other.test.\" is no name"},
        {"[[nat]]\nname = \"six\"\npublic_address = \"2001:db8::1\"\n",
         "x.toml:10: nat.public_address: \"2001:db8::1\" is no IPv4 address"},
        {"[[event]]\nat = \"1s\"\nnat = \"home\"\ndoes = \"new-address\"\n"
         "address = \"2001:db8::1\"\n",
         "x.toml:12: event.address: a NAT is between IPv4 addresses"},
        {"[[event]]\nat = \"1s\"\nphone = \"\"\ndoes = \"sleeps\"\n",
         "x.toml:10: event.phone: a phone has a name; * is all of them"},
    });
}

// They would be obeyed by the terminal that shows them.
TEST(ScenarioFile, ControlCharactersAreRefused) {
    const std::string bad = R"("\u001b]0;title\u0007")";
    const std::string what = ": there are control characters in this text";
    expect_each({
        {"[[event]]\nat = \"1s\"\nworld = \"heals\"\nname = " + bad + "\n",
         "x.toml:11: event.name" + what},
        {"[[phone]]\nname = " + bad + "\n", "x.toml:9: phone.name" + what},
        {"[[phone]]\nname = \"two\\nlines\"\n", "x.toml:9: phone.name" + what},
        {"[[phone]]\nname = \"turned\u202e\"\n", "x.toml:9: phone.name" + what},
        {"[[event]]\nat = \"1s\"\ndns = " + bad + "\ndoes = \"heals\"\n",
         "x.toml:10: event.dns" + what},
        {"[[cluster]]\nname = \"b\"\nnodes = [\"203.0.113.2\",\n" + bad + "]\n",
         "x.toml:11: cluster.nodes" + what},
        {"[[cluster]]\nname = \"b\"\nnodes = [\"203.0.113.2\"]\npasswords = { eve = " + bad +
             " }\n",
         "x.toml:11: cluster.passwords.eve" + what},
    });
    EXPECT_EQ(
        mistakes_in("title = " + bad + "\n" + least_and("").substr(least_and("").find('\n') + 1)),
        "x.toml:1: title" + what + ": leave them out");
}

TEST(ScenarioFile, WhatComesTooLateIsSaid) {
    const std::string late = ": by then the scenario is over (length = \"300s\")";
    expect_each({
        {"[[phone]]\nname = \"bob\"\non = \"5min\"\n", "x.toml:10: phone.on" + late},
        {"[[caller]]\nfrom = \"301s\"\n", "x.toml:9: caller.from" + late},
        {"[[event]]\nat = \"300s\"\nworld = \"heals\"\n", "x.toml:9: event.at" + late},
        {"[[expect]]\nfrom = \"5min\"\nmoves = 0\n", "x.toml:9: expect.from: this is not before"},
        {"[[expect]]\nto = \"301s\"\nmoves = 0\n", "x.toml:9: expect.to: by then"},
    });
    EXPECT_EQ(mistakes_in("length = \"999us\"\n" + least_and("")),
              "x.toml:1: length: a scenario lasts from 1ms to 672h, which are four weeks");
    EXPECT_EQ(mistakes_in("length = \"673h\"\n" + least_and("")),
              "x.toml:1: length: a scenario lasts from 1ms to 672h, which are four weeks");
    EXPECT_EQ(mistakes_in("length = \"672h\"\n" + least_and("")), "no error");
}

// Keys that would do nothing where they stand.
TEST(ScenarioFile, AKeyThatWouldDoNothingIsRefused) {
    const std::string dies = "[[event]]\nat = \"30s\"\nnode = \"node1\"\ndoes = \"silent\"\n";
    const std::string own = "[[phone]]\nname = \"bob\"\npreset = \"microsip\"\n";
    expect_each({
        {"[[event]]\nat = \"1s\"\nnode = \"all\"\nof = \"alice\"\ndoes = \"silent\"\n",
         "x.toml:11: event.of: there is no such key"},
        {"[[expect]]\nfrom = \"1s\"\nbans_at_most = 0\n",
         "x.toml:9: expect.from: bans_at_most is about all servers"},
        {"[[expect]]\nto = \"1s\"\nbans_at_most = 0\n", "x.toml:9: expect.to: bans_at_most"},
        {"[[expect]]\nphone = \"alice\"\nbans_at_most = 0\n", "x.toml:9: expect.phone: bans_at_"},
        {dies + "[[expect]]\nfrom = \"31s\"\nrecovered_within = \"1s\"\n",
         "x.toml:14: expect.recovered_within: nothing happens in that time"},
        {dies + "[[expect]]\nto = \"30s\"\nafter = \"node1 silent\"\nrecovered_within = \"1s\"\n",
         "x.toml:15: expect.recovered_within: nothing happens in that time"},
        {"[[expect]]\nrecovered_within = \"1s\"\n",
         "x.toml:9: expect.recovered_within: nothing happens in that time"},
        {own + "[[expect]]\nphone = \"bob\"\nmoves = 0\n",
         "x.toml:12: expect.phone: bob runs microsip always, and is never judged for holdfast"},
        {"[[phone]]\nname = \"bob\"\ncount = 30000\n",
         "x.toml:10: phone.count: with these there are 30001 phones, and a scenario has 30000"},
    });
    EXPECT_EQ(mistakes_in(least_and(dies + "[[expect]]\nfrom = \"30s\"\nto = \"31s\"\n"
                                           "recovered_within = \"1s\"\n")),
              "no error");
    EXPECT_EQ(mistakes_in(least_and(own + "[[expect]]\npreset = \"microsip\"\nphone = \"bob\"\n"
                                          "moves = 0\n")),
              "no error");
}

// Nought is a value, too; and a link that changes is as [link] says where the event says nothing.
TEST(ScenarioFile, WhatIsSaidCountsAndWhatIsNotSaidStays) {
    const auto scenario = parse_scenario(
        least_and("[[event]]\nat = \"1s\"\nnode = \"node1\"\ndoes = \"answers\"\nretry_after = 0\n"
                  "[[event]]\nat = \"2s\"\nnode = \"node1\"\ndoes = \"answers\"\n"
                  "[[event]]\nat = \"3s\"\nlink = { loss = 0.5 }\n"
                  "[link]\ndelay = \"70ms\"\nloss = 0.1\njitter = \"5ms\"\n"),
        "x.toml");
    ASSERT_TRUE(scenario) << scenario.error();
    EXPECT_EQ(scenario->events[0].retry_after, 0U);
    EXPECT_EQ(scenario->events[1].retry_after, std::nullopt);
    EXPECT_EQ(scenario->events[2].link.loss, 0.5);
    EXPECT_EQ(scenario->events[2].link.one_way_delay, 70ms);
    EXPECT_EQ(scenario->events[2].link.jitter, 5ms);
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
