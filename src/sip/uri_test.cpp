// URIs: what is read from them, and when two are the same (RFC 3261 §19.1, RFC 3966).
#include "sip/uri.h"

#include <gtest/gtest.h>

#include <utility>

#include "sip/limits.h"

namespace holdfast::sip {
namespace {

OwnedUri uri(std::string_view text) {
    auto parsed = OwnedUri::parse(text);
    EXPECT_TRUE(parsed) << text << ": " << parsed.error().reason << " at " << parsed.error().offset;
    return std::move(*parsed);
}

// The offset of what is wrong.
std::size_t wrong_at(std::string_view text) {
    const auto parsed = OwnedUri::parse(text);
    EXPECT_FALSE(parsed) << text;
    return parsed ? std::string_view::npos : parsed.error().offset;
}

// RFC 3261 §19.1.1.
TEST(Uri, EveryPart) {
    const auto u = uri(
        "sips:alice:secret@example.test:5070;transport=tcp;lr;x=%3b?subject=a%20b&priority=urgent");
    EXPECT_EQ(u->scheme, Scheme::sips);
    EXPECT_EQ(u->scheme_text, "sips");
    EXPECT_EQ(u->user, "alice");
    EXPECT_EQ(u->password, "secret");
    EXPECT_EQ(u->host, "example.test");
    EXPECT_EQ(u->port, 5070);
    EXPECT_EQ(u->transport(), "tcp");
    EXPECT_TRUE(u->lr());
    EXPECT_EQ(u->parameters.find("X"), "%3b");
    EXPECT_EQ(u->headers, "subject=a%20b&priority=urgent");
    EXPECT_EQ(u.text().size(), u->text.size());
}

// RFC 3261 §19.1.3.
TEST(Uri, ExamplesOfTheRfc) {
    EXPECT_EQ(uri("sip:alice@atlanta.com")->user, "alice");
    EXPECT_EQ(uri("sip:alice:secretword@atlanta.com;transport=tcp")->password, "secretword");
    EXPECT_EQ(uri("sips:1212@gateway.com")->user, "1212");
    EXPECT_EQ(uri("sip:+1-212-555-1212:1234@gateway.com;user=phone")->user, "+1-212-555-1212");
    EXPECT_EQ(uri("sip:alice@192.0.2.4")->host_address(), IpAddress::parse("192.0.2.4"));
    EXPECT_EQ(uri("sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com")->host, "atlanta.com");
    EXPECT_EQ(uri("sip:alice;day=tuesday@atlanta.com")->user, "alice;day=tuesday");
}

TEST(Uri, HostsAndPorts) {
    EXPECT_EQ(uri("sip:[2001:db8::1]:5070")->host, "[2001:db8::1]");
    EXPECT_EQ(uri("sip:[2001:db8::1]:5070")->port, 5070);
    EXPECT_EQ(uri("sip:a@[2001:db8::1]")->host_address(), IpAddress::parse("2001:db8::1"));
    EXPECT_EQ(uri("sip:example.test")->host_address(), std::nullopt);
    EXPECT_EQ(uri("sip:example.test")->port, 0);
    EXPECT_EQ(uri("sip:5060@h:65535")->port, 65535);
    EXPECT_EQ(uri("sip:my_host.local.")->host, "my_host.local.");
    EXPECT_FALSE(uri("sip:example.test:5060")->has_user);
    EXPECT_EQ(wrong_at("sip:h:65536"), 6U);
    EXPECT_EQ(wrong_at("sip:h:0"), 6U);
    EXPECT_EQ(wrong_at("sip:h:"), 6U);
    EXPECT_EQ(wrong_at("sip:a@"), 6U);
    EXPECT_EQ(wrong_at("sip:[2001:db8::1"), 4U);
    EXPECT_EQ(wrong_at("sip:[1::2::3]"), 4U);
}

TEST(Uri, WhatIsNotAUri) {
    EXPECT_EQ(wrong_at(""), 0U);
    EXPECT_EQ(wrong_at("alice"), 0U);
    EXPECT_EQ(wrong_at("sip:"), 4U);
    EXPECT_EQ(wrong_at("sip:@h"), 4U);
    EXPECT_EQ(wrong_at("1sip:h"), 0U);
    EXPECT_EQ(wrong_at("sip:a@h>"), 7U);
    EXPECT_EQ(wrong_at("sip:a@h x"), 7U);
    EXPECT_EQ(wrong_at("sip:a%4@h"), 5U);
    EXPECT_EQ(wrong_at("sip:a@h;"), 8U);
    EXPECT_EQ(wrong_at("sip:a@h;=1"), 8U);
    EXPECT_EQ(wrong_at("sip:a@h;x=%zz"), 10U);
    EXPECT_EQ(wrong_at("sip:a@h?"), 8U);
    EXPECT_EQ(wrong_at("sip:a:b:c@h"), 7U);
    EXPECT_EQ(wrong_at(std::string_view("sip:a\0b@h", 9)), 5U);
    EXPECT_EQ(wrong_at("sip:a@h\r\nX: y"), 7U);
    EXPECT_EQ(wrong_at("other:"), 6U);
}

// RFC 3966 §3.
TEST(Uri, Telephone) {
    const auto u = uri("tel:7042;phone-context=example.com;ext=12");
    EXPECT_EQ(u->scheme, Scheme::tel);
    EXPECT_EQ(u->user, "7042");
    EXPECT_EQ(u->host, "");
    EXPECT_EQ(u->parameters.find("phone-context"), "example.com");
    EXPECT_EQ(uri("TEL:+1(201)555.0123")->user, "+1(201)555.0123");
}

TEST(Uri, UnknownSchemesAreKeptWhole) {
    const auto u = uri("urn:service:sos");
    EXPECT_EQ(u->scheme, Scheme::other);
    EXPECT_EQ(u->scheme_text, "urn");
    EXPECT_EQ(u->text, "urn:service:sos");
    EXPECT_EQ(uri("http://[::1]/a?b=c")->scheme_text, "http");
}

TEST(UriLimits, LongestUri) {
    const std::string longest = "sip:" + std::string(limits::uri_bytes - 6, 'a') + "@h";
    EXPECT_EQ(uri(longest)->host, "h");
    const auto longer = OwnedUri::parse("x" + longest);
    ASSERT_FALSE(longer);
    EXPECT_EQ(longer.error().kind, ParseError::Kind::too_large);
}

TEST(OwnedUri, CopiesAndMoves) {
    auto first = uri("sip:a@h;lr");
    auto copy = first;
    const auto moved = std::move(first);
    EXPECT_EQ(copy.text(), "sip:a@h;lr");
    EXPECT_NE(copy.text().data(), moved.text().data());
    EXPECT_TRUE(moved->lr());
    copy = uri("sip:b@h");
    EXPECT_EQ(copy->user, "b");
    EXPECT_TRUE(copy->parameters.empty());
    const auto& self = copy;
    copy = self;
    EXPECT_EQ(copy->user, "b");
}

// RFC 3261 §19.1.4: the pairs that the RFC calls equivalent.
TEST(UriEquality, EquivalentPairsOfTheRfc) {
    for (const auto& [a, b] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
             {"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"},
             {"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"},
             {"sip:carol@chicago.com", "sip:carol@chicago.com;security=on"},
             {"sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"},
             {"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
              "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"},
             {"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
              "sip:alice@atlanta.com?priority=urgent&subject=project%20x"},
             {"sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::1]"},
         }) {
        EXPECT_TRUE(uri(a) == uri(b)) << a << " " << b;
        EXPECT_TRUE(uri(b) == uri(a)) << b << " " << a;
    }
}

// RFC 3261 §19.1.4: the pairs that the RFC calls not equivalent, and each rule of its own.
TEST(UriEquality, DifferentPairsOfTheRfc) {
    for (const auto& [a, b] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
             {"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"},
             {"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"},
             {"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"},
             {"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"},
             {"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"},
             {"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"},
             {"sip:carol@chicago.com;security=off", "sip:carol@chicago.com;security=on"},
             {"sip:a@h", "sips:a@h"},
             {"sip:a@h", "sip:h"},
             {"sip:a:p@h", "sip:a@h"},
             {"sip:a@h;user=phone", "sip:a@h"},
             {"sip:a@h;ttl=1", "sip:a@h"},
             {"sip:a@h;method=INVITE", "sip:a@h"},
             {"sip:a@h;maddr=192.0.2.1", "sip:a@h"},
             {"sip:a%3Bb@h", "sip:a;b@h"},  // reserved: its encoding is something else
             {"sip:a@h?a=b", "sip:a@h?a=b&c=d"},
         }) {
        EXPECT_FALSE(uri(a) == uri(b)) << a << " " << b;
        EXPECT_FALSE(uri(b) == uri(a)) << b << " " << a;
    }
}

