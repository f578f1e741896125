// STUN against the sample messages of RFC 5769 and against what a hostile or an old server may
// send.
//   RFC 8489 §5, §6.3, §14; RFC 5389 §12; RFC 5626 §4.4.2 (a keep-alive answer shows the
//   mapping).
// Not tested here: when it is sent again and what silence means, MESSAGE-INTEGRITY (not
// checked).
#include "flow/stun.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace holdfast::flow {
namespace {

std::string bytes(std::string_view hexadecimal) {
    std::string digits;
    for (const char c : hexadecimal)
        if (c != ' ') digits += c;
    return from_hex(digits).value();
}

const std::string transaction_hex = "b7e7a701 bc34d686 fa87dfae";
constexpr StunTransaction transaction{0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34,
                                      0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae};

// RFC 5769 §2.1: an ICE check with PRIORITY, ICE-CONTROLLED and USERNAME.
std::string sample_request() {
    return bytes(
        "00010058 2112a442" + transaction_hex +
        "80220010 5354554e20746573 7420636c69656e74 00240004 6e0001ff 80290008 932ff9b151263b36"
        "00060009 6576746a3a683676 59202020 00080014 9aeaa70cbfd8cb56 781ef2b5b2d3f249 c1b571a2"
        "80280004 e57a3bcf");
}

// RFC 5769 §2.2.
std::string sample_ipv4_response() {
    return bytes("0101003c 2112a442" + transaction_hex +
                 "8022000b 7465737420766563 746f7220 00200008 0001a147e112a643"
                 "00080014 2b91f599fd9e90c3 8c7489f92af9ba53 f06be7d7 80280004 c07d4c96");
}

// RFC 5769 §2.3.
std::string sample_ipv6_response() {
    return bytes(
        "01010048 2112a442" + transaction_hex +
        "8022000b 7465737420766563 746f7220 00200014 0002a147 0113a9faa5d3f179 bc25f4b5bed2b9d9"
        "00080014 a382954e4be67bf1 1784c97c8292c275 bfe3ed41 80280004 c8fb0b4c");
}

// RFC 5769 §2.4: long-term credentials, no FINGERPRINT.
std::string sample_long_term_request() {
    return bytes(
        "00010060 2112a442 78ad3433c6ad72c029da412e 00060012 e3839ee38388e383 aae38383e382afe3 "
        "82b90000"
        "0015001c 662f2f3439396b39 3534643 64f4c3334 6f4c394653547679 3634734 1 0014000b "
        "6578616d706c652e"
        "636f6d00 00080014 f67024656dd64a3e 02b8e0712e85c9a2 8ca89666");
}

Endpoint endpoint(std::string_view text) { return Endpoint::parse(text).value(); }

std::string success_with(std::string_view attributes) {
    const auto body = bytes(attributes);
    std::string message = bytes("01010000 2112a442" + transaction_hex) + body;
    message[3] = static_cast<char>(body.size());
    return message;
}

TEST(Stun, SampleResponsesOfRfc5769) {
    const auto v4 = decode_stun(sample_ipv4_response());
    ASSERT_TRUE(v4);
    EXPECT_TRUE(v4->answers(transaction));
    EXPECT_TRUE(v4->has_fingerprint);
    EXPECT_EQ(v4->mapping(), endpoint("192.0.2.1:32853"));
    const auto v6 = decode_stun(sample_ipv6_response());
    ASSERT_TRUE(v6);
    EXPECT_TRUE(v6->has_fingerprint);
    EXPECT_EQ(v6->mapping(), endpoint("[2001:db8:1234:5678:11:2233:4455:6677]:32853"));
}

TEST(Stun, SampleRequestsOfRfc5769) {
    const auto ice = decode_stun(sample_request());
    ASSERT_TRUE(ice);
    EXPECT_EQ(ice->kind, StunClass::request);
    EXPECT_EQ(ice->method, stun_binding);
    EXPECT_EQ(ice->transaction, transaction);
    EXPECT_TRUE(ice->has_fingerprint);
    EXPECT_EQ(ice->unknown,
              std::vector<std::uint16_t>{0x0024});  // PRIORITY: a server of ours says 420
    EXPECT_FALSE(ice->answers(transaction));
    const auto long_term = decode_stun(sample_long_term_request());
    ASSERT_TRUE(long_term);
    EXPECT_FALSE(long_term->has_fingerprint);
    EXPECT_TRUE(long_term->unknown.empty());
}

TEST(Stun, WhatWeWriteWeRead) {
    EXPECT_EQ(hex(encode_binding_request(transaction)).substr(0, 48),
              "000100082112a442b7e7a701bc34d686fa87dfae80280004");
    const auto request = decode_stun(encode_binding_request(transaction));
    ASSERT_TRUE(request);
    EXPECT_EQ(request->kind, StunClass::request);
    EXPECT_TRUE(request->has_fingerprint);
    for (const auto* text :
         {"203.0.113.195:13450", "[2001:db8::1]:5060", "255.255.255.255:65535"}) {
        const auto answer = decode_stun(encode_binding_success(transaction, endpoint(text)));
        ASSERT_TRUE(answer);
        EXPECT_TRUE(answer->answers(transaction));
        EXPECT_EQ(answer->mapping(), endpoint(text));
    }
}

// An error is an answer, so the server lives, but it shows no mapping.
TEST(Stun, ErrorResponseProvesLifeWithoutMapping) {
    const StunError error{420, "Unknown Attribute"};
    const auto answer = decode_stun(encode_binding_error(transaction, error, {0x0024, 0x7fff}));
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->answers(transaction));
    EXPECT_EQ(answer->error, error);
    EXPECT_EQ(answer->unknown_there, (std::vector<std::uint16_t>{0x0024, 0x7fff}));
    EXPECT_EQ(answer->mapping(), std::nullopt);
    const auto longest =
        decode_stun(encode_binding_error(transaction, {300, std::string(764, 'x')}));
    ASSERT_TRUE(longest);
    EXPECT_EQ(longest->error->reason.size(), max_stun_reason_bytes);
}

