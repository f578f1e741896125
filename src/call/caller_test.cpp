// Who is shown as the caller, and who may have the phone answer by itself (RFC 3323, RFC 3325).
#include "call/caller.h"

#include <gtest/gtest.h>

namespace holdfast::call {
namespace {

using namespace std::chrono_literals;

sip::Message invite(const std::string& headers) {
    auto parsed = sip::Message::parse(
        "INVITE sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP c.test;branch=z9hG4bK1\r\nFrom: "
        "\"Bob\" <sip:bob@example.test>;tag=1\r\nTo: <sip:alice@example.test>\r\nCall-ID: "
        "1\r\nCSeq: 1 INVITE\r\n" +
        headers + "Content-Length: 0\r\n\r\n");
    EXPECT_TRUE(parsed.has_value()) << headers;
    return std::move(*parsed);
}
std::string shown(const std::string& headers, Source source = Source::own_server) {
    return caller_of(invite(headers), source).words;
}

// RFC 3325 §9.1: what the account's own server asserts counts; what anybody says does not.
TEST(Caller, IsWhoTheOwnServerSays) {
    const std::string asserted = "P-Asserted-Identity: \"Carol, C.\" <sip:carol@example.test>\r\n";
    EXPECT_EQ(shown(""), "Bob <sip:bob@example.test>");
    EXPECT_EQ(shown(asserted), "Carol, C. <sip:carol@example.test>");
    EXPECT_EQ(shown(asserted, Source::anybody), "Bob <sip:bob@example.test>");
    EXPECT_EQ(shown("P-Asserted-Identity: <sip:c@x.test>, <tel:+15551234>\r\n"), "sip:c@x.test");
    EXPECT_EQ(shown("P-Asserted-Identity: <<<\r\n"), "Bob <sip:bob@example.test>");
}

// RFC 3323 §4.2, RFC 3325 §9.3: who wants no name to be shown has none shown.
TEST(Caller, PrivacyHidesTheAssertedIdentity) {
    const std::string asserted = "P-Asserted-Identity: <sip:carol@example.test>\r\n";
    for (const auto* const privacy : {"id", "ID", "user", "header;id", "critical; id"})
        EXPECT_EQ(shown(asserted + "Privacy: " + privacy + "\r\n"), "Bob <sip:bob@example.test>")
            << privacy;
    EXPECT_EQ(shown(asserted + "Privacy: none\r\n"), "sip:carol@example.test");
}

// It opens a microphone: not for anybody who asks.
TEST(Caller, AnswerAfter) {
    const auto after = [](const std::string& headers, Source source = Source::own_server) {
        return caller_of(invite(headers), source).answer_after;
    };
    EXPECT_EQ(after(""), std::nullopt);
    EXPECT_EQ(after("Call-Info: <sip:x@y.test>;answer-after=0\r\n"), 0s);
    EXPECT_EQ(after("Alert-Info: <http://x.test>;Answer-After=5;x=y\r\n"), 5s);
    EXPECT_EQ(after("Alert-Info: <http://x.test>;info=alert-autoanswer\r\n"), 0s);
    EXPECT_EQ(after("Call-Info: <sip:x@y.test>;answer-after=0\r\n", Source::anybody), std::nullopt);
    for (const auto* const value :
         {"answer-after=", "answer-after=x", "answer-after=180", "answer-after=99999999999999"})
        EXPECT_EQ(after(std::string("Call-Info: <sip:x@y.test>;") + value + "\r\n"), std::nullopt)
            << value;
    EXPECT_EQ(after("Call-Info: <sip:x@y.test>;answer-after=179\r\n"), 179s);
}

}  // namespace
}  // namespace holdfast::call
