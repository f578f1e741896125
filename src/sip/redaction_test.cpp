// What a log or a recording may show of credentials: nothing. Not tested here: who calls this.
#include "sip/redaction.h"

#include <gtest/gtest.h>

namespace holdfast::sip {
namespace {

constexpr std::string_view request =
    "REGISTER sip:example.test SIP/2.0\r\n"
    "authorization : Digest username=\"a\\\"response=\\\"b\", realm=\"r\",\r\n"
    " response = \"0123456789abcdef\",\r\n"
    "\txresponse=\"kept\", nc=00000001\r\n"
    "X-Authorization: Digest response=\"kept\"\r\n"
    "Proxy-Authorization: Digest response=\"feed\",qop=auth\r\n"
    "Content-Length: 0\r\n\r\n";

TEST(Redaction, ResponseBecomesStarsOfTheSameLength) {
    const auto masked = mask_digest_response(request);
    EXPECT_EQ(masked,
              "REGISTER sip:example.test SIP/2.0\r\n"
              "authorization : Digest username=\"a\\\"response=\\\"b\", realm=\"r\",\r\n"
              " response = \"****************\",\r\n"
              "\txresponse=\"kept\", nc=00000001\r\n"
              "X-Authorization: Digest response=\"kept\"\r\n"
              "Proxy-Authorization: Digest response=\"****\",qop=auth\r\n"
              "Content-Length: 0\r\n\r\n");
    EXPECT_EQ(masked.size(), request.size());
    EXPECT_EQ(mask_digest_response(masked), masked);
}

TEST(Redaction, TwoPasswordsCompareEqual) {
    const std::string head = "A b c\r\nAuthorization: Digest username=\"a\", RESPONSE=";
    EXPECT_EQ(mask_digest_response(head + "\"11\"\r\n\r\n"),
              mask_digest_response(head + "\"22\"\r\n\r\n"));
    EXPECT_EQ(mask_digest_response(head + "abc, nc=1"),
              head + "***, nc=1");  // a token, no line end
    EXPECT_EQ(mask_digest_response(head + "\"open"), head + "\"****");
    EXPECT_EQ(mask_digest_response(head), head);
}

// RFC 3261 §7.3.1: a header reaches over its folded lines.
TEST(Redaction, WholeHeaderGoesWithItsFolds) {
    EXPECT_EQ(redact_authorization(request),
              "REGISTER sip:example.test SIP/2.0\r\n"
              "authorization : <redacted>\r\n"
              "X-Authorization: Digest response=\"kept\"\r\n"
              "Proxy-Authorization: <redacted>\r\n"
              "Content-Length: 0\r\n\r\n");
}

// Cut messages, bare line feeds, other schemes, a second message in the same text: hidden all the
// same.
TEST(Redaction, MalformedTextIsHiddenToo) {
    EXPECT_EQ(redact_authorization("Authorization: Basic c2VjcmV0"), "Authorization: <redacted>");
    EXPECT_EQ(redact_authorization("a\nAuthorization:\n Digest x\nb: c\n"),
              "a\nAuthorization: <redacted>\nb: c\n");
    EXPECT_EQ(redact_authorization("b: c\r\n\r\nbody\r\nAUTHORIZATION: x\r\n"),
              "b: c\r\n\r\nbody\r\nAUTHORIZATION: <redacted>\r\n");
    EXPECT_EQ(redact_authorization(""), "");
    EXPECT_EQ(redact_authorization("no colon"), "no colon");
}

}  // namespace
}  // namespace holdfast::sip
