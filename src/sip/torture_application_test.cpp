// RFC 4475 §3.2 and §3.3: messages whose trouble lies above the parser.
#include <gtest/gtest.h>

#include <array>

#include "sip/stream.h"
#include "sip/verdict.h"
#include "tests/sip_test_data.h"

namespace holdfast::sip {
namespace {

using test::answer_to;
using test::parsed;
using test::refused;
using test::torture;

constexpr std::array phone_methods = {Method::invite, Method::ack,     Method::bye,
                                      Method::cancel, Method::options, Method::notify};
constexpr std::array<std::string_view, 2> phone_options = {"outbound", "gruu"};
constexpr std::array<std::string_view, 1> sdp = {"application/sdp"};
constexpr Capabilities phone = {
    .methods = phone_methods, .options = phone_options, .media_types = sdp, .sent_types = sdp};

int verdict(const Message& request) {
    const auto rejection = check_request(request, phone);
    return rejection ? rejection->status : 0;
}

// RFC 4475 §3.2.1: the cookie without anything behind it: must not break; we fall back to RFC 2543
// matching.
TEST(TortureApplication, Badbranch) {
    const auto message = parsed(torture("badbranch"));
    EXPECT_EQ(message.top_via().branch, branch_cookie);
    EXPECT_FALSE(message.top_via().has_magic_cookie());
}

// RFC 4475 §3.3.1: ideally 400, though From, To and Call-ID are missing.
TEST(TortureApplication, Insuf) {
    const auto error = refused(torture("insuf"));
    EXPECT_EQ(error.status, 400);
    EXPECT_EQ(answer_to(torture("insuf")),
              "SIP/2.0 400 Bad Request\r\n"
              "Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf;received=192.0.2.9\r\n"
              "CSeq: 193942 INVITE\r\n"
              "Content-Length: 0\r\n\r\n");
}

// RFC 4475 §3.3.2: 416.
TEST(TortureApplication, Unkscm) {
    const auto message = parsed(torture("unkscm"));
    EXPECT_EQ(message.request_uri().scheme, Scheme::other);
    EXPECT_EQ(message.request_uri().scheme_text, "nobodyKnowsThisScheme");
    EXPECT_EQ(verdict(message), 416);
}

// RFC 4475 §3.3.3: 416.
TEST(TortureApplication, Novelsc) {
    const auto message = parsed(torture("novelsc"));
    EXPECT_EQ(message.request_uri().text, "soap.beep://192.0.2.103:3002");
    EXPECT_EQ(verdict(message), 416);
}

// RFC 4475 §3.3.4: unknown schemes in To, From and Contact parse. A registrar sees that the To is
// no SIP URI.
TEST(TortureApplication, Unksm2) {
    const auto message = parsed(torture("unksm2"));
    EXPECT_EQ(message.to().uri.scheme_text, "isbn");
    EXPECT_FALSE(message.to().uri.is_sip());
    EXPECT_EQ(message.from().uri.text, "http://www.example.com");
    EXPECT_EQ(message.from().tag(), "3234233");
    EXPECT_EQ(message.contacts()[0].uri.text, "name:John_Smith");
}

// RFC 4475 §3.3.5: 420, and Unsupported lists what a user agent reads in Require.
TEST(TortureApplication, Bext01) {
    const auto message = parsed(torture("bext01"));
    EXPECT_TRUE(message.has_token(HeaderName::proxy_require, "noProxiesSupportThis"));
    const auto rejection = check_request(message, phone);
    ASSERT_TRUE(rejection);
    EXPECT_EQ(rejection->status, 420);
    EXPECT_EQ(rejection->extra_headers,
              "Unsupported: nothingSupportsThis, nothingSupportsThisEither\r\n");
}

// RFC 4475 §3.3.6: 415.
TEST(TortureApplication, Invut) {
    const auto rejection = check_request(parsed(torture("invut")), phone);
    ASSERT_TRUE(rejection);
    EXPECT_EQ(rejection->status, 415);
    EXPECT_EQ(rejection->extra_headers, "Accept: application/sdp\r\n");
}

// RFC 4475 §3.3.7: an unknown scheme is no error of syntax; a phone answers 405 since it is no
// registrar.
TEST(TortureApplication, Regaut01) {
    const auto message = parsed(torture("regaut01"));
    ASSERT_EQ(message.authorizations().size(), 1U);
    EXPECT_EQ(message.authorizations()[0].scheme, "NoOneKnowsThisScheme");
    EXPECT_EQ(message.authorizations()[0].parameters.find("opaque-data"), "here");
    EXPECT_EQ(verdict(message), 405);
}

// RFC 4475 §3.3.8: 400.
TEST(TortureApplication, Multi01) {
    EXPECT_EQ(refused(torture("multi01")).reason, "header given twice");
    const auto answer = answer_to(torture("multi01"));
    EXPECT_TRUE(answer.starts_with("SIP/2.0 400 ")) << answer;
    EXPECT_NE(answer.find("CSeq: 5 INVITE\r\n"), std::string::npos);
}

// RFC 4475 §3.3.9: an error; a stream is closed.
TEST(TortureApplication, Mcl01) {
    EXPECT_TRUE(answer_to(torture("mcl01")).starts_with("SIP/2.0 400 "));
    StreamFramer framer;
    framer.feed(torture("mcl01"));
    const auto item = framer.next();
    ASSERT_TRUE(item);
    EXPECT_EQ(item->kind, StreamItem::Kind::error);
    EXPECT_TRUE(Message::salvage(item->bytes));  // may be answered before the connection is closed
}

// RFC 4475 §3.3.10: an endpoint discards a response with a second Via (RFC 3261 §8.1.3.3).
TEST(TortureApplication, Bcast) {
    const auto message = parsed(torture("bcast"));
    EXPECT_EQ(message.vias()[1].host, "255.255.255.255");
    EXPECT_EQ(check_response(message), "more than one Via in a response");
}

// RFC 4475 §3.3.11: an endpoint goes on as if it were positive.
TEST(TortureApplication, Zeromf) {
    const auto message = parsed(torture("zeromf"));
    EXPECT_EQ(message.max_forwards(), 0U);
    EXPECT_EQ(verdict(message), 0);
}

// RFC 4475 §3.3.12: without brackets the parameter is the Contact's.
TEST(TortureApplication, Cparam01) {
    const auto message = parsed(torture("cparam01"));
    EXPECT_TRUE(message.contacts()[0].parameters.has("unknownparam"));
    EXPECT_TRUE(message.contacts()[0].uri.parameters.empty());
    EXPECT_EQ(message.contacts()[0].uri.text, "sip:+19725552222@gw1.example.net");
}

// RFC 4475 §3.3.13: within brackets it is the URI's.
TEST(TortureApplication, Cparam02) {
    const auto message = parsed(torture("cparam02"));
    EXPECT_TRUE(message.contacts()[0].uri.parameters.has("unknownparam"));
    EXPECT_TRUE(message.contacts()[0].parameters.empty());
}

// RFC 4475 §3.3.14: the escaped header stays in the Contact's URI.
TEST(TortureApplication, Regescrt) {
    const auto message = parsed(torture("regescrt"));
    EXPECT_EQ(message.contacts()[0].uri.headers, "Route=%3Csip:sip.example.com%3E");
    EXPECT_EQ(message.contacts()[0].uri.text,
              "sip:user@example.com?Route=%3Csip:sip.example.com%3E");
    EXPECT_TRUE(message.routes().empty());
}

// RFC 4475 §3.3.15: 406.
TEST(TortureApplication, Sdp01) { EXPECT_EQ(verdict(parsed(torture("sdp01"))), 406); }

}  // namespace
}  // namespace holdfast::sip
