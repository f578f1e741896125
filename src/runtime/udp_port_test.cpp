// One unconnected UDP socket per family serves all targets (N7): ICMP errors name their
// destination, and what one target's port refuses is never taken for a failure of another.
#include "runtime/udp_port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

#include <cerrno>

#include "runtime/test_support.h"

namespace holdfast::runtime {
namespace {

using namespace test;

struct Failed {
    Endpoint destination;
    FlowError error;
    friend bool operator==(const Failed&, const Failed&) = default;
};

class UdpPortOn : public testing::TestWithParam<Family> {
protected:
    void SetUp() override {
        if (GetParam() == Family::ipv6 && !has_ipv6_loopback())
            GTEST_SKIP() << "no ::1 on this host";
        auto opened = UdpPort::open(
            loop, {address(), 0},
            {.received =
                 [this](const Endpoint& local, const Endpoint& remote, std::string bytes) {
                     received.push_back({local, remote, std::move(bytes)});
                 },
             .failed = [this](const Endpoint& destination, FlowError error,
                              const std::string&) { failed.push_back({destination, error}); }});
        ASSERT_TRUE(opened) << words_of(opened.error());
        port = *std::move(opened);
    }

    [[nodiscard]] static IpAddress address() {
        return GetParam() == Family::ipv4 ? loopback() : loopback_v6();
    }

    struct Received {
        Endpoint local;
        Endpoint remote;
        std::string bytes;
    };

    Loop loop;
    std::vector<Received> received;
    std::vector<Failed> failed;
    std::unique_ptr<UdpPort> port;
};

INSTANTIATE_TEST_SUITE_P(Families, UdpPortOn, testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& each) {
                             return each.param == Family::ipv4 ? "ipv4" : "ipv6";
                         });

TEST_P(UdpPortOn, ErrorNamesTheDeadTargetAndTheGoodOneGoesOn) {  // N7
    UdpPeer good{loop, {address(), 0}};
    good.on_datagram(
        [&](const auto& datagram) { good.send(datagram.from, "answer to " + datagram.bytes); });
    const auto dead = closed_port(address());

    // The dead target's error is pending when the good one is sent to, each time.
    constexpr std::size_t rounds = 20;
    for (std::size_t i = 0; i < rounds; ++i) {
        port->send(dead, "to the dead");
        port->send(good.endpoint(), std::to_string(i));
    }

    ASSERT_TRUE(
        loop.run_until([&] { return received.size() == rounds && failed.size() == rounds; }, limit))
        << received.size() << " answers, " << failed.size() << " errors";
    EXPECT_EQ(received.front().bytes, "answer to 0");
    EXPECT_EQ(received.front().remote, good.endpoint());
    EXPECT_EQ(received.front().local, port->local());
    EXPECT_THAT(failed, testing::Each(Failed{dead, FlowError::port_unreachable}));
}

TEST_P(UdpPortOn, TwoDeadTargetsAreEachNamed) {  // N7, F2
    const auto first = closed_port(address());
    const auto second = closed_port(address());
    port->send(first, "a");
    port->send(second, "b");
    ASSERT_TRUE(loop.run_until([&] { return failed.size() == 2; }, limit));
    EXPECT_THAT(failed, testing::UnorderedElementsAre(Failed{first, FlowError::port_unreachable},
                                                      Failed{second, FlowError::port_unreachable}));
}

TEST_P(UdpPortOn, PortInUseIsTheSystemsError) {
    const auto second = UdpPort::open(loop, port->local(), {.received = {}, .failed = {}});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error(), EADDRINUSE);
}

TEST_P(UdpPortOn, SilentPortReportsNothing) {
    port->silence();
    port->send(closed_port(address()), "x");
    EXPECT_FALSE(loop.run_until([&] { return !failed.empty(); }, 20ms));
}

// F2: an unreachable network is ours, not the target's.
TEST(UdpPort, NoWayThereIsOurOwnNetwork) {
    Loop loop;
    std::vector<Failed> failed;
    auto port = UdpPort::open(
        loop, {loopback(), 0},
        {.received = {},
         .failed = [&](const Endpoint& destination, FlowError error, const std::string&) {
             failed.push_back({destination, error});
         }});
    ASSERT_TRUE(port);
    const Endpoint elsewhere{IpAddress::v4(192, 0, 2, 1), 5060};  // not from 127.0.0.1
    (*port)->send(elsewhere, "x");
    EXPECT_THAT(failed, testing::ElementsAre(Failed{elsewhere, FlowError::network_unreachable}));
}

TEST(UdpPort, LargestDatagramArrivesWhole) {  // N8: fragments, no DF
    Loop loop;
    UdpPeer peer{loop};
    auto port = UdpPort::open(loop, {loopback(), 0}, {.received = {}, .failed = {}});
    ASSERT_TRUE(port);
    const std::string bytes(65507, 'x');
    (*port)->send(peer.endpoint(), bytes);
    ASSERT_TRUE(loop.run_until([&] { return !peer.received().empty(); }, limit));
    EXPECT_EQ(peer.received().front().bytes, bytes);
    (*port)->send(peer.endpoint(), bytes + "x");  // one past it is lost, and says nothing wrong
}

TEST(IcmpFailure, IsJudgedByTypeAndCode) {  // F2; RFC 792, RFC 1812 §5.2.7.1, RFC 4443 §3.1
    const auto v4 = [](std::uint8_t code) {
        return icmp_failure(Family::ipv4, ICMP_DEST_UNREACH, code);
    };
    EXPECT_EQ(v4(ICMP_PORT_UNREACH), FlowError::port_unreachable);
    EXPECT_EQ(v4(ICMP_PROT_UNREACH), FlowError::port_unreachable);
    EXPECT_EQ(v4(ICMP_PKT_FILTERED), FlowError::prohibited);
    EXPECT_EQ(v4(ICMP_HOST_ANO), FlowError::prohibited);
    EXPECT_EQ(v4(ICMP_NET_UNREACH), FlowError::network_unreachable);
    EXPECT_EQ(v4(ICMP_HOST_UNREACH), FlowError::network_unreachable);
    EXPECT_EQ(v4(ICMP_FRAG_NEEDED), std::nullopt) << "fragmentation needed is no failure";
    EXPECT_EQ(icmp_failure(Family::ipv4, ICMP_TIME_EXCEEDED, 0), FlowError::network_unreachable);
    EXPECT_EQ(icmp_failure(Family::ipv4, ICMP_PARAMETERPROB, 0), std::nullopt);

    const auto v6 = [](std::uint8_t code) {
        return icmp_failure(Family::ipv6, ICMP6_DST_UNREACH, code);
    };
    EXPECT_EQ(v6(ICMP6_DST_UNREACH_NOPORT), FlowError::port_unreachable);
    EXPECT_EQ(v6(ICMP6_DST_UNREACH_ADMIN), FlowError::prohibited);
    EXPECT_EQ(v6(ICMP6_DST_UNREACH_NOROUTE), FlowError::network_unreachable);
    EXPECT_EQ(v6(ICMP6_DST_UNREACH_ADDR), FlowError::network_unreachable);
    EXPECT_EQ(icmp_failure(Family::ipv6, ICMP6_PACKET_TOO_BIG, 0), std::nullopt);
}

}  // namespace
}  // namespace holdfast::runtime
