#include "flow/outbound.h"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::flow {
namespace {

sip::Message response(std::string_view status, std::string_view method, std::string_view via,
                      std::string_view more = "") {
    std::string text =
        "SIP/2.0 " + std::string{status} +
        "\r\nVia: SIP/2.0/UDP 192.168.1.20:40000;branch=z9hG4bKaaaa" + std::string{via} +
        "\r\nFrom: <sip:alice@example.test>;tag=a\r\nTo: <sip:alice@example.test>;tag=b\r\n"
        "Call-ID: c\r\nCSeq: 1 " +
        std::string{method} + "\r\n" + std::string{more} + "Content-Length: 0\r\n\r\n";
    auto message = sip::Message::parse(text);
    EXPECT_TRUE(message.has_value()) << text;
    return std::move(*message);
}

// Require: outbound and Flow-Timer of a 2xx to REGISTER are the agreement (B1, K1; RFC 5626 §4.4,
// §6).
TEST(Outbound, TwoHundredToRegisterAgrees) {
    const auto ok = response("200 OK", "REGISTER", "", "Require: outbound\r\nFlow-Timer: 120\r\n");
    EXPECT_EQ(agreement_of(ok), (Agreement{.outbound = true, .flow_timer = 120s}));
    EXPECT_EQ(agreement_of(
                  response("200 OK", "REGISTER", "", "Require: path\r\nSupported: outbound\r\n")),
              Agreement{});
}

// The same words in another response agree to nothing (RFC 5626 §4.4: the response to the
// registration).
TEST(Outbound, OtherResponsesDoNotAgree) {
    const auto* words = "Require: outbound\r\nFlow-Timer: 120\r\n";
    EXPECT_EQ(agreement_of(response("200 OK", "OPTIONS", "", words)), Agreement{});
    EXPECT_EQ(agreement_of(response("401 Unauthorized", "REGISTER", "", words)), Agreement{});
    EXPECT_EQ(agreement_of(response("100 Trying", "REGISTER", "", words)), Agreement{});
}

// `keep` with a value is consent, in any response; the bare flag is our own word (K1, RFC 6223 §4).
TEST(Outbound, KeepWithAValueAgrees) {
    EXPECT_EQ(agreement_of(response("200 OK", "OPTIONS", ";keep=30")),
              (Agreement{.keep = true, .flow_timer = 30s}));
    EXPECT_EQ(agreement_of(response("200 OK", "REGISTER", ";keep=0")), (Agreement{.keep = true}));
    EXPECT_EQ(agreement_of(response("200 OK", "REGISTER", ";keep")), Agreement{});
    EXPECT_EQ(agreement_of(response("200 OK", "REGISTER", ";keep=soon")), Agreement{});
    EXPECT_EQ(agreement_of(response("200 OK", "REGISTER", ";keep=30", "Flow-Timer: 90\r\n")),
              (Agreement{.keep = true, .flow_timer = 90s}));
}

// A number of years is no interval (K1), 0 is none.
TEST(Outbound, FlowTimerIsHeldWithinAnHour) {
    const auto timer = [](std::string_view value) {
        return agreement_of(
                   response("200 OK", "REGISTER", "", "Flow-Timer: " + std::string{value} + "\r\n"))
            .flow_timer;
    };
    EXPECT_EQ(timer("3599"), 3599s);
    EXPECT_EQ(timer("3601"), 1h);
    EXPECT_EQ(timer("4294967295"), 1h);
    EXPECT_EQ(timer("0"), std::nullopt);
}

// 439: the first hop lacks outbound (B1, RFC 5626 §11.6); `ob` in a Path: it has it (§5.1).
TEST(Outbound, FirstHop) {
    EXPECT_TRUE(
        first_hop_lacks_outbound(response("439 First Hop Lacks Outbound Support", "REGISTER", "")));
    EXPECT_FALSE(first_hop_lacks_outbound(response("420 Bad Extension", "REGISTER", "")));
    EXPECT_TRUE(edge_has_outbound(
        response("200 OK", "REGISTER", "", "Path: <sip:edge.example.test;lr;ob>\r\n")));
    EXPECT_FALSE(edge_has_outbound(
        response("200 OK", "REGISTER", "", "Path: <sip:edge.example.test;lr>;ob\r\n")));
    EXPECT_FALSE(edge_has_outbound(response("200 OK", "REGISTER", "")));
}

// The top Via of a 401 shows the mapping before the first 200, so that the next REGISTER can have
// it (N1, N3).
TEST(Outbound, SightingOfTheTopVia) {
    const auto local = *Endpoint::parse("192.168.1.20:40000");
    const auto server = *Endpoint::parse("203.0.113.11:5060");
    const auto ok = response("401 Unauthorized", "REGISTER", ";received=198.51.100.7;rport=13450");
    MappingMemory memory;
    EXPECT_EQ(memory.learn(Instant{}, sighting_of(ok, local, server, server)), Learned::first);
    EXPECT_EQ(memory.usable()->to_string(), "198.51.100.7:13450");
    const auto bare = response("200 OK", "REGISTER", ";rport");
    EXPECT_EQ(memory.learn(Instant{}, sighting_of(bare, local, server, server)), Learned::none);
}

}  // namespace
}  // namespace holdfast::flow
