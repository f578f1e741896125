#include "flow/nat_kind.h"

#include <gtest/gtest.h>

namespace holdfast::flow {
namespace {

Endpoint at(std::string_view text) { return Endpoint::parse(text).value(); }
const Endpoint local = at("192.168.1.20:40000");

MappingSeen row(std::string_view target, std::string_view mapping, const Endpoint& from = local) {
    return {.seen_by = Target::parse(target).value(), .local = from, .mapping = at(mapping)};
}

NatKind kind_of(std::vector<MappingSeen> rows) { return nat_kind(local, rows).kind; }

// Comparing mappings across targets tells the NAT's kind (N5, RFC 4787 §4.1).
TEST(NatKind, IsToldByComparingTargets) {
    EXPECT_EQ(kind_of({}), NatKind::unknown);
    EXPECT_EQ(kind_of({row("udp:203.0.113.11:5060", "198.51.100.7:1000")}), NatKind::unknown);
    EXPECT_EQ(kind_of({row("udp:203.0.113.11:5060", "198.51.100.7:1000"),
                       row("udp:203.0.113.12:5060", "198.51.100.7:1000")}),
              NatKind::endpoint_independent);
    EXPECT_EQ(kind_of({row("udp:203.0.113.11:5060", "198.51.100.7:1000"),
                       row("udp:203.0.113.12:5060", "198.51.100.7:1001")}),
              NatKind::endpoint_dependent);
    EXPECT_EQ(kind_of({row("udp:203.0.113.11:5060", "198.51.100.7:1000"),
                       row("udp:203.0.113.12:5060", "198.51.100.8:1000")}),
              NatKind::endpoint_dependent);
}

// One server's two ports cannot show that a NAT ignores the address (N5, RFC 4787 §4.1), but may
// show that it does not.
TEST(NatKind, TwoPortsOfOneServerAreNotTwoServers) {
    EXPECT_EQ(kind_of({row("udp:203.0.113.11:5060", "198.51.100.7:1000"),
                       row("udp:203.0.113.11:5062", "198.51.100.7:1000")}),
              NatKind::unknown);
    EXPECT_EQ(kind_of({row("udp:203.0.113.11:5060", "198.51.100.7:1000"),
                       row("udp:203.0.113.11:5062", "198.51.100.7:1001")}),
              NatKind::endpoint_dependent);
}

// Seen as we are: no NAT. A server of our own network says nothing about the NAT at its edge (N5).
TEST(NatKind, NoneWhereServersSeeOurOwnAddress) {
    EXPECT_EQ(kind_of({row("udp:192.168.1.2:5060", "192.168.1.20:40000")}), NatKind::none);
    EXPECT_EQ(kind_of({row("udp:192.168.1.2:5060", "192.168.1.20:40000"),
                       row("udp:203.0.113.11:5060", "198.51.100.7:1")}),
              NatKind::unknown);
}

// Other local ports have other mappings, and what a server cannot have seen is no witness (N1, N5).
TEST(NatKind, LeavesOutOtherPortsAndUnusableMappings) {
    EXPECT_EQ(kind_of({row("udp:203.0.113.11:5060", "198.51.100.7:1000"),
                       row("udp:203.0.113.12:5060", "198.51.100.7:1001", at("192.168.1.20:40001")),
                       row("udp:203.0.113.13:5060", "10.0.0.3:1002")}),
              NatKind::unknown);
}

// "As seen by …": in order of target, whatever the order of answers (N5, I7).
TEST(NatKind, NamesItsWitnessesInOrder) {
    const std::vector rows{row("udp:203.0.113.13:5060", "198.51.100.7:3"),
                           row("udp:203.0.113.11:5060", "198.51.100.7:1"),
                           row("udp:203.0.113.12:5060", "198.51.100.7:2")};
    EXPECT_EQ(nat_kind(local, rows).to_string(),
              "endpoint-dependent, as seen by udp:203.0.113.11:5060, udp:203.0.113.12:5060 and "
              "udp:203.0.113.13:5060");
    EXPECT_EQ(nat_kind(local, {}).to_string(), "unknown");
}

}  // namespace
}  // namespace holdfast::flow
