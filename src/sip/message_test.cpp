// Messages as a user agent meets them: values, lists, folds, framing, what is refused and where.
//   RFC 3261 §7, §8.1.1, §18.3, §20, §25. The torture messages have files of their own.
#include "sip/message.h"

#include <gtest/gtest.h>

#include "tests/sip_test_data.h"

namespace holdfast::sip {
namespace {

using test::parsed;
using test::read_data;
using test::refused;
using test::request_with;

TEST(Message, Register) {
    const auto message = parsed(read_data("messages/a_register.sip"));
    EXPECT_TRUE(message.is_request());
    EXPECT_EQ(message.method(), Method::register_);
    EXPECT_EQ(message.request_uri().text, "sip:pbx.example.com");
    EXPECT_EQ(message.top_via().host, "192.168.1.23");
    EXPECT_EQ(message.top_via().port, 5060);
    EXPECT_TRUE(message.top_via().has_rport);
    EXPECT_TRUE(message.top_via().has_magic_cookie());
    EXPECT_EQ(message.max_forwards(), 70U);
    EXPECT_EQ(message.from().display_name, "Alice Example");
    EXPECT_EQ(message.from().tag(), "Zt4kX9wLq2HnVb7e");
    EXPECT_EQ(message.to().tag(), "");
    EXPECT_EQ(message.call_id(), "7fK2mQxP0dR9sTbYwZ4hLcVn3aEgJu6i");
    EXPECT_EQ(message.cseq().number, 41234U);
    EXPECT_EQ(message.contacts()[0].instance(), "urn:uuid:00000000-0000-1000-8000-000A95A0E128");
    EXPECT_EQ(message.contacts()[0].reg_id(), 1U);
    EXPECT_TRUE(message.contacts()[0].uri.parameters.has("ob"));
    EXPECT_EQ(message.expires(), 300U);
    EXPECT_TRUE(message.supports("Outbound"));
    EXPECT_FALSE(message.demands("outbound"));
    EXPECT_TRUE(message.allows(Method::refer));
    EXPECT_FALSE(message.allows(Method::subscribe));
    EXPECT_EQ(message.content_length(), 0U);
    EXPECT_EQ(message.header(HeaderName::user_agent), "ExampleUA/1.0 (Linux x86_64)");
    EXPECT_EQ(message.header("c"), std::nullopt);
    EXPECT_EQ(message.headers().size(), 12U);
    EXPECT_EQ(message.text(), read_data("messages/a_register.sip"));
}

TEST(Message, Challenge) {
    const auto message = parsed(read_data("messages/b_401.sip"));
    EXPECT_FALSE(message.is_request());
    EXPECT_EQ(message.status(), 401);
    EXPECT_EQ(message.reason_phrase(), "Unauthorized");
    EXPECT_EQ(message.method(), Method::register_);
    EXPECT_EQ(message.top_via().received, "203.0.113.77");
    EXPECT_EQ(message.top_via().rport, 5060);
    ASSERT_EQ(message.challenges().size(), 1U);
    const Challenge& challenge = message.challenges()[0];
    EXPECT_EQ(challenge.scheme, "Digest");
    EXPECT_TRUE(challenge.has_realm);
    EXPECT_EQ(challenge.realm, "pbx.example.com");
    EXPECT_EQ(challenge.nonce, "5f3c9a7e1b2d4c6f8091a2b3c4d5e6f7");
    EXPECT_EQ(challenge.opaque, "0a4f113b");
    EXPECT_EQ(challenge.algorithm, "MD5");
    EXPECT_EQ(challenge.qop, "auth");
    EXPECT_FALSE(challenge.stale);
    EXPECT_FALSE(challenge.proxy);
}

TEST(Message, Invite) {
    const auto message = parsed(read_data("messages/d_invite.sip"));
    ASSERT_EQ(message.vias().size(), 6U);
    EXPECT_EQ(message.vias()[4].host, "[2001:db8::9:1]");
    ASSERT_EQ(message.record_routes().size(), 4U);
    EXPECT_EQ(message.record_routes()[3].uri.scheme, Scheme::sips);
    EXPECT_EQ(message.request_uri().transport(), "tcp");
    EXPECT_EQ(message.media_type(), "application/sdp");
    EXPECT_EQ(message.body().size(), 254U);
    EXPECT_TRUE(message.body().starts_with("v=0\r\n"));
}

// RFC 7616 §3.3; several challenges in one line and in several (RFC 3261 §20.44).
TEST(Message, SeveralChallenges) {
    const auto message = parsed(
        "SIP/2.0 407 Proxy Authentication Required\r\n"
        "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:a@h>;tag=2\r\n"
        "Call-ID: c\r\nCSeq: 1 REGISTER\r\n"
        "Proxy-Authenticate: Digest realm=\"a\\\"b\", nonce=\"n1\", stale=TRUE, algorithm=SHA-256, "
        "userhash=true, "
        "domain=\"sip:x sip:y\", qop=\"auth,auth-int\", Digest realm=\"\", "
        "nonce=\"n2\",algorithm=MD5\r\n"
        "WWW-Authenticate: Negotiate abc==\r\n"
        "WWW-Authenticate: Basic\r\n\r\n");
    ASSERT_EQ(message.challenges().size(), 4U);
    const Challenge& first = message.challenges()[0];
    EXPECT_TRUE(first.proxy);
    EXPECT_EQ(first.realm, "a\\\"b");
    EXPECT_TRUE(first.stale);
    EXPECT_TRUE(first.userhash);
    EXPECT_EQ(first.domain, "sip:x sip:y");
    EXPECT_EQ(first.qop, "auth,auth-int");
    EXPECT_EQ(first.parameters.size(), 7U);
    const Challenge& second = message.challenges()[1];
    EXPECT_TRUE(second.has_realm);
    EXPECT_EQ(second.realm, "");
    EXPECT_EQ(second.nonce, "n2");
    EXPECT_EQ(second.algorithm, "MD5");
    EXPECT_EQ(message.challenges()[2].scheme, "Negotiate");
    EXPECT_EQ(message.challenges()[3].scheme, "Basic");
    EXPECT_FALSE(message.challenges()[3].has_realm);
}

TEST(Message, Credentials) {
    const auto message =
        parsed(request_with("Authorization: Digest username=\"bob\", realm=\"r\", nonce=\"n\", "
                            "uri=\"sip:h\", response=\"0\", "
                            "algorithm=MD5, cnonce=\"c\", opaque=\"o\", qop=auth, nc=00000001\r\n"
                            "Proxy-Authorization: Digest username=\"x\", userhash=true\r\n"));
    ASSERT_EQ(message.authorizations().size(), 2U);
    const Credentials& first = message.authorizations()[0];
    EXPECT_EQ(first.username, "bob");
    EXPECT_EQ(first.uri, "sip:h");
    EXPECT_EQ(first.response, "0");
    EXPECT_EQ(first.cnonce, "c");
    EXPECT_EQ(first.qop, "auth");
    EXPECT_EQ(first.nc, "00000001");
    EXPECT_EQ(first.opaque, "o");
    EXPECT_FALSE(first.proxy);
    EXPECT_TRUE(message.authorizations()[1].proxy);
    EXPECT_TRUE(message.authorizations()[1].userhash);
    refused(request_with("Authorization: Digest realm=\"r\r\n"));
    refused(request_with("Authorization: Digest realm\r\n"));
    refused(request_with("WWW-Authenticate: Digest realm=\"r\" nonce=\"n\"\r\n"));
}

// RFC 3261 §7.3.1: order among different names means nothing; lists and repeated headers are the
// same.
TEST(Message, ListsInOneHeaderOrInSeveral) {
    const auto message =
        parsed(request_with("Route: <sip:a;lr>, \"B, b\" <sip:b;lr>;x\r\nRoute: "
                            "<sip:c;lr>\r\nRecord-Route: <sip:d>\r\nPath: <sip:e>\r\n"
                            "Service-Route: <sip:f>,<sip:g>\r\nSupported: a,b , c\r\nk: "
                            "d\r\nSupported:\r\nAllow-Events: presence.winfo\r\n"
                            "Unsupported: z\r\nAllow: INVITE,FOO\r\n"));
    ASSERT_EQ(message.routes().size(), 3U);
    EXPECT_EQ(message.routes()[1].display_name, "B, b");
    EXPECT_EQ(message.routes()[2].uri.host, "c");
    EXPECT_EQ(message.record_routes().size(), 1U);
    EXPECT_EQ(message.paths()[0].uri.host, "e");
    EXPECT_EQ(message.service_routes().size(), 2U);
    for (const std::string_view option : {"a", "b", "c", "d"})
        EXPECT_TRUE(message.supports(option)) << option;
    EXPECT_FALSE(message.supports("z"));
    EXPECT_TRUE(message.has_token(HeaderName::unsupported, "Z"));
    EXPECT_TRUE(message.has_token(HeaderName::allow_events, "presence.winfo"));
    EXPECT_TRUE(message.allows(Method::invite));
    EXPECT_TRUE(message.allows(Method::other));
    EXPECT_FALSE(message.allows(Method::bye));
}

TEST(Message, Numbers) {
    const auto message =
        parsed(request_with("Retry-After: 120 (in a meeting);duration=60\r\nMin-Expires: "
                            "60\r\nFlow-Timer: 95\r\nRSeq: 7\r\n"
                            "Max-Forwards: 256\r\nExpires: tomorrow\r\nContent-Length: 0\r\n"));
    EXPECT_EQ(message.retry_after(), 120U);
    EXPECT_EQ(message.min_expires(), 60U);
    EXPECT_EQ(message.flow_timer(), 95U);
    EXPECT_EQ(message.rseq(), 7U);
    EXPECT_EQ(message.max_forwards(), std::nullopt);
    EXPECT_EQ(message.expires(), 3600U);
    EXPECT_EQ(parsed(request_with("Expires: 4294967295\r\n")).expires(), 4294967295U);
    EXPECT_EQ(parsed(request_with("Expires: 4294967296\r\n")).expires(), 3600U);
    EXPECT_EQ(parsed(request_with("Min-Expires: 4294967296\r\n")).min_expires(), std::nullopt);
}

// RFC 3261 §7.3.1: folds. text() stays as it came.
TEST(Message, Folds) {
    const auto text = request_with(
                          "Contact:\r\n <sip:x@h>\r\n\t;q=0.5,\r\n  <sip:y@h>\r\nSubject: one\r\n "
                          "two\r\n \r\nContent-Length\t :\r\n 2\r\n") +
                      "ab";
    const auto message = parsed(text);
    ASSERT_EQ(message.contacts().size(), 2U);
    EXPECT_EQ(message.contacts()[0].q_thousandths, 500);
    EXPECT_EQ(message.contacts()[1].uri.user, "y");
    EXPECT_EQ(message.header(HeaderName::subject), "one   two");
    EXPECT_EQ(message.body(), "ab");
    EXPECT_EQ(message.text(), text);
    EXPECT_EQ(parsed(request_with("From2: \"a\r\n b\" <sip:x@h>\r\n")).header("From2"),
              "\"a   b\" <sip:x@h>");
}

std::string response_with(const std::string& lines) {
    return "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx1\r\nFrom: "
           "<sip:a@b.c>;tag=1\r\nTo: <sip:a@b.c>;tag=2\r\nCall-ID: c1\r\nCSeq: 1 REGISTER\r\n" +
           lines + "\r\n";
}

// I8: in a response an unreadable value of a list costs itself alone, wherever it stands; in a
// request it costs the message (RFC 3261 §16.3: it is answered with 400).
TEST(Message, AnUnreadableValueOfAResponseCostsItselfAlone) {
    for (const std::string bad :
         {"<sip:b c@h>", "<sip:b@>", "<>", "<sip:b@h>;q=1 x", "sip:", "<sip:b@h:99999>", "\x01",
          "\"B, <sip:b@h>\" x", "<sip:b@h>;expires=;;", "\"a\\\", b\" c"}) {
        for (const auto& lines : {"Contact: " + bad + ", <sip:a@h>;expires=7\r\n",
                                  "Contact: <sip:a@h>;expires=7, " + bad + "\r\n",
                                  "Contact: " + bad + "\r\nm: <sip:a@h>;expires=7\r\n"}) {
            const auto message = parsed(response_with(lines));
            ASSERT_EQ(message.contacts().size(), 1U) << lines;
            EXPECT_EQ(message.contacts()[0].expires, 7U) << lines;
        }
        refused(request_with("Contact: " + bad + ", <sip:a@h>\r\n"));
        EXPECT_EQ(parsed(response_with("Service-Route: " + bad + ", <sip:a@h;lr>\r\nPath: " + bad +
                                       "\r\n"))
                      .service_routes()
                      .size(),
                  1U)
            << bad;
    }
    const auto unfinished = parsed(response_with("Contact: \"B <sip:b@h>, <sip:a@h>\r\n"));
    EXPECT_TRUE(unfinished.contacts().empty()) << "nobody knows where the quotes should end";
    const auto challenged =
        parsed(response_with("WWW-Authenticate: Digest realm=\"x\r\nWWW-Authenticate: Digest "
                             "realm=\"y\",nonce=\"n\"\r\n"));
    ASSERT_EQ(challenged.challenges().size(), 1U);
    EXPECT_EQ(challenged.challenges()[0].realm, "y");
}

// Deviates: RFC 3261 §20.10, §20.19: in a response a malformed expiry is no hour (B4).
TEST(Message, AMalformedExpiryOfAResponseIsAbsent) {
    const auto message =
        parsed(response_with("Expires: soon\r\nContact: <sip:a@h>;expires=-1\r\n"));
    EXPECT_EQ(message.expires(), std::nullopt);
    EXPECT_EQ(message.contacts()[0].expires, std::nullopt);
}

TEST(Message, BodyWithinADatagram) {
    const auto head = request_with("");
    EXPECT_EQ(parsed(head + "rest").body(), "rest");  // RFC 3261 §18.3: to the end
    const auto with_length = request_with("Content-Length: 2\r\n");
    EXPECT_EQ(parsed(with_length + "rest").body(), "re");
    EXPECT_EQ(parsed(with_length + "rest").text(), with_length + "re");
    const auto error = refused(with_length + "r");
    EXPECT_EQ(error.kind, ParseError::Kind::incomplete);
    EXPECT_EQ(error.offset, with_length.size() + 1);
    EXPECT_TRUE(error.answerable);
}

TEST(Message, LeadingLineEndsAreSkipped) {
    const auto message = parsed("\r\n\r\n" + request_with(""));
    EXPECT_EQ(message.text(), request_with(""));
    EXPECT_EQ(refused("\r\nOPTIONS\r\n\r\n").offset, 9U);
}

TEST(Message, WhatIsRefused) {
    const auto request = request_with("");
    EXPECT_EQ(refused("").kind, ParseError::Kind::incomplete);
    EXPECT_EQ(refused("\r\n\r\n").kind, ParseError::Kind::incomplete);
    for (std::size_t size = 1; size < request.size();
         ++size)  // every beginning is incomplete or malformed
        EXPECT_FALSE(Message::parse(request.substr(0, size))) << size;
    for (const std::string_view name : {"Via", "From", "To", "Call-ID", "CSeq"}) {
        auto text = request;
        text.replace(text.find(std::string(name) + ":"), 1, "X");
        EXPECT_TRUE(refused(text).reason.starts_with("no ")) << name;
    }
    for (const std::string_view lines :
         {"From: <sip:x@h>\r\n", "To: <sip:x@h>\r\n", "i: c2\r\n", "CSeq: 1 OPTIONS\r\n", "X\r\n",
          "X y: z\r\n", ": z\r\n", "X: a\nY: b\r\n", "X: a\rY: b\r\n", "Content-Length: \r\n",
          "Content-Length: 1x\r\n", "Content-Length: 0\r\nl: 0\r\n",
          "Content-Length: 4294967296\r\n", "Contact: <sip:a@h>,\r\n", "Require: a;b\r\n",
          "Max-Forwards: 1\r\nMax-Forwards: 1\r\n", "Expires: 1\r\nExpires: 1\r\n",
          "Route: <sip:a@h> <sip:b@h>\r\n", "Content-Type: a/b\r\nc: a/b\r\n"})
        EXPECT_EQ(refused(request_with(lines)).kind, ParseError::Kind::malformed) << lines;
}

TEST(Message, StartLines) {
    auto with_start = [](const std::string& start) { return start + request_with("").substr(36); };
    EXPECT_TRUE(Message::parse(with_start("OPTIONS sip:bob@example.test sip/2.0")));
    EXPECT_EQ(refused(with_start("OPTIONS sip:bob@example.test SIP/3.0")).status, 505);
    EXPECT_EQ(refused(with_start("OPTIONS sip:bob@example.test SIP/2.10")).status, 505);
    EXPECT_EQ(refused(with_start("OPTIONS sip:bob@example.test SIP/2")).status, 400);
    EXPECT_EQ(refused(with_start("OPTIONS sip:bob@example.test HTTP/1.1")).status, 400);
    for (const std::string start :
         {" OPTIONS sip:b@h SIP/2.0", "OPTIONS", "OPTIONS ", "OPTIONS sip:b@h",
          "<> sip:b@h SIP/2.0", "SIP/2.0", "SIP/2.0 ", "SIP/2.0 20 OK", "SIP/2.0 2000 OK",
          "SIP/2.0 099 X", "SIP/3.0 200 OK", "SIP/2.0  200 OK", "SIP/2.0 200OK",
          "SIP/2.0/UDP 200 OK", "OPTIONS\tsip:b@h SIP/2.0"})
        EXPECT_FALSE(Message::parse(with_start(start))) << start;
    EXPECT_EQ(parsed(with_start("SIP/2.0 999 x")).status(), 999);
}

TEST(Message, CSeqNumbers) {
    auto with_cseq = [](const std::string& value) {
        auto text = request_with("");
        return text.replace(text.find("1 OPTIONS"), 9, value);
    };
    EXPECT_EQ(parsed(with_cseq("0 OPTIONS")).cseq().number, 0U);
    EXPECT_EQ(parsed(with_cseq("2147483647 OPTIONS")).cseq().number, 2147483647U);
    EXPECT_FALSE(Message::parse(with_cseq("2147483648 OPTIONS")));  // RFC 3261 §8.1.1.5
    for (const std::string value :
         {"", "1", "1 ", "OPTIONS", "-1 OPTIONS", "1OPTIONS", "1 OPTIONS x", "1 options"})
        EXPECT_FALSE(Message::parse(with_cseq(value))) << value;
}

TEST(Message, ViewsSurviveAMove) {
    auto first = parsed(request_with("Subject: s\r\nContact: <sip:x@h>;a=b\r\n"));
    const auto call_id = first.call_id();
    const Message second = std::move(first);
    EXPECT_EQ(second.call_id().data(), call_id.data());
    EXPECT_EQ(second.contacts()[0].parameters.find("a"), "b");
    const Message copy = second.clone();
    EXPECT_NE(copy.text().data(), second.text().data());
    EXPECT_EQ(copy.text(), second.text());
    EXPECT_TRUE(Message().clone().text().empty());
}

TEST(Message, ReparseForgetsTheMessageBefore) {
    auto message = parsed(read_data("messages/d_invite.sip"));
    ASSERT_TRUE(message.reparse(read_data("messages/b_401.sip")));
    EXPECT_TRUE(message.record_routes().empty());
    EXPECT_TRUE(message.contacts().empty());
    EXPECT_EQ(message.vias().size(), 1U);
    EXPECT_EQ(message.content_type(), "");
    EXPECT_EQ(message.max_forwards(), std::nullopt);
    EXPECT_FALSE(message.allows(Method::invite));
    EXPECT_FALSE(message.reparse("nonsense"));
    EXPECT_TRUE(message.vias().empty());
    EXPECT_EQ(message.text(), "");
    ASSERT_TRUE(message.reparse(read_data("rfc4475/wsinv.dat")));
    ASSERT_TRUE(message.reparse(message.text()));  // of its own bytes
    EXPECT_EQ(message.text(), read_data("rfc4475/wsinv.dat"));
}

TEST(Message, SalvageAnswersWhatItCan) {
    EXPECT_FALSE(Message::salvage("garbage"));
    EXPECT_FALSE(Message::salvage("SIP/2.0 200 OK\r\n\r\n"));
    EXPECT_FALSE(
        Message::salvage("OPTIONS x\r\nCSeq: 1 OPTIONS\r\n\r\n"));  // no Via: nowhere to send it
    auto ack = request_with("");
    ack.replace(0, 7, "ACK");
    EXPECT_FALSE(refused(ack).answerable);  // RFC 3261 §17: an ACK is never answered
}

// What an answer past a limit still says: which request it answers (RFC 3261 §17.1.3, §8.2.6.2).
TEST(MessageSalvageAnswer, SaysWhatItAnswers) {
    const std::string head =
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nCall-ID: c\r\nCSeq: 7 "
        "REGISTER\r\n";
    std::string many;
    for (int i = 0; i < 300; ++i) many += "Contact: <sip:h>\r\n";
    ASSERT_FALSE(Message::parse(head + many + "\r\n"));
    const auto answer = Message::salvage_answer(head + many + "\r\n");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status(), 200);
    EXPECT_EQ(answer->top_via().branch, "z9hG4bKx");
    EXPECT_EQ(answer->call_id(), "c");
    EXPECT_EQ(answer->cseq().number, 7u);
    EXPECT_EQ(answer->method(), Method::register_);
    EXPECT_TRUE(answer->contacts().empty()) << "of a list past a limit nothing";
    EXPECT_TRUE(Message::salvage_answer(head + "X: without end"));
    EXPECT_FALSE(Message::salvage_answer(many + head)) << "no status line";
    EXPECT_FALSE(Message::salvage_answer("SIP/2.0 200 OK\r\n" + many + head.substr(16) + "\r\n"))
        << "past the limit of header fields nothing is read";
    EXPECT_FALSE(Message::salvage_answer("REGISTER sip:h SIP/2.0\r\n" + head.substr(16) + "\r\n"))
        << "a request is no answer";
    EXPECT_FALSE(Message::salvage(head + many + "\r\n")) << "a response is never answered";
    EXPECT_FALSE(Message::salvage_answer(head.substr(0, head.size() - 18) + "\r\n")) << "no CSeq";
}

// RFC 3261 §12.1.2: what the ACK of a 2xx needs, as far as it stands before the limit.
TEST(MessageSalvageAnswer, SaysWhereItsAckGoes) {
    const std::string head =
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nTo: <sip:b@h>;tag=t\r\n"
        "Call-ID: c\r\nCSeq: 7 INVITE\r\n";
    std::string many;
    for (int i = 0; i < 300; ++i) many += "X: x\r\n";
    const std::string way =
        "Record-Route: <sip:p2;lr>, <sip:p1;lr>\r\nContact: <sip:b@192.0.2.2>\r\n";
    const auto read = Message::salvage_answer(head + way + many + "\r\n");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->to().tag(), "t");
    ASSERT_EQ(read->record_routes().size(), 2u);
    EXPECT_EQ(read->record_routes()[1].uri.text, "sip:p1;lr");
    ASSERT_EQ(read->contacts().size(), 1u);
    EXPECT_EQ(read->contacts()[0].uri.text, "sip:b@192.0.2.2");
    const auto unread = Message::salvage_answer(head + many + way + "\r\n");
    ASSERT_TRUE(unread);
    EXPECT_EQ(unread->to().tag(), "t");
    EXPECT_TRUE(unread->record_routes().empty());
    EXPECT_TRUE(unread->contacts().empty());
}

}  // namespace
}  // namespace holdfast::sip
