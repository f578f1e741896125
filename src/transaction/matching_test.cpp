// RFC 3261 §17.1.3 and §17.2.3: which transaction a message belongs to.
#include "transaction/matching.h"

#include <gtest/gtest.h>

#include "transaction/testing.h"

namespace holdfast::transaction {
namespace {

struct Fields {
    std::string method = "INVITE";
    std::string uri = "sip:bob@biloxi.com";
    std::string via = "SIP/2.0/UDP pc33.atlanta.com:5062;branch=z9hG4bKabc";
    std::string from_tag = "a";
    std::string to_tag = {};
    std::string call_id = "c1";
    int cseq = 1;
};

sip::Message request(const Fields& f) {
    auto message = sip::Message::parse(
        f.method + " " + f.uri + " SIP/2.0\r\nVia: " + f.via +
        "\r\nFrom: <sip:a@b.c>;tag=" + f.from_tag + "\r\nTo: <sip:b@b.c>" +
        (f.to_tag.empty() ? "" : ";tag=" + f.to_tag) + "\r\nCall-ID: " + f.call_id +
        "\r\nCSeq: " + std::to_string(f.cseq) + " " + f.method + "\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(message.has_value()) << message.error().reason;
    return std::move(*message);
}

ServerKey key(const Fields& fields) { return server_key_of(request(fields)); }

// A response is matched by branch and CSeq method: CANCEL has the branch of its INVITE.
TEST(Matching, ResponsesByBranchAndMethod) {
    EXPECT_EQ(client_key_of(response_to_invite(200)), client_key("z9hG4bKkjshdyff", "INVITE"));
    EXPECT_EQ(client_key_of(response_to_invite(200)), client_key("Z9HG4BKKJSHDYFF", "INVITE"));
    EXPECT_NE(client_key_of(response_to_invite(200)), client_key("z9hG4bKkjshdyff", "CANCEL"));
    EXPECT_NE(client_key_of(response_to_invite(200)), client_key("z9hG4bKother", "INVITE"));
    EXPECT_EQ(std::hash<ClientKey>{}(client_key("z9hG4bKX", "BYE")),
              std::hash<ClientKey>{}(client_key("z9hG4bKx", "BYE")));
}

// RFC 3261 §8.2.6.2: with our branch, but another request's Call-ID or CSeq number, it is no answer
// to ours; a From tag that was altered on the way is forgiven.
TEST(Matching, AnAnswerHasItsRequestsCallIdAndCSeq) {
    const auto response = response_to_invite(200);
    EXPECT_TRUE(is_answer_to({"987asjd97y7atg", 986759}, response));
    EXPECT_FALSE(is_answer_to({"987asjd97y7atH", 986759}, response));
    EXPECT_FALSE(is_answer_to({"987ASJD97Y7ATG", 986759}, response)) << "RFC 3261 §20.8";
    EXPECT_FALSE(is_answer_to({"987asjd97y7atg", 986758}, response));
}

// With the cookie: branch, sent-by and method; ACK counts as INVITE.
TEST(Matching, RequestsByBranchSentByAndMethod) {
    const auto invite = key({});
    EXPECT_EQ(invite, key({.call_id = "another"}));
    EXPECT_EQ(invite, key({.method = "ACK", .to_tag = "x"}));
    EXPECT_NE(invite, key({.method = "CANCEL"}));
    EXPECT_NE(invite, key({.via = "SIP/2.0/UDP pc33.atlanta.com:5062;branch=z9hG4bKabd"}));
    EXPECT_NE(invite, key({.via = "SIP/2.0/UDP pc34.atlanta.com:5062;branch=z9hG4bKabc"}));
    EXPECT_NE(invite, key({.via = "SIP/2.0/UDP pc33.atlanta.com:5063;branch=z9hG4bKabc"}));
    EXPECT_EQ(invite, key({.via = "SIP/2.0/UDP PC33.atlanta.com:5062;branch=z9hg4bKABC"}));
    EXPECT_EQ(std::hash<ServerKey>{}(invite), std::hash<ServerKey>{}(key({})));
}

// RFC 3261 §9.2: a CANCEL names its INVITE by everything but the method.
TEST(Matching, CancelFindsItsInvite) {
    EXPECT_EQ(server_key_of_cancelled(request({.method = "CANCEL"})), key({}));
    EXPECT_NE(server_key_of_cancelled(request({.method = "CANCEL"})), key({.method = "CANCEL"}));
}

// Without the cookie: Request-URI, tags, Call-ID, CSeq and the top Via (RFC 2543 clients).
TEST(Matching, OldRequestsByTheirFields) {
    const std::string old_via = "SIP/2.0/UDP pc33.atlanta.com:5062;branch=1";
    const auto invite = key({.via = old_via});
    EXPECT_EQ(invite, key({.via = old_via}));
    EXPECT_NE(invite, key({.uri = "sip:bob2@biloxi.com", .via = old_via}));
    EXPECT_NE(invite, key({.via = old_via + "0"}));
    EXPECT_NE(invite, key({.via = old_via, .from_tag = "b"}));
    EXPECT_NE(invite, key({.via = old_via, .call_id = "C1"}));
    EXPECT_NE(invite, key({.via = old_via, .cseq = 2}));
    EXPECT_NE(key({.method = "BYE", .via = old_via, .to_tag = "x"}),
              key({.method = "BYE", .via = old_via, .to_tag = "y"}));
}

// … and their ACK by the To tag of our response.
TEST(Matching, OldAckCarriesOurToTag) {
    const std::string old_via = "SIP/2.0/UDP pc33.atlanta.com:5062";
    const auto ack = request({.method = "ACK", .via = old_via, .to_tag = "ours"});
    EXPECT_EQ(server_key_of(ack), key({.via = old_via}));
    EXPECT_TRUE(ack_fits(ack, "ours"));
    EXPECT_FALSE(ack_fits(ack, "theirs"));
    EXPECT_TRUE(ack_fits(request({.method = "ACK", .to_tag = "any"}), "ours"));
}

}  // namespace
}  // namespace holdfast::transaction