TEST(Stun, AnotherTransactionIsNotAnswered) {
    auto other = transaction;
    other[11] ^= 1;
    EXPECT_FALSE(decode_stun(sample_ipv4_response())->answers(other));
    Random random{seed_from_number(1)};
    EXPECT_NE(new_stun_transaction(random), new_stun_transaction(random));
    Random again{seed_from_number(1)};
    Random same{seed_from_number(1)};
    EXPECT_EQ(new_stun_transaction(again), new_stun_transaction(same));
}

// One socket carries SIP, keep-alives and STUN (RFC 5626 §8).
TEST(Stun, IsToldFromSip) {
    EXPECT_TRUE(is_stun(sample_ipv4_response()));
    for (const std::string_view text :
         {"", "\r\n\r\n", "OPTIONS sip:a SIP/2.0\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n"})
        EXPECT_FALSE(is_stun(text));
    EXPECT_FALSE(is_stun(std::string_view("\0\0\0\0", 4)));
    const auto good = sample_ipv4_response();
    for (const std::size_t changed : {0U, 3U, 4U, 7U}) {  // first bits, length, cookie
        auto bad = good;
        bad[changed] = static_cast<char>(bad[changed] ^ 0x80);
        EXPECT_FALSE(is_stun(bad)) << changed;
        EXPECT_EQ(decode_stun(bad).error(), StunMalformed::not_stun);
    }
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_FALSE(is_stun(good.substr(0, size)));
    EXPECT_FALSE(is_stun(good + '\0'));
}

