// Digits in the bodies of INFOs: read, written, and hidden. Not tested here: when they are sent
// (call/digits_test.cpp), that logs and recordings hide them (engine/recording_test.cpp).
#include "sip/digit_info.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "sip/redaction.h"

namespace holdfast::sip {
namespace {

constexpr auto relay = DigitForm::relay;
constexpr auto plain = DigitForm::plain;

TEST(DigitInfo, ADigitIsReadAsPhonesWriteIt) {
    for (const char digit : std::string_view("0123456789*#ABCD"))
        for (const auto form : {relay, plain})
            EXPECT_EQ(digit_in(form, digit_body(form, digit, Duration{})), digit);
    for (const std::string_view body : {"Signal=5\r\nDuration=160\r\n", "Signal= 5\nDuration= 160",
                                        "Duration=160\r\nSignal=5", "signal = 5 \r\n", "Signal=5"})
        EXPECT_EQ(digit_in(relay, body), '5') << body;
    EXPECT_EQ(digit_in(relay, "Signal=d\r\n"), 'D');
    EXPECT_EQ(digit_in(relay, "Signal=10\r\n"), '*');
    EXPECT_EQ(digit_in(relay, "Signal=11\r\n"), '#');
    EXPECT_EQ(digit_in(relay, "Signal=15\r\n"), 'D');
    EXPECT_EQ(digit_in(plain, "5\r\n"), '5');
}

TEST(DigitInfo, WhatIsNoDigitIsNone) {
    for (const std::string_view body :
         {"", "5", "Signal=", "Signal=16", "Signal=hf", "Signal=55", "Signal=E", "Signal=5 6",
          "Signal", "NoSignal=5", "Duration=5", "Signal=-1", "Signal=05", "Signal=x\r\nSignal=5"})
        EXPECT_EQ(digit_in(relay, body), std::nullopt) << body;
    for (const std::string_view body : {"", "55", "Signal=5", "!", "16"})
        EXPECT_EQ(digit_in(plain, body), std::nullopt) << body;
    const std::string fill(digit_body_most - 9, ' ');
    EXPECT_EQ(digit_in(relay, "Signal=5\n" + fill), '5');
    EXPECT_EQ(digit_in(relay, "Signal=5\n" + fill + " "), std::nullopt);
}

TEST(DigitInfo, IsWrittenAsEveryGatewayReadsIt) {
    EXPECT_EQ(digit_body(relay, '#', std::chrono::milliseconds{160}),
              "Signal=#\r\nDuration=160\r\n");
    EXPECT_EQ(digit_body(plain, '#', std::chrono::milliseconds{160}), "#");
    EXPECT_EQ(digit_form("Application/DTMF-Relay"), relay);
    EXPECT_EQ(digit_form("application/dtmf"), plain);
    EXPECT_EQ(digit_form("application/sdp"), std::nullopt);
    EXPECT_TRUE(are_keys("0a,#"));
    for (const auto* text : {"", "1\r\n", "1 2", "e"}) EXPECT_FALSE(are_keys(text)) << text;
}

// A replay is told the same: of what is a digit and what is none, and as long as it was.
TEST(DigitInfo, AMaskedDigitIsADigit) {
    for (const auto form : {relay, plain}) {
        for (const std::string value : {"5", "d", "*", "10", "15", "16", "55", "hf", "", "1234"}) {
            const auto body = form == relay ? "Signal=" + value + "\r\nDuration=250\r\n" : value;
            const auto masked = masked_digits(form, body);
            EXPECT_EQ(masked.size(), body.size()) << body;
            const auto digit = digit_in(form, body);
            EXPECT_EQ(digit_in(form, masked), digit ? std::optional{'A'} : std::nullopt) << body;
            if (form == relay) {
                EXPECT_NE(masked.find("Duration=250"), std::string::npos) << masked;
            }
        }
    }
    EXPECT_EQ(masked_digits(relay, "Signal=1\r\nSignal=1234"), "Signal=A\r\nSignal=AAAA");
    EXPECT_EQ(masked_digits(plain, "10\r\n"), "A \r\n");
    EXPECT_EQ(masked_digits("12,,4#"), "AA,,AA");
}

std::string info(std::string_view type, std::string_view body, std::string_view length_name) {
    return "INFO sip:bob@192.0.2.2 SIP/2.0\r\n" + std::string(type) + "\r\n" +
           std::string(length_name) + ": " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string(body);
}

// Of a stream, too, whose pieces may be cut anywhere, and where the next message follows at once.
TEST(DigitInfo, IsHiddenWhereverTheTextIsCut) {
    const std::string text =
        info("Content-Type: application/dtmf", "7", "Content-Length") +
        info("c:\r\n application/dtmf-relay ; x=y", "Signal=7\r\nDuration=77", "l") +
        info("Content-Type: application/sdp", "a=7", "Content-Length") +
        info("content-type : APPLICATION/DTMF", "7", "l") + "BYE sip:77@192.0.2.2 SIP/2.0\r\n\r\n";
    const std::string hidden =
        info("Content-Type: application/dtmf", "A", "Content-Length") +
        info("c:\r\n application/dtmf-relay ; x=y", "Signal=A\r\nDuration=77", "l") +
        info("Content-Type: application/sdp", "a=7", "Content-Length") +
        info("content-type : APPLICATION/DTMF", "A", "l") + "BYE sip:77@192.0.2.2 SIP/2.0\r\n\r\n";
    EXPECT_EQ(redact_authorization(text), hidden);
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        AuthorizationRedactor redactor;
        auto shown = redactor.feed(text.substr(0, cut));
        EXPECT_EQ(shown.find("Signal=7"), std::string::npos) << cut;
        shown += redactor.feed(text.substr(cut));
        shown += redactor.finish();
        ASSERT_EQ(shown, hidden) << "cut at " << cut;
    }
}

// A datagram may do without a length; what is cut short, or too long, is hidden as well, and it is
// not for ever that all is taken for digits.
TEST(DigitInfo, IsHiddenInMalformedMessages) {
    const std::string head = "INFO sip:b SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n";
    EXPECT_EQ(redact_authorization(head + "\r\nSignal=7"), head + "\r\nSignal=A");
    EXPECT_EQ(redact_authorization(head + "Content-Length: 99\r\n\r\nSignal=7\r\n"),
              head + "Content-Length: 99\r\n\r\nSignal=A\r\n");
    EXPECT_EQ(redact_authorization(head + "Content-Length: 0\r\n\r\nSignal=7"),
              head + "Content-Length: 0\r\n\r\nSignal=7");
    const std::string far = "INFO sip:b SIP/2.0\r\nContent-Type:" + std::string(1000, ' ') +
                            "\r\n\t application/dtmf;x=" + std::string(1000, 'y') + "\r\n\r\n";
    EXPECT_EQ(redact_authorization(far + "7"), far + "A") << "no blanks push it out of sight";
    const std::string fill(digit_body_most, '.');
    EXPECT_EQ(redact_authorization(head + "\r\nSignal=7\n" + fill + "\nSignal=7"),
              head + "\r\nSignal=A\n" + fill + "\nSignal=7");
}

}  // namespace
}  // namespace holdfast::sip
