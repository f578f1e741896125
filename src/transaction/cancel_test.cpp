// RFC 3261 §9.1: the CANCEL of an INVITE, octet by octet.
#include "transaction/cancel.h"

#include <gtest/gtest.h>

#include "transaction/matching.h"
#include "transaction/testing.h"

namespace holdfast::transaction {
namespace {

// Request-URI, one Via, Routes, From, To without a tag, Call-ID and CSeq number of the INVITE.
TEST(Cancel, SaysWhatTheInviteSaid) {
    EXPECT_EQ(
        cancel_for(invite_text(), "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n"),
        "CANCEL sip:bob@biloxi.com SIP/2.0\r\n"
        "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKkjshdyff\r\n"
        "Route: <sip:p1.example.test;lr>\r\n"
        "Route: <sip:p2.example.test;lr>, <sip:p3.example.test;lr>\r\n"
        "Max-Forwards: 70\r\n"
        "From: Alice <sip:alice@atlanta.com>;tag=88sja8x\r\n"
        "To: Bob <sip:bob@biloxi.com>\r\n"
        "Call-ID: 987asjd97y7atg\r\n"
        "CSeq: 986759 CANCEL\r\n"
        "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n"
        "Content-Length: 0\r\n\r\n");
}

// RFC 3261 §9.2: the server finds the INVITE by it, and its own transaction is another.
TEST(Cancel, FindsItsInvite) {
    const auto invite = sip::Message::parse(invite_text());
    const auto cancel = sip::Message::parse(cancel_for(invite_text()));
    ASSERT_TRUE(invite && cancel);
    EXPECT_EQ(server_key_of_cancelled(*cancel), server_key_of(*invite));
    EXPECT_NE(server_key_of(*cancel), server_key_of(*invite));
}

}  // namespace
}  // namespace holdfast::transaction
