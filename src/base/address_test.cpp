// Addresses as text and back, and where they may be used. Not tested here: name resolution.
#include "base/address.h"

#include <gtest/gtest.h>

#include <unordered_set>

namespace holdfast {
namespace {

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

TEST(IpAddress, TextAndBack) {
    for (const auto* text : {"0.0.0.0", "203.0.113.11", "255.255.255.255", "::", "::1",
                             "2001:db8::1", "2001:db8:1:2:3:4:5:6", "fe80::1", "::ffff:192.0.2.1"})
        EXPECT_EQ(ip(text).to_string(), text);
    EXPECT_EQ(ip("2001:DB8:0:0:0:0:0:1").to_string(), "2001:db8::1");  // RFC 5952
    EXPECT_EQ(IpAddress{}, IpAddress::v4(0, 0, 0, 0));
    EXPECT_EQ(ip("192.0.2.1"), IpAddress::v4(192, 0, 2, 1));
    EXPECT_NE(ip("0.0.0.0"), ip("::"));
}

TEST(IpAddress, NothingElseIsAnAddress) {
    using namespace std::literals;
    for (const auto text : {""sv,
                            "1.2.3"sv,
                            "1.2.3.4.5"sv,
                            "256.0.0.1"sv,
                            "01.2.3.4"sv,
                            " 1.2.3.4"sv,
                            "1.2.3.4 "sv,
                            "1.2.3.4\0"sv,
                            "1.2..4"sv,
                            ".1.2.3"sv,
                            "1.2.3."sv,
                            "1.2.3.00"sv,
                            "1.2.3.2555"sv,
                            "1.2.3.-4"sv,
                            "4294967297.2.3.4"sv,
                            "0x7f.0.0.1"sv,
                            "[::1]"sv,
                            "::1%eth0"sv,
                            ":::"sv,
                            "1::2::3"sv,
                            "12345::"sv,
                            "example.test"sv,
                            "1111:2222:3333:4444:5555:6666:7777:8888:9999"sv})
        EXPECT_FALSE(IpAddress::parse(text)) << text;
    EXPECT_FALSE(IpAddress::parse(std::string(1000, ':')));
}

struct Kind {
    const char* text;
    const char* kind;
};

std::string kind_of(const IpAddress& a) {
    if (a.is_unspecified()) return "unspecified";
    if (a.is_loopback()) return "loopback";
    if (a.is_link_local()) return "link-local";
    if (a.is_private()) return "private";
    if (a.is_shared()) return "shared";
    if (a.is_multicast()) return "multicast";
    return a.is_global() ? "global" : "?";
}

// RFC 1918, 3927, 4193, 4291, 6598: the first and last of each block, and their neighbours.
TEST(IpAddress, KindsAtTheirBorders) {
    for (const auto& [text, kind] : std::initializer_list<Kind>{{"0.0.0.0", "unspecified"},
                                                                {"9.255.255.255", "global"},
                                                                {"10.0.0.0", "private"},
                                                                {"10.255.255.255", "private"},
                                                                {"11.0.0.0", "global"},
                                                                {"100.63.255.255", "global"},
                                                                {"100.64.0.0", "shared"},
                                                                {"100.127.255.255", "shared"},
                                                                {"100.128.0.0", "global"},
                                                                {"126.255.255.255", "global"},
                                                                {"127.0.1.3", "loopback"},
                                                                {"128.0.0.0", "global"},
                                                                {"169.253.255.255", "global"},
                                                                {"169.254.0.0", "link-local"},
                                                                {"169.255.0.0", "global"},
                                                                {"172.15.255.255", "global"},
                                                                {"172.16.0.0", "private"},
                                                                {"172.31.255.255", "private"},
                                                                {"172.32.0.0", "global"},
                                                                {"192.167.255.255", "global"},
                                                                {"192.168.0.0", "private"},
                                                                {"192.169.0.0", "global"},
                                                                {"223.255.255.255", "global"},
                                                                {"224.0.1.75", "multicast"},
                                                                {"239.255.255.255", "multicast"},
                                                                {"::", "unspecified"},
                                                                {"::1", "loopback"},
                                                                {"::2", "global"},
                                                                {"2001:db8::1", "global"},
                                                                {"fbff::1", "global"},
                                                                {"fc00::1", "private"},
                                                                {"fdff::1", "private"},
                                                                {"fe00::1", "global"},
                                                                {"fe7f::1", "global"},
                                                                {"fe80::1", "link-local"},
                                                                {"febf::1", "link-local"},
                                                                {"fec0::1", "global"},
                                                                {"ff02::1", "multicast"}})
        EXPECT_EQ(kind_of(ip(text)), kind) << text;
}

// A server on a dual-stack socket reports IPv4 clients so; a private address stays one.
TEST(IpAddress, MappedIpv4IsWhereItsIpv4Is) {
    EXPECT_EQ(kind_of(ip("::ffff:192.168.1.2")), "private");
    EXPECT_EQ(kind_of(ip("::ffff:127.0.0.1")), "loopback");
    EXPECT_EQ(kind_of(ip("::ffff:100.64.0.1")), "shared");
    EXPECT_EQ(kind_of(ip("::ffff:169.254.0.1")), "link-local");
    EXPECT_EQ(kind_of(ip("::ffff:0.0.0.0")), "unspecified");
    EXPECT_EQ(kind_of(ip("::ffff:224.0.0.1")), "multicast");
    EXPECT_EQ(kind_of(ip("::ffff:203.0.113.1")), "global");
    EXPECT_NE(ip("::ffff:203.0.113.1"), ip("203.0.113.1"));
}

TEST(Endpoint, TextAndBack) {
    EXPECT_EQ(Endpoint::parse("192.0.2.1:5060"), (Endpoint{ip("192.0.2.1"), 5060}));
    EXPECT_EQ(Endpoint::parse("192.0.2.1"), (Endpoint{ip("192.0.2.1"), 0}));
    EXPECT_EQ(Endpoint::parse("[2001:db8::1]:65535"), (Endpoint{ip("2001:db8::1"), 65535}));
    EXPECT_EQ(Endpoint::parse("[2001:db8::1]"), (Endpoint{ip("2001:db8::1"), 0}));
    EXPECT_EQ(Endpoint::parse("2001:db8::1"), (Endpoint{ip("2001:db8::1"), 0}));
    for (const auto* text : {"192.0.2.1:5060", "[2001:db8::1]:5061"})
        EXPECT_EQ(Endpoint::parse(text)->to_string(), text);
    for (const auto* text :
         {"", ":5060", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1:+1",
          "192.0.2.1:5060 ", "[192.0.2.1]:5060", "[::1]5060", "[::1]:", "[::1", "host:5060"})
        EXPECT_FALSE(Endpoint::parse(text)) << text;
}

TEST(Target, TextAndBack) {
    const Target target{Transport::tls, {ip("2001:db8::1"), 5061}};
    EXPECT_EQ(target.to_string(), "tls:[2001:db8::1]:5061");
    EXPECT_EQ(Target::parse(target.to_string()), target);
    EXPECT_EQ(Target::parse("UDP:203.0.113.11:5060")->to_string(), "udp:203.0.113.11:5060");
    for (const auto* text : {"", "udp", "udp:", "sctp:192.0.2.1:5060", "192.0.2.1:5060"})
        EXPECT_FALSE(Target::parse(text)) << text;
}

TEST(Target, OrderAndHashFollowEquality) {
    const auto a = Target::parse("udp:203.0.113.11:5060").value();
    const auto b = Target::parse("udp:203.0.113.11:5061").value();
    const auto c = Target::parse("tcp:203.0.113.11:5060").value();
    EXPECT_LT(a, b);
    EXPECT_LT(b, c);
    const std::unordered_set<Target> set{a, b, c, a};
    EXPECT_EQ(set.size(), 3U);
}

TEST(Transport, Properties) {
    EXPECT_FALSE(is_reliable(Transport::udp));
    EXPECT_TRUE(is_reliable(Transport::tcp) && is_reliable(Transport::tls));
    EXPECT_TRUE(is_secure(Transport::tls) && !is_secure(Transport::tcp));
    EXPECT_EQ(default_port(Transport::udp), 5060);
    EXPECT_EQ(default_port(Transport::tls), 5061);
    EXPECT_EQ(via_name_of(Transport::tls), "TLS");
    EXPECT_EQ(parse_transport("Tcp"), Transport::tcp);
    EXPECT_EQ(parse_transport("tcp "), std::nullopt);
}

}  // namespace
}  // namespace holdfast
