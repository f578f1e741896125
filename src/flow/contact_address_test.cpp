#include "flow/contact_address.h"

#include <gtest/gtest.h>

namespace holdfast::flow {
namespace {

Endpoint at(std::string_view text) { return Endpoint::parse(text).value(); }

// By hand; else this flow's own mapping; else, before the first answer, STUN of elsewhere; else
// local (N4).
TEST(ContactAddress, FirstSourceThatIsThere) {
    ContactSources sources{.by_hand = "sip.example.test:5070",
                           .mapping = at("198.51.100.7:13450"),
                           .stun_elsewhere = at("198.51.100.7:13000"),
                           .local = at("192.168.1.20:40000")};
    EXPECT_EQ(contact_address(sources),
              (ContactAddress{"sip.example.test:5070", std::nullopt, ContactOrigin::by_hand}));
    sources.by_hand = "";
    EXPECT_EQ(
        contact_address(sources),
        (ContactAddress{"198.51.100.7:13450", at("198.51.100.7:13450"), ContactOrigin::mapping}));
    sources.mapping.reset();
    EXPECT_EQ(contact_address(sources),
              (ContactAddress{"198.51.100.7:13000", at("198.51.100.7:13000"),
                              ContactOrigin::stun_elsewhere}));
    sources.answered =
        true;  // an endpoint-dependent NAT gives this server another port than the STUN server
    EXPECT_EQ(
        contact_address(sources),
        (ContactAddress{"192.168.1.20:40000", at("192.168.1.20:40000"), ContactOrigin::local}));
}

// IPv6 has brackets and the port is always written (N4, RFC 3261 §19.1.1).
TEST(ContactAddress, BracketsIpv6) {
    EXPECT_EQ(contact_address({.local = at("[2001:db8::4]:5060")}).host_port, "[2001:db8::4]:5060");
    EXPECT_EQ(contact_address({.by_hand = "2001:db8::9", .local = at("192.0.2.4:40000")}).host_port,
              "[2001:db8::9]:40000");
    EXPECT_EQ(
        contact_address({.by_hand = "[2001:db8::9]", .local = at("192.0.2.4:40000")}).host_port,
        "[2001:db8::9]:40000");
    EXPECT_EQ(contact_address({.by_hand = "[2001:DB8:0::9]:5061", .local = at("192.0.2.4:40000")})
                  .host_port,
              "[2001:db8::9]:5061");
}

// What is written by hand is taken in every spelling that is a host, and in no other (N4).
TEST(ContactAddress, ReadsWhatPeopleWrite) {
    const auto by_hand = [](std::string_view text) {
        const auto chosen = contact_address({.by_hand = text, .local = at("192.0.2.4:40000")});
        return chosen.origin == ContactOrigin::by_hand ? chosen.host_port : std::string{"-"};
    };
    EXPECT_EQ(by_hand(" 198.51.100.9 "), "198.51.100.9:40000");
    EXPECT_EQ(by_hand("198.51.100.9:5066"), "198.51.100.9:5066");
    EXPECT_EQ(by_hand("phone.example.test"), "phone.example.test:40000");
    for (const auto* text :
         {"", ":5060", "a b", "a;x=y", "<a>", "a@b", "a:", "a:0", "a:70000", "a:5060x", "1.2.3",
          "1.2.3.4.5", "198.51.100.300", "[2001:db8::9", "-a", "a\r\nVia: x"})
        EXPECT_EQ(by_hand(text), "-") << text;
}

// Via keeps the local address (N4).
TEST(ContactAddress, ViaKeepsTheLocalAddress) {
    EXPECT_EQ(via_sent_by(at("192.168.1.20:40000")), "192.168.1.20:40000");
    EXPECT_EQ(via_sent_by(at("[fd00::4]:5060")), "[fd00::4]:5060");
}

}  // namespace
}  // namespace holdfast::flow
