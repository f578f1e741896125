// Somebody else's text: what may be shown of it, and where it may be cut (RFC 3629 §3).
#include "base/signs.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(OneLine, ShowsWhatIsHarmlessAsItIs) {
    EXPECT_EQ(one_line(""), "");
    EXPECT_EQ(one_line("Bob \"B.\" Grün €😀"), "Bob \"B.\" Grün €😀");
}

TEST(OneLine, ReplacesWhatATerminalOrAReaderWouldObey) {
    EXPECT_EQ(one_line("a\nb\tc\rd\x1b[2J\x7f"), "a\uFFFDb\uFFFDc\uFFFDd\uFFFD[2J\uFFFD");
    for (const auto* sign : {"\xc2\x9b", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xae",
                             "\xe2\x81\xa6", "\xd8\x9c", "\xe2\x80\x8f"})
        EXPECT_EQ(one_line(sign), "\uFFFD") << sign;
}

TEST(OneLine, ReplacesWhatIsNoUtf8OctetByOctet) {
    EXPECT_EQ(one_line("\xff"), "\uFFFD");
    EXPECT_EQ(one_line("\xc0\xafx"), "\uFFFD\uFFFDx") << "not the shortest form";
    EXPECT_EQ(one_line("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD") << "a surrogate";
    EXPECT_EQ(one_line("\xe2\x82"), "\uFFFD\uFFFD") << "cut by somebody else";
}

TEST(OneLine, IsCutBetweenCharacters) {
    EXPECT_EQ(one_line("abcdef", 6), "abcdef");
    EXPECT_EQ(one_line("abcdefg", 6), "abc…");
    EXPECT_EQ(one_line("abüdefg", 6), "ab…") << "the u is of two octets";
    EXPECT_EQ(one_line("€€", 6), "€€");
    EXPECT_EQ(one_line("€€€", 6), "€…");
    EXPECT_EQ(one_line("\x01\x01\x01", 6), "\uFFFD…");
    EXPECT_EQ(one_line("abcd", 3), "…");
}

}  // namespace
}  // namespace holdfast
