// A NAT in front of a NAT: a home router's public address is one of the carrier's inside.
//   RFC 6888, RFC 6598. Not tested here: what one NAT does by itself (nat_test.cpp).
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "lab/nat.h"
#include "lab/world.h"

namespace holdfast::lab {
namespace {

using namespace std::chrono_literals;

struct Mailbox : Node {
    void receive(const Packet& packet) override { packets.push_back(packet); }
    std::vector<Packet> packets;
};

class CarrierNat : public testing::Test {
protected:
    CarrierNat() {
        home.attach(phone_endpoint.address, phone, "phone");
        internet.attach(server_endpoint.address, server, "server");
    }
    void settle() {
        const auto end = internet.now() + 1s;
        while (internet.step(end)) {
        }
    }
    void wait(Duration duration) { internet.advance_to(internet.now() + duration); }
    // What the server sees of a datagram from the phone.
    Endpoint goes_out() {
        home.send({.from = phone_endpoint, .to = server_endpoint});
        settle();
        return server.packets.back().from;
    }
    bool comes_in(const Endpoint& to) {
        const auto before = phone.packets.size();
        const bool foretold = home.way_in(false, server_endpoint, to) == phone_endpoint;
        internet.send({.from = server_endpoint, .to = to});
        settle();
        const bool came = phone.packets.size() > before;
        EXPECT_EQ(came, foretold);
        return came;
    }

