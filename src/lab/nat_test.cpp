// The lab's NAT against RFC 4787: who shares a mapping, who may answer, how long it lives.
#include "lab/nat.h"

#include <gtest/gtest.h>

#include <vector>

namespace holdfast::lab {
namespace {

using namespace std::chrono_literals;

struct Inbox : Node {
    void receive(const Packet& packet) override { packets.push_back(packet); }
    std::vector<Packet> packets;
};

Endpoint endpoint(std::string_view text) { return *Endpoint::parse(text); }

class NatTest : public testing::Test {
protected:
    Nat& make(NatOptions options) {
        nat = std::make_unique<Nat>(internet, options);
        nat->attach(inside.address, phone, "phone");
        for (const auto* address : {"203.0.113.11", "203.0.113.12"})
            internet.attach(*IpAddress::parse(address), server, "server");
        return *nat;
    }
    // What the server sees of a datagram from the phone.
    Endpoint send_out(std::string_view to, bool tcp = false) {
        nat->send({.kind = tcp ? PacketKind::syn : PacketKind::datagram,
                   .from = inside,
                   .to = endpoint(to)});
        settle();
        return server.packets.back().from;
    }
    bool comes_in(std::string_view from, const Endpoint& to) {
        const auto before = phone.packets.size();
        internet.send({.kind = PacketKind::datagram, .from = endpoint(from), .to = to});
        settle();
        return phone.packets.size() > before;
    }
    void settle() {
        const auto end = internet.now() + 1s;
        while (internet.step(end)) {
        }
    }
    void wait(Duration duration) { internet.advance_to(internet.now() + duration); }

