// For tests only: messages from tests/data, and short ways to make one.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "sip/message.h"
#include "sip/response.h"

namespace holdfast::sip::test {

inline std::string read_data(const std::string& path) {
    std::ifstream file(HOLDFAST_TEST_DATA "/" + path, std::ios::binary);
    EXPECT_TRUE(file) << path;
    return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string torture(const std::string& name) {
    return read_data("rfc4475/" + name + ".dat");
}

// The message, which must parse.
inline Message parsed(std::string_view text) {
    auto message = Message::parse(text);
    EXPECT_TRUE(message) << message.error().reason << " at " << message.error().offset << " of\n"
                         << text;
    return message ? std::move(*message) : Message();
}

// The error of a message that must not parse.
inline ParseError refused(std::string_view text) {
    const auto message = Message::parse(text);
    EXPECT_FALSE(message) << text;
    return message ? ParseError{} : message.error();
}

// A whole request around some header lines (each with its CRLF).
inline std::string request_with(std::string_view lines,
                                std::string_view uri = "sip:bob@example.test") {
    return std::string("OPTIONS ").append(uri) +
           " SIP/2.0\r\n"
           "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx1;rport\r\n"
           "From: <sip:alice@example.test>;tag=a1\r\n"
           "To: <sip:bob@example.test>\r\n"
           "Call-ID: c1\r\n"
           "CSeq: 1 OPTIONS\r\n" +
           std::string(lines) + "\r\n";
}

// What a request that was refused is answered with.
inline std::string answer_to(std::string_view text) {
    const auto error = refused(text);
    EXPECT_TRUE(error.answerable);
    const auto salvaged = Message::salvage(text);
    std::string out;
    if (salvaged)
        write_response(
            out, *salvaged,
            {.status = error.status, .to_tag = "t9", .source = Endpoint::parse("192.0.2.9:5099")});
    return out;
}

}  // namespace holdfast::sip::test
