// A call follows its account's flow (L8), octet by octet: what is told to the far side when our
// Contact is another, what is not, and what becomes of requests whose connection is lost.
//   RFC 3261 §8.1.3.1, §9.1, §12.2.1.1; RFC 3263 §4.3. Not tested here: end to end
//   (tests/calls_moving_test.cpp).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "engine/call_orders_bench.h"
#include "engine/limits.h"

namespace holdfast::engine {
namespace {

using Begin = Orders::Begin;

std::vector<std::string> invites_of(const Orders& it) {
    std::vector<std::string> found;
    for (const auto& [target, text] : it.driver().sent)
        if (text.starts_with("INVITE ")) found.push_back(text);
    return found;
}
std::optional<Target> asked_with(const Orders& it, const std::string& method) {
    for (const auto& [target, text] : it.driver().sent)
        if (text.starts_with(method + " ")) return target;
    return {};
}
std::string line_of(const std::string& message, const std::string& name) {
    const auto at = message.find("\r\n" + name + ": ");
    return at == std::string::npos ? "" : message.substr(at + 2, message.find("\r\n", at + 2) - at);
}

// L8, K3: another mapping of the flow is another Contact: the far side gets it once, by re-INVITE
// since it did not say that it takes UPDATE.
TEST(CallMoves, ANewMappingIsToldOnce) {
    Orders it;
    it.play("inv answer ack");
    const auto before = it.log();
    it.rebind(20'001);
    it.play("wait>40");
    EXPECT_THAT(it.log(), testing::StartsWith(before + " INVITE"));
    EXPECT_EQ(invites_of(it).size(), 1U) << it.trace();
    EXPECT_THAT(it.contact(), testing::HasSubstr("@198.51.100.7:20001")) << it.trace();
    it.play("wait>200");
    EXPECT_EQ(invites_of(it).size(), 1U) << it.trace();
}

// L8: a refresh of the registration that changes nothing of our Contact is nothing to the far side.
TEST(CallMoves, WhatChangesNoContactIsNotTold) {
    Orders it;
    it.play("inv answer ack");
    const auto before = it.log();
    it.play("wait>800");  // the session timer speaks at 900 s
    EXPECT_EQ(it.log(), before) << it.trace();
}

// L8: the mapping changes before the call is answered: it is told when it is.
TEST(CallMoves, WhatChangedWhileItRangIsToldAfterTheAck) {
    Orders it;
    it.play("dial 180");
    it.rebind(20'001);
    it.play("wait>40");
    EXPECT_EQ(invites_of(it).size(), 1U) << "nothing while it rings";
    it.play("200");
    EXPECT_EQ(invites_of(it).size(), 2U) << it.trace();
}

// RFC 3261 §12.2.1.2: a Contact counts as told when the request that says it is accepted, whatever
// else that asks for: here other media are the first to say it, and are refused.
TEST(CallMoves, AContactCountsAsToldWithItsSuccessOnly) {
    Orders it;
    it.play("dial 180");
    it.rebind(20'001);
    it.play("wait>40");
    it.feed(in::MediaChanged{it.current(), Orders::audio()});
    it.play("200");
    ASSERT_EQ(invites_of(it).size(), 2U) << it.trace();
    ASSERT_THAT(it.contact(), testing::HasSubstr("@198.51.100.7:20001")) << it.trace();
    it.play("488");
    EXPECT_THAT(it.log(), testing::EndsWith(" ACK INVITE notice")) << it.trace();
    it.play("200 wait>40");
    EXPECT_EQ(invites_of(it).size(), 3U) << "it is told: " << it.trace();
}

// L8: the proxy names itself by a name. After the connection is lost, the dialog's requests go
// over the new one.
TEST(CallMoves, ANamedProxyIsReachedOverTheNewConnection) {
    Orders it{Begin::registered,
              {.transport = Transport::tcp, .record_route = "<sip:proxy.example.test;lr>"}};
    it.play("inv answer ack");
    it.lose_connection();
    it.play("wait>5 hangup");
    EXPECT_THAT(it.log(), testing::HasSubstr("BYE")) << it.trace();
    EXPECT_EQ(it.driver().opened.size(), 2U) << it.trace();
}

// RFC 3263 §4.3, F1: nobody has answered the INVITE when its connection is lost: the same one goes
// over the next, with the same Call-ID, From tag and CSeq.
TEST(CallMoves, AnInviteWithoutAnAnswerGoesAgain) {
    Orders it{Begin::registered, {.transport = Transport::tcp}};
    it.play("dial");
    it.lose_connection();
    EXPECT_EQ(it.driver().count(EventKind::call_ended), 0U) << it.trace();
    it.play("wait>4");
    const auto sent = invites_of(it);
    ASSERT_EQ(sent.size(), 2U) << it.trace();
    for (const auto* const name : {"Call-ID", "From", "CSeq"})
        EXPECT_EQ(line_of(sent[0], name), line_of(sent[1], name));
    EXPECT_NE(line_of(sent[0], "Via"), line_of(sent[1], "Via"));
}

// RFC 3261 §9.1: it rings there, and the connection is lost: the user is told, and the ringing is
// cancelled over the next connection, by the branch of the INVITE.
TEST(CallMoves, WhatRangWhenTheConnectionWasLostIsCancelled) {
    Orders it{Begin::registered, {.transport = Transport::tcp}};
    it.play("dial 180");
    it.lose_connection();
    EXPECT_EQ(it.driver().count(EventKind::call_ended), 1U) << it.trace();
    it.play("wait>4");
    std::vector<std::string> cancels;
    for (const auto& [target, text] : it.driver().sent)
        if (text.starts_with("CANCEL ")) cancels.push_back(text);
    ASSERT_EQ(cancels.size(), 1U) << it.trace();
    EXPECT_EQ(line_of(cancels[0], "Via"), line_of(invites_of(it).at(0), "Via"));
}

// RFC 3261 §17.1.1.2, §9.1: a 100 and no more does not hold a change for ever, nor the call that
// ends meanwhile.
TEST(CallMoves, AChangeWithoutAFinalAnswerHasALimit) {
    Orders it;
    it.play("dial 200 hold 100 wait>33");
    EXPECT_THAT(it.log(), testing::EndsWith("INVITE CANCEL")) << it.trace();
    it.play("wait>33");
    EXPECT_THAT(it.log(), testing::EndsWith("CANCEL BYE call_ended")) << it.trace();
    it.play("BYE:200");
    it.dial("sip:bob@example.test");
    EXPECT_THAT(it.log(), testing::EndsWith("INVITE dialling"))
        << "its number is free: " << it.trace();
}

// RFC 3261 §9.1: it was cancelled already, and the far server has said so: when its flow is lost
// before the 487 has come, nothing is cancelled anew (the branch would be there twice).
TEST(CallMoves, WhatWasCancelledIsNotCancelledAgain) {
    Orders it;
    it.play("dial 180 hangup CANCEL:200");
    it.lose_connection();
    it.play("wait>4");
    std::size_t cancels = 0;
    for (const auto& [target, text] : it.driver().sent)
        cancels += text.starts_with("CANCEL ") ? 1U : 0U;
    EXPECT_EQ(cancels, 1U) << it.trace();
}

// I8: an answer past a limit ends the request that it answers, not the user's patience; in a call
// it leaves all as it was, and a 2xx has its ACK.
TEST(CallMoves, AnAnswerPastALimit) {
    Orders provisional;
    provisional.play("dial 183~long 200");
    EXPECT_THAT(provisional.log(), testing::EndsWith("ACK answered"));
    Orders held;
    held.play("dial 200 hold 200~long hold 200");
    EXPECT_EQ(held.log(), "INVITE dialling ACK answered INVITE ACK notice INVITE ACK held");
    Orders again;
    again.play("dial 200 hold 200~long 200~same");
    EXPECT_EQ(again.log(), "INVITE dialling ACK answered INVITE ACK notice ACK");
    Orders refused;
    refused.play("dial 200 hold 488~long bye");
    EXPECT_EQ(refused.log(), "INVITE dialling ACK answered INVITE ACK notice 200 call_ended");
}

// I8, RFC 3261 §13.2.2.4: who has accepted the call with an answer past a limit gets ACK and BYE,
// by way of its Contact if that was read, and each copy its ACK.
TEST(CallMoves, WhoAcceptsPastALimitDoesNotStayAlone) {
    for (const std::string tail : {"", "~tail"}) {
        SCOPED_TRACE(tail);
        Orders it;
        it.play("dial 200~long" + tail);
        EXPECT_EQ(it.log(), "INVITE dialling ACK BYE call_ended");
        EXPECT_EQ(it.driver().last(EventKind::call_ended)->status, 200);
        EXPECT_THAT(it.driver().last(EventKind::call_ended)->reason,
                    testing::StartsWith("an answer past a limit"));
        EXPECT_THAT(it.driver().last_sent(),
                    testing::StartsWith(tail.empty() ? "BYE sip:bob@example.test SIP"
                                                     : "BYE sip:bob@203.0.113.11 SIP"));
        EXPECT_THAT(line_of(it.driver().last_sent(), "To"), testing::HasSubstr(";tag=b1"));
        it.play("200~same BYE:200");
        EXPECT_THAT(it.log(), testing::EndsWith("BYE call_ended ACK"));
        it.demand_an_end();
    }
}

// I8, RFC 3261 §17.1.1.3: a refusal past a limit has its ACK, and each copy of it.
TEST(CallMoves, ARefusalPastALimitIsAcknowledged) {
    Orders it;
    it.play("dial 486~long");
    EXPECT_EQ(it.log(), "INVITE dialling ACK call_ended") << it.trace();
    const auto ack = it.driver().last_sent();
    EXPECT_EQ(line_of(ack, "Via"), line_of(invites_of(it).at(0), "Via"));
    EXPECT_THAT(line_of(ack, "To"), testing::HasSubstr(";tag=b1"));
    it.play("486~same");
    EXPECT_EQ(it.log(), "INVITE dialling ACK call_ended ACK") << it.trace();
    EXPECT_EQ(it.driver().last_sent(), ack);
    it.demand_an_end();
}

// The same over TCP, where nothing is said twice.
TEST(CallMoves, AnAnswerPastALimitOverAConnection) {
    Orders refused{Begin::registered, {.transport = Transport::tcp}};
    refused.play("dial 486~long");
    EXPECT_EQ(refused.log(), "INVITE dialling ACK call_ended") << refused.trace();
    Orders accepted{Begin::registered, {.transport = Transport::tcp}};
    accepted.play("dial 200~long");
    EXPECT_EQ(accepted.log(), "INVITE dialling ACK BYE call_ended") << accepted.trace();
}

// limits::calls: so many calls at once, and then busy, whoever begins them.
TEST(CallMoves, CallsHaveALimit) {
    Orders it;
    const auto dial = [&](std::uint32_t number) {
        it.feed(
            in::Dial{AccountId{1}, CallRef{number}, "sip:bob@example.test", Orders::audio(), {}});
    };
    for (std::uint32_t n = 1; n < limits::calls; ++n) dial(n);
    it.play("inv");
    EXPECT_THAT(it.log(), testing::EndsWith("180 ring")) << "the last one that there is room for";
    it.play("inv~call");
    EXPECT_THAT(it.log(), testing::EndsWith("180 ring 486")) << it.trace();
    EXPECT_EQ(it.driver().count(EventKind::call_ended), 0U);
    dial(limits::calls);
    EXPECT_EQ(it.driver().last(EventKind::call_ended)->reason, "too many calls at once");
}

// L8, RFC 3261 §9.1: it rings at a server that the account has left since, and the call goes on
// over another flow (PRACK, to the Contact's address). The one that the INVITE went over is there
// as long as that has no final answer: the CANCEL can go nowhere else.
TEST(CallMoves, WhatRingsWhereTheAccountHasLeftIsCancelledThere) {
    Orders it{Begin::registered, {.contact = "sip:bob@203.0.113.77"}};
    it.feed(in::Dial{
        AccountId{1}, CallRef{1}, "sip:bob@example.test", Orders::audio(), {.no_answer = 1h}});
    it.play("180~rel PRACK:200");
    it.drain_to(12);
    EXPECT_EQ(it.driver().count(EventKind::moved), 1U);
    it.play("wait>40 hangup");  // a flow that nobody uses would be closed
    EXPECT_THAT(it.log(), testing::EndsWith("CANCEL call_ended")) << it.trace();
    EXPECT_EQ(asked_with(it, "CANCEL"), asked_with(it, "INVITE"));
    it.play("wait>64");
    it.dial("sip:bob@example.test");
    EXPECT_THAT(it.log(), testing::EndsWith("INVITE dialling")) << "its number is free";
}

// RFC 3261 §15, B4: the connection breaks under the BYE, and the account leaves before it is
// registered over the next one: the BYE goes over that one nonetheless, whether the way of the
// dialog is an address or a name.
TEST(CallMoves, AByeWhoseConnectionBrokeGoesOverTheNextAlsoWhenTheAccountLeaves) {
    for (const std::string contact :
         {"sip:bob@203.0.113.11;transport=tcp", "sip:bob@pc.example.test"}) {
        SCOPED_TRACE(contact);
        Orders it{Begin::registered, {.transport = Transport::tcp, .contact = contact}};
        it.play("dial 200 hangup");
        it.break_connection();
        if (contact.ends_with("tcp")) {
            EXPECT_THAT(it.log(), testing::EndsWith("BYE call_ended BYE")) << it.trace();
        }
        it.feed(in::RemoveAccount{AccountId{1}});
        it.play("wait>1");
        EXPECT_THAT(it.log(), testing::HasSubstr("BYE call_ended BYE")) << it.trace();
    }
}

// B4: the account ends, and no connection comes any more, whether the last one broke before the
// BYE or under it: that the far side does not know is said.
TEST(CallMoves, AByeThatNobodyGotIsSaid) {
    for (const bool breaks_before : {true, false}) {
        SCOPED_TRACE(breaks_before);
        Orders it{Begin::registered,
                  {.transport = Transport::tcp, .contact = "sip:bob@203.0.113.11;transport=tcp"}};
        it.play("dial 200");
        it.cut_off();
        if (!breaks_before) it.play("hangup");
        it.break_connection();
        if (breaks_before) it.play("hangup");
        it.feed(in::RemoveAccount{AccountId{1}});
        it.play("wait>3");
        EXPECT_THAT(it.log(), testing::EndsWith(" call_ended notice")) << it.trace();
    }
}

}  // namespace
}  // namespace holdfast::engine
