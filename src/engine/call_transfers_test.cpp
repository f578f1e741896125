// INVITEs that come in the place of calls, requests to call others, and who is said to call, on the
// wire (RFC 3891, RFC 3515, RFC 3325, RFC 5806). Not tested here: three phones
// (tests/transfers_test.cpp).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "engine/call_orders_bench.h"

namespace holdfast::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string replaces(const std::string& call_id, const std::string& to, const std::string& from,
                     const std::string& more = {}) {
    return "Replaces: " + call_id + ";to-tag=" + to + ";from-tag=" + from + more + "\r\n";
}
// The last message of ours; a keep-alive is none.
std::string last_sent(const Orders& orders) {
    for (const auto& [target, text] : orders.driver().sent | std::views::reverse)
        if (sip::Message::parse(text)) return text;
    return {};
}
int last_status(const Orders& orders) { return status_of(last_sent(orders)); }
// With a fault of the host there may have been none (tools/run-with-faults).
Event last_event(const Orders& orders) {
    const auto& events = orders.driver().events;
    return events.empty() ? Event{} : events.back().second;
}

std::size_t count_of(const Orders& orders, std::string_view method) {
    return static_cast<std::size_t>(std::ranges::count_if(
        orders.driver().sent, [&](const auto& sent) { return sent.second.starts_with(method); }));
}
Orders::World over_tcp() {
    return {.transport = Transport::tcp, .record_route = "<sip:proxy.example.test;lr>"};
}

// RFC 3891 §3: a confirmed call goes on with somebody else; the user is told, and nothing rings.
TEST(CallReplaced, AConfirmedOne) {
    Orders orders;
    orders.play("inv answer ack");
    const auto first = orders.current();
    const auto before = orders.log();
    orders.other("INVITE", replaces("call-1", orders.our_tag(), "b1"));
    EXPECT_EQ(orders.log(), before + " 180 replaced");
    EXPECT_EQ(last_event(orders).other, first);
    EXPECT_EQ(last_event(orders).reason, "Carol <sip:carol@example.test>");
    orders.play("answer");
    EXPECT_EQ(orders.log(), before + " 180 replaced 200 BYE answered call_ended");
    EXPECT_EQ(last_event(orders).call, first);
    EXPECT_EQ(last_event(orders).reason, "another has taken over the call");
    orders.demand_an_end();
}

// RFC 3891 §3: what cannot be accepted leaves the call as it was.
TEST(CallReplaced, NotBeforeTheNewOneIsAccepted) {
    Orders orders;
    orders.play("inv answer ack");
    const auto before = orders.log();
    orders.other("INVITE", replaces("call-1", orders.our_tag(), "b1"));
    orders.feed(in::Reject{orders.current(), 488});
    EXPECT_EQ(orders.log(), before + " 180 replaced 488 call_ended");
    orders.play("bye");
    EXPECT_EQ(last_status(orders), 200) << "the first call is still there";
    orders.demand_an_end();
}

// RFC 3891 §3: one that we have called and that rings there: it is cancelled.
TEST(CallReplaced, AnEarlyOneOfOurs) {
    Orders orders;
    orders.play("dial 180");
    const auto before = orders.log();
    orders.other("INVITE", replaces(orders.our_call_id(), orders.our_tag(), "b1", ";early-only"));
    EXPECT_EQ(orders.log(), before + " 180 replaced");
    orders.play("answer");
    EXPECT_EQ(orders.log(), before + " 180 replaced 200 CANCEL answered call_ended");
    orders.demand_an_end();
}

// RFC 3891 §3: who does not know Call-ID and both tags exactly replaces nothing.
TEST(CallReplaced, OnlyByWhoKnowsTheDialog) {
    Orders orders;
    orders.play("inv answer ack");
    const auto tag = orders.our_tag();
    const auto status = [&](const std::string& headers) {
        orders.other("INVITE", headers);
        const int answered = last_status(orders);
        if (answered < 200) ADD_FAILURE() << "taken: " << headers;
        return answered;
    };
    EXPECT_EQ(status(replaces("call-2", tag, "b1")), 481);
    EXPECT_EQ(status(replaces("CALL-1", tag, "b1")), 481);
    EXPECT_EQ(status(replaces("call-1", tag + "x", "b1")), 481);
    EXPECT_EQ(status(replaces("call-1", tag, "b2")), 481);
    EXPECT_EQ(status(replaces("call-1", tag, "0")), 481) << "the peer has a tag";
    EXPECT_EQ(status(replaces("call-1", "b1", tag)), 481) << "tags as we have them";
    EXPECT_EQ(status(replaces("call-1", tag, "b1", ";early-only")), 486);
    EXPECT_EQ(status("Replaces: call-1;to-tag=" + tag + "\r\n"), 400);
    EXPECT_EQ(status(replaces("call-1", tag, "b1") + replaces("call-1", tag, "b1")), 400);
    const auto before = orders.log();
    orders.other("INVITE", replaces("call-1", tag, "b1"), Orders::Sender::stranger);
    EXPECT_EQ(orders.log(), before) << "strangers get no answer";
    orders.play("bye");
    EXPECT_EQ(last_status(orders), 200) << "the call is still there";
    orders.demand_an_end();
}