TEST(Stun, WrongFingerprintIsMalformed) {
    auto changed = sample_ipv4_response();
    changed[30] = static_cast<char>(changed[30] ^ 1);
    EXPECT_EQ(decode_stun(changed).error(), StunMalformed::fingerprint);
    // RFC 8489 §14.7: it is the last one.
    auto followed =
        encode_binding_success(transaction, endpoint("192.0.2.1:1")) + bytes("80220000");
    followed[3] = static_cast<char>(followed[3] + 4);
    EXPECT_FALSE(decode_stun(followed));
}

// RFC 5389 §12: servers of RFC 3489 send MAPPED-ADDRESS and addresses that have no meaning any
// more.
TEST(Stun, OldServersMappedAddressIsTaken) {
    const auto old =
        decode_stun(success_with("00010008 0001324c c0000201 00040008 00010d96 c6336401"));
    ASSERT_TRUE(old);
    EXPECT_EQ(old->mapping(), endpoint("192.0.2.1:12876"));
    // Some NATs rewrite addresses that they find in packets: that is why the XORed one wins, in any
    // order.
    const auto both =
        decode_stun(success_with("00010008 0001324c c0000201 00200008 0001a147e112a643"));
    ASSERT_TRUE(both);
    EXPECT_EQ(both->mapping(), endpoint("192.0.2.1:32853"));
}

// RFC 8489 §14: of a repeated attribute the first; §14.5: after the integrity nothing but
// FINGERPRINT.
TEST(Stun, RepeatedAndUncoveredAttributesAreIgnored) {
    const auto twice =
        decode_stun(success_with("00200008 0001a147e112a643 00200008 0001a148e112a643"));
    ASSERT_TRUE(twice);
    EXPECT_EQ(twice->mapping(), endpoint("192.0.2.1:32853"));
    const std::string integrity = "00080014" + std::string(40, '0');
    const auto uncovered = decode_stun(success_with(integrity + "00200008 0001a147e112a643"));
    ASSERT_TRUE(uncovered);
    EXPECT_EQ(uncovered->mapping(), std::nullopt);
}

// RFC 8489 §6.3.3: a success with something that we must understand and do not is no success.
TEST(Stun, UnknownRequiredAttributeSpoilsTheMapping) {
    const auto required = decode_stun(success_with("00200008 0001a147e112a643 7fff0001 aa000000"));
    ASSERT_TRUE(required);
    EXPECT_EQ(required->unknown, std::vector<std::uint16_t>{0x7fff});
    EXPECT_TRUE(required->answers(transaction));
    EXPECT_EQ(required->mapping(), std::nullopt);
    const auto optional = decode_stun(success_with("00200008 0001a147e112a643 ffff0001 aa000000"));
    ASSERT_TRUE(optional);
    EXPECT_EQ(optional->mapping(), endpoint("192.0.2.1:32853"));
}

TEST(Stun, RememberedUnknownAttributesAreLimited) {
    std::string many;
    for (std::size_t i = 0; i < max_unknown_stun_attributes; ++i) many += "7fff0000";
    EXPECT_EQ(decode_stun(success_with(many))->unknown.size(), max_unknown_stun_attributes);
    EXPECT_EQ(decode_stun(success_with(many + "7fff0000"))->unknown.size(),
              max_unknown_stun_attributes);
}

TEST(Stun, MalformedAttributesAreRefused) {
    for (const auto* attributes : {
             "00200008 0001a147",                                      // reaches past the end
             "0020ffff 0001a147 e112a643",                             // far past the end
             "00200005 0001a147 e1000000",                             // too short for its family
             "00200008 0003a147 e112a643",                             // no such family
             "00200014 0001a147 e112a643 00000000 00000000 00000000",  // IPv4 with IPv6's size
             "00010004 00010000",  // MAPPED-ADDRESS without address
             "00090003 00000400",  // ERROR-CODE without number
             "00090004 00000200",  // class 2
             "00090004 00000464",  // number 100
             "000a0001 00000000",  // half an attribute type
         })
        EXPECT_EQ(decode_stun(success_with(attributes)).error(), StunMalformed::attribute)
            << attributes;
}

}  // namespace
}  // namespace holdfast::flow
