// Replaces, read and written (RFC 3891 §6.1), in a URI too.
#include "dialog/replaces.h"

#include <gtest/gtest.h>

namespace holdfast::dialog {
namespace {

// RFC 3891 §6.1: its own examples.
TEST(Replaces, TheExamplesOfTheRfc) {
    EXPECT_EQ(parse_replaces("98732@sip.example.com\r\n  ;from-tag=r33th4x0r\r\n  ;to-tag=ff87ff"),
              (Replaces{"98732@sip.example.com", "ff87ff", "r33th4x0r"}));
    EXPECT_EQ(parse_replaces("12adf2f34456gs5;to-tag=12345;from-tag=54321;early-only"),
              (Replaces{"12adf2f34456gs5", "12345", "54321", true}));
    EXPECT_EQ(parse_replaces("87134@171.161.34.23;to-tag=24796;from-tag=0"),
              (Replaces{"87134@171.161.34.23", "24796", "0"}));
    EXPECT_EQ(parse_replaces("a ; TO-TAG = b ; other=c ; from-tag= d"), (Replaces{"a", "b", "d"}));
}

// Exactly one of each tag, one Call-ID, and nothing that would be more than a value of one line.
TEST(Replaces, WhatIsNone) {
    for (const auto* const text :
         {"", ";to-tag=a;from-tag=b", "x", "x;to-tag=a", "x;from-tag=b", "x;to-tag=;from-tag=b",
          "x;to-tag=a;to-tag=a;from-tag=b", "x;to-tag=a;from-tag=b;from-tag=c",
          "x y;to-tag=a;from-tag=b", "x;to-tag=a\r\nEvil: 1;from-tag=b", "x;to-tag=a b;from-tag=c",
          "x\n;to-tag=a\x01;from-tag=b", "x;to-tag;from-tag=b",
          "x;to-tag=a;from-tag=b,y;to-tag=c;from-tag=d"})
        EXPECT_FALSE(parse_replaces(text)) << text;
}

sip::Message invite(const std::string& headers) {
    auto parsed = sip::Message::parse(
        "INVITE sip:a@b.test SIP/2.0\r\nVia: SIP/2.0/UDP c.test;branch=z9hG4bK1\r\nFrom: "
        "<sip:c@d.test>;tag=1\r\nTo: <sip:a@b.test>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n" +
        headers + "Content-Length: 0\r\n\r\n");
    EXPECT_TRUE(parsed.has_value());
    return std::move(*parsed);
}

// RFC 3891 §3: two are a 400.
TEST(Replaces, OneHeaderAtMost) {
    const auto none = replaces_of(invite(""));
    ASSERT_TRUE(none.has_value());
    EXPECT_FALSE(none->has_value());
    const std::string one = "Replaces: x;to-tag=a;from-tag=b\r\n";
    const auto found = replaces_of(invite(one));
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(*found, (Replaces{"x", "a", "b"}));
    EXPECT_FALSE(replaces_of(invite(one + one)).has_value());
    EXPECT_FALSE(replaces_of(invite("Replaces: x\r\n")).has_value());
}

// RFC 3261 §19.1.1: all that is no letter of a URI's header is escaped, and comes back.
TEST(Replaces, AsAHeaderOfAUri) {
    const Replaces replaces{"a@b?&c", "t=1", "%f\"", true};
    const auto text = as_uri_header(replaces);
    EXPECT_EQ(text, "?Replaces=a%40b%3F%26c%3Bto-tag%3Dt%3D1%3Bfrom-tag%3D%25f%22%3Bearly-only");
    EXPECT_EQ(parse_replaces(sip::percent_decode(text.substr(10))), replaces);
}

}  // namespace
}  // namespace holdfast::dialog
