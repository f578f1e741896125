// RFC 4028: the interval, the refresher of Table 2, 422, and the end. Not tested here: the requests
// that refresh (call_session_test.cpp).
#include "call/session_timer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "call/limits.h"

namespace holdfast::call {
namespace {

using namespace std::chrono_literals;
const Instant start{1h};

sip::Message message(const std::string& start_line, const std::string& extra) {
    auto parsed = sip::Message::parse(
        start_line +
        "\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
        "To: <sip:c@d>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n" +
        extra + "Content-Length: 0\r\n\r\n");
    EXPECT_TRUE(parsed.has_value());
    return std::move(*parsed);
}
sip::Message invite(const std::string& extra) { return message("INVITE sip:c@d SIP/2.0", extra); }
sip::Message response(int status, const std::string& extra) {
    return message("SIP/2.0 " + std::to_string(status) + " Words", extra);
}

// RFC 4028 §7.1: the first request leaves the refresher open; §4: never below 90 s.
TEST(SessionTimer, WhatWeAskFor) {
    EXPECT_EQ(SessionTimer(1800, 90).offer(), "Session-Expires: 1800\r\nMin-SE: 90\r\n");
    EXPECT_EQ(SessionTimer(5, 5).offer(), "Session-Expires: 90\r\nMin-SE: 90\r\n");
    EXPECT_EQ(SessionTimer(0, 90).offer(), "");
}

// RFC 4028 §9, Table 2.
struct RefresherRow {
    std::string request;
    std::string answer;
    bool we_refresh;
};
TEST(SessionTimer, WhoRefreshesIsAgreedAsTableTwoSays) {
    const std::vector<RefresherRow> table{
        {"Session-Expires: 600\r\n", "Session-Expires: 600;refresher=uas\r\n", true},
        {"Supported: timer\r\nSession-Expires: 600\r\n", "Session-Expires: 600;refresher=uas\r\n",
         true},
        {"Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n",
         "Session-Expires: 600;refresher=uac\r\nRequire: timer\r\n", false},
        {"Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n",
         "Session-Expires: 600;refresher=uas\r\n", true},
        // Nobody asked: we do, and do it ourselves.
        {"Supported: timer\r\n", "Session-Expires: 1800;refresher=uas\r\n", true},
        {"", "Session-Expires: 1800;refresher=uas\r\n", true},
        // Longer than ours is made shorter, but not below the request's Min-SE.
        {"Supported: timer\r\nSession-Expires: 7200;refresher=uac\r\n",
         "Session-Expires: 1800;refresher=uac\r\nRequire: timer\r\n", false},
        {"Supported: timer\r\nSession-Expires: 7200;refresher=uac\r\nMin-SE: 3600\r\n",
         "Session-Expires: 3600;refresher=uac\r\nRequire: timer\r\n", false},
        // A proxy asked too little for a caller that knows no 422.
        {"Session-Expires: 30\r\n", "Session-Expires: 90;refresher=uas\r\n", true},
    };
    for (const auto& row : table) {
        SessionTimer timer(1800, 90);
        EXPECT_EQ(timer.on_answer(start, invite(row.request)), row.answer) << row.request;
        EXPECT_EQ(timer.we_refresh(), row.we_refresh) << row.request;
    }
    SessionTimer off(0, 90);
    EXPECT_EQ(off.on_answer(start, invite("Supported: timer\r\n")), "");
    EXPECT_EQ(off.next(), never);
}

// RFC 4028 §9: too small, from who knows the extension: 422 with Min-SE.
TEST(SessionTimer, TooSmallIsRefused) {
    const SessionTimer timer(1800, 120);
    EXPECT_EQ(timer.refusal_of(invite("Supported: timer\r\nSession-Expires: 119\r\n")),
              "Min-SE: 120\r\n");
    EXPECT_FALSE(timer.refusal_of(invite("Supported: timer\r\nSession-Expires: 120\r\n")));
    EXPECT_FALSE(timer.refusal_of(invite("Session-Expires: 60\r\n")));
    EXPECT_FALSE(timer.refusal_of(invite("Supported: timer\r\n")));
}

// RFC 4028 §7.4: after a 422 we ask for what it names, and name it in Min-SE; not twice the same.
TEST(SessionTimer, A422RaisesWhatWeAskFor) {
    SessionTimer timer(1800, 90);
    EXPECT_FALSE(timer.on_too_small(response(422, "")));
    EXPECT_FALSE(timer.on_too_small(response(422, "Min-SE: 1800\r\n")));
    EXPECT_TRUE(timer.on_too_small(response(422, "Min-SE: 3600\r\n")));
    EXPECT_EQ(timer.offer(), "Session-Expires: 3600\r\nMin-SE: 3600\r\n");
    EXPECT_FALSE(timer.on_too_small(response(422, "Min-SE: 3600\r\n")));
}

// RFC 4028 §10: the refresher refreshes at half the interval, and the call ends 32 s, or a third,
// before its end if that brought nothing.
TEST(SessionTimer, HalfTimeAndEnd) {
    SessionTimer ours(1800, 90);
    ours.on_success(start, response(200, "Session-Expires: 1800;refresher=uac\r\n"));
    EXPECT_EQ(ours.next(), start + 900s);
    EXPECT_EQ(ours.on_time(start + 900s), SessionTimer::Do::refresh);
    EXPECT_EQ(ours.offer(), "Session-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\n");
    EXPECT_EQ(ours.next(), start + 1768s);
    EXPECT_EQ(ours.on_time(start + 1767s), SessionTimer::Do::nothing);
    EXPECT_EQ(ours.on_time(start + 1768s), SessionTimer::Do::expire);
    EXPECT_EQ(ours.next(), never);

    SessionTimer theirs(1800, 90);
    theirs.on_success(start, response(200, "Session-Expires: 90;refresher=uas\r\n"));
    EXPECT_EQ(theirs.next(), start + 60s);
    EXPECT_EQ(theirs.offer(), "Session-Expires: 90;refresher=uas\r\nMin-SE: 90\r\n");
    theirs.on_answer(start + 45s,
                     invite("Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n"));
    EXPECT_EQ(theirs.next(), start + 45s + 60s);
    EXPECT_EQ(theirs.on_time(start + 105s), SessionTimer::Do::expire);
}

// RFC 4028 §7.2: no Session-Expires in the 2xx, no timer; a refresher not named is the caller
// (§7.2); an interval below §4's least does not make us refresh without end.
TEST(SessionTimer, WhatAnAnswerMaySay) {
    SessionTimer timer(1800, 90);
    timer.on_success(start, response(200, ""));
    EXPECT_EQ(timer.next(), never);
    EXPECT_EQ(timer.interval(), 0u);
    timer.on_success(start, response(200, "x: 300\r\n"));
    EXPECT_TRUE(timer.we_refresh());
    EXPECT_EQ(timer.next(), start + 150s);
    timer.on_success(start, response(200, "Session-Expires: 1;refresher=uac\r\n"));
    EXPECT_EQ(timer.next(), start + 45s);
    timer.on_success(start, response(200, "Session-Expires: soon\r\n"));
    EXPECT_EQ(timer.next(), never);
}

}  // namespace
}  // namespace holdfast::call
