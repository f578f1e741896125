// What a user agent makes of requests and responses that parse (RFC 3261 §8.2, §8.1.3.3, §18.1.2).
#include "sip/verdict.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/sip_test_data.h"

namespace holdfast::sip {
namespace {

using test::parsed;
using test::request_with;

constexpr std::array methods = {Method::invite, Method::cancel, Method::options};
constexpr std::array<std::string_view, 1> options = {"timer"};
constexpr std::array<std::string_view, 2> types = {"application/sdp", "text/plain"};
constexpr Capabilities capabilities = {
    .methods = methods, .options = options, .media_types = types, .sent_types = types};

std::optional<Rejection> verdict(const std::string& text, Capabilities with = capabilities) {
    return check_request(parsed(text), with);
}

int status(const std::string& text) {
    const auto rejection = verdict(text);
    return rejection ? rejection->status : 0;
}

std::string of_method(const std::string& method, const std::string& lines = {}) {
    auto text = request_with(lines);
    text.replace(0, 7, method);
    const auto at = text.find("1 OPTIONS");
    return text.replace(at + 2, 7, method);
}

TEST(CheckRequest, Methods) {
    EXPECT_EQ(status(request_with("")), 0);
    EXPECT_EQ(verdict(of_method("BYE"))->status, 405);
    EXPECT_EQ(verdict(of_method("BYE"))->extra_headers, "Allow: INVITE, CANCEL, OPTIONS\r\n");
    EXPECT_EQ(status(of_method("DANCE")), 501);
    EXPECT_EQ(status(of_method("ACK", "Require: nothing\r\n")), 0);
    EXPECT_EQ(status(of_method("CANCEL", "Require: nothing\r\n")), 0);  // RFC 3261 §8.2.2.3
}

TEST(CheckRequest, RequestUri) {
    EXPECT_EQ(status(request_with("", "sips:b@h")), 0);
    EXPECT_EQ(status(request_with("", "tel:+1")), 416);
    EXPECT_EQ(status(request_with("", "urn:service:sos")), 416);
    EXPECT_EQ(status(request_with("", "sip:b@h?x=y")), 400);
    auto with_tel = capabilities;
    with_tel.allow_tel = true;
    EXPECT_FALSE(verdict(request_with("", "tel:+1"), with_tel));
}

TEST(CheckRequest, Extensions) {
    EXPECT_EQ(status(request_with("Require: Timer\r\n")), 0);
    EXPECT_EQ(verdict(request_with("Require: a, timer, b\r\n"))->extra_headers,
              "Unsupported: a, b\r\n");
    EXPECT_EQ(status(request_with("Proxy-Require: a\r\n")), 0);  // a proxy's affair
}

TEST(CheckRequest, Content) {
    EXPECT_EQ(status(request_with("Content-Type: Application/SDP;x=y\r\n") + "b"), 0);
    EXPECT_EQ(status(request_with("Content-Type: x/y\r\n")), 0);  // no body
    EXPECT_EQ(status(request_with("Content-Type: x/y\r\n") + "b"), 415);
    EXPECT_EQ(status(request_with(
                         "Content-Type: x/y\r\nContent-Disposition: render;handling=optional\r\n") +
                     "b"),
              0);
    EXPECT_EQ(status(request_with("") + "b"), 400);
    EXPECT_EQ(verdict(request_with("Content-Type: text/plain\r\ne: gzip\r\n") + "b")->extra_headers,
              "Accept-Encoding: identity\r\n");
    EXPECT_EQ(status(request_with("Content-Type: text/plain\r\ne: identity\r\n") + "b"), 0);
}

TEST(CheckRequest, Accept) {
    for (const std::string accept :
         {"*/*", "application/*", "x/y, APPLICATION/sdp;q=0.5", "text/plain"})
        EXPECT_EQ(status(of_method("INVITE", "Accept: " + accept + "\r\n")), 0) << accept;
    EXPECT_EQ(status(of_method("INVITE", "Accept: x/y\r\nAccept: text/plain\r\n")), 0);
    for (const std::string accept : {"x/y", "", "application", "app/*", "*"})
        EXPECT_EQ(status(of_method("INVITE", "Accept: " + accept + "\r\n")), 406) << accept;
    EXPECT_EQ(status(request_with("Accept: x/y\r\n")), 0);  // OPTIONS is answered without a body
}

TEST(CheckResponse, OnlyOursAndOnlyOneVia) {
    auto response = request_with("");
    response.replace(0, response.find("\r\n"), "SIP/2.0 200 OK");
    EXPECT_EQ(check_response(parsed(response)), std::nullopt);
    EXPECT_EQ(check_response(parsed(response), SentBy{"192.0.2.1", 5060}), std::nullopt);
    EXPECT_EQ(check_response(parsed(response), SentBy{"192.0.2.1", 5070}),
              "sent-by of the top Via is not ours");
    EXPECT_EQ(check_response(parsed(response), SentBy{"192.0.2.2", 5060}),
              "sent-by of the top Via is not ours");
}

}  // namespace
}  // namespace holdfast::sip
