// RFC 3261 §12: dialogs made from both sides, and the requests they give. Not tested here: how
// several early dialogs become one call (src/call).
#include "dialog/dialog.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast::dialog {
namespace {

using sip::Method;

sip::Message parsed(const std::string& text) {
    auto message = sip::Message::parse(text);
    EXPECT_TRUE(message.has_value()) << message.error().reason << "\n" << text;
    return std::move(*message);
}

Request invite_of_alice() {
    return {.method = Method::invite,
            .request_uri = "sip:bob@biloxi.com",
            .from = "\"Alice\" <sip:alice@atlanta.com>;tag=1928301774",
            .to = "<sip:bob@biloxi.com>",
            .call_id = "a84b4c76e66710",
            .cseq = 314159};
}

std::string response_text(int status, const std::string& to, const std::string& extra) {
    return "SIP/2.0 " + std::to_string(status) +
           " Words\r\n"
           "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds\r\n"
           "From: \"Alice\" <sip:alice@atlanta.com>;tag=1928301774\r\n"
           "To: " +
           to + "\r\nCall-ID: a84b4c76e66710\r\nCSeq: 314159 INVITE\r\n" + extra +
           "Content-Length: 0\r\n\r\n";
}

std::string invite_text(const std::string& uri, const std::string& contact,
                        const std::string& extra = {}) {
    return "INVITE " + uri +
           " SIP/2.0\r\n"
           "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds\r\n"
           "Max-Forwards: 70\r\n"
           "From: \"Alice\" <sip:alice@atlanta.com>;tag=1928301774\r\n"
           "To: Bob <sip:bob@biloxi.com>\r\n"
           "Call-ID: a84b4c76e66710\r\nCSeq: 314159 INVITE\r\n" +
           (contact.empty() ? "" : "Contact: " + contact + "\r\n") + extra +
           "Content-Length: 0\r\n\r\n";
}

std::string request_text(Method method, std::uint32_t cseq, const std::string& contact = {}) {
    return std::string(sip::name_of(method)) +
           " sip:bob@192.0.2.4 SIP/2.0\r\n"
           "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhdt\r\n"
           "Max-Forwards: 70\r\n"
           "From: \"Alice\" <sip:alice@atlanta.com>;tag=1928301774\r\n"
           "To: Bob <sip:bob@biloxi.com>;tag=a6c85cf\r\n"
           "Call-ID: a84b4c76e66710\r\nCSeq: " +
           std::to_string(cseq) + " " + std::string(sip::name_of(method)) + "\r\n" +
           (contact.empty() ? "" : "Contact: " + contact + "\r\n") + "Content-Length: 0\r\n\r\n";
}

const std::string bob_with_tag = "Bob <sip:bob@biloxi.com>;tag=a6c85cf";

// RFC 3261 §12.1.2: route set reversed, target the Contact, tags, local CSeq of the INVITE.
TEST(Dialog, TheCallerMakesItFromTheAnswer) {
    auto dialog = Dialog::of_caller(
        invite_of_alice(),
        parsed(response_text(180, bob_with_tag,
                             "Record-Route: <sip:p2.biloxi.com;lr>, <sip:p1.atlanta.com;lr>\r\n"
                             "Contact: <sip:bob@192.0.2.4>\r\n")));
    EXPECT_EQ(dialog.state(), State::early);
    EXPECT_TRUE(dialog.has("1928301774", "a6c85cf"));
    EXPECT_FALSE(dialog.has("a6c85cf", "1928301774"));
    EXPECT_FALSE(dialog.is_secure());
    const auto bye = dialog.request(Method::bye);
    EXPECT_EQ(bye.request_uri, "sip:bob@192.0.2.4");
    EXPECT_EQ(bye.routes,
              (std::vector<std::string>{"<sip:p1.atlanta.com;lr>", "<sip:p2.biloxi.com;lr>"}));
    EXPECT_EQ(bye.next_hop, "sip:p1.atlanta.com;lr");
    EXPECT_EQ(bye.from, "\"Alice\" <sip:alice@atlanta.com>;tag=1928301774");
    EXPECT_EQ(bye.to, bob_with_tag);
    EXPECT_EQ(bye.call_id, "a84b4c76e66710");
    EXPECT_EQ(bye.cseq, 314160u);
    EXPECT_EQ(dialog.request(Method::bye).cseq, 314161u);
}

// RFC 3261 §12.1.1: route set in order, To with our tag is who we are.
TEST(Dialog, TheCalleeMakesItFromTheInvite) {
    auto dialog = Dialog::of_callee(
        parsed(invite_text("sip:bob@192.0.2.4", "<sip:alice@pc33.atlanta.com>",
                           "Record-Route: <sip:p2.biloxi.com;lr>, <sip:p1.atlanta.com;lr>\r\n")),
        "a6c85cf");
    ASSERT_TRUE(dialog);
    dialog->confirm();
    EXPECT_EQ(dialog->state(), State::confirmed);
    const auto bye = dialog->request(Method::bye);
    EXPECT_EQ(bye.request_uri, "sip:alice@pc33.atlanta.com");
    EXPECT_EQ(bye.routes,
              (std::vector<std::string>{"<sip:p2.biloxi.com;lr>", "<sip:p1.atlanta.com;lr>"}));
    EXPECT_EQ(bye.from, bob_with_tag);
    EXPECT_EQ(bye.to, "\"Alice\" <sip:alice@atlanta.com>;tag=1928301774");
    EXPECT_TRUE(dialog->has("a6c85cf", "1928301774"));
}

// RFC 3261 §8.1.1.8: the Contact of an INVITE is one URI, and one that can be called.
TEST(Dialog, NoDialogFromAnInviteThatCannotBeCalledBack) {
    for (const std::string contact :
         {"", "<mailto:alice@atlanta.com>", "<sip:a@192.0.2.1>, <sip:a@192.0.2.2>", "*"})
        EXPECT_FALSE(Dialog::of_callee(parsed(invite_text("sip:bob@192.0.2.4", contact)), "x"))
            << contact;
}

// RFC 3261 §12.1.1: sips all the way makes it secure.
TEST(Dialog, ASipsRequestUriMakesItSecure) {
    const auto callee = Dialog::of_callee(
        parsed(invite_text("sips:bob@192.0.2.4", "<sips:alice@pc33.atlanta.com>")), "x");
    ASSERT_TRUE(callee);
    EXPECT_TRUE(callee->is_secure());
    auto invite = invite_of_alice();
    invite.request_uri = "sips:bob@biloxi.com";
    const auto response =
        parsed(response_text(200, bob_with_tag, "Contact: <sips:bob@192.0.2.4>\r\n"));
    EXPECT_TRUE(Dialog::of_caller(invite, response).is_secure());
}

// RFC 3261 §12.2.1.1, its own example, and §16.12.1: who stands in the request line, and in Route.
struct RouteRow {
    std::vector<std::string> route_set;
    std::string request_uri;
    std::vector<std::string> routes;
    std::string next_hop;
};
TEST(Dialog, LooseAndStrictRouters) {
    const std::string target = "sip:user@remoteua";
    const std::vector<RouteRow> table{
        {{}, target, {}, target},
        {{"<sip:proxy1>", "<sip:proxy2>", "<sip:proxy3;lr>", "<sip:proxy4>"},
         "sip:proxy1",
         {"<sip:proxy2>", "<sip:proxy3;lr>", "<sip:proxy4>", "<sip:user@remoteua>"},
         "sip:proxy1"},
        {{"<sip:p1.example.com;lr>", "<sip:p2.domain.com;lr>"},
         target,
         {"<sip:p1.example.com;lr>", "<sip:p2.domain.com;lr>"},
         "sip:p1.example.com;lr"},
        {{"<sip:p1.example.com;lr>", "<sip:p2.middle.com>"},
         target,
         {"<sip:p1.example.com;lr>", "<sip:p2.middle.com>"},
         "sip:p1.example.com;lr"},
        // §12.2.1.1: what a Request-URI may not have is stripped from the route (Table 1).
        {{"<sip:a;b@proxy1;method=INVITE;transport=tcp?Subject=x>"},
         "sip:a;b@proxy1;transport=tcp",
         {"<sip:user@remoteua>"},
         "sip:a;b@proxy1;method=INVITE;transport=tcp?Subject=x"},
    };
    for (const auto& row : table) {
        std::string record_routes;
        for (const auto& route : row.route_set) record_routes += "Record-Route: " + route + "\r\n";
        auto dialog = Dialog::of_callee(
            parsed(invite_text("sip:bob@192.0.2.4", "<" + target + ">", record_routes)), "x");
        ASSERT_TRUE(dialog);
        const auto request = dialog->request(Method::bye);
        EXPECT_EQ(request.request_uri, row.request_uri);
        EXPECT_EQ(request.routes, row.routes);
        EXPECT_EQ(request.next_hop, row.next_hop);
        // RFC 3261 §13.2.2.4: the ACK of a 2xx goes the same way, with its INVITE's number.
        const auto ack = dialog->ack(77);
        EXPECT_EQ(ack.method, Method::ack);
        EXPECT_EQ(ack.cseq, 77u);
        EXPECT_EQ(ack.request_uri, row.request_uri);
        EXPECT_EQ(ack.routes, row.routes);
    }
}

// RFC 3261 §13.2.2.4: the 2xx's route set replaces that of the early dialog, once.
TEST(Dialog, The2xxDecidesTheRoutes) {
    auto dialog = Dialog::of_caller(invite_of_alice(),
                                    parsed(response_text(183, bob_with_tag,
                                                         "Record-Route: <sip:early.test;lr>\r\n"
                                                         "Contact: <sip:bob@192.0.2.4>\r\n")));
    dialog.confirm(parsed(response_text(200, bob_with_tag,
                                        "Record-Route: <sip:late.test;lr>\r\n"
                                        "Contact: <sip:bob@192.0.2.5>\r\n")));
    EXPECT_EQ(dialog.state(), State::confirmed);
    EXPECT_EQ(dialog.route_set(), std::vector<std::string>{"<sip:late.test;lr>"});
    EXPECT_EQ(dialog.remote_target(), "sip:bob@192.0.2.5");
    // A copy, or the 2xx of a re-INVITE: target only (§12.2.1.2).
    dialog.confirm(parsed(response_text(200, bob_with_tag,
                                        "Record-Route: <sip:other.test;lr>\r\n"
                                        "Contact: <sip:bob@192.0.2.6>\r\n")));
    EXPECT_EQ(dialog.route_set(), std::vector<std::string>{"<sip:late.test;lr>"});
    EXPECT_EQ(dialog.remote_target(), "sip:bob@192.0.2.6");
}

// RFC 3261 §12.2.2: each request of the peer has a higher number than the last; gaps are no error.
TEST(Dialog, RequestsComeInOrder) {
    auto dialog = Dialog::of_callee(
        parsed(invite_text("sip:bob@192.0.2.4", "<sip:alice@pc33.atlanta.com>")), "a6c85cf");
    ASSERT_TRUE(dialog);
    EXPECT_EQ(dialog->admit(parsed(request_text(Method::info, 314159))), Order::out_of_order);
    EXPECT_EQ(dialog->admit(parsed(request_text(Method::info, 314158))), Order::out_of_order);
    EXPECT_EQ(dialog->admit(parsed(request_text(Method::info, 314170))), Order::fine);
    EXPECT_EQ(dialog->admit(parsed(request_text(Method::info, 314160))), Order::out_of_order);
    EXPECT_EQ(dialog->admit(parsed(request_text(Method::bye, 314171))), Order::fine);
    // The caller has no number of the callee's before its first request.
    auto other = Dialog::of_caller(
        invite_of_alice(),
        parsed(response_text(200, bob_with_tag, "Contact: <sip:bob@192.0.2.4>\r\n")));
    EXPECT_EQ(other.admit(parsed(request_text(Method::info, 0))), Order::fine);
}

// RFC 3261 §12.2.2: a target refresh moves the target; a Contact that cannot be called does not.
TEST(Dialog, TheTargetFollowsTheContact) {
    auto dialog = Dialog::of_callee(
        parsed(invite_text("sip:bob@192.0.2.4", "<sip:alice@pc33.atlanta.com>")), "a6c85cf");
    ASSERT_TRUE(dialog);
    dialog->refresh_target(
        parsed(request_text(Method::invite, 314160, "<sip:alice@192.0.2.77:5062;ob?Subject=x>")));
    EXPECT_EQ(dialog->remote_target(), "sip:alice@192.0.2.77:5062;ob");
    dialog->refresh_target(parsed(request_text(Method::update, 314161)));
    dialog->refresh_target(parsed(request_text(Method::update, 314162, "<tel:+15551234>")));
    EXPECT_EQ(dialog->remote_target(), "sip:alice@192.0.2.77:5062;ob");
}

// RFC 3261 §12.1.1, §12.1.2: a peer of RFC 2543 has no tag.
TEST(Dialog, APeerWithoutATag) {
    auto dialog = Dialog::of_caller(
        invite_of_alice(),
        parsed(response_text(200, "<sip:bob@biloxi.com>", "Contact: <sip:bob@192.0.2.4>\r\n")));
    EXPECT_TRUE(dialog.has("1928301774", ""));
    EXPECT_EQ(dialog.request(Method::bye).to, "<sip:bob@biloxi.com>");
    // No Contact either: the Request-URI stays the target.
    auto without = Dialog::of_caller(invite_of_alice(),
                                     parsed(response_text(200, "<sip:bob@biloxi.com>", {})));
    EXPECT_EQ(without.request(Method::bye).request_uri, "sip:bob@biloxi.com");
}

// The whole text of a request, as its way completes it.
TEST(Dialog, ARequestIsWritten) {
    auto dialog = Dialog::of_caller(invite_of_alice(),
                                    parsed(response_text(200, bob_with_tag,
                                                         "Record-Route: <sip:p1.atlanta.com;lr>\r\n"
                                                         "Contact: <sip:bob@192.0.2.4>\r\n")));
    auto update = dialog.request(Method::update);
    update.has_contact = true;
    update.headers = "Session-Expires: 1800;refresher=uac\r\n";
    EXPECT_EQ(written(update, {.transport = Transport::tcp,
                               .sent_by = "192.0.2.1:5070",
                               .branch = "z9hG4bKabc",
                               .contact = "sip:alice@192.0.2.1:5070",
                               .authorization = "Authorization: Digest x\r\n",
                               .user_agent = "Holdfast"}),
              "UPDATE sip:bob@192.0.2.4 SIP/2.0\r\n"
              "Via: SIP/2.0/TCP 192.0.2.1:5070;rport;branch=z9hG4bKabc\r\n"
              "Route: <sip:p1.atlanta.com;lr>\r\n"
              "Max-Forwards: 70\r\n"
              "From: \"Alice\" <sip:alice@atlanta.com>;tag=1928301774\r\n"
              "To: Bob <sip:bob@biloxi.com>;tag=a6c85cf\r\n"
              "Call-ID: a84b4c76e66710\r\n"
              "CSeq: 314160 UPDATE\r\n"
              "Contact: <sip:alice@192.0.2.1:5070>\r\n"
              "Session-Expires: 1800;refresher=uac\r\n"
              "Authorization: Digest x\r\n"
              "User-Agent: Holdfast\r\n"
              "Content-Length: 0\r\n\r\n");
}

}  // namespace
}  // namespace holdfast::dialog
