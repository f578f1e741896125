// ASCII text helpers: no locale (RFC 3261 §7.3.1).
#include "base/text.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace holdfast {
namespace {

using namespace std::literals;

TEST(Text, CaseIsAsciiCase) {
    EXPECT_TRUE(equals_ignoring_case("Call-ID", "CALL-id"));
    EXPECT_FALSE(equals_ignoring_case("Call-ID", "Call-I"));
    EXPECT_FALSE(equals_ignoring_case("[", "{"));  // 0x20 apart, no letters
    EXPECT_FALSE(equals_ignoring_case("@", "`"));
    EXPECT_FALSE(equals_ignoring_case("\xc4", "\xe4"));  // not Latin-1
    EXPECT_EQ(lower_case("Z\xc4Z@["), "z\xc4z@[");
}

TEST(Text, TrimmedAtBothEnds) {
    EXPECT_EQ(trimmed(" \t\r\na b\t "), "a b");
    EXPECT_EQ(trimmed("a"), "a");
    EXPECT_EQ(trimmed(" \r\n"), "");
    EXPECT_EQ(trimmed(""), "");
}

TEST(Text, HexAndBack) {
    EXPECT_EQ(hex("\x00\x7f\xff"sv), "007fff");
    EXPECT_EQ(from_hex("007fFF"), "\x00\x7f\xff"s);
    EXPECT_EQ(from_hex(""), "");
    for (const auto text : {"0"sv, "0g"sv, "g0"sv, " 0"sv, "0x"sv, "00 "sv})
        EXPECT_FALSE(from_hex(text)) << text;
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    EXPECT_EQ(from_hex(hex(all)), all);
}

TEST(Text, PartsAreJoined) {
    EXPECT_EQ(joined({}), "");
    EXPECT_EQ(joined({"", "sip:", "", "alice"}), "sip:alice");
    EXPECT_EQ(joined({"a longer one than fits into the string itself, ", "\0x"sv, "."}),
              "a longer one than fits into the string itself, \0x."s);
    std::string text = "old";
    append(text, {", ", "new"});
    append(text, {});
    EXPECT_EQ(text, "old, new");
}

TEST(Text, NumbersAreWholeAndFit) {
    EXPECT_EQ(parse_number<std::uint32_t>("4294967295"), 4294967295U);
    EXPECT_EQ(parse_number<std::uint32_t>("0010"), 10U);
    EXPECT_EQ(parse_number<std::uint8_t>("255"), 255);
    EXPECT_EQ(parse_number<std::uint8_t>("256"), std::nullopt);
    for (const auto text : {""sv, "-1"sv, "+1"sv, " 1"sv, "1 "sv, "1.0"sv, "0x1"sv, "4294967296"sv})
        EXPECT_FALSE(parse_number<std::uint32_t>(text)) << text;
}

}  // namespace
}  // namespace holdfast
