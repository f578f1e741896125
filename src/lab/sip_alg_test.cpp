// What a SIP ALG writes into SIP, and what it leaves alone.
#include "lab/sip_alg.h"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::lab {
namespace {

const Endpoint inside = *Endpoint::parse("192.168.1.10:40000");
const Endpoint outside = *Endpoint::parse("198.51.100.1:31000");

std::string request(const std::string& via, const std::string& contact) {
    return "REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/UDP " + via +
           ";branch=z9hG4bK1\r\nVia: SIP/2.0/UDP 192.168.1.10:40000;branch=z9hG4bK2\r\n"
           "From: <sip:alice@example.test>;tag=1\r\nContact: <sip:alice@" +
           contact + ">\r\nContent-Length: 20\r\n\r\nc=192.168.1.10:40000";
}

TEST(SipAlgTest, FullWritesThePublicEndpointIntoTopViaAndContact) {
    EXPECT_EQ(
        rewrite_outbound(SipAlg::full, request("192.168.1.10:40000;rport", "192.168.1.10:40000;ob"),
                         inside, outside),
        request("198.51.100.1:31000;rport", "198.51.100.1:31000;ob"));
}

TEST(SipAlgTest, FullTakesItBackWithReceivedAndRport) {
    EXPECT_EQ(
        rewrite_inbound(
            SipAlg::full,
            request("198.51.100.1:31000;received=198.51.100.1;rport=31000", "198.51.100.1:31000"),
            inside, outside),
        request("192.168.1.10:40000;received=192.168.1.10;rport=40000", "192.168.1.10:40000"));
}

TEST(SipAlgTest, ContactAloneLeavesViaAndWhatComesBack) {
    EXPECT_EQ(rewrite_outbound(SipAlg::contact, request("192.168.1.10:40000", "192.168.1.10:40000"),
                               inside, outside),
              request("192.168.1.10:40000", "198.51.100.1:31000"));
    const auto answer = request("198.51.100.1:31000", "198.51.100.1:31000");
    EXPECT_EQ(rewrite_inbound(SipAlg::contact, answer, inside, outside), answer);
}

TEST(SipAlgTest, WrongPortIsThePrivateOneAtThePublicAddress) {
    const auto wrong = request("198.51.100.1:40000;rport=31000", "198.51.100.1:40000");
    const auto right = request("192.168.1.10:40000;rport=31000", "192.168.1.10:40000");
    EXPECT_EQ(rewrite_outbound(SipAlg::wrong_port, right, inside, outside), wrong);
    EXPECT_EQ(rewrite_inbound(SipAlg::wrong_port, wrong, inside, outside), right);
}

// Other endpoints, also those that begin or end alike, and the second Via.
TEST(SipAlgTest, WhatIsNotItsOwnStays) {
    for (const auto* other : {"192.168.1.10:4000", "192.168.1.10:400001", "192.168.1.100:40000",
                              "2.192.168.1.10:40000", "192.168.1.10", "198.51.100.1:31000"}) {
        const auto text = request(other, other);
        EXPECT_EQ(rewrite_outbound(SipAlg::full, text, inside, outside), text) << other;
    }
}

TEST(SipAlgTest, WithoutAPortIsPort5060) {
    const auto usual = *Endpoint::parse("192.168.1.10:5060");
    EXPECT_EQ(rewrite_outbound(SipAlg::full, request("192.168.1.10;rport", "192.168.1.10:5060"),
                               usual, outside),
              request("198.51.100.1:31000;rport", "198.51.100.1:31000"));
}

// A call for the phone, with compact header names.
TEST(SipAlgTest, ARequestLineIsTakenBack) {
    const std::string rest = "v: SIP/2.0/UDP 203.0.113.11:5060\r\nm: <sip:bob@192.0.2.9>\r\n\r\n";
    EXPECT_EQ(
        rewrite_inbound(SipAlg::full, "INVITE sip:alice@198.51.100.1:31000;ob SIP/2.0\r\n" + rest,
                        inside, outside),
        "INVITE sip:alice@192.168.1.10:40000;ob SIP/2.0\r\n" + rest);
}

TEST(SipAlgTest, WhatIsNoSipStays) {
    for (const auto* text : {"", "\r\n\r\n", "Contact: <sip:192.168.1.10:40000>\r\n\r\n"})
        EXPECT_EQ(rewrite_outbound(SipAlg::full, text, inside, outside), text);
    const auto message = request("192.168.1.10:40000", "192.168.1.10:40000");
    EXPECT_EQ(rewrite_outbound(SipAlg::none, message, inside, outside), message);
}

}  // namespace
}  // namespace holdfast::lab
