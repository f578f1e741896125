// What a log or a recording may show of credentials: nothing. Not tested here: who calls this.
#include "sip/redaction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

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

// A stream is read in pieces: wherever a header is cut, no octet of its value is shown, and the
// pieces make the same text.
TEST(Redaction, CutAnywhereIsHiddenAllTheSame) {
    const auto whole = redact_authorization(request);
    for (std::size_t first = 0; first <= request.size(); ++first) {
        for (const std::size_t length : {1U, 2U, 7U, 1000U}) {
            const auto second = std::min(first + length, request.size());
            AuthorizationRedactor redactor;
            auto shown = redactor.feed(request.substr(0, first));
            shown += redactor.feed(request.substr(first, second - first));
            shown += redactor.feed(request.substr(second));
            EXPECT_EQ(shown + redactor.finish(), whole) << first << " and " << second;
        }
    }
}

TEST(Redaction, ALineEndIsHeldBackOnlyBehindAHiddenHeader) {
    AuthorizationRedactor redactor;
    EXPECT_EQ(redactor.feed("A: b\r\n"), "A: b\r\n");
    EXPECT_EQ(redactor.feed("Authorization: Digest a\r\n"), "Authorization: <redacted>");
    EXPECT_EQ(redactor.feed(" response=1"), "");
    EXPECT_EQ(redactor.feed("\r\n"), "");
    EXPECT_EQ(redactor.feed("\r\n"), "\r\n\r\n");
    EXPECT_EQ(redactor.finish(), "");
}

}  // namespace
}  // namespace holdfast::sip
