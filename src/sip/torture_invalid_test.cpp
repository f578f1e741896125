// RFC 4475 §3.1.2: malformed messages. Where the text lets an element choose, the test says what we
// chose.
#include <gtest/gtest.h>

#include "sip/stream.h"
#include "sip/verdict.h"
#include "tests/sip_test_data.h"

namespace holdfast::sip {
namespace {

using test::answer_to;
using test::parsed;
using test::refused;
using test::torture;

// A request that is refused with a response of this status, and where its first error lies.
void expect_rejection(const std::string& name, int status, std::string_view at) {
    const auto text = torture(name);
    const auto error = refused(text);
    EXPECT_EQ(error.status, status) << name;
    EXPECT_TRUE(std::string_view(text).substr(error.offset).starts_with(at))
        << name << ": " << error.reason << " at\n"
        << text.substr(std::min(error.offset, text.size()));
    const auto answer = answer_to(text);
    EXPECT_TRUE(answer.starts_with("SIP/2.0 " + std::to_string(status) + " ")) << name << "\n"
                                                                               << answer;
    EXPECT_TRUE(Message::parse(answer).has_value() || status == 400) << answer;
}

// RFC 4475 §3.1.2.1: "should respond with a 400". The Via's sent-by is legible, and the answer goes
// there.
TEST(TortureInvalid, Badinv01) {
    expect_rejection("badinv01", 400, ";,;,,");
    EXPECT_NE(
        answer_to(torture("badinv01")).find("Via: SIP/2.0/UDP 192.0.2.15;received=192.0.2.9\r\n"),
        std::string::npos);
}

// RFC 4475 §3.1.2.2: in a datagram 400; in a stream there is nothing to do but wait.
TEST(TortureInvalid, Clerr) {
    expect_rejection("clerr", 400, "");
    StreamFramer framer;
    framer.feed(torture("clerr"));
    EXPECT_FALSE(framer.next());
}

// RFC 4475 §3.1.2.3: negative Content-Length: an error; a stream is closed.
TEST(TortureInvalid, Ncl) {
    expect_rejection("ncl", 400, "-999");
    StreamFramer framer;
    framer.feed(torture("ncl"));
    EXPECT_EQ(framer.next()->kind, StreamItem::Kind::error);
}

// RFC 4475 §3.1.2.4: 400 because of CSeq. With that alone repaired, Max-Forwards counts as absent
// and the expiries as 3600.
TEST(TortureInvalid, Scalar02) {
    expect_rejection("scalar02", 400, "36893488147419103232");
    auto text = torture("scalar02");
    text.replace(text.find("36893488147419103232"), 20, "7");
    const auto message = parsed(text);
    EXPECT_FALSE(message.max_forwards());
    EXPECT_EQ(message.expires(), 3600U);
    EXPECT_EQ(message.contacts()[0].expires, 3600U);
}

// RFC 4475 §3.1.2.5: the response is discarded; nobody answers a response.
TEST(TortureInvalid, Scalarlg) {
    const auto error = refused(torture("scalarlg"));
    EXPECT_FALSE(error.answerable);
    auto text = torture("scalarlg");
    text.replace(text.find("9292394834772304023312"), 22, "7");
    EXPECT_FALSE(parsed(text).retry_after());  // too large to be meant
}

// RFC 4475 §3.1.2.6: 400; no guessing where the quote should have ended. The To is given back as it
// came.
TEST(TortureInvalid, Quotbal) {
    expect_rejection("quotbal", 400, "\r\nFrom:");
    EXPECT_NE(
        answer_to(torture("quotbal")).find("To: \"Mr. J. User <sip:j.user@example.com>;tag=t9\r\n"),
        std::string::npos);
}

// RFC 4475 §3.1.2.7: "reasonable always to reject": we do.
TEST(TortureInvalid, Ltgtruri) { expect_rejection("ltgtruri", 400, "<sip:user@example.com>"); }

// RFC 4475 §3.1.2.8: "should respond with a 400".
TEST(TortureInvalid, Lwsruri) { expect_rejection("lwsruri", 400, " lr SIP/2.0"); }

// RFC 4475 §3.1.2.9: "acceptable to reject": a start line has one reading or none.
TEST(TortureInvalid, Lwsstart) {
    expect_rejection("lwsstart", 400, " sip:user@example.com  SIP/2.0");
}

// RFC 4475 §3.1.2.10: the same choice.
TEST(TortureInvalid, Trws) { expect_rejection("trws", 400, "SIP/2.0  \r\n"); }

// RFC 4475 §3.1.2.11: the text parses; whoever looks at the Request-URI answers 400.
TEST(TortureInvalid, Escruri) {
    const auto message = parsed(torture("escruri"));
    EXPECT_EQ(message.request_uri().headers, "Route=%3Csip:example.com%3E");
    EXPECT_TRUE(message.routes().empty());
    const std::array methods = {Method::invite};
    const auto rejection = check_request(message, {.methods = methods});
    ASSERT_TRUE(rejection);
    EXPECT_EQ(rejection->status, 400);
}

// RFC 4475 §3.1.2.12: an element should not reject it for a Date that it does not need: it is kept
// as text.
TEST(TortureInvalid, Baddate) {
    EXPECT_EQ(parsed(torture("baddate")).header(HeaderName::date), "Fri, 01 Jan 2010 16:00:00 EST");
}

// RFC 4475 §3.1.2.13: "reasonable to respond with a 400": brackets are not inferred.
TEST(TortureInvalid, Regbadct) { expect_rejection("regbadct", 400, "?Route="); }

// RFC 4475 §3.1.2.14: "reasonable to reject".
TEST(TortureInvalid, Badaspec) { expect_rejection("badaspec", 400, " sip:t.watson@example.org >"); }

// RFC 4475 §3.1.2.15: "reasonable always to reject". The archive's file lacks the empty line; with
// and without it the comma is what is wrong first.
TEST(TortureInvalid, Baddn) {
    expect_rejection("baddn", 400, ", Alexander");
    const auto error = refused(torture("baddn") + "\r\n");
    EXPECT_EQ(error.kind, ParseError::Kind::malformed);
    EXPECT_EQ(error.status, 400);
}

// RFC 4475 §3.1.2.16: 505.
TEST(TortureInvalid, Badvers) {
    expect_rejection("badvers", 505, "SIP/7.0");
    EXPECT_EQ(refused(torture("badvers")).kind, ParseError::Kind::unsupported_version);
}

// RFC 4475 §3.1.2.17: 400.
TEST(TortureInvalid, Mismatch01) { expect_rejection("mismatch01", 400, "INVITE\r\n"); }

// RFC 4475 §3.1.2.18: 501 is the better answer for a method nobody knows.
TEST(TortureInvalid, Mismatch02) { expect_rejection("mismatch02", 501, "INVITE\r\n"); }

// RFC 4475 §3.1.2.19: drop it. A status of three digits above 699 parses, and is dropped one level
// higher.
TEST(TortureInvalid, Bigcode) {
    auto text = torture("bigcode");
    EXPECT_FALSE(refused(text).answerable);
    text.replace(text.find("4294967301"), 10, "700");
    EXPECT_EQ(check_response(parsed(text)), "status code above 699");
    text.replace(text.find("700"), 3, "699");
    EXPECT_EQ(check_response(parsed(text)), std::nullopt);
}

}  // namespace
}  // namespace holdfast::sip