    Internet internet{Seed{1}, {}};
    Endpoint inside = endpoint("192.168.1.10:40000");
    Inbox phone;
    Inbox server;
    std::unique_ptr<Nat> nat;
};

// RFC 4787 §4.1: the same public port for every destination, or one for each.
TEST_F(NatTest, EndpointIndependentMappingIsTheSameForAllServers) {
    make({.mapping = Dependence::endpoint_independent});
    const auto first = send_out("203.0.113.11:5060");
    EXPECT_EQ(send_out("203.0.113.12:5060"), first);
    EXPECT_EQ(first.address.to_string(), "198.51.100.1");
}

TEST_F(NatTest, EndpointDependentMappingDiffersPerServerAndPort) {
    make({.mapping = Dependence::address_and_port_dependent});
    const auto first = send_out("203.0.113.11:5060");
    EXPECT_NE(send_out("203.0.113.12:5060"), first);
    EXPECT_NE(send_out("203.0.113.11:5070"), first);
    EXPECT_EQ(send_out("203.0.113.11:5060"), first);
}

TEST_F(NatTest, AddressDependentMappingLooksAtTheAddressOnly) {
    make({.mapping = Dependence::address_dependent});
    const auto first = send_out("203.0.113.11:5060");
    EXPECT_EQ(send_out("203.0.113.11:5070"), first);
    EXPECT_NE(send_out("203.0.113.12:5060"), first);
}

// RFC 4787 §5: who may answer through a mapping.
TEST_F(NatTest, FilteringDecidesWhoMayAnswer) {
    make({.filtering = Dependence::endpoint_independent});
    EXPECT_TRUE(comes_in("203.0.113.12:9", send_out("203.0.113.11:5060")));
    make({.filtering = Dependence::address_dependent});
    EXPECT_TRUE(comes_in("203.0.113.11:9", send_out("203.0.113.11:5060")));
    EXPECT_FALSE(comes_in("203.0.113.12:5060", send_out("203.0.113.11:5060")));
    make({.filtering = Dependence::address_and_port_dependent});
    EXPECT_TRUE(comes_in("203.0.113.11:5060", send_out("203.0.113.11:5060")));
    EXPECT_FALSE(comes_in("203.0.113.11:9", send_out("203.0.113.11:5060")));
}

// RFC 4787 §4.3: outbound packets keep a mapping alive, inbound ones only if asked to.
TEST_F(NatTest, MappingEndsWithItsTimeout) {
    make({.udp_timeout = 30s});
    const auto mapping = send_out("203.0.113.11:5060");
    wait(28s);
    EXPECT_TRUE(comes_in("203.0.113.11:5060", mapping));
    wait(2s);
    EXPECT_FALSE(comes_in("203.0.113.11:5060", mapping));
    EXPECT_NE(send_out("203.0.113.11:5060"), mapping);
}

TEST_F(NatTest, InboundRefreshKeepsItAlive) {
    make({.udp_timeout = 30s, .inbound_refresh = true});
    const auto mapping = send_out("203.0.113.11:5060");
    wait(20s);
    EXPECT_TRUE(comes_in("203.0.113.11:5060", mapping));
    wait(20s);
    EXPECT_TRUE(comes_in("203.0.113.11:5060", mapping));
}

TEST_F(NatTest, TcpMappingsLiveLongerOnceAnswered) {
    make({.udp_timeout = 30s});
    send_out("203.0.113.11:5060", true);
    wait(3min);
    EXPECT_TRUE(nat->mapping_of(true, inside, endpoint("203.0.113.11:5060")));
    wait(1min);
    EXPECT_FALSE(nat->mapping_of(true, inside, endpoint("203.0.113.11:5060")));
}

TEST_F(NatTest, RebindingGivesANewPortEvenWherePortsArePreserved) {
    make({.ports = PortChoice::preserving});
    const auto before = send_out("203.0.113.11:5060");
    EXPECT_EQ(before.port, inside.port);
    nat->rebind();
    EXPECT_FALSE(comes_in("203.0.113.11:5060", before));
    const auto after = send_out("203.0.113.11:5060");
    EXPECT_NE(after, before);
    nat->rebind(*IpAddress::parse("198.51.100.99"));
    EXPECT_EQ(send_out("203.0.113.11:5060").address.to_string(), "198.51.100.99");
}

TEST_F(NatTest, TwoPhonesNeverShareAPort) {
    make({.ports = PortChoice::preserving});
    const auto first = send_out("203.0.113.11:5060");
    Inbox second;
    nat->attach(*IpAddress::parse("192.168.1.11"), second, "second");
    nat->send({.from = endpoint("192.168.1.11:40000"), .to = endpoint("203.0.113.11:5060")});
    settle();
    EXPECT_NE(server.packets.back().from.port, first.port);
}

// ICMP about a packet that left through a mapping comes in through it, with the inside source (N7).
TEST_F(NatTest, IcmpIsTranslated) {
    make({});
    const auto mapping = send_out("203.0.113.11:5060");
    internet.send({.kind = PacketKind::icmp,
                   .from = endpoint("203.0.113.11:0"),
                   .to = mapping,
                   .error = IcmpError{IcmpReason::port_unreachable, mapping,
                                      endpoint("203.0.113.11:5060"), false}});
    settle();
    ASSERT_EQ(phone.packets.size(), 1u);
    EXPECT_EQ(phone.packets.front().error->from, inside);
    EXPECT_EQ(phone.packets.front().error->to, endpoint("203.0.113.11:5060"));
}

// RFC 4787 §6, REQ-9: two phones behind one NAT reach each other at their public endpoints if it
// turns packets around, and only then; the receiver sees the sender's public one.
TEST_F(NatTest, HairpinningIsAChoice) {
    const auto second_inside = endpoint("192.168.1.11:40000");
    for (const bool hairpin : {false, true}) {
        make({.filtering = Dependence::endpoint_independent, .hairpin = hairpin});
        Inbox second;
        nat->attach(second_inside.address, second, "second");
        const auto first_public = send_out("203.0.113.11:5060");
        nat->send({.from = second_inside, .to = endpoint("203.0.113.11:5060")});
        settle();
        const auto second_public = server.packets.back().from;
        nat->send({.from = inside, .to = second_public});
        settle();
        ASSERT_EQ(second.packets.size(), hairpin ? 1U : 0U);
        if (hairpin) {
            EXPECT_EQ(second.packets.front().from, first_public);
            EXPECT_EQ(second.packets.front().to, second_inside);
        }
    }
}

// The filter looks at what was turned around as at what comes from outside.
TEST_F(NatTest, HairpinnedPacketsAreFilteredToo) {
    const auto second_inside = endpoint("192.168.1.11:40000");
    make({.hairpin = true});
    Inbox second;
    nat->attach(second_inside.address, second, "second");
    const auto first_public = send_out("203.0.113.11:5060");
    nat->send({.from = second_inside, .to = endpoint("203.0.113.11:5060")});
    settle();
    const auto second_public = server.packets.back().from;
    nat->send({.from = inside, .to = second_public});
    settle();
    EXPECT_TRUE(second.packets.empty());
    nat->send({.from = second_inside, .to = first_public});  // now it waits for the other
    nat->send({.from = inside, .to = second_public});
    settle();
    EXPECT_EQ(second.packets.size(), 1U);
}

// An ALG sees UDP to and from port 5060, with the NAT's own translation.
TEST_F(NatTest, ItsAlgRewritesSipOnItsWay) {
    make({.alg = SipAlg::full});
    const auto sip = [](const Endpoint& contact) {
        return "OPTIONS sip:example.test SIP/2.0\r\nm: <sip:" + contact.to_string() + ">\r\n\r\n";
    };
    const auto send = [&](PacketKind kind, std::string_view to) {
        nat->send({.kind = kind, .from = inside, .to = endpoint(to), .bytes = sip(inside)});
        settle();
        return server.packets.back();
    };
    const auto seen = send(PacketKind::datagram, "203.0.113.11:5060");
    EXPECT_EQ(seen.bytes, sip(seen.from));
    EXPECT_EQ(send(PacketKind::datagram, "203.0.113.11:5070").bytes, sip(inside));
    EXPECT_EQ(send(PacketKind::data, "203.0.113.11:5060").bytes, sip(inside));
    internet.send(
        {.from = endpoint("203.0.113.11:5060"), .to = seen.from, .bytes = sip(seen.from)});
    internet.send(
        {.from = endpoint("203.0.113.11:5070"), .to = seen.from, .bytes = sip(seen.from)});
    settle();
    ASSERT_EQ(phone.packets.size(), 2U);
    EXPECT_EQ(phone.packets[0].bytes, sip(inside));
    EXPECT_EQ(phone.packets[1].bytes, sip(seen.from));
}

TEST_F(NatTest, Ipv6IsRoutedUntouched) {
    make({});
    const auto source = endpoint("[2001:db8:a::1]:40000");
    nat->attach(source.address, phone, "phone");
    internet.attach(*IpAddress::parse("2001:db8:b::1"), server, "server");
    nat->send({.from = source, .to = endpoint("[2001:db8:b::1]:5060")});
    settle();
    EXPECT_EQ(server.packets.back().from, source);
    EXPECT_TRUE(comes_in("[2001:db8:b::1]:5060", source));
}

}  // namespace
}  // namespace holdfast::lab
