// Where the requests of calls go (L8, L1, §11), and what strangers cannot make of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "engine/call_orders_bench.h"
#include "engine/limits.h"

namespace holdfast::engine {
namespace {

using Begin = Orders::Begin;
constexpr const char* elsewhere = "sip:bob@203.0.113.77";

// L1: an account with TLS says nothing in clear text, though the far side and a proxy name
// themselves without it: the keys of the sound are in it, and digest answers.
TEST(CallWay, WhatAskedForTlsGoesInClearTextNowhere) {
    for (const std::string route : {"", "<sip:203.0.113.11;lr>", "<sip:203.0.113.99;lr>"}) {
        SCOPED_TRACE(route);
        Orders it{Begin::registered,
                  {.transport = Transport::tls, .contact = elsewhere, .record_route = route}};
        it.play("inv answer ack hold 200 hangup");
        EXPECT_THAT(it.log(), testing::HasSubstr("200 answered")) << it.trace();
        EXPECT_THAT(it.log(), testing::HasSubstr("INVITE")) << "the hold went out: " << it.trace();
        for (const auto& [target, text] : it.driver().sent)
            EXPECT_EQ(target.transport, Transport::tls) << text;
        for (const auto& [flow, target] : it.driver().opened)
            EXPECT_EQ(target.transport, Transport::tls) << target.to_string();
    }
}

// L1, §11: an answer holds the keys of the sound. Who knows tags or branches of a call and comes in
// clear text gets none, and ends no call; a copy of a request opens no flow for its answer, which
// goes where the first one went (RFC 3261 §17.2.1).
TEST(CallWay, WhoAskedForTlsAnswersNobodyInClearText) {
    Orders it{Begin::registered, {.transport = Transport::tls}};
    it.play("inv inv~same~stranger cancel~stranger answer ack");
    EXPECT_EQ(it.log(), "180 ring 180 200 answered") << it.trace();
    it.play("rei~stranger upd~stranger opt~stranger bye~stranger");
    EXPECT_EQ(it.log(), "180 ring 180 200 answered") << it.trace();
    for (const auto& [flow, target] : it.driver().opened)
        EXPECT_EQ(target.transport, Transport::tls) << target.to_string();
    it.play("bye");
    EXPECT_EQ(it.log(), "180 ring 180 200 answered 200 call_ended") << it.trace();
}

// §11 d: over UDP only who knows a dialog's Call-ID and our tag, which is drawn at random, is heard
// in it. Whoever guesses hears nothing, not even that there is a phone, opens nothing and ends
// nothing.
TEST(CallWay, AStrangerWhoDoesNotKnowTheDialogIsNotHeard) {
    for (const std::string wrong : {"~to", "~call"})
        for (const std::string asks : {"bye", "rei", "upd", "info", "refer", "cancel~tagged"}) {
            SCOPED_TRACE(asks + wrong);
            Orders it{Begin::registered};
            it.play("inv answer ack");
            const auto sent = it.driver().sent.size();
            const auto opened = it.driver().opened.size();
            it.play(asks + wrong + "~stranger wait>5");
            EXPECT_EQ(it.log(), "180 ring 200 answered") << it.trace();
            for (auto at = sent; at < it.driver().sent.size(); ++at)
                EXPECT_EQ(it.driver().sent[at].first, udp_target(11)) << it.trace();
            EXPECT_EQ(it.driver().opened.size(), opened) << it.trace();
            it.play("bye");
            EXPECT_EQ(it.log(), "180 ring 200 answered 200 call_ended") << it.trace();
        }
}

// RFC 3261 §12.2.1.1: a peer's Contact says where requests of its dialog go, but not to a group,
// nor to no host: who is talked to already gets them.
TEST(CallWay, AContactThatIsNoHostsOpensNothing) {
    for (const std::string host : {"0.0.0.0;transport=tcp", "224.0.0.1", "[ff02::1]", "[::]"}) {
        SCOPED_TRACE(host);
        Orders it{Begin::registered, {.contact = "sip:bob@" + host}};
        const auto opened = it.driver().opened.size();
        it.play("inv answer ack hold");
        EXPECT_EQ(it.driver().opened.size(), opened) << it.trace();
        EXPECT_THAT(it.log(), testing::EndsWith("INVITE")) << it.trace();
    }
}

// RFC 5626 §5.1: a proxy that names itself by another port is the connection we have to it.
TEST(CallWay, AProxyWithAnotherPortIsTheConnectionWeHave) {
    Orders it{
        Begin::registered,
        {.transport = Transport::tcp, .record_route = "<sip:203.0.113.11:5099;transport=tcp;lr>"}};
    const auto opened = it.driver().opened.size();
    it.play("inv answer ack hold");
    EXPECT_EQ(it.driver().opened.size(), opened) << it.trace();
    EXPECT_THAT(it.log(), testing::EndsWith("INVITE")) << it.trace();
}

// L8: a flow to the far side lives as long as the call, and no longer.
TEST(CallWay, AFlowToTheFarSideEndsWithTheCall) {
    Orders it{Begin::registered, {.contact = elsewhere}};
    it.play("inv answer ack hold");
    const auto flow = it.driver().flow_to(udp_target(77));
    ASSERT_TRUE(flow) << it.trace();
    it.play("200 wait>90");
    EXPECT_THAT(it.driver().closed, testing::Not(testing::Contains(flow))) << "it is in use";
    it.play("hangup BYE:200 wait>90");
    EXPECT_THAT(it.driver().closed, testing::Contains(flow)) << it.trace();
}

// RFC 5627 §4.4: where the registrar gave us a GRUU, it is what the other side of a call is told:
// in our INVITE, in our 2xx, and in what changes the call later.
TEST(CallWay, TheContactOfACallIsOurGruu) {
    const std::string gruu = "sip:alice@example.test;gr=urn:uuid:f81d4fae";
    const Orders::World world{.granted_parameters = ";pub-gruu=\"" + gruu + "\""};
    const auto told = [](const Orders& it, const std::string& begin) {
        std::vector<std::string> contacts;
        for (const auto& [target, text] : it.driver().sent) {
            const auto message = sip::Message::parse(text);
            if (text.starts_with(begin) && message && message->cseq().method == sip::Method::invite)
                contacts.emplace_back(message->contacts().front().uri.text);
        }
        return contacts;
    };
    Orders dialled{Begin::registered, world};
    dialled.dial("sip:bob@example.test");
    EXPECT_THAT(told(dialled, "INVITE "), testing::ElementsAre(gruu)) << dialled.trace();
    Orders called{Begin::registered, world};
    called.play("inv answer ack hold");
    EXPECT_THAT(told(called, "SIP/2.0 200"), testing::ElementsAre(gruu)) << called.trace();
    EXPECT_THAT(told(called, "INVITE "), testing::ElementsAre(gruu)) << called.trace();
}

// RFC 3608 §6.1: the registrar's Service-Route is the Route of an INVITE, in its order, and the way
// to its first hop is the account's flow. A dialog has a route set of its own (RFC 3261 §12.2.1.1).
TEST(CallWay, TheServiceRouteIsTheRouteOfAnInvite) {
    Orders it{Begin::registered,
              {.registered_headers = "Service-Route: <sip:edge.example.test;lr>, "
                                     "<sip:home.example.test;lr>\r\n"}};
    const auto routes = [&] {
        std::vector<std::string> all;
        for (const auto& [target, text] : it.driver().sent)
            if (const auto message = sip::Message::parse(text);
                message && text.starts_with("INVITE ")) {
                EXPECT_EQ(target, udp_target(11));
                all.clear();
                for (const auto& route : message->routes()) all.emplace_back(route.uri.text);
            }
        return all;
    };
    it.dial("sip:bob@example.test");
    EXPECT_THAT(routes(),
                testing::ElementsAre("sip:edge.example.test;lr", "sip:home.example.test;lr"))
        << it.trace();
    it.play("200 hold");
    EXPECT_THAT(it.log(), testing::HasSubstr("answered")) << it.trace();
    EXPECT_THAT(routes(), testing::IsEmpty()) << "no Record-Route came: " << it.trace();
}

// §11: who is no server of ours learns nothing to guess the password by.
TEST(CallWay, AChallengeOfTheFarSideIsNotAnswered) {
    Orders it{Begin::registered, {.contact = elsewhere}};
    it.play("inv answer ack hangup BYE:407");
    ASSERT_TRUE(it.driver().flow_to(udp_target(77))) << it.trace();
    for (const auto& [target, text] : it.driver().sent)
        EXPECT_EQ(text.find("Authorization: "), std::string::npos) << text;
    // The same from the account's own server is answered.
    Orders own;
    own.play("inv answer ack hangup BYE:407");
    EXPECT_TRUE(std::ranges::any_of(own.driver().sent, [](const auto& sent) {
        return sent.second.find("Proxy-Authorization: ") != std::string::npos;
    })) << own.trace();
}

// L8: the proxy names itself by a name, and the account has gone to another server while that one
// lives: it has the dialog, and is asked.
TEST(CallWay, ANamedServerThatLivesIsNotLeft) {
    Orders it{Begin::registered, {.record_route = "<sip:proxy.example.test;lr>"}};
    it.play("inv answer ack");
    it.drain_to(12);
    ASSERT_TRUE(it.driver().flow_to(udp_target(12))) << it.trace();
    it.play("hold");
    const auto& sent = it.driver().sent;
    const auto invite = std::ranges::find_if(
        sent, [](const auto& one) { return one.second.starts_with("INVITE "); });
    ASSERT_NE(invite, sent.end()) << it.trace();
    EXPECT_EQ(invite->first, udp_target(11)) << it.trace();
}

// L8: the server that has the dialog is no more the account's when its connection is lost. The call
// comes back to it over another one, which is kept alive as long as the call, and whose challenges
// are answered: it is one of the account's (§11).
TEST(CallWay, AConnectionToAServerThatWasLeftIsTheAccountsAsWell) {
    const Target left{Transport::tcp, {udp_target(11).endpoint.address, 5060}};
    Orders it{Begin::registered,
              {.transport = Transport::tcp, .record_route = "<sip:203.0.113.11;transport=tcp;lr>"}};
    it.play("inv answer ack");
    it.drain_to(12);
    const auto before = it.driver().flow_to(left);
    it.lose_connection();
    it.play("hold 407");
    const auto flow = it.driver().flow_to(left);
    ASSERT_NE(flow, before) << it.trace();
    EXPECT_THAT(it.log(), testing::EndsWith("INVITE ACK INVITE")) << it.trace();
    it.play("200");
    const auto said = [&] {
        return std::ranges::count_if(it.driver().sent,
                                     [&](const auto& sent) { return sent.first == left; });
    };
    const auto until_now = said();
    it.play("wait>120");
    EXPECT_GT(said(), until_now) << "it is kept alive: " << it.trace();
    EXPECT_THAT(it.driver().closed, testing::Not(testing::Contains(flow)));
    it.play("hangup BYE:200 wait>90");
    EXPECT_THAT(it.driver().closed, testing::Contains(flow)) << it.trace();
}

// Whoever has our To tag cannot fill our memory with CANCELs.
TEST(CallWay, CancelsHaveALimit) {
    Orders it;
    it.play("inv");
    const auto before = it.driver().sent.size();
    for (std::size_t n = 0; n < limits::server_transactions + 50; ++n)
        it.play("cancel~tagged~branch");
    EXPECT_LE(it.driver().sent.size() - before, limits::server_transactions) << "answers";
    EXPECT_GT(it.driver().sent.size() - before, limits::server_transactions / 2);
}

// F6: ICMP for something else does not end a call that the server is busy with.
TEST(CallWay, IcmpDoesNotEndWhatRings) {
    Orders it;
    it.play("dial 100 180");
    it.icmp();
    it.play("200");
    EXPECT_THAT(it.log(), testing::EndsWith("ACK answered")) << it.trace();
}

// A number that is taken: the call that has it hears nothing of it.
TEST(CallWay, ANumberThatIsTakenEndsNoCall) {
    Orders it;
    it.play("dial 180 dial");
    EXPECT_EQ(it.driver().count(EventKind::call_ended), 0U) << it.trace();
    EXPECT_EQ(it.driver().requests("INVITE"), 1U);
}

// RFC 3261 §19.1.5: what a URI says of headers and methods is not ours to send.
TEST(CallWay, HeadersInAUriAreNotSent) {
    Orders it;
    it.dial("sip:bob@example.test;method=BYE?Subject=x");
    EXPECT_THAT(it.driver().last_sent(), testing::StartsWith("INVITE sip:bob@example.test SIP"));
}

}  // namespace
}  // namespace holdfast::engine
