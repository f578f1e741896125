#include "registration/answer.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace holdfast::registration {
namespace {

sip::Message response(std::string_view first_line, std::string_view lines = {}) {
    auto message = sip::Message::parse(std::string(first_line) +
                                       "\r\n"
                                       "Via: SIP/2.0/UDP 10.0.0.2:40000;branch=z9hG4bKx;rport\r\n"
                                       "From: <sip:alice@example.test>;tag=a\r\n"
                                       "To: <sip:alice@example.test>;tag=b\r\n"
                                       "Call-ID: c\r\nCSeq: 1 REGISTER\r\n" +
                                       std::string(lines) + "\r\n");
    EXPECT_TRUE(message.has_value());
    return message ? std::move(*message) : sip::Message{};
}

// Every status has one row, and only one (F5): what is not a success, a question, a redirection or
// an adaptation is either another server's chance (408, 5xx) or to be retried slowly.
TEST(AnswerTable, EveryStatusHasItsRow) {
    const std::map<int, Verdict> named{
        {401, Verdict::challenge},     {407, Verdict::challenge},       {408, Verdict::next_target},
        {420, Verdict::bad_extension}, {421, Verdict::needs_extension}, {423, Verdict::too_brief},
        {439, Verdict::no_outbound}};
    const std::map<int, Verdict> classes{{1, Verdict::progress},    {2, Verdict::success},
                                         {3, Verdict::redirect},    {4, Verdict::slow},
                                         {5, Verdict::next_target}, {6, Verdict::slow}};
    for (int status = 100; status <= 699; ++status) {
        const auto row = named.find(status);
        const auto expected = row == named.end() ? classes.at(status / 100) : row->second;
        EXPECT_EQ(verdict_of(status), expected) << status;
    }
}

// The statuses that the rule spells out (F5).
TEST(AnswerTable, AnotherServerMayDoBetter) {
    for (const int status : {503, 500, 502, 504, 408, 505, 513, 580})
        EXPECT_EQ(verdict_of(status), Verdict::next_target) << status;
}
TEST(AnswerTable, NobodyIsHammered) {
    for (const int status : {400, 403, 404, 410, 429, 482, 600, 603, 604, 606})
        EXPECT_EQ(verdict_of(status), Verdict::slow) << status;
}

// A status outside of RFC 3261 §7.2 is neither success nor a reason to try everybody.
TEST(AnswerTable, NonsenseIsRetriedSlowly) {
    for (const int status : {0, 99, 700, 999, -1}) EXPECT_EQ(verdict_of(status), Verdict::slow);
}

// The user is told the real reason, with reason phrase and Warning (F5; RFC 3261 §20.43).
TEST(AnswerWords, SayStatusPhraseServerAndWarning) {
    const auto message =
        response("SIP/2.0 403 Not Today", "Warning: 399 example.test \"not on the list\"\r\n");
    EXPECT_EQ(in_words(message, "udp:203.0.113.12:5060"),
              "403 Not Today from udp:203.0.113.12:5060: 399 example.test \"not on the list\"");
    EXPECT_EQ(in_words(response("SIP/2.0 404 Not Found"), "tcp:203.0.113.11:5060"),
              "404 Not Found from tcp:203.0.113.11:5060");
}

}  // namespace
}  // namespace holdfast::registration
