// What a hostile, broken or unlucky far side may send of a call, as octets through transactions and
// dialogs: late, twice, out of order, with wrong tags, numbers and branches, or from elsewhere.
//   RFC 3261 §8.2.2.2, §9.2, §12.2.2, §13, §14, §15, §17; RFC 6026 §7.1, §7.2; RFC 6337 §4.1. Not
//   tested here: what the user's side may want meanwhile (call/call_test.cpp).
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "base/random.h"
#include "engine/call_orders_bench.h"

namespace holdfast::engine {
namespace {

struct Order {
    std::string said;
    std::string done;
};

void demand(const std::vector<Order>& orders) {
    for (const auto& [said, done] : orders) {
        SCOPED_TRACE(said);
        Orders it;
        it.play(said);
        EXPECT_EQ(it.log(), done) << "after: " << said;
        it.demand_an_end();
    }
}

// RFC 3261 §12.1.1: a 2xx has a Contact, although there is no binding yet whose it could be.
TEST(CallOrders, BeforeTheFirstRegistrationTheContactIsWhereTheFlowEnds) {
    Orders it{Orders::Begin::unanswered};
    it.play("inv answer");
    EXPECT_EQ(it.log(), "180 ring 200 answered");
    EXPECT_EQ(it.contact(), "sip:alice@" + our_end.to_string());
}

// B1, RFC 3261 §25.1: its user is the AOR's, as it is written there: a blank stays escaped, or
// nobody could read what we say.
TEST(CallOrders, ThatContactsUserKeepsItsEscapes) {
    Orders it{Orders::Begin::unanswered, {.user = "b%20ob"}};
    it.play("inv answer");
    EXPECT_EQ(it.log(), "180 ring 200 answered") << it.trace();
    EXPECT_EQ(it.contact(), "sip:b%20ob@" + our_end.to_string()) << it.trace();
}

// RFC 3261 §17.2.1, §8.2.2.2, §9.2: copies, merged requests and CANCELs while it rings.
TEST(CallOrders, WhileItRings) {
    demand({
        {"inv", "180 ring"},
        {"inv inv~same", "180 ring 180"},
        {"inv inv~branch", "180 ring 482"},
        {"inv inv~branch inv~same", "180 ring 482 482"},
        {"inv cancel", "180 ring 200 487 call_ended"},
        {"inv cancel ackf", "180 ring 200 487 call_ended"},
        {"inv cancel cancel~same", "180 ring 200 487 call_ended 200"},
        {"inv cancel inv~same", "180 ring 200 487 call_ended 487"},
        {"inv cancel ackf inv~same", "180 ring 200 487 call_ended"},
        {"inv cancel answer", "180 ring 200 487 call_ended"},
        {"inv cancel~branch", "180 ring 481"},
        {"inv cancel~stranger", "180 ring"},
        {"inv ack", "180 ring"},
        {"inv ackf", "180 ring"},
        {"inv bye", "180 ring 200 487 call_ended"},
        {"inv bye~to", "180 ring 481"},
        {"inv bye~from", "180 ring 481"},
        {"inv bye~call", "180 ring 481"},
        {"inv bye~noto", "180 ring 481"},
        {"inv bye~c0", "180 ring 500"},
        {"inv rei", "180 ring 500"},
        {"inv upd", "180 ring 200"},
        {"inv prack", "180 ring 481"},
        {"inv prack~c1", "180 ring 500"},
    });
}

// RFC 3261 §17.2.1: what was refused stays refused, until its ACK and after it.
TEST(CallOrders, AfterARefusal) {
    demand({
        {"inv reject", "180 ring 486 call_ended"},
        {"inv reject answer", "180 ring 486 call_ended"},
        {"inv reject inv~same", "180 ring 486 call_ended 486"},
        {"inv reject ackf inv~same", "180 ring 486 call_ended"},
        {"inv reject ackf wait>1", "180 ring 486 call_ended"},
        {"inv reject ackf~to wait>1", "180 ring 486 call_ended"},
        {"inv reject ackf~branch wait>1", "180 ring 486 call_ended 486"},
        {"inv reject cancel", "180 ring 486 call_ended 200"},
        {"inv reject bye", "180 ring 486 call_ended 481"},
        {"inv reject inv~branch", "180 ring 486 call_ended 482"},
    });
}

// RFC 3261 §13.3.1.4, §15.1.2; RFC 6026 §7.1: from our 2xx to the end of the call.
TEST(CallOrders, AfterOurAnswer) {
    demand({
        {"inv answer", "180 ring 200 answered"},
        {"inv answer inv~same", "180 ring 200 answered"},
        {"inv answer inv~branch", "180 ring 200 answered 482"},
        {"inv answer ack ack~same ack", "180 ring 200 answered"},
        {"inv answer ackf wait>1", "180 ring 200 answered"},
        {"inv answer ack~to wait>1", "180 ring 200 answered 200"},
        {"inv answer ack~c7 wait>1", "180 ring 200 answered 200"},
        {"inv answer cancel ack", "180 ring 200 answered 200"},
        {"inv answer ack cancel", "180 ring 200 answered 200"},
        {"inv answer ack wait>40 cancel", "180 ring 200 answered 481"},
        {"inv answer bye", "180 ring 200 answered 200 call_ended"},
        {"inv answer bye ack", "180 ring 200 answered 200 call_ended"},
        {"inv answer ack bye", "180 ring 200 answered 200 call_ended"},
        {"inv answer ack bye bye~same", "180 ring 200 answered 200 call_ended 200"},
        {"inv answer ack bye bye", "180 ring 200 answered 200 call_ended 481"},
        {"inv answer ack bye rei", "180 ring 200 answered 200 call_ended 481"},
        {"inv answer ack bye~to", "180 ring 200 answered 481"},
        {"inv answer ack bye~from", "180 ring 200 answered 481"},
        {"inv answer ack bye~call", "180 ring 200 answered 481"},
        {"inv answer ack info bye~c1", "180 ring 200 answered 200 500"},
        {"inv answer ack bye~stranger", "180 ring 200 answered 200 call_ended"},
        {"inv answer ack hangup bye", "180 ring 200 answered BYE call_ended 200"},
        {"inv answer hangup ack BYE:200", "180 ring 200 answered call_ended BYE"},
        {"inv answer hangup ack BYE:481", "180 ring 200 answered call_ended BYE"},
        {"inv answer hangup bye ack", "180 ring 200 answered call_ended 200"},
    });
}

// RFC 3261 §14.1, §14.2; RFC 6337 §4.1: changes of either side, and both at once.
TEST(CallOrders, Changes) {
    const std::string talk = "180 ring 200 answered ";
    demand({
        {"inv answer rei", talk + "491"},
        {"inv answer ack rei ack", talk + "200"},
        {"inv answer ack rei rei~same ack", talk + "200"},
        {"inv answer ack rei rei ack~c2", talk + "200 491"},
        {"inv answer ack rei~from", talk + "481"},
        {"inv answer ack rei~c0", talk + "500"},
        {"inv answer ack rei cancel ack", talk + "200 200"},
        {"inv answer ack rei bye ack", talk + "200 200 call_ended"},
        {"inv answer ack rei ack~c1 wait>1", talk + "200 200"},
        {"inv answer ack upd upd~same", talk + "200 200"},
        {"inv answer ack prack", talk + "481"},
        {"inv answer ack hold 200", talk + "INVITE ACK held"},
        {"inv answer ack hold 200 200~same", talk + "INVITE ACK held ACK"},
        {"inv answer ack hold 200~branch", talk + "INVITE"},
        {"inv answer ack hold 200~c9", talk + "INVITE"},
        {"inv answer ack hold 200~call", talk + "INVITE"},
        {"inv answer ack hold 491 491~same", talk + "INVITE ACK ACK"},
        {"inv answer ack hold rei 491", talk + "INVITE 491 ACK"},
        {"inv answer ack hold 481", talk + "INVITE ACK call_ended"},
        {"inv answer ack hold bye 481", talk + "INVITE 200 call_ended ACK"},
        {"inv answer ack hold bye 200", talk + "INVITE 200 call_ended ACK"},
        {"inv answer ack hold hangup 200", talk + "INVITE BYE call_ended ACK"},
        {"inv answer ack hold 200 resume 200", talk + "INVITE ACK held INVITE ACK resumed"},
    });
}

// RFC 3261 §13.2.2, §9.1, §17.1.1; RFC 6026 §7.2: answers to our INVITE.
TEST(CallOrders, WhatWeDialled) {
    const std::string dialled = "INVITE dialling";
    demand({
        {"dial 100 180 200", dialled + " ringing ACK answered"},
        {"dial 180 180~same 200 200~same", dialled + " ringing ACK answered ACK"},
        {"dial 200 180", dialled + " ACK answered"},
        {"dial 200 486", dialled + " ACK answered"},
        {"dial 486 486~same", dialled + " ACK call_ended ACK"},
        {"dial 486 200", dialled + " ACK call_ended"},
        {"dial 486 180", dialled + " ACK call_ended"},
        {"dial 180 180~b 200 200~b", dialled + " ringing ringing ACK answered ACK BYE"},
        {"dial 180 200~b 200", dialled + " ringing ACK answered ACK BYE"},
        {"dial 200~branch", dialled},
        {"dial 200~c9", dialled},
        {"dial 200~call", dialled},
        {"dial hangup 100", dialled + " call_ended CANCEL"},
        {"dial 180 hangup 487", dialled + " ringing CANCEL call_ended ACK"},
        {"dial 180 hangup CANCEL:200 487 487~same", dialled + " ringing CANCEL call_ended ACK ACK"},
        {"dial 180 hangup CANCEL:481 180", dialled + " ringing CANCEL call_ended"},
        {"dial 180 hangup 200", dialled + " ringing CANCEL call_ended ACK BYE"},
        {"dial 180 hangup 200 200~same", dialled + " ringing CANCEL call_ended ACK BYE ACK"},
        {"dial 180 hangup 200 BYE:481", dialled + " ringing CANCEL call_ended ACK BYE"},
        {"dial 200 bye", dialled + " ACK answered 200 call_ended"},
        {"dial 200 bye~to", dialled + " ACK answered 481"},
        {"dial 200 bye~from", dialled + " ACK answered 481"},
        {"dial 180 bye~to", dialled + " ringing 481"},
        {"dial 200 rei ack", dialled + " ACK answered 200"},
        {"dial 200 hold rei 491", dialled + " ACK answered INVITE 491 ACK"},
        {"dial 200 hangup rei", dialled + " ACK answered BYE call_ended 481"},
        {"dial 200 hangup bye", dialled + " ACK answered BYE call_ended 200"},
        {"dial 200 hangup BYE:200 BYE:200~same", dialled + " ACK answered BYE call_ended"},
        {"dial 200 ack", dialled + " ACK answered"},
        {"dial 200 cancel", dialled + " ACK answered 481"},
    });
}

// Whatever comes in whatever order: the engine stands, and each call that the user heard of has one
// end. The numbers of a story are its seed.
TEST(CallOrders, AnythingAtAll) {
    constexpr std::array<std::string_view, 34> words{
        "inv",    "inv~same",    "inv~branch", "ack",    "ack~same", "ackf",   "ack~to",
        "cancel", "cancel~same", "bye",        "bye~to", "bye~from", "upd",    "prack",
        "info",   "rei",         "rei~same",   "rei~c1", "answer",   "reject", "hangup",
        "hold",   "resume",      "100",        "180",    "180~b",    "183+",   "200",
        "200~b",  "200~same",    "486",        "491",    "BYE:200",  "wait>1"};
    for (std::uint64_t seed = 1; seed <= 150; ++seed) {
        Random random(seed_from_number(seed));
        std::string said = random.below(2) == 0 ? "dial" : "inv";
        for (int i = 0; i < 14; ++i) said.append(" ").append(words.at(random.below(words.size())));
        SCOPED_TRACE("seed " + std::to_string(seed) + ": " + said);
        Orders it;
        it.play(said);
        it.demand_an_end();
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace holdfast::engine