// Found by fuzzing: a name given twice (RFC 3261 §19.1.1 forbids it) made a URI differ from itself.
TEST(UriEquality, AUriEqualsItselfEvenWithAParameterTwice) {
    EXPECT_TRUE(uri("sip:a@h;x=1;x=2") == uri("sip:a@h;x=1;x=2"));
    EXPECT_TRUE(uri("tel:1;x=1;x=2") == uri("tel:1;x=2;x=1"));
    EXPECT_FALSE(uri("sip:a@h;x=1;x=2") == uri("sip:a@h;x=1;x=3"));
}

// RFC 3966 §4.
TEST(UriEquality, TelephoneNumbers) {
    EXPECT_TRUE(uri("tel:+1-201-555-0123") == uri("TEL:+1(201)5550123"));
    EXPECT_TRUE(uri("tel:7042;phone-context=example.com;a=b") ==
                uri("tel:7042;A=b;phone-context=EXAMPLE.com"));
    EXPECT_TRUE(uri("tel:7042;phone-context=+1-914") == uri("tel:7042;phone-context=+1914"));
    EXPECT_FALSE(uri("tel:+12015550123") == uri("tel:12015550123"));
    EXPECT_FALSE(uri("tel:7042;phone-context=a.example") ==
                 uri("tel:7042;phone-context=b.example"));
    EXPECT_FALSE(uri("tel:7042;a=b") == uri("tel:7042"));
}

}  // namespace
}  // namespace holdfast::sip
