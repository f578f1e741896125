// Numbers as people write and paste them, and where the digits begin that may be a PIN. What is
// called then is in dialling_test.cpp.
#include "apps/phone/typed_number.h"

#include <gtest/gtest.h>

#include <string>

#include "apps/phone/dialling.h"

namespace holdfast::phone {
namespace {

// "URI" or "URI then DIGITS"; or the error.
std::string called_by_alice(std::string_view typed, const Dialling& dialling = {}) {
    const auto read = dialled(typed, {.aor = "sip:alice@example.test", .dialling = dialling});
    if (!read) return read.error();
    return read->uri + (read->digits.empty() ? "" : " then " + read->digits);
}

// RFC 3966 §3, and what web pages and word processors put between digits.
TEST(TypedNumber, WhatOnlyPartsTheDigitsIsLeftOut) {
    for (const auto* typed : {
             "+49\u00A030\u00A01234",        // no-break space
             "+49\u202F30\u20091234",        // narrow and thin ones
             "+49\u201130\u20131234",        // no-break hyphen, en dash
             "\u202A+49 30 1234\u202C",      // marks of direction, as a contact's page has them
             "\u200E+49\u200B301234\u200F",  // zero width
             "\u2066+4930\u20691234\uFEFF",
             "+49\t30\u00AD1234",
         }) {
        EXPECT_EQ(bare_number(typed), "+49301234") << typed;
        EXPECT_EQ(called_by_alice(typed), "sip:+49301234@example.test") << typed;
    }
    EXPECT_EQ(called_by_alice("tel:+49\u00A030\u20111234"),
              "sip:+49301234@example.test;user=phone");
    EXPECT_EQ(called_by_alice("\uFEFFtel:+4930\u200B"), "sip:+4930@example.test;user=phone");
    EXPECT_EQ(called_by_alice("\u200Ebob\u00A0"), "sip:bob@example.test");
    EXPECT_EQ(called_by_alice("bob\u00A0b"), "sip:bob%C2%A0b@example.test") << "no number";
    EXPECT_EQ(called_by_alice("\u00A0\u200B"), "Nobody to call: no number, name or URI was typed");
}

// The 0 in brackets is dialled within the country alone; of whom it belongs to the number, stays.
TEST(TypedNumber, TheZeroInBracketsIsNotDialledBehindACountry) {
    EXPECT_EQ(bare_number("+49 (0)30 123"), "+4930123");
    EXPECT_EQ(bare_number("+49(0)30-123"), "+4930123");
    EXPECT_EQ(bare_number("+353\u00A0(0)1"), "+3531");
    EXPECT_EQ(bare_number("0049 (0) 30"), "004930");
    EXPECT_EQ(bare_number("+39 (0)6 12"), "+390612");
    EXPECT_EQ(bare_number("+378 (0)549"), "+3780549");
    EXPECT_EQ(bare_number("(0)30 123"), "030123");
    EXPECT_EQ(bare_number("+49 30 123-(0)"), "+49301230") << "the switchboard's 0";
    EXPECT_EQ(bare_number("+(0)49"), "+049");
    EXPECT_EQ(bare_number("00 (0)1"), "0001");
    EXPECT_EQ(bare_number("+49 (030) 1"), "+490301");
    EXPECT_EQ(called_by_alice("+49 (0)30 123"), "sip:+4930123@example.test");
    EXPECT_EQ(called_by_alice("tel:+49-(0)30-123"), "sip:+4930123@example.test;user=phone");
}

// As address books of phones keep them.
TEST(TypedNumber, APauseIsACommaOrAP) {
    for (const auto* typed : {"97p1234#", "97P1234#", "97,1234#", "97 p 1234#",
                              "97\u00A0,\u00A01234#", "97%2C1234#", "97%2c1234%23", "9-7p12-34#"})
        EXPECT_EQ(called_by_alice(typed), "sip:97@example.test then ,,1234#") << typed;
    EXPECT_EQ(called_by_alice("97pp1p2"), "sip:97@example.test then ,,,,1,,2");
    for (const auto* typed : {"tel:97p1234%23", "tel:97,1234#", "tel:97%2C1234#", "tel:97%2c1234#"})
        EXPECT_EQ(called_by_alice(typed), "sip:97@example.test;user=phone then ,,1234#") << typed;
    EXPECT_EQ(called_by_alice("sip:bob@other.test;p2=1"), "sip:bob@other.test;p2=1");
    EXPECT_EQ(called_by_alice("<sip:bob@other.test>p9"), "sip:bob@other.test then ,,9");
    // A name may begin with digits.
    EXPECT_EQ(called_by_alice("100percent"), "sip:100percent@example.test");
    EXPECT_EQ(called_by_alice("3p"), "sip:3p@example.test");
    EXPECT_EQ(called_by_alice("bob2p3"), "sip:bob2p3@example.test");
}

TEST(TypedNumber, NothingWaitsForAKey) {
    for (const auto* typed :
         {"97;7777#", "97w7777", "97W7777", "97,12;7777", "97p12w7777", "97 ; 7777", "97%3B7777",
          "bob;7777", "tel:97;7777#", "tel:97w7777", "tel:97%3B7777", "tel:97;ext=1;7777",
          "bob@other.test;7777", "sip:bob@other.test;7777", "sip:97;7777#", "<bob@x.test>;7777"})
        EXPECT_TRUE(called_by_alice(typed).starts_with("A ; or w waits for a key"))
            << typed << ": " << called_by_alice(typed);
}

// Whatever is wrong: what may be a PIN is in no sentence.
TEST(TypedNumber, NoSentenceShowsAPin) {
    for (const std::string typed : {"97,77x77",         "97;7777#x",
                                    "97p7777x",         "97w7777",
                                    "97%2C7777x",       "tel:97%2C7777x",
                                    "tel:97,7777x",     "tel:97;7777",
                                    "tel:97;ext=7777x", "tel:97;postd=p7777x",
                                    "tel:x97p7777",     "sip:97;7777#",
                                    "sip:97@;7777",     "http://97p7777",
                                    "x:97,7777",        "+1+p7777",
                                    "1.2.3.4p7777",     "<97,7777",
                                    "a b@c,7777",       "97;ext=7777"}) {
        const auto said = called_by_alice(typed);
        EXPECT_FALSE(said.starts_with("sip:")) << typed << " is called: " << said;
        EXPECT_EQ(said.find("77"), std::string::npos) << said;
    }
}

TEST(TypedNumber, QuotesEndWhereDigitsBegin) {
    EXPECT_EQ(in_quotes("bob"), "\"bob\"");
    EXPECT_EQ(in_quotes("97,1234"), "\"97…\"");
    EXPECT_EQ(in_quotes("dial97p1"), "\"dial97…\"");
    EXPECT_EQ(in_quotes("sip:a@b;lr"), "\"sip:a@b;lr\"");
    EXPECT_TRUE(may_be_pin("12#,3"));
    EXPECT_FALSE(may_be_pin("bob"));
    EXPECT_FALSE(may_be_pin(""));
}

TEST(TypedNumber, ABlankBesideAPauseBeginsNothingNew) {
    EXPECT_TRUE(goes_on("*97,", "1234#"));
    EXPECT_TRUE(goes_on("*97", ",1234#"));
    EXPECT_TRUE(goes_on("97;", "1"));
    EXPECT_TRUE(goes_on("97p", "1"));
    EXPECT_TRUE(goes_on("97", "p"));
    EXPECT_TRUE(goes_on("97", "p1"));
    EXPECT_FALSE(goes_on("97", "100")) << "an account";
    EXPECT_FALSE(goes_on("97", "paul"));
    EXPECT_FALSE(goes_on("3p", "alice"));
    EXPECT_FALSE(goes_on("bob", "carol"));
}

}  // namespace
}  // namespace holdfast::phone
