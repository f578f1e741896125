// Whose datagrams reach a DTLS association.
#include "media/dtls_gate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

#include "media/limits.h"

namespace holdfast::media {
namespace {

using namespace std::chrono_literals;
using Verdict = DtlsGate::Verdict;
using Bytes = std::vector<std::uint8_t>;

const Endpoint peer{.address = IpAddress::v4(192, 0, 2, 1), .port = 4000};
const Endpoint stranger{.address = IpAddress::v4(198, 51, 100, 1), .port = 5000};
const Endpoint other{.address = IpAddress::v4(198, 51, 100, 2), .port = 5000};
const Instant start{};

Bytes record(std::uint8_t type, std::uint8_t epoch, Bytes content = {1, 2}) {
    Bytes bytes{
        type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(content.size())};
    std::ranges::copy(content, std::back_inserter(bytes));
    return bytes;
}
// A message of a handshake (RFC 6347 §4.2.2), with a random where a hello has it.
Bytes message(std::uint8_t type, std::uint8_t random = 1) {
    Bytes content{type, 0, 0, 34, 0, 0, 0, 0, 0, 0, 0, 34, 0xfe, 0xfd};
    content.resize(12 + 34, random);
    return record(22, 0, content);
}
const Bytes hello = message(1);
const Bytes plain_alert = record(21, 0);
const Bytes sealed_alert = record(21, 1);

Verdict say(DtlsGate& gate, const Endpoint& from, const Bytes& bytes, Duration after = {},
            bool open = false) {
    return gate.on_datagram(start + after, from, bytes, open);
}

// RFC 6347 §4.1: a record has a header of 13 bytes, and the datagram ends with its last record.
TEST(DtlsGate, OnlyWholeRecordsPass) {
    DtlsGate gate{{.described = peer}};
    EXPECT_EQ(say(gate, peer, {}), Verdict::drop);
    EXPECT_EQ(say(gate, peer, {22}), Verdict::drop);
    for (std::size_t size = 1; size < hello.size(); ++size)
        EXPECT_EQ(say(gate, peer, {hello.begin(), hello.begin() + static_cast<long>(size)}),
                  Verdict::drop);
    auto version = hello;
    version[1] = 3;
    EXPECT_EQ(say(gate, peer, version), Verdict::drop);
    auto two = hello;
    std::ranges::copy(record(20, 0), std::back_inserter(two));
    EXPECT_EQ(say(gate, peer, two), Verdict::pass);
    two.push_back(0);
    EXPECT_EQ(say(gate, peer, two), Verdict::drop);
}

// RFC 6347 §4.1.2.7: an alert without keys is anybody's, at any time and wherever it stands.
TEST(DtlsGate, AlertsThatAreNotEncryptedCountForNothing) {
    DtlsGate gate{{.described = peer}};
    EXPECT_EQ(say(gate, peer, plain_alert), Verdict::alert);
    EXPECT_EQ(say(gate, stranger, plain_alert), Verdict::drop);
    auto hidden = hello;
    std::ranges::copy(plain_alert, std::back_inserter(hidden));
    EXPECT_EQ(say(gate, peer, hidden), Verdict::alert);
    EXPECT_EQ(say(gate, peer, hello), Verdict::pass);
    EXPECT_EQ(say(gate, peer, plain_alert, 1s, true), Verdict::drop);
    EXPECT_EQ(say(gate, peer, sealed_alert, 1s, true), Verdict::pass) << "close_notify";
    EXPECT_EQ(say(gate, stranger, sealed_alert, 1s, true), Verdict::drop);
}

TEST(DtlsGate, TheHandshakeIsWithOneSource) {
    DtlsGate gate{{.described = peer}};
    EXPECT_EQ(say(gate, stranger, record(23, 0)), Verdict::drop) << "that begins none";
    EXPECT_EQ(say(gate, stranger, hello), Verdict::pass) << "a NAT, perhaps";
    EXPECT_EQ(gate.peer(), stranger);
    EXPECT_EQ(say(gate, other, hello, 1s), Verdict::drop);
    EXPECT_EQ(say(gate, peer, hello, 1s), Verdict::anew) << "the SDP's address has precedence";
    EXPECT_EQ(gate.strangers(), std::vector{stranger});
    DtlsGate next{{.described = peer, .strangers = gate.strangers()}};
    EXPECT_EQ(say(next, stranger, hello), Verdict::drop);
    EXPECT_EQ(say(next, peer, hello), Verdict::pass);
    EXPECT_EQ(say(next, other, hello, 1h), Verdict::drop);
}

TEST(DtlsGate, WhoDoesNotFinishGivesWayToAnother) {
    DtlsGate gate{{.described = peer}};
    EXPECT_EQ(say(gate, stranger, hello), Verdict::pass);
    EXPECT_EQ(say(gate, other, hello, 2s - 1us), Verdict::drop);
    EXPECT_EQ(say(gate, other, hello, 2s), Verdict::anew);
}

// RFC 6347 §4.2.2, RFC 5246 §7.4.1.
TEST(DtlsGate, OnlyWhatBeginsAHandshakeBeginsOne) {
    DtlsGate passive{{.described = peer}};
    auto torn = hello;
    torn[13 + 11] = 35;  // longer than the message
    EXPECT_EQ(say(passive, peer, torn), Verdict::drop);
    EXPECT_EQ(say(passive, peer, message(2)), Verdict::drop);
    EXPECT_EQ(say(passive, peer, hello), Verdict::pass);
    EXPECT_EQ(say(passive, peer, message(16)), Verdict::pass);
    DtlsGate active{{.described = peer, .active = true}};
    EXPECT_EQ(say(active, peer, hello), Verdict::drop);
    EXPECT_EQ(say(active, stranger, message(2)), Verdict::drop) << "our hello went elsewhere";
    EXPECT_EQ(say(active, peer, message(3)), Verdict::pass);
    EXPECT_EQ(say(active, peer, message(2)), Verdict::pass);
}

// A client that has begun anew is not waited for in vain.
TEST(DtlsGate, AnotherClientHelloIsAnotherHandshake) {
    DtlsGate gate{{.described = peer}};
    EXPECT_EQ(say(gate, peer, hello), Verdict::pass);
    EXPECT_EQ(say(gate, peer, hello, 1s), Verdict::pass) << "sent again";
    auto rest = message(1, 3);
    rest[13 + 3] = 68;  // of a message twice as long its second half
    rest[13 + 8] = 34;
    EXPECT_EQ(say(gate, peer, rest, 1s), Verdict::pass);
    EXPECT_EQ(say(gate, peer, message(1, 2), 2s), Verdict::anew);
    EXPECT_EQ(say(gate, peer, message(1, 2), 2s, true), Verdict::pass) << "has keys";
}

TEST(DtlsGate, WithoutFollowingOnlyTheDescribedAddressIsHeard) {
    DtlsGate gate{{.described = peer, .follow = false}};
    EXPECT_EQ(say(gate, stranger, hello), Verdict::drop);
    EXPECT_EQ(say(gate, peer, hello), Verdict::pass);
}

// At the limit and one past it (I8).
TEST(DtlsGate, StrangersAreForgottenAtTheLimit) {
    std::vector<Endpoint> many(limits::dtls_strangers - 1, other);
    DtlsGate gate{{.described = peer, .strangers = many}};
    EXPECT_EQ(say(gate, stranger, hello), Verdict::pass);
    EXPECT_EQ(gate.strangers().size(), limits::dtls_strangers);
    DtlsGate full{
        {.described = peer, .strangers = std::vector<Endpoint>(limits::dtls_strangers, other)}};
    EXPECT_EQ(say(full, stranger, hello), Verdict::pass);
    EXPECT_EQ(full.strangers().size(), limits::dtls_strangers);
    EXPECT_EQ(full.strangers().back(), stranger);
}

}  // namespace
}  // namespace holdfast::media
