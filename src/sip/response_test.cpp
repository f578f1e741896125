// Responses: what is copied from the request (RFC 3261 §8.2.6), and where they go (§18.2, RFC 3581
// §4).
#include "sip/response.h"

#include <gtest/gtest.h>

#include "tests/sip_test_data.h"

namespace holdfast::sip {
namespace {

using test::parsed;
using test::request_with;

const Endpoint nat = *Endpoint::parse("203.0.113.7:40000");

std::string response(const Message& request, const ResponseFields& fields) {
    std::string out;
    write_response(out, request, fields);
    return out;
}

Message request_via(const std::string& via, const std::string& lines = {}) {
    auto text = request_with(lines);
    const std::string_view own = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx1;rport";
    return parsed(text.replace(text.find(own), own.size(), via));
}

TEST(Response, CopiesWhatIdentifiesTheRequest) {
    const auto request =
        parsed(request_with("Via: SIP/2.0/TCP p.example;branch=z9hG4bKp\r\nTimestamp: 54\r\n"));
    EXPECT_EQ(
        response(request,
                 {.status = 180, .to_tag = "b2", .extra_headers = "X: y\r\n", .source = nat}),
        "SIP/2.0 180 Ringing\r\n"
        "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx1;rport=40000;received=203.0.113.7\r\n"
        "Via: SIP/2.0/TCP p.example;branch=z9hG4bKp\r\n"
        "From: <sip:alice@example.test>;tag=a1\r\n"
        "To: <sip:bob@example.test>;tag=b2\r\n"
        "Call-ID: c1\r\n"
        "CSeq: 1 OPTIONS\r\n"
        "X: y\r\n"
        "Content-Length: 0\r\n\r\n");
}

// RFC 3261 §8.2.6.1: a 100 carries the Timestamp; §8.2.6.2: it needs no tag.
TEST(Response, Trying) {
    const auto text =
        response(parsed(request_with("Timestamp: 54\r\n")), {.status = 100, .to_tag = "b2"});
    EXPECT_NE(text.find("To: <sip:bob@example.test>\r\n"), std::string::npos);
    EXPECT_NE(text.find("Timestamp: 54\r\n"), std::string::npos);
}

TEST(Response, KeepsATagThatIsThere) {
    auto text = request_with("");
    text.insert(text.find("\r\nCall-ID"), ";tag=old");
    EXPECT_EQ(parsed(response(parsed(text), {.status = 200, .to_tag = "new"})).to().tag(), "old");
}

TEST(Response, BodyAndRecordRoute) {
    const auto request = parsed(
        request_with("Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\nRecord-Route: <sip:p3;lr>\r\n"));
    const auto answer = parsed(response(request, {.status = 200,
                                                  .reason = "Fine",
                                                  .to_tag = "t",
                                                  .body = "v=0\r\n",
                                                  .content_type = "application/sdp",
                                                  .copy_record_route = true}));
    EXPECT_EQ(answer.reason_phrase(), "Fine");
    EXPECT_EQ(answer.record_routes().size(), 3U);
    EXPECT_EQ(answer.record_routes()[2].uri.host, "p3");
    EXPECT_EQ(answer.body(), "v=0\r\n");
    EXPECT_EQ(answer.media_type(), "application/sdp");
}

// RFC 3261 §18.2.1, RFC 3581 §4: what a sender claims about received and rport is replaced.
TEST(Response, ReceivedAndRport) {
    auto top = [](const std::string& via, const Endpoint& source) {
        return std::string(parsed(response(request_via(via), {.source = source})).top_via().text);
    };
    EXPECT_EQ(top("SIP/2.0/UDP 203.0.113.7;branch=z9hG4bK1", nat),
              "SIP/2.0/UDP 203.0.113.7;branch=z9hG4bK1");
    EXPECT_EQ(top("SIP/2.0/UDP 203.0.113.7;rport;branch=z9hG4bK1", nat),
              "SIP/2.0/UDP 203.0.113.7;branch=z9hG4bK1;rport=40000;received=203.0.113.7");
    EXPECT_EQ(top("SIP/2.0/UDP h:5070;x=\"y\";received=1.2.3.4;rport=9", nat),
              "SIP/2.0/UDP h:5070;x=\"y\";rport=40000;received=203.0.113.7");
    EXPECT_EQ(top("SIP/2.0/UDP h", nat), "SIP/2.0/UDP h;received=203.0.113.7");
    EXPECT_EQ(top("SIP/2.0/TLS [2001:db8::1]", *Endpoint::parse("[2001:db8:0::1]:5061")),
              "SIP/2.0/TLS [2001:db8::1]");
}

TEST(Response, Destination) {
    EXPECT_EQ(response_destination(request_via("SIP/2.0/UDP h:5070;rport"), nat), nat);
    EXPECT_EQ(response_destination(request_via("SIP/2.0/UDP h:5070"), nat).to_string(),
              "203.0.113.7:5070");
    EXPECT_EQ(response_destination(request_via("SIP/2.0/UDP h"), nat).to_string(),
              "203.0.113.7:5060");
    EXPECT_EQ(
        response_destination(request_via("SIP/2.0/UDP h;maddr=198.51.100.1"), nat).to_string(),
        "203.0.113.7:5060");
}

TEST(Response, ReasonPhrases) {
    EXPECT_EQ(reason_phrase_of(200), "OK");
    EXPECT_EQ(reason_phrase_of(423), "Interval Too Brief");
    EXPECT_EQ(reason_phrase_of(299), "Unknown");
}

}  // namespace
}  // namespace holdfast::sip
