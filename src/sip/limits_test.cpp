// Each limit of sip/limits.h: at it, and one past it.
#include "sip/limits.h"

#include <gtest/gtest.h>

#include "sip/stream.h"
#include "tests/sip_test_data.h"

namespace holdfast::sip {
namespace {

using test::parsed;
using test::refused;
using test::request_with;

std::string repeated(std::string_view text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out.append(text);
    return out;
}

// request_with() has five header lines of its own.
constexpr std::size_t own_lines = 5;

TEST(Limits, MessageBytes) {
    const auto head = request_with("");
    const auto largest = head + std::string(limits::message_bytes - head.size(), 'x');
    EXPECT_EQ(parsed(largest).text().size(), limits::message_bytes);
    const auto error = refused(largest + "x");
    EXPECT_EQ(error.kind, ParseError::Kind::too_large);
    EXPECT_EQ(error.status, 513);
    EXPECT_TRUE(error.answerable);
}

TEST(Limits, HeaderBytes) {
    const auto rest = request_with("X: \r\n").size();
    const auto at = request_with("X: " + std::string(limits::header_bytes - rest, 'x') + "\r\n");
    EXPECT_EQ(parsed(at).text().size(), limits::header_bytes);
    const auto past =
        request_with("X: " + std::string(limits::header_bytes - rest + 1, 'x') + "\r\n");
    EXPECT_EQ(refused(past).kind, ParseError::Kind::too_large);
    StreamFramer framer;
    framer.feed(std::string(limits::header_bytes, 'x'));
    EXPECT_FALSE(framer.next());
    framer.feed("x");
    EXPECT_EQ(framer.next()->error.kind, ParseError::Kind::too_large);
}

TEST(Limits, HeaderFields) {
    const auto at = limits::header_fields - own_lines;
    EXPECT_EQ(parsed(request_with(repeated("X: y\r\n", at))).headers().size(),
              limits::header_fields);
    EXPECT_EQ(refused(request_with(repeated("X: y\r\n", at + 1))).kind,
              ParseError::Kind::too_large);
}

TEST(Limits, ListValues) {
    const auto list = [](std::string_view header, std::string_view value, std::size_t times) {
        std::string line(header);
        line.append(": ")
            .append(repeated(std::string(value) + ",", times - 1))
            .append(value)
            .append("\r\n");
        return request_with(line);
    };
    const auto most = limits::list_values;
    EXPECT_EQ(parsed(list("Via", "SIP/2.0/UDP h", most - 1)).vias().size(),
              most);  // one is there already
    EXPECT_EQ(refused(list("Via", "SIP/2.0/UDP h", most)).reason, "too many Via values");
    EXPECT_EQ(parsed(list("Contact", "<sip:h>", most)).contacts().size(), most);
    EXPECT_EQ(refused(list("Contact", "<sip:h>", most + 1)).reason, "too many Contact values");
    EXPECT_EQ(parsed(list("Route", "<sip:h>", most)).routes().size(), most);
    EXPECT_EQ(refused(list("Route", "<sip:h>", most + 1)).reason, "too many route values");
    EXPECT_EQ(parsed(request_with(repeated("WWW-Authenticate: X\r\n", most))).challenges().size(),
              most);
    EXPECT_EQ(refused(request_with(repeated("WWW-Authenticate: X\r\n", most + 1))).reason,
              "too many challenges");
    EXPECT_EQ(parsed(request_with(repeated("Authorization: X\r\n", most))).authorizations().size(),
              most);
    EXPECT_EQ(refused(request_with(repeated("Authorization: X\r\n", most + 1))).reason,
              "too many credentials");
}

TEST(Limits, Parameters) {
    constexpr std::size_t own = 3;  // branch, rport, tag
    const auto with = [](std::size_t count) {
        return request_with("Contact: <sip:h>" + repeated(";x", count) + "\r\n");
    };
    const auto message = parsed(with(limits::parameters - own));
    EXPECT_EQ(message.contacts()[0].parameters.size(), limits::parameters - own);
    EXPECT_EQ(message.from().tag(), "a1");  // what was read before the pool grew is still right
    EXPECT_EQ(refused(with(limits::parameters - own + 1)).reason, "too many parameters");
}

TEST(Limits, Tokens) {
    const auto with = [](std::size_t count) {
        return request_with("Supported: " + repeated("x,", count) + "\r\n");
    };
    EXPECT_EQ(parsed(with(limits::tokens)).tokens().size(), limits::tokens);
    EXPECT_EQ(refused(with(limits::tokens + 1)).reason, "too many tokens");
}

TEST(Limits, UriBytes) {
    const auto with = [](std::size_t size) {
        return request_with("", "sip:" + std::string(size - 4, 'h'));
    };
    EXPECT_EQ(parsed(with(limits::uri_bytes)).request_uri().text.size(), limits::uri_bytes);
    EXPECT_EQ(refused(with(limits::uri_bytes + 1)).reason, "URI too long");
}

TEST(Limits, MaxForwards) {
    EXPECT_EQ(parsed(request_with("Max-Forwards: 255\r\n")).max_forwards(), limits::max_forwards);
    EXPECT_EQ(parsed(request_with("Max-Forwards: 256\r\n")).max_forwards(), std::nullopt);
}

TEST(Limits, StreamMessageBytes) {
    const auto body = [](std::size_t size) {
        const auto head = request_with("Content-Length: 00000\r\n").size();
        return request_with("Content-Length: " + std::to_string(size - head) + "\r\n");
    };
    StreamFramer framer;
    framer.feed(body(limits::message_bytes));
    EXPECT_FALSE(framer.next());
    EXPECT_GT(framer.buffered(), 0U);
    StreamFramer other;
    other.feed(body(limits::message_bytes + 1));
    EXPECT_EQ(other.next()->error.kind, ParseError::Kind::too_large);
}

}  // namespace
}  // namespace holdfast::sip
