#include "flow/mapping.h"

#include <gtest/gtest.h>

namespace holdfast::flow {
namespace {

Endpoint at(std::string_view text) { return Endpoint::parse(text).value(); }

class MappingTest : public testing::Test {
protected:
    Instant start{1h};
    MappingMemory memory;

    // An answer from the target itself, unless said otherwise.
    [[nodiscard]] ViaSighting answer(std::optional<std::string_view> received,
                                     std::optional<std::uint16_t> rport) const {
        return {.received = received,
                .rport = rport,
                .local = at("192.168.1.20:40000"),
                .source = at("203.0.113.11:5060"),
                .sent_to = at("203.0.113.11:5060")};
    }
    Learned learn(Instant now, std::uint16_t port) {
        return memory.learn(now, answer("198.51.100.7", port));
    }
};

// The mapping is both `received` and `rport` of the top Via (N1). RFC 3581 §4.
TEST_F(MappingTest, IsReceivedAndRport) {
    EXPECT_EQ(memory.learn(start, answer("198.51.100.7", 13450)), Learned::first);
    EXPECT_EQ(memory.mapping(), at("198.51.100.7:13450"));
    EXPECT_EQ(memory.usable(), at("198.51.100.7:13450"));
    EXPECT_EQ(memory.learn(start + 1s, answer("198.51.100.7", 13450)), Learned::same);
}

// An address without a port, a port that is none, or text that is no address tell nothing (N1).
TEST_F(MappingTest, LearnsNothingFromHalfAnAnswer) {
    EXPECT_EQ(memory.learn(start, answer("198.51.100.7", std::nullopt)), Learned::none);
    EXPECT_EQ(memory.learn(start, answer("198.51.100.7", 0)), Learned::none);
    EXPECT_EQ(memory.learn(start, answer("nat.example.test", 13450)), Learned::none);
    EXPECT_EQ(memory.learn(start, answer("", 13450)), Learned::none);
    EXPECT_EQ(memory.learn(start, answer("[", 13450)), Learned::none);
    EXPECT_EQ(memory.learn(start, answer("0.0.0.0", 13450)), Learned::none);
    EXPECT_EQ(memory.mapping(), std::nullopt);
}

// Only an answer from the address we sent to may change it; another node's or a forger's may not
// (N1).
TEST_F(MappingTest, IgnoresAnswersFromElsewhere) {
    auto sighting = answer("198.51.100.7", 13450);
    sighting.source = at("203.0.113.12:5060");
    EXPECT_EQ(memory.learn(start, sighting), Learned::none);
    sighting.source = at("203.0.113.11:5062");
    EXPECT_EQ(memory.learn(start, sighting), Learned::none);
    EXPECT_EQ(memory.learn_stun(start, at("198.51.100.7:1"), at("203.0.113.12:5060"),
                                at("203.0.113.11:5060")),
              Learned::none);
    EXPECT_EQ(memory.mapping(), std::nullopt);
}

// RFC 3261 §18.2.1: without `received` the source is what we wrote as sent-by. With a public
// address of our own that is right; behind a NAT the guess is private and harms nobody (N1).
TEST_F(MappingTest, TakesSentByWhereReceivedIsAbsent) {
    auto sighting = answer(std::nullopt, 40000);
    EXPECT_EQ(memory.learn(start, sighting), Learned::not_usable);
    EXPECT_EQ(memory.mapping(), at("192.168.1.20:40000"));
    EXPECT_EQ(memory.usable(), std::nullopt);

    sighting.local = at("198.51.100.99:40000");
    EXPECT_EQ(memory.learn(start, sighting), Learned::first);
    EXPECT_EQ(memory.usable(), at("198.51.100.99:40000"));
}

// IPv6 with and without brackets (RFC 5118 §4.5); IPv4 in IPv6 clothes is IPv4 (N1).
TEST_F(MappingTest, ReadsEverySpelling) {
    EXPECT_EQ(memory.learn(start, answer("[2001:db8::7]", 1000)), Learned::first);
    EXPECT_EQ(memory.learn(start, answer("2001:db8::7", 1000)), Learned::same);
    EXPECT_EQ(memory.mapping(), at("[2001:db8::7]:1000"));
    EXPECT_EQ(memory.learn(start, answer("::ffff:198.51.100.7", 1000)), Learned::changed);
    EXPECT_EQ(memory.mapping(), at("198.51.100.7:1000"));
}

// A private, shared, loopback or link-local mapping reported by a global server is shown, never
// used (N1).
TEST_F(MappingTest, ShowsButNeverUsesWhatAGlobalServerCannotSee) {
    for (const auto* address : {"10.0.0.7", "172.16.0.7", "192.168.1.7", "100.64.0.7", "127.0.0.1",
                                "169.254.0.7", "fd00::7", "fe80::7", "::1"}) {
        MappingMemory fresh;
        EXPECT_EQ(fresh.learn(start, answer(address, 13450)), Learned::not_usable) << address;
        EXPECT_EQ(fresh.mapping()->address.to_string(), address);
        EXPECT_FALSE(fresh.shown_is_usable()) << address;
        EXPECT_EQ(fresh.usable(), std::nullopt) << address;
    }
}

// In our own network a private mapping is a good one; loopback only for who is there itself (N1).
TEST_F(MappingTest, UsesPrivateMappingsOfPrivateServers) {
    const auto server = [](std::string_view text) { return IpAddress::parse(text).value(); };
    EXPECT_TRUE(is_usable_mapping(at("192.168.1.20:40000"), server("192.168.1.2")));
    EXPECT_TRUE(is_usable_mapping(at("100.64.3.4:40000"), server("10.1.1.1")));
    EXPECT_TRUE(is_usable_mapping(at("127.0.0.1:40000"), server("127.0.1.1")));
    EXPECT_FALSE(is_usable_mapping(at("127.0.0.1:40000"), server("192.168.1.2")));
    EXPECT_FALSE(is_usable_mapping(at("169.254.1.1:40000"), server("192.168.1.2")));
    EXPECT_TRUE(is_usable_mapping(at("198.51.100.7:40000"), server("192.168.1.2")));
    EXPECT_FALSE(is_usable_mapping(at("198.51.100.7:0"), server("203.0.113.11")));
    EXPECT_FALSE(is_usable_mapping(at("224.0.0.1:5060"), server("203.0.113.11")));
    // What nobody has, and what another family's server cannot have seen (N1).
    for (const auto* nobodys : {"255.255.255.255:5060", "240.0.0.1:5060", "0.1.2.3:5060"})
        EXPECT_FALSE(is_usable_mapping(at(nobodys), server("203.0.113.11"))) << nobodys;
    EXPECT_FALSE(is_usable_mapping(at("[::1]:40000"), server("127.0.0.1")));
    EXPECT_FALSE(is_usable_mapping(at("[fd00::1]:40000"), server("192.168.1.2")));
    EXPECT_TRUE(is_usable_mapping(at("[2001:db8::7]:40000"), server("203.0.113.11")));
    EXPECT_TRUE(is_usable_mapping(at("198.51.100.7:40000"), server("2001:db8::1"))) << "NAT64";
}

// What is not usable does not displace what is, and is no change (N1, N2).
TEST_F(MappingTest, KeepsTheUsableOneBehindAnUnusableSighting) {
    EXPECT_EQ(learn(start, 13450), Learned::first);
    EXPECT_EQ(memory.learn(start + 1s, answer("10.0.0.1", 999)), Learned::not_usable);
    EXPECT_EQ(memory.mapping(), at("10.0.0.1:999"));
    EXPECT_EQ(memory.usable(), at("198.51.100.7:13450"));
    EXPECT_FALSE(memory.shown_is_usable());
    EXPECT_EQ(learn(start + 2s, 13450), Learned::same);
    EXPECT_EQ(memory.changes(start + 2s), 0u);
}

// A mapping belongs to a flow: two servers' views through an endpoint-dependent NAT are no change
// (N2).
TEST_F(MappingTest, IsNeverComparedAcrossFlows) {
    MappingMemory other_flow;
    EXPECT_EQ(learn(start, 13450), Learned::first);
    auto elsewhere = answer("198.51.100.7", 13000);
    elsewhere.source = elsewhere.sent_to = at("203.0.113.13:5060");
    EXPECT_EQ(other_flow.learn(start + 1s, elsewhere), Learned::first);
    EXPECT_EQ(learn(start + 2s, 13450), Learned::same);
    EXPECT_EQ(learn(start + 3s, 13000), Learned::changed);
    EXPECT_EQ(memory.changes(start + 3s), 1u);
    EXPECT_EQ(other_flow.changes(start + 3s), 0u);
}

// STUN on the SIP port shows the same flow's mapping (N4, RFC 5626 §4.4.2).
TEST_F(MappingTest, StunAndViaAreOneMemory) {
    const auto server = at("203.0.113.11:5060");
    EXPECT_EQ(memory.learn_stun(start, at("198.51.100.7:13450"), server, server), Learned::first);
    EXPECT_EQ(learn(start + 1s, 13450), Learned::same);
    EXPECT_EQ(memory.learn_stun(start + 2s, at("198.51.100.7:13451"), server, server),
              Learned::changed);
}

// Three changes in 5 min are acted on, the fourth is not; rewriting rests until 5 min without
// change (K3, N5).
TEST_F(MappingTest, FourthChangeInFiveMinutesRestsRewriting) {
    learn(start, 1);
    for (std::uint16_t i = 1; i <= 3; ++i) {
        EXPECT_EQ(learn(start + i * 60s, static_cast<std::uint16_t>(1 + i)), Learned::changed);
        EXPECT_TRUE(memory.may_rewrite(start + i * 60s)) << i;
    }
    const Instant fourth = start + 60s + 5min - 1us;  // within 5 min of the first
    EXPECT_EQ(learn(fourth, 77), Learned::changed);
    EXPECT_EQ(memory.changes(fourth), 4u);
    EXPECT_FALSE(memory.may_rewrite(fourth));
    EXPECT_TRUE(memory.is_unstable(fourth + 5min - 1us));
    EXPECT_FALSE(memory.is_unstable(fourth + 5min));
    EXPECT_EQ(learn(fourth + 5min, 78), Learned::changed);
    EXPECT_TRUE(memory.may_rewrite(fourth + 5min));
}

// Four changes in 5 min and no less are not too many (K3): the window is half open.
TEST_F(MappingTest, FourChangesOverFiveMinutesAreAllowed) {
    learn(start, 1);
    for (std::uint16_t i = 1; i <= 3; ++i)
        learn(start + i * 60s, static_cast<std::uint16_t>(1 + i));
    learn(start + 60s + 5min, 77);
    EXPECT_EQ(memory.changes(start + 60s + 5min), 3u);
    EXPECT_FALSE(memory.is_unstable(start + 60s + 5min));
}

// While it goes on changing, the rest goes on, however slowly (K3: "5 min without change").
TEST_F(MappingTest, EachFurtherChangeProlongsTheRest) {
    for (std::uint16_t i = 0; i <= 4; ++i)
        learn(start + i * 1s, static_cast<std::uint16_t>(100 + i));
    const Instant next = start + 4s + 4min;
    learn(next, 500);
    const Instant last = next + 4min;
    learn(last, 501);
    EXPECT_EQ(memory.changes(last), 2u);
    EXPECT_TRUE(memory.is_unstable(last + 5min - 1us));
    EXPECT_FALSE(memory.is_unstable(last + 5min));
}

}  // namespace
}  // namespace holdfast::flow
