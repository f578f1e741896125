#include "registration/register_request.h"

#include <gtest/gtest.h>

#include "sip/message.h"

namespace holdfast::registration {
namespace {

RegisterFields fields() {
    return {.request_uri = "sip:example.test",
            .aor = "sip:alice@example.test",
            .display_name = {},
            .from_tag = "f1",
            .call_id = "lasting",
            .cseq = 42,
            .branch = "z9hG4bKb1",
            .transport = Transport::udp,
            .sent_by = "10.0.0.2:40000",
            .contacts = {{.uri = "sip:alice@198.51.100.1:13450;hf=t",
                          .expires = 300,
                          .parameters = ";+sip.instance=\"<urn:uuid:x>\";reg-id=1"}},
            .expires = 300,
            .supported = "outbound, path",
            .require = {},
            .user_agent = "test",
            .authorization = {}};
}
sip::Message parsed(const std::string& text) {
    auto message = sip::Message::parse(text);
    EXPECT_TRUE(message.has_value()) << text;
    return message ? std::move(*message) : sip::Message{};
}

// What every REGISTER has (RFC 3261 §10.2, RFC 3581 §3, RFC 5626 §4.2.1).
TEST(RegisterRequest, HasWhatTheRfcsWant) {
    const auto text = register_request(fields());
    const auto message = parsed(text);
    EXPECT_TRUE(text.starts_with("REGISTER sip:example.test SIP/2.0\r\n"));
    EXPECT_TRUE(message.request_uri().user.empty());
    EXPECT_EQ(message.to().uri.text, "sip:alice@example.test");
    EXPECT_EQ(message.from().uri.text, "sip:alice@example.test");
    EXPECT_EQ(message.call_id(), "lasting");
    EXPECT_EQ(message.cseq().number, 42u);
    EXPECT_EQ(message.max_forwards(), 70u);
    EXPECT_EQ(message.expires(), 300u);
    EXPECT_TRUE(message.supports("outbound"));
    EXPECT_TRUE(message.supports("path"));
    EXPECT_NE(text.find(";rport"), std::string::npos);  // N1
    EXPECT_FALSE(message.has(sip::HeaderName::require));
    EXPECT_EQ(message.content_length(), 0u);
}

// The current Contact first, then the old URIs, bare, with expires=0 (B6).
TEST(RegisterRequest, TheCurrentContactFirstThenTheOldOnesBare) {
    auto with = fields();
    with.contacts.push_back({.uri = "sip:alice@198.51.100.1:13000;hf=t", .expires = 0});
    with.contacts.push_back({.uri = "sip:alice@198.51.100.1:12000;hf=t", .expires = 0});
    const auto message = parsed(register_request(with));
    const auto contacts = message.contacts();
    ASSERT_EQ(contacts.size(), 3u);
    EXPECT_EQ(contacts[0].uri.text, "sip:alice@198.51.100.1:13450;hf=t");
    EXPECT_EQ(contacts[0].expires, message.expires());  // the same in both places (B6)
    EXPECT_EQ(contacts[0].instance(), "urn:uuid:x");
    EXPECT_EQ(contacts[0].reg_id(), 1u);
    for (const std::size_t old : {1U, 2U}) {
        EXPECT_EQ(contacts[old].expires, 0u);
        EXPECT_TRUE(contacts[old].instance().empty());
        EXPECT_FALSE(contacts[old].reg_id());
    }
    EXPECT_EQ(contacts[1].uri.text, "sip:alice@198.51.100.1:13000;hf=t");
}

// No Contact at all is a fetch (RFC 3261 §10.2.3), which B7 asks the old server with.
TEST(RegisterRequest, WithoutContactItIsAFetch) {
    auto with = fields();
    with.contacts.clear();
    with.expires.reset();
    const auto message = parsed(register_request(with));
    EXPECT_TRUE(message.contacts().empty());
    EXPECT_FALSE(message.contact_is_star());
    EXPECT_FALSE(message.expires());
}

// N8: above 1,300 bytes the compact forms are used; the transport stays, and nothing is lost.
TEST(RegisterRequest, CompactAboveTheLimitOnly) {
    auto with = fields();
    const auto bare = register_request(with).size();
    const std::string padding(compact_above - bare, 'x');
    const std::string agent = "test" + padding;
    with.user_agent = agent;
    const auto at_the_limit = register_request(with);
    EXPECT_EQ(at_the_limit.size(), compact_above);
    EXPECT_NE(at_the_limit.find("\r\nCall-ID: "), std::string::npos);

    const auto longer = agent + "x";
    with.user_agent = longer;
    const auto past_it = register_request(with);
    EXPECT_LT(past_it.size(), compact_above);
    EXPECT_EQ(past_it.find("\r\nCall-ID: "), std::string::npos);
    EXPECT_NE(past_it.find("\r\ni: lasting\r\n"), std::string::npos);
    EXPECT_NE(past_it.find("SIP/2.0/UDP "), std::string::npos);
    const auto full = parsed(at_the_limit);
    const auto compact = parsed(past_it);
    EXPECT_EQ(compact.headers().size(), full.headers().size());
    EXPECT_EQ(compact.contacts().size(), 1u);
    EXPECT_TRUE(compact.supports("outbound"));
}

// Route = outbound proxy + Service-Route (L8), in order, and credentials as they are given (L9).
TEST(RegisterRequest, RoutesAndCredentialsStandAsGiven) {
    auto with = fields();
    with.routes = {"<sip:proxy.example.test;lr>", "<sip:203.0.113.11;lr>"};
    with.authorization = "Authorization: Digest username=\"alice\"\r\n";
    const auto message = parsed(register_request(with));
    ASSERT_EQ(message.routes().size(), 2u);
    EXPECT_EQ(message.routes()[0].uri.host, "proxy.example.test");
    EXPECT_EQ(message.authorizations().size(), 1u);
}

// R1's OPTIONS: Max-Forwards 20, to the AOR.
TEST(OptionsRequest, HasMaxForwardsTwenty) {
    const auto message = parsed(options_request({.request_uri = "sip:alice@example.test",
                                                 .aor = "sip:alice@example.test",
                                                 .to = "sip:alice@example.test",
                                                 .from_tag = "f",
                                                 .call_id = "c",
                                                 .branch = "z9hG4bKb",
                                                 .sent_by = "10.0.0.2:40000",
                                                 .contact = {},
                                                 .user_agent = "test",
                                                 .authorization = {}}));
    EXPECT_EQ(message.max_forwards(), 20u);
    EXPECT_EQ(message.request_uri().text, "sip:alice@example.test");
    EXPECT_EQ(message.method(), sip::Method::options);
}

}  // namespace
}  // namespace holdfast::registration
