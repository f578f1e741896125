// RFC 4475 §3.1.1 and §3.4.1: well-formed messages, however strange. Each must parse, and mean what
// the text says.
#include <gtest/gtest.h>

#include "sip/verdict.h"
#include "tests/sip_test_data.h"

namespace holdfast::sip {
namespace {

using test::parsed;
using test::torture;

// RFC 4475 §3.1.1.1: folds and blanks everywhere, compact names, escapes in quotes, an empty
// Subject, a header that would be malformed if it had a grammar.
TEST(TortureValid, Wsinv) {
    const auto message = parsed(torture("wsinv"));
    EXPECT_EQ(message.method(), Method::invite);
    EXPECT_EQ(message.request_uri().user, "vivekg");
    EXPECT_TRUE(message.request_uri().parameters.has("unknownparam"));
    EXPECT_EQ(message.to().uri.text, "sip:vivekg@chair-dnrc.example.com");
    EXPECT_EQ(message.to().tag(), "1918181833n");
    EXPECT_EQ(unescape(message.from().display_name), R"(J Rosenberg \")");
    EXPECT_EQ(message.from().tag(), "98asjd8");
    EXPECT_EQ(message.max_forwards(), 68U);
    EXPECT_EQ(message.cseq().number, 9U);
    ASSERT_EQ(message.vias().size(), 3U);
    EXPECT_EQ(message.vias()[0].transport, "UDP");
    EXPECT_EQ(message.vias()[0].host, "192.0.2.2");
    EXPECT_EQ(message.vias()[0].branch, "390skdjuw");
    EXPECT_EQ(message.vias()[1].transport, "TCP");
    EXPECT_EQ(message.vias()[1].host, "spindle.example.com");
    EXPECT_EQ(message.vias()[1].branch, "z9hG4bK9ikj8");
    EXPECT_EQ(message.vias()[2].host, "192.168.255.111");
    EXPECT_EQ(message.vias()[2].branch, "z9hG4bK30239");
    EXPECT_EQ(message.header(HeaderName::subject), "");
    EXPECT_EQ(message.header("NewFangledHeader"), "newfangled value   continued newfangled value");
    EXPECT_EQ(message.header("UnknownHeaderWithUnusualValue"), ";;,,;;,;");
    ASSERT_EQ(message.routes().size(), 1U);
    EXPECT_TRUE(message.routes()[0].uri.lr());
    EXPECT_EQ(message.routes()[0].uri.parameters.find("unknownwith"), "value");
    ASSERT_EQ(message.contacts().size(), 1U);
    EXPECT_EQ(unescape(message.contacts()[0].display_name), R"(Quoted string "")");
    EXPECT_EQ(message.contacts()[0].parameters.find("newparam"), "newvalue");
    EXPECT_TRUE(message.contacts()[0].parameters.has("secondparam"));
    EXPECT_EQ(message.contacts()[0].q_thousandths, 330);
    EXPECT_EQ(message.body().size(), 150U);
    EXPECT_EQ(message.text(), torture("wsinv"));  // unfolding does not touch the bytes as they came
}

// RFC 4475 §3.1.1.2: every legal character. "Endpoints will generate a 501 listing the methods they
// understand".
TEST(TortureValid, Intmeth) {
    const auto message = parsed(torture("intmeth"));
    EXPECT_EQ(message.method(), Method::other);
    EXPECT_EQ(message.method_text(), "!interesting-Method0123456789_*+`.%indeed'~");
    EXPECT_EQ(message.request_uri().user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
    EXPECT_EQ(message.request_uri().password, "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)");
    EXPECT_EQ(message.request_uri().host, "example.com");
    EXPECT_EQ(message.top_via().branch, "z9hG4bK-.!%66*_+`'~");
    EXPECT_EQ(unescape(message.to().display_name),
              std::string_view("BEL:\x07 NUL:\0 DEL:\x7f", 17));
    EXPECT_EQ(message.from().display_name, "token1~` token2'+_ token3*%!.-");
    EXPECT_EQ(message.from().parameters.find("fromParam''~+*_!.-%"),
              "\xD1\x80\xD0\xB0\xD0\xB1\xD0\xBE\xD1\x82\xD0\xB0\xD1\x8E\xD1\x89\xD0\xB8\xD0\xB9");
    EXPECT_EQ(message.from().tag(), "_token~1'+`*%!-.");
    EXPECT_EQ(message.call_id(), R"(intmeth.word%ZK-!.*_+'@word`~)(><:\/"][?}{)");
    EXPECT_EQ(message.max_forwards(), 255U);
    EXPECT_EQ(message.header("extensionHeader-!.%*+_`'~"),
              "\xEF\xBB\xBF\xE5\xA4\xA7\xE5\x81\x9C\xE9\x9B\xBB");
    const std::array methods = {Method::invite, Method::options};
    const auto rejection = check_request(message, {.methods = methods});
    ASSERT_TRUE(rejection);
    EXPECT_EQ(rejection->status, 501);
    EXPECT_EQ(rejection->extra_headers, "Allow: INVITE, OPTIONS\r\n");
}

// RFC 4475 §3.1.1.3: %HH are equivalent to what they encode, decoded once and never into structure.
TEST(TortureValid, Esc01) {
    const auto message = parsed(torture("esc01"));
    EXPECT_EQ(message.request_uri().user, "sips%3Auser%40example.com");
    EXPECT_EQ(percent_decode(message.request_uri().user), "sips:user@example.com");
    EXPECT_EQ(message.request_uri().host, "example.net");
    EXPECT_TRUE(equal(message.to().uri, *OwnedUri::parse("sip:user@example.com").value()));
    EXPECT_EQ(percent_decode(message.from().uri.user), "I have spaces");
    const Uri& contact = message.contacts()[0].uri;
    EXPECT_TRUE(equal(contact,
                      *OwnedUri::parse("sip:caller@host5.example.net;lr;name=value%2541").value()));
    EXPECT_FALSE(
        equal(contact, *OwnedUri::parse("sip:caller@host5.example.net;lr;name=valueA").value()));
}

// RFC 4475 §3.1.1.4: escaped NULs are two distinct contacts and shorten nothing.
TEST(TortureValid, Escnull) {
    const auto message = parsed(torture("escnull"));
    EXPECT_EQ(percent_decode(message.to().uri.user), std::string_view("null-\0-null", 11));
    ASSERT_EQ(message.contacts().size(), 2U);
    EXPECT_EQ(percent_decode(message.contacts()[0].uri.user), std::string_view("\0", 1));
    EXPECT_EQ(percent_decode(message.contacts()[1].uri.user), std::string_view("\0\0", 2));
    EXPECT_FALSE(equal(message.contacts()[0].uri, message.contacts()[1].uri));
}

// RFC 4475 §3.1.1.5: in a method, a display name and a header's parameter % is an ordinary
// character: RE%47IST%45R is not REGISTER.
TEST(TortureValid, Esc02) {
    const auto message = parsed(torture("esc02"));
    EXPECT_EQ(message.method(), Method::other);
    EXPECT_EQ(message.method_text(), "RE%47IST%45R");
    EXPECT_EQ(message.to().display_name, "%Z%45");
    EXPECT_EQ(message.from().display_name, "%Z%45");
    EXPECT_EQ(message.call_id(), "esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf");
    ASSERT_EQ(message.contacts().size(), 2U);
    EXPECT_EQ(message.contacts()[0].uri.user, "alias1");
    EXPECT_EQ(message.contacts()[1].uri.user, "alias3");
    EXPECT_FALSE(message.contacts()[1].expires);  // "expir%65s" is another parameter
}

// RFC 4475 §3.1.1.6: no blank between display name and '<'.
TEST(TortureValid, Lwsdisp) {
    const auto message = parsed(torture("lwsdisp"));
    EXPECT_EQ(message.from().display_name, "caller");
    EXPECT_EQ(message.from().uri.text, "sip:caller@example.com");
}

// RFC 4475 §3.1.1.7: 3.5 kB in long values, 34 Via.
TEST(TortureValid, Longreq) {
    const auto message = parsed(torture("longreq"));
    EXPECT_TRUE(message.to().display_name.starts_with("I have a user name of extremeextreme"));
    EXPECT_EQ(message.to().uri.port, 6000);
    EXPECT_EQ(message.to().uri.parameters.size(), 3U);
    EXPECT_EQ(message.from().tag().size(), 155U);
    ASSERT_EQ(message.vias().size(), 34U);
    EXPECT_EQ(message.vias()[0].host, "sip33.example.com");
    EXPECT_EQ(message.vias()[33].received, "192.0.2.5");
    EXPECT_EQ(message.vias()[33].branch.size(), 215U);
    EXPECT_EQ(message.body().size(), 150U);
}

// RFC 4475 §3.1.1.8: what follows the body in a datagram is noise, though it looks like an INVITE.
TEST(TortureValid, Dblreq) {
    const auto message = parsed(torture("dblreq"));
    EXPECT_EQ(message.method(), Method::register_);
    EXPECT_EQ(message.call_id(), "dblreq.0ha0isndaksdj99sdfafnl3lk233412");
    EXPECT_EQ(message.body(), "");
    EXPECT_TRUE(message.text().ends_with("Content-Length: 0\r\n\r\n"));
}

// RFC 4475 §3.1.1.9: the user part is "user;par=u@example.net".
TEST(TortureValid, Semiuri) {
    const auto message = parsed(torture("semiuri"));
    EXPECT_EQ(percent_decode(message.request_uri().user), "user;par=u@example.net");
    EXPECT_EQ(message.request_uri().host, "example.com");
    EXPECT_TRUE(message.request_uri().parameters.empty());
}

// RFC 4475 §3.1.1.10: any transport may stand in a Via.
TEST(TortureValid, Transports) {
    const auto message = parsed(torture("transports"));
    std::string transports;
    for (const auto& via : message.vias()) transports.append(via.transport).append(" ");
    EXPECT_EQ(transports, "UDP SCTP TLS UNKNOWN TCP ");
}

// RFC 4475 §3.1.1.11: a binary body, framed by Content-Length.
TEST(TortureValid, Mpart01) {
    const auto message = parsed(torture("mpart01"));
    EXPECT_EQ(message.method(), Method::message);
    EXPECT_EQ(message.media_type(), "multipart/mixed");
    EXPECT_EQ(message.body().size(), 553U);
    EXPECT_NE(message.body().find('\0'), std::string_view::npos);
    EXPECT_TRUE(message.body().ends_with("--7a9cbec02ceef655--\r\n"));
    EXPECT_TRUE(message.top_via().has_rport);
}

// RFC 4475 §3.1.1.12: UTF-8 in the reason phrase.
TEST(TortureValid, Unreason) {
    const auto message = parsed(torture("unreason"));
    EXPECT_EQ(message.status(), 200);
    EXPECT_TRUE(message.reason_phrase().starts_with("= 2**3 * 5**2 \xD0\xBD\xD0\xBE "));
    EXPECT_EQ(check_response(message), std::nullopt);
}

// RFC 4475 §3.1.1.13: no reason phrase; and a liberal receiver takes it even without the space.
TEST(TortureValid, Noreason) {
    auto text = torture("noreason");
    const auto message = parsed(text);
    EXPECT_EQ(message.status(), 100);
    EXPECT_EQ(message.reason_phrase(), "");
    ASSERT_EQ(text.substr(0, 14), "SIP/2.0 100 \r\n");
    text.erase(11, 1);
    EXPECT_EQ(parsed(text).status(), 100);
}

// RFC 4475 §3.4.1: RFC 2543 knew no branch, no From tag, no Max-Forwards and needed no
// Content-Length.
TEST(TortureValid, Inv2543) {
    const auto message = parsed(torture("inv2543"));
    EXPECT_EQ(message.method(), Method::invite);
    EXPECT_EQ(message.top_via().branch, "");
    EXPECT_FALSE(message.top_via().has_magic_cookie());
    EXPECT_EQ(message.from().tag(), "");
    EXPECT_FALSE(message.max_forwards());
    EXPECT_FALSE(message.content_length());
    EXPECT_TRUE(message.body().starts_with("v=0\r\n"));
    EXPECT_TRUE(message.body().ends_with("m=audio 49217 RTP/AVP 0\r\n"));
    EXPECT_EQ(message.record_routes()[0].uri.parameters.find("maddr"), "ss1.example.com");
    EXPECT_EQ(message.to().parameters.find("user"),
              "phone");  // bare: a parameter of the header (§20)
}

}  // namespace
}  // namespace holdfast::sip
