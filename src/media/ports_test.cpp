// Port pairs, on loopback sockets.
#include "media/ports.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <vector>

namespace holdfast::media {
namespace {

const IpAddress loopback = IpAddress::v4(127, 0, 0, 1);

// A range of this test alone: the ports of a pair that was free just now.
PortRange free_range(std::uint16_t pairs) {
    for (std::uint32_t first = 20000 + static_cast<std::uint32_t>(::getpid() % 1000) * 20;
         first < 60000; first += 64) {
        const PortRange range{static_cast<std::uint16_t>(first),
                              static_cast<std::uint16_t>(first + 2U * pairs - 1)};
        std::vector<Ports> all;
        for (std::uint16_t n = 0; n < pairs; ++n) {
            if (auto ports = open_ports(loopback, range, 46, 0)) all.push_back(std::move(*ports));
        }
        if (all.size() == pairs) return range;
    }
    return {};
}

// RFC 3550 §11: RTP even, RTCP the odd one above.
TEST(Ports, PairIsEvenAndTheOneAbove) {
    const auto ports = open_ports(loopback, free_range(4), 46, 3);
    ASSERT_TRUE(ports) << ports.error();
    EXPECT_EQ(ports->rtp_endpoint.port % 2, 0);
    EXPECT_EQ(ports->rtcp_endpoint.port, ports->rtp_endpoint.port + 1);
}

TEST(Ports, BusyPairsAreLeftOutAndAFullRangeIsSaid) {
    const auto range = free_range(3);
    std::vector<Ports> all;
    for (int n = 0; n < 3; ++n) {
        auto ports = open_ports(loopback, range, 46, 1);
        ASSERT_TRUE(ports) << ports.error();
        all.push_back(std::move(*ports));
    }
    const auto full = open_ports(loopback, range, 46, 1);
    ASSERT_FALSE(full);
    EXPECT_NE(full.error().find("all 3 pairs"), std::string::npos) << full.error();
    EXPECT_NE(full.error().find("widen the range"), std::string::npos) << full.error();
    all.erase(all.begin() + 1);
    EXPECT_TRUE(open_ports(loopback, range, 46, 0)) << "what is free again is used again";
}

TEST(Ports, RangeWithoutAPairAndForeignAddressAreSaid) {
    EXPECT_FALSE(open_ports(loopback, {.first = 30001, .last = 30002}, 46, 0));
    EXPECT_FALSE(open_ports(loopback, {.first = 30000, .last = 30000}, 46, 0));
    EXPECT_FALSE(open_ports(loopback, {.first = 0, .last = 100}, 46, 0));
    const auto foreign =
        open_ports(IpAddress::v4(192, 0, 2, 1), {.first = 30000, .last = 30100}, 46, 0);
    ASSERT_FALSE(foreign);
    EXPECT_NE(foreign.error().find("192.0.2.1"), std::string::npos);
}

// DSCP 46 in the upper six bits of the TOS byte (RFC 2474 §3).
TEST(Ports, PacketsAreMarked) {
    const auto v4 = open_ports(loopback, free_range(2), 46, 0);
    ASSERT_TRUE(v4) << v4.error();
    for (const int socket : {v4->rtp.get(), v4->rtcp.get()}) {
        int tos = 0;
        socklen_t size = sizeof tos;
        ASSERT_EQ(::getsockopt(socket, IPPROTO_IP, IP_TOS, &tos, &size), 0);
        EXPECT_EQ(tos, 46 << 2);
    }
    const auto v6 = open_ports(*IpAddress::parse("::1"), free_range(2), 46, 0);
    ASSERT_TRUE(v6) << v6.error();
    int traffic_class = 0;
    socklen_t size = sizeof traffic_class;
    ASSERT_EQ(::getsockopt(v6->rtp.get(), IPPROTO_IPV6, IPV6_TCLASS, &traffic_class, &size), 0);
    EXPECT_EQ(traffic_class, 46 << 2);
}

}  // namespace
}  // namespace holdfast::media
