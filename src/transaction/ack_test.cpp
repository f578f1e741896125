// RFC 3261 §17.1.1.3: the ACK for a refusal, octet by octet.
#include "transaction/ack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transaction/testing.h"

namespace holdfast::transaction {
namespace {

// Request-URI, one Via, Routes, From, Call-ID and CSeq number of the INVITE; the To of the
// response; no body.
TEST(Ack, IsBuiltFromInviteAndResponse) {
    EXPECT_EQ(ack_for(invite_text(), response_to_invite(486)),
              "ACK sip:bob@biloxi.com SIP/2.0\r\n"
              "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKkjshdyff\r\n"
              "Max-Forwards: 70\r\n"
              "Route: <sip:p1.example.test;lr>\r\n"
              "Route: <sip:p2.example.test;lr>, <sip:p3.example.test;lr>\r\n"
              "From: Alice <sip:alice@atlanta.com>;tag=88sja8x\r\n"
              "To: Bob <sip:bob@biloxi.com>;tag=99sa0xk\r\n"
              "Call-ID: 987asjd97y7atg\r\n"
              "CSeq: 986759 ACK\r\n"
              "Content-Length: 0\r\n\r\n");
}

// I8: of a response past a limit the To may not have been read. That of the INVITE says nothing
// wrong, and the branch tells which transaction it is (RFC 3261 §17.2.3).
TEST(Ack, WithoutAToHasThatOfTheInvite) {
    const auto response = sip::Message::salvage_answer(
        "SIP/2.0 486 Busy\r\nVia: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKkjshdyff\r\n"
        "Call-ID: 987asjd97y7atg\r\nCSeq: 986759 INVITE\r\n\r\n");
    ASSERT_TRUE(response);
    EXPECT_THAT(ack_for(invite_text(), *response),
                testing::HasSubstr("\r\nTo: Bob <sip:bob@biloxi.com>\r\n"));
}

}  // namespace
}  // namespace holdfast::transaction
