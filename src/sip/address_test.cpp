// From, To, Contact and their kin (RFC 3261 §20.10), Via (§20.42) and parameters.
#include "sip/address.h"

#include <gtest/gtest.h>

#include "tests/sip_test_data.h"

namespace holdfast::sip {
namespace {

using test::parsed;
using test::refused;
using test::request_with;

OwnedNameAddr address(std::string_view text) {
    auto value = OwnedNameAddr::parse(text);
    EXPECT_TRUE(value) << text << ": " << value.error().reason << " at " << value.error().offset;
    return std::move(*value);
}

TEST(NameAddr, Forms) {
    EXPECT_EQ(address("\"A \\\"B\\\"\" <sip:a@h>;tag=1")->display_name, R"(A \"B\")");
    EXPECT_EQ(address("Alice B. <sip:a@h>;tag=1")->display_name, "Alice B.");
    EXPECT_EQ(address("<sip:a@h;lr>;tag=1")->tag(), "1");
    EXPECT_EQ(address("sip:a@h;tag=1")->uri.text, "sip:a@h");
    EXPECT_EQ(address("sip:a@h ; tag = 1")->tag(), "1");
    EXPECT_EQ(address("sip:a@h;tag=1")->tag(), "1");
    EXPECT_EQ(address("tel:+123;phone-context=x")->uri.user, "+123");
    EXPECT_EQ(address("\"\" <sip:a@h>")->display_name, "");
    EXPECT_EQ(address("<sip:a@h> ;x ").text(), "<sip:a@h> ;x");
}

TEST(NameAddr, WhatIsNotOne) {
    for (const std::string_view text :
         {"", "Alice", "Alice sip:a@h", "<sip:a@h", "\"A <sip:a@h>", "\"A\" sip:a@h", "<sip:a@h>;",
          "<sip:a@h>;=x", "<sip:a@h>;x=", "<sip:a@h>;x=\"y", "<sip:a@h> x", "A, B <sip:a@h>", "<>",
          "sip:a@h?x=y", "<sip:a@h>;;x", "\"a\xff\\\x80\" <sip:a@h>"})
        EXPECT_FALSE(OwnedNameAddr::parse(text)) << text;
}

TEST(NameAddr, CopiesAndMoves) {
    auto first = address("\"A\" <sip:a@h>;tag=1");
    const auto copy = first;
    const auto moved = std::move(first);
    EXPECT_EQ(copy->tag(), "1");
    EXPECT_EQ(moved->tag(), "1");
    EXPECT_NE(copy->tag().data(), moved->tag().data());
}

TEST(Contact, ParametersOfABinding) {
    const auto message = parsed(request_with(
        "Contact: "
        "<sip:a@h>;q=0.7;expires=60;+sip.instance=\"<urn:uuid:1>\";reg-id=2;pub-gruu=\"sip:p@h;gr="
        "1\";"
        "temp-gruu=\"sip:t@h;gr\", <sip:b@h>\r\nm: <sip:c@h>;q=1.001;expires=soon\r\n"));
    ASSERT_EQ(message.contacts().size(), 3U);
    const Contact& first = message.contacts()[0];
    EXPECT_EQ(first.q_thousandths, 700);
    EXPECT_EQ(first.expires, 60U);
    EXPECT_EQ(first.instance(), "urn:uuid:1");
    EXPECT_EQ(first.reg_id(), 2U);
    EXPECT_EQ(first.pub_gruu(), "sip:p@h;gr=1");
    EXPECT_EQ(first.temp_gruu(), "sip:t@h;gr");
    const Contact& second = message.contacts()[1];
    EXPECT_FALSE(second.expires);
    EXPECT_FALSE(second.q_thousandths);
    EXPECT_FALSE(second.reg_id());
    EXPECT_EQ(second.instance(), "");
    EXPECT_EQ(second.text, "<sip:b@h>");
    EXPECT_FALSE(message.contacts()[2].q_thousandths);
    EXPECT_EQ(message.contacts()[2].expires, 3600U);  // RFC 3261 §10.2.1.1
}

TEST(Contact, QValues) {
    auto q = [](const std::string& text) {
        return parsed(request_with("Contact: <sip:a@h>;q=" + text + "\r\n"))
            .contacts()[0]
            .q_thousandths;
    };
    EXPECT_EQ(q("0"), 0);
    EXPECT_EQ(q("1"), 1000);
    EXPECT_EQ(q("1.0"), 1000);
    EXPECT_EQ(q("0.125"), 125);
    EXPECT_EQ(q("0."), 0);
    EXPECT_EQ(q("2"), std::nullopt);
    EXPECT_EQ(q("1.1"), std::nullopt);
    EXPECT_EQ(q("0.1234"), std::nullopt);
    EXPECT_EQ(q("01"), std::nullopt);
    EXPECT_EQ(q("-1"), std::nullopt);
}

TEST(Contact, Star) {
    EXPECT_TRUE(parsed(request_with("Contact: *\r\n")).contact_is_star());
    EXPECT_TRUE(parsed(request_with("Contact:* \r\n")).contact_is_star());
    EXPECT_FALSE(parsed(request_with("Contact: <sip:a@h>\r\n")).contact_is_star());
    EXPECT_EQ(refused(request_with("Contact: *;x\r\n")).kind, ParseError::Kind::malformed);
}

TEST(Via, Forms) {
    const auto message = parsed(
        request_with("Via: SIP/2.0/TLS "
                     "[2001:db8::1]:5061;branch=Z9HG4BKx;received=2001:db8::2;rport=4321;ttl=1\r\n"
                     "v: sip / 2.0 / UDP h.example : 5070 ;branch=old;rport, SIP/2.0/ws "
                     "h2;maddr=192.0.2.1;x=\"y\"\r\n"));
    ASSERT_EQ(message.vias().size(), 4U);
    const Via& first = message.vias()[1];
    EXPECT_EQ(first.transport, "TLS");
    EXPECT_EQ(first.host, "[2001:db8::1]");
    EXPECT_EQ(first.port, 5061);
    EXPECT_EQ(first.received, "2001:db8::2");
    EXPECT_EQ(first.rport, 4321);
    EXPECT_TRUE(first.has_magic_cookie());
    const Via& second = message.vias()[2];
    EXPECT_EQ(second.host, "h.example");
    EXPECT_EQ(second.port, 5070);
    EXPECT_TRUE(second.has_rport);
    EXPECT_FALSE(second.rport);
    EXPECT_FALSE(second.received);
    EXPECT_FALSE(second.has_magic_cookie());
    EXPECT_EQ(second.text, "sip / 2.0 / UDP h.example : 5070 ;branch=old;rport");
    EXPECT_EQ(message.vias()[3].parameters.find("maddr"), "192.0.2.1");
    EXPECT_EQ(message.vias()[3].port, 0);
}

TEST(Via, WhatIsNotOne) {
    for (const std::string_view value :
         {"", "SIP/2.0 h", "SIP/2.0/UDP", "SIP/2.0/UDP ", "SIP/2.0/UDPh", "/2.0/UDP h",
          "SIP/2.0/UDP h:x", "SIP/2.0/UDP h:99999", "SIP/2.0/UDP h;", "SIP/2.0/UDP h,",
          "SIP/2.0/UDP h x", "SIP/2.0/UDP [::1", "SIP/2.0/UDP h;branch=<"})
        EXPECT_FALSE(Message::parse(request_with("Via: " + std::string(value) + "\r\n"))) << value;
}

TEST(Parameters, FindIgnoresCaseAndTakesTheFirst) {
    const auto value = address("<sip:a@h>;One=1;FLAG;one=2;q=\"a\\\"b\"");
    EXPECT_EQ(value->parameters.find("one"), "1");
    EXPECT_EQ(value->parameters.find("flag"), "");
    EXPECT_FALSE(value->parameters.find("on"));
    EXPECT_TRUE(value->parameters.has("Q"));
    ASSERT_EQ(value->parameters.size(), 4U);
    EXPECT_FALSE(value->parameters.begin()[1].has_value);
    EXPECT_TRUE(value->parameters.begin()[3].was_quoted);
    EXPECT_EQ(unescape(value->parameters.begin()[3].value), "a\"b");
}

TEST(Parameters, QuotingAndUnescaping) {
    EXPECT_EQ(quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
    EXPECT_EQ(quoted(std::string_view("a\r\nb\0", 5)), "\"ab\"");
    EXPECT_EQ(unescape("a\\\"b\\\\c\\"), "a\"b\\c\\");
    EXPECT_EQ(percent_decode("%41%4a%zz%4%"), "AJ%zz%4%");
    EXPECT_EQ(percent_decode("%2541"), "%41");  // once
}

}  // namespace
}  // namespace holdfast::sip
