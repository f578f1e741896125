// Calls that are handed on, and a peer that says what it likes about it: each row is a story (RFC
// 3515, RFC 3892, RFC 4488, RFC 3891). Not tested here: who dials and who is found
// (engine/call_transfers_test.cpp).
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "call/call_bench.h"
#include "call/limits.h"

namespace holdfast::call {
namespace {

struct Story {
    std::string said;
    std::string done;  // after the call is there
    State end = State::established;
};
constexpr auto ending = State::ending;
constexpr auto over = State::over;

void tell_stories(const std::vector<Story>& stories) {
    const std::string beginning = "dialling INVITE ACK answered media";
    for (const auto& story : stories) {
        Bench bench;
        bench.play("200a+");
        bench.play(story.said);
        EXPECT_EQ(bench.log(), story.done.empty() ? beginning : beginning + " " + story.done)
            << "after: " << story.said;
        EXPECT_EQ(name_of(bench.state()), name_of(story.end)) << "after: " << story.said;
        // Whatever was said: if the peer falls silent the call does not hang in the air for ever.
        bench.play("hangup silence wait>40 silence wait>40 silence wait>700 silence");
        EXPECT_EQ(name_of(bench.state()), name_of(over)) << "after: " << story.said;
        EXPECT_EQ(bench.ends(), 1U) << "the user is told of one end: " << story.said;
    }
}

std::string header(const dialog::Request& request, std::string_view name) {
    const auto at = request.headers.find(std::string(name) + ": ");
    if (at == std::string::npos) return {};
    const auto begin = at + name.size() + 2;
    return request.headers.substr(begin, request.headers.find('\r', begin) - begin);
}
const Event& last_event(const Bench& bench) { return bench.events().back(); }

// RFC 3515 §2.4.4, §2.4.5: it is followed by NOTIFYs; our call ends when it has come about, and not
// before.
TEST(Transfer, IsFollowedToItsEnd) {
    tell_stories({
        {"transfer", "REFER"},
        {"transfer REFER:202a", "REFER transferring"},
        {"transfer REFER:202a notify100 notify180 notify200.",
         "REFER transferring 200 transferring 200 transferring 200 transferred BYE silence "
         "call_ended",
         ending},
        {"transfer REFER:202a notify180 notify180", "REFER transferring 200 transferring 200"},
        {"transfer REFER:202a notify486.", "REFER transferring 200 transfer_failed"},
        {"transfer REFER:202a notify486. notify200.", "REFER transferring 200 transfer_failed 481"},
        {"transfer REFER:202a notify200",
         "REFER transferring 200 transferred BYE silence call_ended", ending},
        // A NOTIFY before the 202, which it stands for (§2.4.4).
        {"transfer notify100 REFER:202a notify200.",
         "REFER 200 transferring 200 transferred BYE silence call_ended", ending},
        {"transfer notify200. REFER:202a", "REFER 200 transferred BYE silence call_ended", ending},
        // §2.4.4: it may end its reports with the first; nobody knows what becomes of it then.
        {"transfer REFER:202a notify100.", "REFER transferring 200 transfer_failed"},
    });
}

TEST(Transfer, IsRefused) {
    tell_stories({
        {"transfer REFER:603a", "REFER transfer_failed"},
        {"transfer REFER:405a transfer REFER:202a", "REFER transfer_failed REFER transferring"},
        {"transfer REFER:407 REFER:202a", "REFER REFER transferring"},
        {"transfer REFER:407x", "REFER transfer_failed"},
        {"transfer REFER:481a wait>33", "REFER transfer_failed silence call_ended", over},
        {"transfer REFER:408a", "REFER transfer_failed BYE silence call_ended", ending},
        {"transfer lost", "REFER transfer_failed BYE silence call_ended", ending},
        {"transfer transfer", "REFER notice"},
        {"transfer bye", "REFER 200 transfer_failed silence call_ended", ending},
        {"transfer REFER:202a hangup", "REFER transferring BYE transfer_failed silence call_ended",
         ending},
        {"transfer REFER:202a hangup notify200.",
         "REFER transferring BYE transfer_failed silence call_ended 481", ending},
        {"hangup transfer", "BYE silence call_ended", ending},
    });
}

// RFC 3261 §8.1.3.1: one that never left goes when there is a way, with the next number.
TEST(Transfer, WaitsForAWay) {
    tell_stories({
        {"transfer noway", "REFER"},
        {"transfer noway wait>4", "REFER"},
        {"transfer noway wait>5 REFER:202a", "REFER REFER transferring"},
        {"transfer noway way REFER:202a notify200.",
         "REFER REFER transferring 200 transferred BYE silence call_ended", ending},
        {"transfer noway way way", "REFER REFER"},
        {"transfer noway transfer", "REFER notice"},
        {"transfer noway hangup way", "REFER BYE transfer_failed silence call_ended", ending},
        {"transfer noway bye way", "REFER 200 transfer_failed silence call_ended", ending},
        {"transfer noway way noway way noway way noway way noway way",
         "REFER REFER REFER REFER REFER transfer_failed"},
        // A new Contact goes first, and both are under way at once.
        {"transfer noway moved way REFER:202a UPDATE:200a", "REFER UPDATE REFER transferring"},
    });
    Bench bench;
    bench.play("200a+ transfer");
    const auto first = bench.last(sip::Method::refer).request;
    bench.play("noway way");
    const auto& again = bench.last(sip::Method::refer).request;
    EXPECT_EQ(again.headers, first.headers);
    EXPECT_EQ(again.cseq, first.cseq + 1);
    EXPECT_EQ(header(again, "Refer-To"), "<sip:carol@example.test>");
}

// RFC 3515 §2.4.4: of one that was under way when its connection was lost nobody knows whether it
// got there. The other side would call twice if it were said twice; if it got there, a NOTIFY says
// so.
TEST(Transfer, IsNotAskedForTwice) {
    tell_stories({
        {"transfer unheard way", "REFER transferring"},
        {"transfer underway way wait>31", "REFER transferring"},
        {"transfer unheard way wait>32", "REFER transferring transfer_failed"},
        {"transfer unheard way notify100 wait>59", "REFER transferring 200 transferring"},
        {"transfer unheard way notify200.",
         "REFER transferring 200 transferred BYE silence call_ended", ending},
        {"transfer unheard hangup", "REFER transferring BYE transfer_failed silence call_ended",
         ending},
        {"transfer notify180 unheard", "REFER 200 transferring"},
        {"transfer! unheard way", "REFER transfer_failed"},     // nothing will be said of it
        {"transfer unheard REFER:202a", "REFER transferring"},  // it came late all the same
    });
}

// I8: an answer past a limit: its status says what became of the REFER.
TEST(Transfer, AnAnswerPastALimit) {
    tell_stories({
        {"transfer long>202 notify200.",
         "REFER transferring 200 transferred BYE silence call_ended", ending},
        {"transfer long>202 wait>32", "REFER transferring transfer_failed"},
        {"transfer long>603", "REFER transfer_failed"},
        {"transfer long>481 wait>33", "REFER transfer_failed silence call_ended", over},
        {"refer long>200 heard>100 wait>1 heard>180", "202 referred NOTIFY NOTIFY"},
        {"refer long>481 heard>100 wait>1 heard>180", "202 referred NOTIFY"},
    });
}

// RFC 3515 §3.4, RFC 6665 §4.1.2.4: a subscription ends, by itself if nothing is said.
TEST(Transfer, SilenceEndsIt) {
    tell_stories({
        {"transfer REFER:202a wait>31", "REFER transferring"},
        {"transfer REFER:202a wait>32", "REFER transferring transfer_failed"},
        {"transfer REFER:202a notify180 wait>59", "REFER transferring 200 transferring"},
        {"transfer REFER:202a notify180 wait>60",
         "REFER transferring 200 transferring transfer_failed"},
    });
}

TEST(Transfer, NotifiesThatAreNone) {
    tell_stories({
        {"notify200.", "481"},
        {"transfer REFER:202a notify-event", "REFER transferring 489"},
        {"transfer REFER:202a notify-id", "REFER transferring 481"},
        {"transfer REFER:202a notify-state", "REFER transferring 400"},
        {"transfer REFER:202a notify", "REFER transferring 200"},
        {"transfer REFER:202a notify999", "REFER transferring 200"},
        {"transfer REFER:202a notify200-b", "REFER transferring 481"},
    });
}

// RFC 4488 §4: without reports the 2xx is all that is known, if the other side agrees to that.
TEST(Transfer, WithoutReports) {
    tell_stories({
        {"transfer! REFER:202a=", "REFER transferred BYE silence call_ended", ending},
        {"transfer! REFER:202a", "REFER transferring"},
        {"transfer! REFER:202a notify200.",
         "REFER transferring 200 transferred BYE silence call_ended", ending},
        {"transfer REFER:202a=", "REFER transferring"},
    });
    Bench bench;
    bench.play("200a+ transfer!");
    EXPECT_EQ(header(bench.last(sip::Method::refer).request, "Refer-Sub"), "false");
}

TEST(Transfer, WhatTheReferSays) {
    Bench bench;
    bench.play("200a+ transfer");
    const auto& refer = bench.last(sip::Method::refer).request;
    EXPECT_EQ(header(refer, "Refer-To"), "<sip:carol@example.test>");
    EXPECT_EQ(header(refer, "Referred-By"), "<sip:alice@example.test>");
    EXPECT_EQ(header(refer, "Refer-Sub"), "");
    EXPECT_TRUE(refer.has_contact) << "RFC 3515 §2.2";
    bench.play("REFER:202a notify486.");
    EXPECT_EQ(last_event(bench).status, 486);
    EXPECT_EQ(last_event(bench).reason, "Words");
}

TEST(Transfer, OnlyOfACallThatIsAnswered) {
    Bench early;
    early.play("180a transfer");
    EXPECT_EQ(early.log(), "dialling INVITE ringing transfer_failed");
    auto incoming = Bench::incoming();
    incoming.play("transfer answer transfer ack transfer");
    EXPECT_EQ(incoming.log(), "180 ring transfer_failed 200 answered media transfer_failed REFER");
}

// RFC 3515 §2.4.4: who has us call another hears what becomes of it, at most once a second (§3.10).
TEST(Referral, IsFollowedAndReported) {
    tell_stories({
        {"refer", "202 referred NOTIFY"},
        {"refer NOTIFY:200 heard>100", "202 referred NOTIFY"},
        {"refer NOTIFY:200 heard>100 heard>180", "202 referred NOTIFY"},
        {"refer NOTIFY:200 heard>100 heard>180 wait>1", "202 referred NOTIFY NOTIFY"},
        {"refer heard>100 heard>180 wait>5", "202 referred NOTIFY"},  // one after the other
        {"refer heard>100 heard>180 wait>5 NOTIFY:200", "202 referred NOTIFY NOTIFY"},
        {"refer NOTIFY:200 heard>100 wait>2 heard>200 NOTIFY:200 wait>300",
         "202 referred NOTIFY NOTIFY"},
        {"refer NOTIFY:407 NOTIFY:200 heard>100", "202 referred NOTIFY NOTIFY"},
        {"refer NOTIFY:200 heard>100 wait>2 heard>200 bye",
         "202 referred NOTIFY NOTIFY 200 silence call_ended", ending},
        // The BYE of who asked ends no subscription.
        {"refer NOTIFY:200 heard>100 bye wait>2 heard>200",
         "202 referred NOTIFY 200 silence call_ended NOTIFY", ending},
        {"refer NOTIFY:200 heard>100 bye wait>2 heard>200 NOTIFY:481 wait>33",
         "202 referred NOTIFY 200 silence call_ended NOTIFY", over},
        {"refer NOTIFY:481 heard>100 heard>180 wait>2 heard>200", "202 referred NOTIFY"},
    });
}

// L8: a report that did not get there is said over the next way, as things stand by then; and the
// call is not over before, for nobody else will say it.
TEST(Referral, ReportsWaitForAWay) {
    tell_stories({
        {"refer noway", "202 referred NOTIFY"},
        {"refer noway wait>4", "202 referred NOTIFY"},
        {"refer noway wait>5", "202 referred NOTIFY NOTIFY"},
        {"refer noway way", "202 referred NOTIFY NOTIFY"},
        {"refer unheard way way", "202 referred NOTIFY NOTIFY"},
        {"refer NOTIFY:200 way", "202 referred NOTIFY"},
        {"refer noway heard>100 heard>180 heard>200 wait>1 way NOTIFY:200 wait>10",
         "202 referred NOTIFY NOTIFY"},
        // The last one, after the BYE of who asked.
        {"refer NOTIFY:200 heard>100 bye wait>2 heard>200 noway wait>4",
         "202 referred NOTIFY 200 silence call_ended NOTIFY", ending},
        {"refer NOTIFY:200 heard>100 bye wait>2 heard>200 underway way NOTIFY:200 wait>33",
         "202 referred NOTIFY 200 silence call_ended NOTIFY NOTIFY", over},
        {"refer noway heard>100 bye way NOTIFY:200 heard>200 wait>1 NOTIFY:200 wait>33",
         "202 referred NOTIFY 200 silence call_ended NOTIFY NOTIFY", over},
        {"refer NOTIFY:200 heard>100 hangup noway way BYE:200 heard>200 wait>1",
         "202 referred NOTIFY BYE silence call_ended BYE NOTIFY", ending},
        // Not for ever.
        {"refer noway way noway way noway way noway way noway way wait>30",
         "202 referred NOTIFY NOTIFY NOTIFY NOTIFY NOTIFY"},
        {"refer heard>100 bye noway way noway way noway way noway way noway wait>33",
         "202 referred NOTIFY 200 silence call_ended NOTIFY NOTIFY NOTIFY NOTIFY", over},
    });
    Bench bench;
    bench.play("200a+ refer NOTIFY:200 heard>100 wait>1 heard>486 noway way");
    const auto& notify = bench.last(sip::Method::notify).request;
    EXPECT_EQ(notify.body, "SIP/2.0 486 Busy Here\r\n");
    EXPECT_EQ(header(notify, "Subscription-State"), "terminated;reason=noresource");
}

TEST(Referral, TheReportsSayWhatHappened) {
    Bench bench;
    bench.play("200a+ refer");
    const auto notify = [&] { return bench.last(sip::Method::notify).request; };
    EXPECT_EQ(notify().body, "SIP/2.0 100 Trying\r\n");
    EXPECT_EQ(notify().content_type, "message/sipfrag;version=2.0");
    EXPECT_EQ(header(notify(), "Event"), "refer");
    EXPECT_EQ(header(notify(), "Subscription-State"), "active;expires=240");
    EXPECT_TRUE(notify().has_contact);
    bench.play("NOTIFY:200 heard>100 heard>180 wait>1");
    EXPECT_EQ(notify().body, "SIP/2.0 180 Ringing\r\n");
    bench.play("NOTIFY:200 heard>486 wait>1");
    EXPECT_EQ(notify().body, "SIP/2.0 486 Busy Here\r\n");
    EXPECT_EQ(header(notify(), "Subscription-State"), "terminated;reason=noresource");
    // RFC 3515 §2.4.6: the second REFER's NOTIFYs name it.
    bench.play("NOTIFY:200 refer");
    EXPECT_EQ(header(notify(), "Event"), "refer;id=3");
    const auto& event = last_event(bench);
    EXPECT_EQ(event.kind, EventKind::referred);
    EXPECT_EQ(event.contact, "sip:carol@example.test");
    EXPECT_EQ(event.reason, "Bob <sip:bob@example.test>");
}

// It is accepted on the application's behalf, which may do nothing.
TEST(Referral, ThatNobodyFollows) {
    Bench bench;
    bench.play("200a+ refer NOTIFY:200");
    bench.pass(limits::referral_dialled - 1us);
    EXPECT_EQ(bench.last(sip::Method::notify).request.body, "SIP/2.0 100 Trying\r\n");
    bench.pass(1us);
    EXPECT_EQ(bench.last(sip::Method::notify).request.body,
              std::string("SIP/2.0 603 ") + "Decline\r\n");
    EXPECT_EQ(bench.state(), State::established);
    // RFC 3515 §3.4: one that rings for ever has an end too.
    Bench ringing;
    ringing.play("200a+ refer NOTIFY:200 heard>180 wait>1 NOTIFY:200 wait>238");
    EXPECT_EQ(header(ringing.last(sip::Method::notify).request, "Subscription-State"),
              "active;expires=239");
    ringing.play("wait>2");
    EXPECT_EQ(header(ringing.last(sip::Method::notify).request, "Subscription-State"),
              "terminated;reason=timeout");
}

TEST(Referral, IsRefused) {
    tell_stories({
        {"refer0", "400"},
        {"refer2", "400"},
        {"refer>mailto:carol@example.test", "403"},
        {"refer>sip:carol@example.test;method=BYE", "403"},
        {"refer>sip:carol@example.test;method=INVITE", "202 referred NOTIFY"},
        {"refer>tel:+15551234", "202 referred NOTIFY"},
        {"refer>sip:carol@x.test?Replaces=1%3Bto-tag%3Da", "400"},
        {"refer>sip:carol@x.test?Replaces=1%0D%0AX:y%3Bto-tag%3Da%3Bfrom-tag%3Db", "400"},
        {"refer refer", "202 referred NOTIFY 491"},
        {"refer-b", "481"},
    });
    Bench early;
    early.play("180a refer");
    EXPECT_EQ(early.log(), "dialling INVITE ringing 403");
}

// A peer that asks without end.
TEST(Referral, ThereAreOnlySoMany) {
    Bench bench;
    bench.play("200a+");
    const auto refused = [&] { return bench.responses().back().status; };
    for (std::size_t i = 0; i < limits::referrals; ++i) {
        bench.play("refer NOTIFY:200 heard>486 wait>1 NOTIFY:200");
        EXPECT_EQ(refused(), 202) << i;
    }
    bench.play("refer");
    EXPECT_EQ(refused(), 403);
}

// RFC 4488 §4.
TEST(Referral, WithoutReports) {
    tell_stories({
        {"refer~", "202 referred"},
        {"refer~ heard>100 heard>200 wait>10", "202 referred"},
        {"refer~ bye", "202 referred 200 silence call_ended", ending},
        {"refer~ bye heard>100 wait>33", "202 referred 200 silence call_ended", over},
    });
    Bench bench;
    bench.play("200a+ refer~");
    EXPECT_EQ(bench.responses().back().headers, "Refer-Sub: false\r\n");
}

// RFC 3891 §3: the call whose place another has taken.
TEST(Replaced, EndsAsItsStateDemands) {
    tell_stories({{"replaced", "BYE silence call_ended", ending},
                  {"replaced bye", "BYE silence call_ended 200", ending}});
    Bench early;
    early.play("180a replaced");
    EXPECT_EQ(early.log(), "dialling INVITE ringing CANCEL call_ended");
    auto answered = Bench::incoming();
    answered.play("answer replaced");
    EXPECT_EQ(answered.log(), "180 ring 200 answered media silence call_ended");
    answered.play("ack");
    EXPECT_TRUE(answered.log().ends_with(" BYE")) << "RFC 3261 §15: not before the ACK";
}

}  // namespace
}  // namespace holdfast::call