// RFC 3891 §3: what rings here is nobody's to take; what has just ended does not ring again.
TEST(CallReplaced, NotWhatRingsOrHasEnded) {
    Orders orders;
    orders.play("inv");
    const auto value = replaces("call-1", orders.our_tag(), "b1");
    orders.other("INVITE", value);
    EXPECT_EQ(last_status(orders), 481);
    orders.play("answer ack bye");
    orders.other("INVITE", value);
    EXPECT_EQ(last_status(orders), 603);
    orders.play("wait>33");
    orders.other("INVITE", value);
    EXPECT_EQ(last_status(orders), 481) << "nobody remembers it any more";
    Orders ours;
    ours.play("inv answer ack");
    const auto tag = ours.our_tag();
    ours.play("hangup");
    ours.other("INVITE", replaces("call-1", tag, "b1"));
    EXPECT_EQ(last_status(ours), 603) << "our BYE has no answer yet";
    orders.demand_an_end();
}

// RFC 3515 §2.4.2: only who is in a call with us has us call another, and only if we like that.
TEST(CallReferred, OnlyInACall) {
    Orders orders;
    const std::string refer_to = "Refer-To: <sip:carol@example.test>\r\n";
    orders.other("REFER", refer_to);
    EXPECT_EQ(last_status(orders), 403);
    const auto before = orders.log();
    orders.other("REFER", refer_to, Orders::Sender::stranger);
    EXPECT_EQ(orders.log(), before) << "strangers get no answer";
    orders.play("inv answer ack refer~c1");
    EXPECT_EQ(last_status(orders), 500) << "out of order";
    const auto in_call = orders.log();
    orders.play("refer");
    EXPECT_EQ(orders.log(), in_call + " 202 NOTIFY referred");
    orders.play("refer~to");
    EXPECT_EQ(last_status(orders), 481) << "another dialog";
    orders.demand_an_end();
    Orders unwilling(Orders::Begin::registered, {.follows_transfers = false});
    unwilling.play("inv answer ack refer");
    EXPECT_EQ(last_status(unwilling), 603);
}

// L8: a report whose connection is lost goes over the next one, also when the call has ended: a
// call that has something to report is not over.
TEST(CallReferred, AReportGoesOverTheNewConnection) {
    for (const bool ended : {false, true}) {
        Orders orders{Orders::Begin::registered, over_tcp()};
        orders.play("inv answer ack refer");
        if (ended) orders.play("bye");
        ASSERT_EQ(count_of(orders, "NOTIFY "), 1U);
        orders.lose_connection();
        EXPECT_EQ(count_of(orders, "NOTIFY "), 1U) << "there is no way yet";
        orders.play("wait>4");
        EXPECT_EQ(count_of(orders, "NOTIFY "), 2U) << orders.trace();
        EXPECT_EQ(orders.driver().opened.size(), 2U) << orders.trace();
        orders.demand_an_end();
    }
}

// L8: a REFER for which there is no way waits for one; of one that was under way nobody knows
// whether it got there, and it is not said twice.
TEST(CallTransferred, ARequestGoesOverTheNewConnection) {
    for (const bool under_way : {false, true}) {
        Orders orders{Orders::Begin::registered, over_tcp()};
        orders.play("inv answer ack");
        const in::Transfer transfer{orders.current(), "sip:carol@example.test"};
        if (under_way) orders.feed(transfer);
        orders.lose_connection();
        if (!under_way) orders.feed(transfer);
        EXPECT_EQ(count_of(orders, "REFER "), under_way ? 1U : 0U) << orders.trace();
        EXPECT_EQ(orders.driver().count(EventKind::transfer_failed), 0U);
        orders.play("wait>4");
        EXPECT_EQ(count_of(orders, "REFER "), 1U) << orders.trace();
        EXPECT_EQ(orders.driver().count(EventKind::call_ended), 0U);
        orders.demand_an_end();
    }
}

