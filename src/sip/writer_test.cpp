// Printing: byte exact, in call order, and nothing a caller hands in can end a line.
#include "sip/writer.h"

#include <gtest/gtest.h>

#include "tests/sip_test_data.h"

namespace holdfast::sip {
namespace {

TEST(Writer, RegisterByteForByte) {
    std::string out;
    Writer writer(out);
    writer.request_line(Method::register_, "sip:pbx.example.com");
    writer.via({.transport = "UDP",
                .sent_by = "192.168.1.23:5060",
                .branch = "z9hG4bKPjkq3Rz0bV7mT2hYwXcLd8nFaGpQ1sE6uJ"});
    writer.max_forwards(70);
    writer.from("Alice Example", "sip:1001@pbx.example.com", "Zt4kX9wLq2HnVb7e");
    writer.to("Alice Example", "sip:1001@pbx.example.com", {});
    writer.call_id("7fK2mQxP0dR9sTbYwZ4hLcVn3aEgJu6i");
    writer.cseq(41234, Method::register_);
    writer.header(HeaderName::user_agent, "ExampleUA/1.0 (Linux x86_64)");
    writer.contact("sip:1001@192.168.1.23:5060;ob",
                   ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\";reg-id=1");
    writer.header(HeaderName::expires, 300U);
    writer.header(HeaderName::supported, "path, outbound, gruu");
    writer.header(HeaderName::allow,
                  "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK, REFER, NOTIFY, INFO");
    writer.finish();
    EXPECT_EQ(out, test::read_data("messages/a_register.sip"));
}

// N8: compact names where a datagram would become too long. They mean the same.
TEST(Writer, CompactNames) {
    std::string out;
    Writer writer(out, NameForm::compact);
    writer.request_line("OPTIONS", "sip:h");
    writer.via({.transport = "TCP",
                .sent_by = "h",
                .branch = "z9hG4bK1",
                .rport = false,
                .extra = ";keep"});
    writer.from({}, "sip:a@h", "1");
    writer.to({}, "sip:b@h", {});
    writer.call_id("c");
    writer.cseq(1, Method::options);
    writer.contact("sip:a@h");
    writer.header(HeaderName::supported, "path");
    writer.header("X-Mine", "y");
    writer.finish("v=0\r\n", "application/sdp");
    EXPECT_EQ(out,
              "OPTIONS sip:h SIP/2.0\r\n"
              "v: SIP/2.0/TCP h;branch=z9hG4bK1;keep\r\n"
              "f: <sip:a@h>;tag=1\r\n"
              "t: <sip:b@h>\r\n"
              "i: c\r\n"
              "CSeq: 1 OPTIONS\r\n"
              "m: <sip:a@h>\r\n"
              "k: path\r\n"
              "X-Mine: y\r\n"
              "c: application/sdp\r\n"
              "l: 5\r\n"
              "\r\n"
              "v=0\r\n");
    const auto message = test::parsed(out);
    EXPECT_TRUE(message.supports("path"));
    EXPECT_EQ(message.header("from"), "<sip:a@h>;tag=1");
}

TEST(Writer, AppendsBehindWhatIsThere) {
    std::string out = "before";
    Writer writer(out);
    writer.status_line(200, "");
    writer.lines("A: b\r\n");
    writer.header(HeaderName::expires, 4294967295U);
    EXPECT_EQ(out, "beforeSIP/2.0 200 \r\nA: b\r\nExpires: 4294967295\r\n");
}

TEST(Writer, DisplayNamesAreQuoted) {
    for (const std::string_view name : {"A", "A \"B\" \\C", "sixteen octets!!", "\"",
                                        "\\\\\\\\\\\\\\\\\\\\", "\xC3\xA9t\xC3\xA9"}) {
        std::string out;
        Writer(out).address(HeaderName::refer_to, name, "sip:a@h", ";x=y");
        const auto value = std::string_view(out).substr(10, out.size() - 12);
        const auto parsed = OwnedNameAddr::parse(value);
        ASSERT_TRUE(parsed) << value;
        EXPECT_EQ(unescape(parsed->get().display_name), name);
        EXPECT_EQ(parsed->get().parameters.find("x"), "y");
    }
}

// A line end in a value would be a header of the attacker's choice.
TEST(Writer, NoValueEndsItsLine) {
    const std::string_view evil("a\r\nEvil: yes\0!", 14);
    std::string out;
    Writer writer(out);
    writer.request_line("OPTIONS", evil);
    writer.status_line(200, evil);
    writer.via({.transport = evil, .sent_by = evil, .branch = evil, .extra = evil});
    writer.from(evil, evil, evil);
    writer.address(HeaderName::contact, evil, evil, evil);
    writer.cseq(1, evil);
    writer.header(HeaderName::subject, evil);
    writer.header(evil, evil);
    EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 8);
    EXPECT_EQ(std::count(out.begin(), out.end(), '\r'), 8);
    EXPECT_EQ(std::count(out.begin(), out.end(), '\0'), 0);
    EXPECT_NE(out.find("Subject: a  Evil: yes !\r\n"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::sip
