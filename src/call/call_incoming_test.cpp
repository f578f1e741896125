// A call that comes, and a peer that says what it likes, in any order (RFC 3261 §8.2, §13.3, §15;
// RFC 3262; RFC 4028). Each row is a story of messages and what must come of it.
#include <gtest/gtest.h>

#include "call/call.h"
#include "call/call_stories.h"
#include "call/limits.h"

namespace holdfast::call {
namespace {

// RFC 3261 §13.3.1, §9.2, §15: an incoming call.
TEST(Call, AnIncomingCall) {
    tell_incoming({
        {"", "", ringing},
        {"answer ack", "200 answered media"},
        {"answer ack bye", "200 answered media 200 silence call_ended", over},
        {"answer answer ack", "200 answered media"},
        {"answer bye", "200 answered media 200 silence call_ended", over},
        {"answer inv+", "200 answered media 491", State::answered},
        {"answer cancel ack", "200 answered media"},
        {"answer reject ack", "200 answered media"},
        {"answer ack ack", "200 answered media"},
        {"answer ack hold RE:200a+", "200 answered media re-INVITE ACK media held"},
        {"answer hold ack", "200 answered media re-INVITE"},
        {"answer hangup", "200 answered media silence call_ended", ending},
        {"answer hangup ack BYE:200", "200 answered media silence call_ended BYE", over},
        {"answer wait>33",
         "200 answered media 200 200 200 200 200 200 200 200 200 200 BYE silence call_ended",
         ending},
        {"reject", "486 call_ended", over},
        {"reject answer", "486 call_ended", over},
        {"hangup", "486 call_ended", over},
        {"cancel", "487 call_ended", over},
        {"cancel answer", "487 call_ended", over},
        {"bye", "200 487 call_ended", over},
        {"inv+", "500", ringing},
        {"upd+", "500", ringing},
        {"upd", "200", ringing},
        {"old", "500", ringing},
        {"prack#0", "481", ringing},
        {"wait>181", "180 180 480 call_ended", over},
        {"hold media moved resume", "", ringing},
    });
}

// RFC 3261 §13.2.1, §13.3.1: our 2xx has the offer, the ACK the answer.
TEST(Call, AnIncomingCallWithoutAnOffer) {
    tell_incoming(
        {
            {"answer ack+", "200 answered media"},
            {"answer ack", "200 answered BYE call_ended", ending},
            {"answer upd+", "200 answered 491", State::answered},
            {"answer hangup ack+", "200 answered call_ended BYE", ending},
        },
        {}, {});
}

// RFC 3262 §3: who demands it acknowledges our ringing.
TEST(Call, AnIncomingCallThatDemandsReliability) {
    tell_incoming(
        {
            {"prack#0", "200", ringing},
            {"prack#1 prack#0 prack#0", "481 200 481", ringing},
            {"prack#0 wait>100", "200", ringing},
            {"answer prack#0 ack", "200 answered media 200"},
            {"answer prack#0 prack#0 ack", "200 answered media 200 481"},
            {"answer wait>2", "200 answered media 200 200",
             State::answered},  // our 2xx again, and no 180
            {"wait>33", "180 180 180 180 180 180 504 call_ended", over},
        },
        "Require: 100rel\r\n");
}

// RFC 4028 §9, §10: as the callee we refresh if asked to, and notice who does not.
TEST(Call, TheSessionTimerOfAnIncomingCall) {
    const std::string timer = "Supported: timer\r\nSession-Expires: 90;refresher=";
    tell_incoming({{"answer ack wait>59", "200 answered media"},
                   {"answer ack wait>61", "200 answered media BYE silence call_ended", ending},
                   {"answer ack wait>59 upd wait>59", "200 answered media 200"}},
                  timer + "uac\r\n");
    tell_incoming(
        {{"answer ack wait>46", "200 answered media re-INVITE"},
         {"answer ack wait>46 RE:200a+ wait>46", "200 answered media re-INVITE ACK media"}},
        timer + "uas\r\n");
    tell_incoming({{"answer ack wait>46 UPDATE:200a", "200 answered media UPDATE"}},
                  timer + "uas\r\nAllow: INVITE, ACK, BYE, UPDATE\r\n");
}

// What cannot become a call is refused, and no user hears of it.
TEST(Call, InvitationsThatAreNone) {
    auto bench = Bench::incoming("Supported: timer\r\nSession-Expires: 30\r\n");
    EXPECT_EQ(bench.log(), "422");
    EXPECT_EQ(bench.state(), over);
    bench = Bench::incoming({}, "nonsense");
    EXPECT_EQ(bench.log(), "400");
    bench = Bench::incoming("Content-Type: text/plain\r\n", "nonsense");
    EXPECT_EQ(bench.log(), "415");
    EXPECT_EQ(bench.responses().back().headers, "Accept: application/sdp\r\n");
    bench = Bench::incoming("Contact: <sip:another@192.0.2.2>\r\n");
    EXPECT_EQ(bench.log(), "400");  // RFC 3261 §8.1.1.8: one Contact
    bench = Bench::incoming("Expires: 5\r\n");
    bench.play("wait>6");
    EXPECT_EQ(bench.log(), "180 ring 487 call_ended");
}

}  // namespace
}  // namespace holdfast::call
