// Digits by INFO, ours and the peer's: each row is a story (RFC 3261 §12.2, RFC 6086 §2). Not
// tested here: how a body is read (sip/digit_info_test.cpp), who chooses INFO
// (apps/phone/phone_dialling_test.cpp).
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "call/call_stories.h"
#include "call/limits.h"

namespace holdfast::call {
namespace {

void tell_pressed(const std::vector<Story>& stories) {
    for (auto story : stories) {
        story.said.insert(0, "200a+ ");
        story.done.insert(0, story.done.empty() ? "ACK answered media" : "ACK answered media ");
        tell_dialled({story});
    }
}

// One after the other: the next goes when the answer is there and the tone is over.
TEST(Digits, GoInOrder) {
    tell_pressed({
        {"press>12", "INFO"},
        {"press>12 INFO:200", "INFO"},
        {"press>12 wait>1", "INFO"},
        {"press>12 INFO:200 wait>1", "INFO INFO"},
        {"press>12 wait>1 INFO:200", "INFO INFO"},
        {"press>12 wait>1 INFO:200 INFO:200", "INFO INFO digits_sent"},
        {"press>12 INFO:200 wait>1 INFO:202", "INFO INFO digits_sent"},
        {"press>1 INFO:200 press>2", "INFO digits_sent"},
        {"press>1 INFO:200 press>2 wait>1", "INFO digits_sent INFO"},
        {"press>1 press>2 INFO:200 wait>1 INFO:200", "INFO INFO digits_sent"},
        // A comma is a second, behind the digit before.
        {"press>1,2 INFO:200 wait>1", "INFO"},
        {"press>1,2 INFO:200 wait>2", "INFO INFO"},
        {"press>,, wait>1", ""},
        {"press>,, wait>2", "digits_sent"},
        // Nor does an INFO wait for a change of ours.
        {"press>1 hold INFO:200 RE:200a+", "INFO re-INVITE digits_sent ACK media held"},
    });
    Bench bench;
    bench.play("200a+ press>1");
    const auto first = bench.last(sip::Method::info).request;
    EXPECT_EQ(first.content_type, "application/dtmf-relay");
    EXPECT_EQ(first.body, "Signal=1\r\nDuration=160\r\n");
    EXPECT_FALSE(first.has_contact) << "it refreshes no target";
    bench.play("INFO:200 plain>B");
    bench.pass(259ms);
    EXPECT_EQ(bench.last(sip::Method::info).request.body, first.body) << "its sound is not over";
    bench.pass(1ms);
    const auto& second = bench.last(sip::Method::info).request;
    EXPECT_EQ(second.content_type, "application/dtmf");
    EXPECT_EQ(second.body, "B");
    EXPECT_EQ(second.cseq, first.cseq + 1);
}

// What refuses an INFO refuses a digit, and not the call (RFC 5057 §5.1); the rest would be another
// number.
TEST(Digits, ThatAreRefusedEndNoCall) {
    tell_pressed({
        {"press>12 INFO:415 wait>1", "INFO digits_failed"},
        {"press>12 INFO:405 wait>1 press>3", "INFO digits_failed INFO"},
        {"press>12 INFO:500 wait>1", "INFO digits_failed"},
        {"press>12 INFO:503>5 wait>9", "INFO digits_failed"},
        {"press>1 INFO:407 INFO:200", "INFO INFO digits_sent"},
        {"press>1 INFO:407x", "INFO digits_failed"},
        {"press>12 cut>200 wait>1", "INFO INFO"},
        {"press>12 cut>415 wait>1", "INFO digits_failed"},
    });
    Bench bench;
    bench.play("200a+ press>12 INFO:415");
    EXPECT_EQ(bench.events().back().status, 415);
    EXPECT_EQ(bench.events().back().reason, "Words");
    bench.play("wait>1 press>3");
    EXPECT_EQ(bench.last(sip::Method::info).request.body, "Signal=3\r\nDuration=160\r\n")
        << "and not what was left of the number before";
}

// RFC 3261 §12.2.1.2: 481, 408 and no answer at all say that there is no call.
TEST(Digits, ThatNobodyKnowsEndTheCall) {
    tell_pressed({
        {"press>12 INFO:481 wait>33", "INFO digits_failed silence call_ended", over},
        {"press>12 INFO:408", "INFO digits_failed BYE silence call_ended", ending},
        {"press>12 lost", "INFO digits_failed BYE silence call_ended", ending},
        {"press>12 cut>481 wait>33", "INFO digits_failed silence call_ended", over},
    });
}

// RFC 3261 §8.1.3.1: one that never left goes when there is a way; of one that was under way nobody
// knows, and it is not pressed twice.
TEST(Digits, WaitForAWay) {
    tell_pressed({
        {"press>12 noway wait>4", "INFO"},
        {"press>12 noway wait>5", "INFO INFO"},
        {"press>12 noway way INFO:200 wait>1 INFO:200", "INFO INFO INFO digits_sent"},
        {"press>1 noway way way INFO:200", "INFO INFO digits_sent"},
        {"press>1 noway way noway way noway way noway way noway",
         "INFO INFO INFO INFO INFO digits_failed"},
        {"press>12 unheard way", "INFO digits_failed"},
        {"press>12 underway way", "INFO digits_failed"},
        {"press>12 left way", "INFO digits_failed"},
    });
    Bench bench;
    bench.play("200a+ press>12 noway way");
    EXPECT_EQ(bench.last(sip::Method::info).request.body, "Signal=1\r\nDuration=160\r\n");
}

TEST(Digits, AreOfACallThatIsThere) {
    tell_dialled({{"press>1", "digits_failed", calling},
                  {"180a press>1 200a+", "ringing digits_failed ACK answered media"}});
    tell_pressed({
        {"press>1x", "digits_failed"},
        {"press>", "digits_failed"},
        {"press>1 press>x INFO:200", "INFO digits_failed digits_sent"},
        {"press>12 bye INFO:200 wait>1", "INFO 200 silence call_ended", ending},
        {"press>12 hangup INFO:200 wait>1", "INFO BYE silence call_ended", ending},
        {"press>1 hangup INFO:407", "INFO BYE silence call_ended", ending},
        {"hangup press>1", "BYE silence call_ended", ending},
    });
    // Ours waits for the ACK: until then nobody may know the dialog.
    tell_incoming({{"press>1", "digits_failed", ringing},
                   {"answer press>1", "200 answered media", State::answered},
                   {"answer press>1 ack", "200 answered media INFO"}});
    Bench bench;
    bench.play("200a+ press>" + std::string(limits::digits, '1'));
    EXPECT_TRUE(bench.log().ends_with("media INFO"));
    bench = Bench{};
    bench.play("200a+ press>" + std::string(limits::digits + 1, '1'));
    EXPECT_TRUE(bench.log().ends_with("media digits_failed"));
    bench = Bench{};  // whoever was taken before is sent
    bench.play("200a+ press>12 press>" + std::string(limits::digits, '1') + " INFO:200 wait>1");
    EXPECT_EQ(bench.last(sip::Method::info).request.body, "Signal=2\r\nDuration=160\r\n");
    bench.play("INFO:200");
    EXPECT_TRUE(bench.log().ends_with("media INFO digits_failed INFO digits_sent")) << bench.log();
}

// Those that wait are sent as they were asked for, whatever is asked for behind them.
TEST(Digits, HaveEachItsFormAndLength) {
    Bench bench;
    bench.play("200a+ press>12 plain>a");
    bench.tell(told::Press{.digits = "d", .length = 0s});
    bench.tell(told::Press{.digits = "9", .length = 1h});
    std::string bodies;
    for (int i = 0; i < 5; ++i) {
        bodies += bench.last(sip::Method::info).request.body + "|";
        bench.play("INFO:200 wait>1");
    }
    EXPECT_EQ(bodies,
              "Signal=1\r\nDuration=160\r\n|Signal=2\r\nDuration=160\r\n|A|"
              "Signal=D\r\nDuration=40\r\n|Signal=9\r\nDuration=8000\r\n|");
    EXPECT_TRUE(bench.log().ends_with("digits_sent")) << bench.log();
}

TEST(Digits, OfThePeerAreTold) {
    tell_pressed({
        {"info=5 info_7", "200 dtmf 200 dtmf"},
        {"info=16 info=55 info_x", "200 200 200"},  // nothing that could be done with it
        {"info", "200"},
        {"info?", "415"},
        {"info~", "200"},  // handling=optional
        {"info%", "469"},  // RFC 6086 §4.2.2
        {"info=5-b", "481"},
        {"info=5 old", "200 dtmf 500"},
        {"bye info=5", "200 silence call_ended 481", ending},
    });
    tell_incoming({{"info=5", "200 dtmf", ringing}});
    Bench bench;
    bench.play("200a+ info=*");
    EXPECT_EQ(bench.events().back().reason, "*");
    bench.play("info?");
    EXPECT_EQ(bench.responses().back().headers,
              "Accept: application/dtmf-relay, application/dtmf\r\n");
    bench.play("info%");
    EXPECT_EQ(bench.responses().back().headers, "Recv-Info:\r\n");
}

// RFC 3261 §20.5: by its Allow; without one nothing is known.
TEST(Digits, WhetherThePeerTakesThemIsTold) {
    auto bench = Bench::incoming("Allow: INVITE, ACK, BYE, INFO\r\n");
    bench.play("answer");
    EXPECT_TRUE(bench.media().takes_info);
    bench = Bench::incoming("Allow: INVITE, ACK, BYE\r\n");
    bench.play("answer");
    EXPECT_FALSE(bench.media().takes_info);
    bench = Bench::incoming();
    bench.play("answer");
    EXPECT_FALSE(bench.media().takes_info);
}

}  // namespace
}  // namespace holdfast::call
