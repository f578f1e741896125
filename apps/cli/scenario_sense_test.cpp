// Keys that are right each by itself, and cannot be meant together.
#include "apps/cli/scenario_sense.h"

#include <gtest/gtest.h>

#include <string>

#include "apps/cli/scenario_testing.h"

namespace holdfast::cli {
namespace {

std::string event(const std::string& keys) { return "[[event]]\nat = \"10s\"\n" + keys; }

TEST(ScenarioSense, TwoThingsOfOneNameAreSaid) {
    expect_each({
        {"[[cluster]]\nname = \"b\"\nnodes = [\"203.0.113.21\", \"203.0.113.22\", "
         "\"203.0.113.23\",\n"
         "\"203.0.113.24\", \"203.0.113.25\", \"203.0.113.26\", \"203.0.113.27\", "
         "\"203.0.113.28\",\n"
         "\"203.0.113.29\", \"203.0.113.30\", \"203.0.113.31\"]\n"
         "[[cluster]]\nname = \"b1\"\nnodes = [\"203.0.113.41\"]\n",
         "x.toml:14: cluster.name: another cluster has a server named \"b11\", too"},
        {"[[phone]]\nname = \"bob\"\ncount = 2\n[[phone]]\nname = \"bob2\"\n",
         "x.toml:12: phone.name: there is another phone named \"bob2\", by its name or by"},
        {event("world = \"heals\"\nname = \"x\"\n") + event("world = \"heals\"\nname = \"x\"\n"),
         "x.toml:15: event.name: there is another event named \"x\""},
        {"[[dns]]\ncluster = \"node\"\n[[dns]]\nname = \"Example.test\"\n"
         "addresses = [\"203.0.113.12\"]\n",
         "x.toml:11: dns.name: another table has addresses of \"Example.test\""},
    });
}

TEST(ScenarioSense, TwoThingsAtOneAddressAreSaid) {
    expect_each({
        {"[[cluster]]\nname = \"b\"\nnodes = [\"203.0.113.12\"]\n",
         "x.toml:10: cluster.nodes: 203.0.113.12 is the address of node2 already"},
        {"[[nat]]\nname = \"b\"\npublic_address = \"203.0.113.12\"\n",
         "x.toml:10: nat.public_address: 203.0.113.12 is the address of node2 already"},
        {"[[nat]]\nname = \"b\"\n[[nat]]\nname = \"c\"\npublic_address = \"198.51.100.2\"\n",
         "x.toml:12: nat.public_address: 198.51.100.2 is the address of the NAT \"b\" already"},
        {"[[nat]]\nname = \"b\"\nbehind = \"home\"\n[[nat]]\nname = \"c\"\n"
         "public_address = \"100.64.0.2\"\n",
         "x.toml:13: nat.public_address: 100.64.0.2 is the address of the NAT \"b\" already"},
        {event("nat = \"home\"\ndoes = \"new-address\"\naddress = \"203.0.113.11\"\n"),
         "x.toml:12: event.address: 203.0.113.11 is the address of node1 already"},
        {event("phone = \"alice\"\ndoes = \"moves\"\naddress = \"203.0.113.11\"\n"),
         "x.toml:12: event.address: 203.0.113.11 is the address of node1 already"},
        {"[[phone]]\nname = \"bob\"\n" +
             event("phone = \"*\"\ndoes = \"moves\"\naddress = \"192.0.2.7\"\n"),
         "x.toml:14: event.address: this is one address for 2 phones"},
    });
}

TEST(ScenarioSense, AnEventThatIsAboutNobodyIsSaid) {
    expect_each({
        {event("dns = \"exmaple.test\"\ndoes = \"fails\"\n"),
         "x.toml:10: event.dns: there is no name \"exmaple.test\"; did you mean example.test?"},
        {event("dns = \"other.test\"\ndoes = \"changes\"\ncluster = \"node\"\n"),
         "x.toml:10: event.dns: there is no name \"other.test\""},
        {event("dns = \"_sip._udp.example.test\"\ndoes = \"vanishes\"\n"),
         "x.toml:10: event.dns: there is no name \"_sip._udp.example.test\""},
        {event("node = \"third choice\"\ndoes = \"silent\"\n"),
         "x.toml:10: event.node: there are not so many servers: 2 in all"},
        {"[[event]]\nat = \"0s\"\nnode = \"current\"\ndoes = \"silent\"\n",
         "x.toml:10: event.node: alice is registered nowhere by then"},
        {"[[phone]]\nname = \"bob\"\non = \"11s\"\n" +
             event("node = \"all but current\"\nof = \"bob\"\ndoes = \"silent\"\n"),
         "x.toml:13: event.node: bob is registered nowhere by then"},
        {"[[nat]]\nname = \"b\"\n[[nat]]\nname = \"c\"\nbehind = \"b\"\n" +
             event("nat = \"b\"\ndoes = \"reboots\"\n"),
         "x.toml:15: event.nat: no phone is ever behind \"b\""},
        {"[[nat]]\nname = \"b\"\n" + event("nat = \"b\"\ndoes = \"reboots\"\n"),
         "x.toml:12: event.nat: no phone is ever behind \"b\""},
        {"[[phone]]\nname = \"bob\"\naor = \"sip:bob@other.test\"\n",
         "x.toml:10: phone.aor: there is no cluster of \"other.test\""},
        {"[[phone]]\nname = \"bob\"\ncount = 20000\n[[caller]]\n[[caller]]\n",
         "x.toml:12: caller.phone: with these there are more than 30000 callers"},
    });
}

// What looks like one of these mistakes, and is none.
TEST(ScenarioSense, WhatCanBeMeantIsTaken) {
    for (const auto& text : {
             event("dns = \"_sip._udp.Example.test\"\ndoes = \"fails\"\n"),
             event("dns = \"example.test\"\ndoes = \"changes\"\n"
                   "srv = [\"10 0 5060 new.test\"]\n") +
                 event("dns = \"new.test\"\ndoes = \"changes\"\ncluster = \"node\"\n") +
                 event("dns = \"new.test\"\ndoes = \"vanishes\"\n"),
             std::string("[[dns]]\ncluster = \"node\"\n[[dns]]\nsrv = [\"10 0 5060 a.test\"]\n"),
             event("node = \"second choice\"\ndoes = \"silent\"\n"),
             "[[nat]]\nname = \"b\"\n" + event("nat = \"b\"\ndoes = \"reboots\"\n") +
                 event("phone = \"alice\"\ndoes = \"moves\"\nbehind = \"b\"\n"),
             event("phone = \"alice\"\ndoes = \"moves\"\nbehind = \"home\"\n"
                   "address = \"203.0.113.11\"\n"),
             // A phone is behind a NAT that is behind it.
             "[[nat]]\nname = \"b\"\n[[nat]]\nname = \"c\"\nbehind = \"b\"\n"
             "[[phone]]\nname = \"bob\"\nbehind = \"c\"\n" +
                 event("nat = \"b\"\ndoes = \"reboots\"\n"),
             // Two devices of one person.
             std::string("[[phone]]\nname = \"bob\"\naor = \"sip:alice@Example.test\"\n"),
         })
        EXPECT_EQ(mistakes_in(least_and(text)), "no error") << text;
}

}  // namespace
}  // namespace holdfast::cli