// RFC 3261 §12.2.1.1: that REFER's answer and its NOTIFYs name our new Contact is no reason to be
// sure that the far side uses it: it is told as always.
TEST(CallReferred, ANewContactIsToldAllTheSame) {
    Orders orders;
    orders.play("inv answer");
    orders.rebind(20'001);
    orders.play("wait>23 refer");  // before the next copy of the 200, which names it, too
    ASSERT_THAT(orders.contact(), HasSubstr("@198.51.100.7:20001")) << orders.trace();
    ASSERT_EQ(count_of(orders, "INVITE "), 0U);
    orders.play("ack");
    EXPECT_EQ(count_of(orders, "INVITE "), 1U) << orders.trace();
}

// RFC 3261 §21.3.3, RFC 5806 §4: the caller is sent elsewhere, and learns from whom and why.
TEST(CallForwarded, TellsWhereAndWhy) {
    Orders orders;
    orders.play("inv");
    orders.feed(in::Reject{.call = orders.current(), .forward_to = "mailto:x@y.test"});
    EXPECT_EQ(last_event(orders).kind, EventKind::notice) << "and it rings on";
    orders.feed(in::Reject{.call = orders.current(),
                           .forward_to = "sip:carol@example.test;method=BYE?Subject=x",
                           .why = call::Diverted::user_busy});
    const auto answer = last_sent(orders);
    EXPECT_THAT(answer, HasSubstr("SIP/2.0 302 "));
    EXPECT_THAT(answer, HasSubstr("\r\nContact: <sip:carol@example.test>\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nDiversion: <sip:alice@example.test>;reason=user-busy\r\n"));
    EXPECT_EQ(last_event(orders).reason, "forwarded to sip:carol@example.test");
    orders.demand_an_end();
}

// So that each can see that a caller goes in a circle.
TEST(CallForwarded, TellsWhoDivertedBefore) {
    Orders orders;
    orders.other("INVITE", "Diversion: <sip:dave@example.test>;reason=away\r\n");
    EXPECT_THAT(last_event(orders).diverted_by, ElementsAre("sip:dave@example.test"));
    orders.feed(in::Reject{.call = orders.current(), .forward_to = "sip:carol@example.test"});
    EXPECT_THAT(last_sent(orders),
                HasSubstr("\r\nDiversion: <sip:alice@example.test>;reason=deflection\r\n"
                          "Diversion: <sip:dave@example.test>;reason=away\r\n"));
}

// RFC 3325 §9.1: who calls is whom the account's own server says; it may have the phone answer.
TEST(CallIdentity, OfWhoCalls) {
    Orders orders;
    orders.other("INVITE",
                 "P-Asserted-Identity: \"Dave\" <sip:dave@example.test>\r\n"
                 "Call-Info: <sip:x@y.test>;answer-after=3\r\n");
    EXPECT_EQ(last_event(orders).kind, EventKind::ring);
    EXPECT_EQ(last_event(orders).reason, "Dave <sip:dave@example.test>");
    EXPECT_EQ(last_event(orders).expires, 3s);
}

// RFC 3323 §4.1.1.3, RFC 3325 §9.2: the other side sees nobody; the account's server may know.
TEST(CallIdentity, IsWithheld) {
    Orders orders;
    orders.feed(in::Dial{.account = AccountId{1},
                         .call = CallRef{1},
                         .uri = "sip:bob@example.test",
                         .streams = Orders::audio(),
                         .options = {.number = call::Number::withheld}});
    const auto invite = last_sent(orders);
    EXPECT_THAT(invite,
                HasSubstr("\r\nFrom: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag="));
    EXPECT_THAT(invite, HasSubstr("\r\nPrivacy: id\r\n"));
    EXPECT_THAT(invite, HasSubstr("\r\nP-Preferred-Identity: <sip:alice@example.test>\r\n"));
    Orders shown;
    shown.play("dial");
    EXPECT_THAT(last_sent(shown), Not(HasSubstr("Privacy")));
    EXPECT_THAT(last_sent(shown), HasSubstr("\r\nFrom: <sip:alice@example.test>;tag="));
}

}  // namespace
}  // namespace holdfast::engine
