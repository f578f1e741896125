#include "flow/options_ping.h"

#include <gtest/gtest.h>

#include "sip/message.h"

namespace holdfast::flow {
namespace {

OptionsPing ping() {
    return {.domain_uri = "sip:example.test",
            .aor = "sip:alice@example.test",
            .from_tag = "ft1",
            .call_id = "probe-1",
            .branch = "z9hG4bK0123456789abcdef",
            .cseq = 1,
            .transport = Transport::udp,
            .local = *Endpoint::parse("192.168.1.20:40000")};
}

// Request-URI and To are the domain without user, From the AOR, no credentials (F9); rport (N1),
// local Via (N4).
TEST(OptionsPing, IsTheRequestOfTheRule) {
    EXPECT_EQ(options_request(ping()),
              "OPTIONS sip:example.test SIP/2.0\r\n"
              "Via: SIP/2.0/UDP 192.168.1.20:40000;rport;branch=z9hG4bK0123456789abcdef\r\n"
              "Max-Forwards: 70\r\n"
              "From: <sip:alice@example.test>;tag=ft1\r\n"
              "To: <sip:example.test>\r\n"
              "Call-ID: probe-1\r\n"
              "CSeq: 1 OPTIONS\r\n"
              "Content-Length: 0\r\n\r\n");
}

// The same values give the same octets: a repetition is a retransmission (K2, RFC 3261 §17.1.2.2).
TEST(OptionsPing, RepetitionIsTheSameOctets) {
    EXPECT_EQ(options_request(ping()), options_request(ping()));
}

// What we write is a request that we would accept (RFC 3261 §8.1.1), over TLS and IPv6 too, with
// `keep` (RFC 6223).
TEST(OptionsPing, Parses) {
    auto fields = ping();
    fields.transport = Transport::tls;
    fields.local = *Endpoint::parse("[2001:db8::4]:40000");
    fields.ask_keep = true;
    fields.user_agent = "Holdfast";
    const auto message = sip::Message::parse(options_request(fields));
    ASSERT_TRUE(message.has_value());
    EXPECT_EQ(message->method(), sip::Method::options);
    EXPECT_EQ(message->top_via().transport, "TLS");
    EXPECT_EQ(message->top_via().host, "[2001:db8::4]");
    EXPECT_EQ(message->top_via().port, 40000);
    EXPECT_TRUE(message->top_via().has_rport);
    EXPECT_TRUE(message->top_via().parameters.has("keep"));
    EXPECT_FALSE(message->request_uri().has_user);
    EXPECT_EQ(message->max_forwards(), 70u);
    EXPECT_EQ(message->header("User-Agent"), "Holdfast");
    EXPECT_FALSE(message->has(sip::HeaderName::authorization));
    EXPECT_FALSE(message->has(sip::HeaderName::contact));
}

}  // namespace
}  // namespace holdfast::flow