    Internet internet{Seed{1}, {}};
    Endpoint phone_endpoint = *Endpoint::parse("192.168.1.10:40000");
    Endpoint server_endpoint = *Endpoint::parse("203.0.113.11:5060");
    Mailbox phone;
    Mailbox server;
    Nat carrier{internet, {.udp_timeout = 30s, .name = "carrier"}};
    Nat home{
        internet, {.udp_timeout = 60s, .public_address = "100.64.0.2", .name = "home"}, &carrier};
};

TEST_F(CarrierNat, BothTranslateThereAndBack) {
    const auto seen = goes_out();
    EXPECT_EQ(seen.address, carrier.public_address());
    const auto between = home.mapping_of(false, phone_endpoint, server_endpoint);
    ASSERT_TRUE(between);
    EXPECT_EQ(between->address.to_string(), "100.64.0.2");
    EXPECT_EQ(carrier.mapping_of(false, *between, server_endpoint), seen);
    ASSERT_TRUE(comes_in(seen));
    EXPECT_EQ(phone.packets.back().to, phone_endpoint);
    EXPECT_EQ(phone.packets.back().from, server_endpoint);
}

// The ladder names the phone, not the router before it.
TEST_F(CarrierNat, WhoReallySentIsKept) {
    goes_out();
    EXPECT_EQ(server.packets.back().inside, phone_endpoint);
}

// The shorter timeout counts: the home router still has its mapping when the carrier's is gone.
TEST_F(CarrierNat, TheShorterTimeoutCounts) {
    const auto seen = goes_out();
    wait(28s);
    EXPECT_TRUE(comes_in(seen));
    wait(2s);
    EXPECT_TRUE(home.mapping_of(false, phone_endpoint, server_endpoint));
    EXPECT_FALSE(comes_in(seen));
    EXPECT_NE(goes_out(), seen);
}

TEST_F(CarrierNat, ARebootOfEitherEndsTheMapping) {
    for (auto* nat : {&home, &carrier}) {
        const auto before = goes_out();
        EXPECT_TRUE(comes_in(before));
        nat->rebind();
        EXPECT_FALSE(comes_in(before)) << nat->options().name;
        const auto after = goes_out();
        EXPECT_NE(after, before) << nat->options().name;
        EXPECT_TRUE(comes_in(after)) << nat->options().name;
    }
}

// The carrier gives the home router another address, as with each new session: whoever dialled the
// old one finds nobody, from the internet nothing changes but the port.
TEST_F(CarrierNat, AHomeRouterGetsAnotherAddressOfTheCarrier) {
    const auto before = goes_out();
    home.rebind(*IpAddress::parse("100.64.0.77"));
    EXPECT_FALSE(comes_in(before));
    const auto after = goes_out();
    EXPECT_EQ(after.address, before.address);
    EXPECT_NE(after.port, before.port);
    EXPECT_TRUE(comes_in(after));
}

// An ICMP error finds its way back through both (N7).
TEST_F(CarrierNat, IcmpComesInThroughBoth) {
    const auto seen = goes_out();
    internet.send({.kind = PacketKind::icmp,
                   .from = server_endpoint,
                   .to = seen,
                   .error = IcmpError{IcmpReason::port_unreachable, seen, server_endpoint, false}});
    settle();
    ASSERT_EQ(phone.packets.size(), 1U);
    EXPECT_EQ(phone.packets.front().error->from, phone_endpoint);
}

TEST_F(CarrierNat, Ipv6PassesBothUntouched) {
    const auto source = *Endpoint::parse("[2001:db8:a::1]:40000");
    const auto far = *Endpoint::parse("[2001:db8:b::1]:5060");
    home.attach(source.address, phone, "phone");
    internet.attach(far.address, server, "server");
    home.send({.from = source, .to = far});
    internet.send({.from = far, .to = source});
    settle();
    ASSERT_EQ(server.packets.size(), 1U);
    EXPECT_EQ(server.packets.front().from, source);
    EXPECT_EQ(phone.packets.size(), 1U);
}

// Two homes of one carrier: their calls to each other's public endpoints turn around there.
TEST_F(CarrierNat, TheCarrierTurnsNeighboursAroundIfItDoesSo) {
    for (const bool hairpin : {false, true}) {
        Internet other{Seed{2}, {}};
        const auto open = Dependence::endpoint_independent;
        Nat outer{other, {.filtering = open, .hairpin = hairpin, .name = "carrier"}};
        Nat first{other, {.public_address = "100.64.0.2", .name = "first"}, &outer};
        Nat second{
            other, {.filtering = open, .public_address = "100.64.0.3", .name = "second"}, &outer};
        Mailbox neighbour;
        const auto inside = *Endpoint::parse("192.168.1.20:5060");
        second.attach(inside.address, neighbour, "neighbour");
        second.send({.from = inside, .to = server_endpoint});
        const auto between = second.mapping_of(false, inside, server_endpoint);
        const auto public_endpoint = outer.mapping_of(false, *between, server_endpoint);
        first.send({.from = phone_endpoint, .to = *public_endpoint});
        while (other.step(other.now() + 1s)) {
        }
        ASSERT_EQ(neighbour.packets.size(), hairpin ? 1U : 0U);
        if (hairpin) {
            EXPECT_EQ(neighbour.packets.front().from.address, outer.public_address());
        }
    }
}

// A phone behind both, in a whole world: its binding is the carrier's endpoint, and calls arrive.
TEST(CarrierNatWorld, APhoneBehindTwoNatsCanBeReached) {
    World world{Seed{7}, {.one_way_delay = 10ms}};
    const auto& cluster = world.add_registrars({"203.0.113.11"});
    world.dns().a("example.test", cluster.addresses(), {.ttl = 60s});
    const auto& carrier = world.add_nat({.name = "carrier"});
    auto& home = world.add_nat({.name = "home", .behind = "carrier"});
    EXPECT_EQ(home.public_address().to_string(), "100.64.0.2");
    EXPECT_EQ(home.outer(), &carrier);
    const auto& alice = world.add_phone({.transport = Transport::udp, .behind = &home});
    ASSERT_EQ(world.run_until([&] { return alice.is_registered(); }, 5s), Stop::goal)
        << world.ladder();
    world.run_for(1s);
    EXPECT_TRUE(world.is_reachable(alice));
    EXPECT_TRUE(world.stale_bindings(alice).empty());
    const auto& caller = world.add_caller({.aor = alice.aor(), .every = 1s});
    world.run_for(2500ms);
    EXPECT_GE(caller.calls().size(), 2U);
    EXPECT_TRUE(caller.calls().front().reached) << world.ladder();
}

}  // namespace
}  // namespace holdfast::lab
