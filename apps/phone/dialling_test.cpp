// What a person types to call somebody, and what is called then. The rules of a dial plan are in
// dial_plan_test.cpp, what the phone makes of it in phone_dialling_test.cpp.
#include "apps/phone/dialling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "apps/phone/typed_number.h"
#include "sip/uri.h"

namespace holdfast::phone {
namespace {

constexpr std::string_view alices = "sip:alice@example.test";

// "URI" or "URI then DIGITS"; or the error.
std::string called(std::string_view typed, const Dialling& dialling = {},
                   std::string_view aor = alices) {
    const auto read = dialled(typed, {.aor = aor, .dialling = dialling});
    if (!read) return read.error();
    return read->uri + (read->digits.empty() ? "" : " then " + read->digits);
}
Dialling with_rules(const std::vector<std::string>& rules, const std::string& prefix = "") {
    Dialling dialling{.prefix = prefix};
    for (const auto& rule : rules) dialling.plan.push_back(DialRule::parse(rule).value());
    return dialling;
}

TEST(Dialling, ANumberOrANameIsOfTheAccountsDomain) {
    EXPECT_EQ(called("bob"), "sip:bob@example.test");
    EXPECT_EQ(called(" 1001 "), "sip:1001@example.test");
    EXPECT_EQ(called("bob", {}, "sips:alice@example.test"), "sips:bob@example.test");
    EXPECT_EQ(called("bob", {}, "sip:alice@example.test:5070"), "sip:bob@example.test:5070");
    EXPECT_EQ(called("bob b"), "sip:bob%20b@example.test");
}

// RFC 3966 §5.1.1 for the separators, RFC 3261 §25.1 for what a user part may hold.
TEST(Dialling, ANumberIsWrittenAsPeopleWriteIt) {
    EXPECT_EQ(called("+49 (30) 12-34"), "sip:+49301234@example.test");
    EXPECT_EQ(called("030/12.34"), "sip:0301234@example.test");
    EXPECT_EQ(called("*21#"), "sip:*21%23@example.test");
}

TEST(Dialling, AUriIsCalledAsItIs) {
    EXPECT_EQ(called("bob@Other.Test"), "sip:bob@other.test");
    EXPECT_EQ(called("SIPS:Bob@other.test"), "sips:Bob@other.test");
    EXPECT_EQ(called("sip:192.0.2.1:5070;transport=tcp"), "sip:192.0.2.1:5070;transport=tcp");
    EXPECT_EQ(called("<sip:bob@other.test>"), "sip:bob@other.test");
    EXPECT_EQ(called("< bob@other.test >"), "sip:bob@other.test");
    EXPECT_EQ(called("bob@other.test:5070"), "sip:bob@other.test:5070");
}

// RFC 3261 §19.1.6: the number and its parameters are the user part; RFC 3966 §5: global and local.
TEST(Dialling, ATelephoneUriBecomesASipUri) {
    EXPECT_EQ(called("tel:+49-(30)-12.34"), "sip:+49301234@example.test;user=phone");
    EXPECT_EQ(called("TEL:1001", {}, "sips:alice@example.test"),
              "sips:1001@example.test;user=phone");
    EXPECT_EQ(called("tel:863-1234;phone-context=+1-914-555"),
              "sip:8631234;phone-context=+1-914-555@example.test;user=phone");
    EXPECT_EQ(called("tel:1234;phone-context=Example.COM"),
              "sip:1234;phone-context=example.com@example.test;user=phone");
    EXPECT_EQ(called("tel:*21%23"), "sip:*21%23@example.test;user=phone");
    EXPECT_EQ(called("tel:*21#"), "sip:*21%23@example.test;user=phone");
    // Its own example, without the separators.
    EXPECT_EQ(called("tel:+358-555-1234567;POSTD=PP22"),
              "sip:+3585551234567;postd=pp22@example.test;user=phone");
    EXPECT_EQ(called("tel:+1234;Zone=A:b;ext=4-5;postd=p1;isub=9"),
              "sip:+1234;isub=9;ext=45;postd=p1;zone=A%3Ab@example.test;user=phone");
    // RFC 3966 §3: then the phone-context, whatever the names of the others.
    EXPECT_EQ(called("tel:1234;zone=b;cic=+1;phone-context=+49;ext=5;b"),
              "sip:1234;ext=5;phone-context=+49;b;cic=+1;zone=b@example.test;user=phone");
    EXPECT_EQ(called("tel:+1;isub=a%3Bb"), "sip:+1;isub=a%3Bb@example.test;user=phone");
    EXPECT_EQ(called("tel:1ab"), "sip:1ab@example.test;user=phone");
}

TEST(Dialling, WhatIsNoTelephoneNumberIsSaid) {
    const auto no_number = [](const std::string& text, const std::string& why) {
        const auto parameters = text.find(';');
        EXPECT_EQ(called(text), "\"" + text.substr(0, parameters) + "\"" +
                                    (parameters < text.size() ? " with its parameters" : "") +
                                    " is no telephone number (tel:+49-30-1234): " + why);
    };
    no_number("tel:+", "it has no digit");
    no_number("tel:-;ext=4", "it has no digit");
    no_number("tel:+4930a", "after the + stand digits alone");
    no_number("tel:+49+30", "after the + stand digits alone");
    no_number("tel:bob", "a number has digits, * and #, and a + only in front");
    no_number("tel:030@example.test", "a number has digits, * and #, and a + only in front");
    no_number("tel:030;=4", "one of its parameters has no name");
    no_number("tel:030;", "one of its parameters has no name");
    no_number("tel:030;phone-context=+4x",
              "its phone-context is neither a domain nor a number with a +");
    // RFC 3966 §3: each once, and of what each may hold.
    no_number("tel:030;ext=4;EXT=5", "its ext is there twice");
    no_number("tel:030;a;a=5", "its a is there twice");
    no_number("tel:030;ext", "its ext has no value");
    no_number("tel:030;ext=", "one of its parameters has no value behind the =");
    no_number("tel:030;ext=bob", "its ext is no number");
    no_number("tel:030;ext=-", "its ext is no number");
    no_number("tel:030;phone-context", "its phone-context has no value");
    no_number("tel:030;postd=x", "its postd is no digits to press");
    no_number("tel:030;a=%4", "one of its parameters has a % that escapes nothing");
    no_number("tel:030;a=\"4\"", "one of its parameters has a value that none can have");
    no_number("tel:030;a=b%0D%0Ac", "one of its parameters has a value that none can have");
    no_number("tel:030;isub=a b", "one of its parameters has a value that none can have");
}

// Each comma is 2 s; the media's are 1 s.
TEST(Dialling, DigitsAfterACommaAreForAfterTheAnswer) {
    EXPECT_EQ(called("12345,,9#"), "sip:12345@example.test then ,,,,9#");
    EXPECT_EQ(called("12345, 1 2,d*"), "sip:12345@example.test then ,,12,,d*");
    EXPECT_EQ(called("bob,9"), "sip:bob@example.test then ,,9");
    EXPECT_EQ(called("tel:+4930,9"), "sip:+4930@example.test;user=phone then ,,9");
    EXPECT_EQ(called("sip:bob@other.test;transport=tcp,9"),
              "sip:bob@other.test;transport=tcp then ,,9");
    EXPECT_EQ(called("<sip:bob@other.test> ,9"), "sip:bob@other.test then ,,9");
    EXPECT_EQ(called("12345,,"), "sip:12345@example.test") << "nothing to press";
    // RFC 3261 §25.1: a comma of the user part is none that separates.
    EXPECT_EQ(called("sip:a,1@other.test"), "sip:a,1@other.test");
    EXPECT_EQ(called("a,1@other.test,2"), "sip:a,1@other.test then ,,2");
}

TEST(Dialling, DigitsAfterACommaAreBounded) {
    const std::string most(digits_after_most, ',');
    EXPECT_EQ(called("1," + most.substr(1) + "7").size(),
              std::string("sip:1@example.test then ").size() + 2 * digits_after_most + 1);
    EXPECT_EQ(called("1," + most + "7"),
              "Behind the first comma stand 64 characters: 63 are the most");
}

// Whatever is wrong with the rest: what stands after a comma may be a PIN.
TEST(Dialling, NoErrorShowsWhatStandsAfterAComma) {
    for (const std::string typed :
         {"12345,77x77", "sip:,7777", "http://x,7777", "+1+,7777", "tel:x,7777", "a,7777@", ",7777",
          "192.0.2.1,7777", "x:y,7777", "<sip:bob@other.test,7777", "<bob@other.test>7777",
          "a,7777@b?c=d,7", "sip:bob@other.test;method=BYE,7777"}) {
        const auto read = dialled(typed, {.aor = alices, .dialling = {}});
        ASSERT_FALSE(read) << typed;
        EXPECT_EQ(read.error().find("77"), std::string::npos) << read.error();
    }
}

TEST(Dialling, WhatCannotBeCalledIsSaid) {
    for (const auto* nobody : {"", "  ", "<>", ",9"})
        EXPECT_EQ(called(nobody), "Nobody to call: no number, name or URI was typed") << nobody;
    EXPECT_EQ(called("http://example.test"),
              "\"http://example.test\" cannot be called: what has a colon begins with sip:, sips: "
              "or tel:");
    EXPECT_EQ(called("mailto:bob@example.test").substr(0, 42),
              "\"mailto:bob@example.test\" cannot be called");
    EXPECT_EQ(called("192.0.2.1"),
              "\"192.0.2.1\" is an address and no number: sip:192.0.2.1 calls who is there");
    EXPECT_EQ(called("2001:db8::1"),
              "\"2001:db8::1\" is an address and no number: sip:[2001:db8::1] calls who is there");
    EXPECT_EQ(called("sip:"), "\"sip:\" is no SIP URI: no host at character 5");
    EXPECT_EQ(called("bob@exa mple.test").substr(0, 39),
              "\"sip:bob@exa mple.test\" is no SIP URI: ");
    for (const auto* number : {"1+2", "++1", "+", "-", "()"})
        EXPECT_EQ(called(number), "\"" + std::string(number) +
                                      "\" is no number: it has 1 to 100 of 0-9 * #, and a + only "
                                      "in front");
    EXPECT_EQ(called("<sip:bob@other.test"), "The < in front has no > behind the URI");
    EXPECT_EQ(called("<sip:bob@other.test> now"),
              "Behind the > stand only a comma and digits to press");
    // RFC 3261 §19.1.5
    EXPECT_EQ(called("sip:bob@other.test?Replaces=1"),
              "\"sip:bob@other.test?Replaces=1\" asks for headers of its own (behind the ?), which "
              "are not sent: leave them out");
    EXPECT_EQ(called("sip:bob@other.test;method=REGISTER"),
              "\"sip:bob@other.test;method=REGISTER\" names a method: leave it out");
    EXPECT_EQ(called(std::string(typed_most + 1, '1')),
              "Whom to call has 1001 octets: 1000 are the most");
    EXPECT_EQ(called("bob", {}, ""),
              "Without an account only a whole URI can be called (sip:bob@example.test)");
    EXPECT_EQ(called("sip:bob@other.test", {}, ""), "sip:bob@other.test");
}

// The prefix is for what is a plain number, and for no rule's.
TEST(DiallingPrefix, StandsBeforePlainNumbersAlone) {
    Dialling own{.prefix = "0", .voicemail = "97,,1#", .pickup = "8"};
    EXPECT_EQ(called("030 1234", own), "sip:00301234@example.test");
    EXPECT_EQ(called("1,5", own), "sip:01@example.test then ,,5");
    EXPECT_EQ(called("+4930", own), "sip:+4930@example.test");
    EXPECT_EQ(called("*21#", own), "sip:*21%23@example.test");
    EXPECT_EQ(called("#31#", own), "sip:%2331%23@example.test");
    EXPECT_EQ(called("bob", own), "sip:bob@example.test");
    EXPECT_EQ(called("1@example.test", own), "sip:1@example.test");
    EXPECT_EQ(called("sip:1@example.test", own), "sip:1@example.test");
    EXPECT_EQ(called("tel:1", own), "sip:1@example.test;user=phone");
    EXPECT_EQ(called("97", own), "sip:97@example.test") << "the voicemail";
    EXPECT_EQ(called("8101", own), "sip:8101@example.test") << "picks up 101";
    EXPECT_EQ(called("971", own), "sip:0971@example.test");
}

TEST(DiallingPlan, IsForNumbersAndGoesBeforeThePrefix) {
    auto own = with_rules({"[1-9]xx", "0900x. ! dear", "<00:+>x.", "<*:77>1"}, "0");
    EXPECT_EQ(called("123", own), "sip:123@example.test") << "a rule's number has no prefix";
    EXPECT_EQ(called("1-23", own), "sip:123@example.test");
    EXPECT_EQ(called("0043 1", own), "sip:+431@example.test");
    EXPECT_EQ(called("1234", own), "sip:01234@example.test") << "no rule fits";
    EXPECT_EQ(called("*1", own), "sip:771@example.test");
    EXPECT_EQ(called("0900 1", own),
              "09001 is not dialled: dear (rule \"0900x.\" of the dial plan)");
    EXPECT_EQ(called("sip:09001@example.test", own), "sip:09001@example.test");
    EXPECT_EQ(called("tel:00431", own), "sip:00431@example.test;user=phone");
    own.voicemail = "09001";
    EXPECT_EQ(called("09001", own), "sip:09001@example.test") << "the voicemail";
}

// Who has set a prefix, and rules for all numbers, and a code that they begin with, gets help.
TEST(DiallingEmergency, NumbersAreDialledAsTheyAre) {
    auto own = with_rules({"x. ! not in the plan"}, "0");
    for (const std::string number : {"112", "911", "999", "110", "000", "1-1-2", "9 1 1"})
        EXPECT_EQ(called(number, own), "sip:" + bare_number(number) + "@example.test");
    own.pickup = "11";
    EXPECT_EQ(called("112", own), "sip:112@example.test");
    own = with_rules({"<00:+>x.", "<:+4930555>xxx"}, "0");
    EXPECT_EQ(called("000", own), "sip:000@example.test");
    EXPECT_EQ(called("110", own), "sip:110@example.test");
    EXPECT_EQ(called("111", own), "sip:+4930555111@example.test");
    EXPECT_EQ(called("1120", own), "sip:01120@example.test") << "another number";
    EXPECT_EQ(target_of("112", {.aor = alices, .dialling = own}).value_or(""),
              "sip:112@example.test");
    own.emergency = {"115"};
    EXPECT_EQ(called("115", own), "sip:115@example.test");
    EXPECT_EQ(called("112", own), "sip:+4930555112@example.test") << "others were named";
}

// A code is a number's begin like another: what the plan refuses is refused, whoever dials it.
TEST(DiallingPickup, HasNoWayAroundThePlan) {
    auto own = with_rules({"0900x. ! dear"});
    own.prefix = "7";
    own.pickup = "0";
    EXPECT_EQ(called("09001", own),
              "09001 is not dialled: dear (rule \"0900x.\" of the dial plan)");
    const auto picked_up = pickup_of("9001", {.aor = alices, .dialling = own});
    ASSERT_FALSE(picked_up);
    EXPECT_EQ(picked_up.error(), "09001 is not dialled: dear (rule \"0900x.\" of the dial plan)");
    EXPECT_EQ(called("0101", own), "sip:0101@example.test") << "no prefix before the code";
}

TEST(DiallingPrefix, MakesNoNumberLongerThanTheLongest) {
    const Dialling own{.prefix = "0"};
    const std::string longest(planned_number_most, '1');
    EXPECT_EQ(called(longest.substr(1), own), "sip:0" + longest.substr(1) + "@example.test");
    EXPECT_EQ(called(longest, own),
              "With the prefix in front the number has 101 digits: 100 are the most");
    EXPECT_EQ(called(longest), "sip:" + longest + "@example.test");
    EXPECT_EQ(called(longest + "1").substr(longest.size() + 3, 13), " is no number");
}

TEST(DiallingTarget, HasThePlanAndNoDigits) {
    const auto own = with_rules({"<0:+49>x."});
    EXPECT_EQ(target_of("030", {.aor = alices, .dialling = own}).value_or(""),
              "sip:+4930@example.test");
    const auto pressed = target_of("030,1", {.aor = alices, .dialling = own});
    ASSERT_FALSE(pressed);
    EXPECT_EQ(pressed.error(),
              "Who is transferred presses no digits: leave out what stands behind the comma");
}

TEST(DiallingVoicemail, IsTheAccountsOwn) {
    auto own = with_rules({"x.!"}, "0");
    const Caller caller{.aor = alices, .dialling = own};
    ASSERT_FALSE(voicemail_of(caller));
    EXPECT_EQ(voicemail_of(caller).error().substr(0, 46),
              "sip:alice@example.test has no voicemail number");
    own.voicemail = "97,,12#";
    EXPECT_EQ(voicemail_of(caller), (Dialled{.uri = "sip:97@example.test", .digits = ",,,,12#"}));
    own.voicemail = "sip:mail@other.test";
    EXPECT_EQ(voicemail_of(caller), (Dialled{.uri = "sip:mail@other.test"}));
}

TEST(DiallingPickup, IsTheCodeAndTheExtension) {
    auto own = with_rules({"x.!"}, "0");
    const Caller caller{.aor = alices, .dialling = own};
    ASSERT_FALSE(pickup_of("101", caller));
    EXPECT_EQ(pickup_of("101", caller).error().substr(0, 41),
              "sip:alice@example.test has no pickup code");
    own.pickup = "**";
    EXPECT_EQ(pickup_of("1 01", caller), "sip:**101@example.test");
    for (const auto* wrong : {"", "bob", "+1", "1,2", "sip:1@example.test"}) {
        const auto none = pickup_of(wrong, caller);
        ASSERT_FALSE(none) << wrong;
        EXPECT_NE(none.error().find("is no extension"), std::string::npos) << none.error();
    }
}

TEST(DiallingPrefix, IsOfDigits) {
    for (const auto* prefix : {"0", "**", "+49", "+", "*#"})
        EXPECT_TRUE(is_dialling_prefix(prefix));
    EXPECT_TRUE(is_dialling_prefix(std::string(dialling_code_most, '1')));
    EXPECT_FALSE(is_dialling_prefix(std::string(dialling_code_most + 1, '1')));
    for (const auto* prefix : {"", "0 ", "a", "0+"}) EXPECT_FALSE(is_dialling_prefix(prefix));
    EXPECT_TRUE(is_dialling_code("*8"));
    EXPECT_TRUE(is_dialling_code(std::string(dialling_code_most, '1')));
    EXPECT_FALSE(is_dialling_code(std::string(dialling_code_most + 1, '1')));
    for (const auto* code : {"", "+", "+49", "a"}) EXPECT_FALSE(is_dialling_code(code)) << code;
}

// Whatever is typed: a URI of SIP, without anything that would end it, or a sentence.
TEST(Dialling, AnythingTypedIsAUriOrASentence) {
    constexpr std::string_view signs =
        "sip:tel@<>,;=?%#*+0123456789abpw()C.-[] /\"\r\n\x7f\xc3\xa0";
    std::mt19937 random(7);
    const auto own = with_rules({"<0:+49>x.", "[1-9]x.!"}, "0");
    for (int round = 0; round < 20'000; ++round) {
        std::string typed = round % 3 == 0 ? "tel:" : round % 3 == 1 ? "sip:" : "";
        for (auto left = random() % 24; left > 0; --left) typed += signs[random() % signs.size()];
        const auto read = dialled(typed, {.aor = alices, .dialling = own});
        if (!read) {
            EXPECT_FALSE(read.error().empty()) << typed;
            continue;
        }
        const auto uri = sip::OwnedUri::parse(read->uri);
        ASSERT_TRUE(uri) << typed << " became " << read->uri;
        EXPECT_TRUE(uri->get().is_sip()) << read->uri;
        EXPECT_EQ(read->uri.find_first_of("<> \"\r\n\x7f"), std::string::npos) << read->uri;
        EXPECT_EQ(read->digits.find_first_not_of("0123456789*#ABCDabcd,"), std::string::npos);
        EXPECT_LE(read->digits.size(), 2 * (digits_after_most + 1));
    }
}

}  // namespace
}  // namespace holdfast::phone
