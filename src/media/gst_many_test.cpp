// Many calls one after the other and at once leave nothing behind; ports and codecs that cannot be
// had are said. Real sockets on loopback.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "media/limits.h"
#include "media/test_leaks.h"
#include "media/test_pair.h"
#include "media/test_relay.h"

namespace holdfast::media {
namespace {

std::size_t descriptors() {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, {}));
}
std::size_t threads() {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator{"/proc/self/task"}, {}));
}
// Resident memory, KiB.
std::size_t resident() {
    std::ifstream file{"/proc/self/statm"};
    std::size_t total = 0;
    std::size_t pages = 0;
    file >> total >> pages;
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 1024;
}

// A call's sound, from ports to close.
void one_call(Pair& pair) {
    pair.connect("PCMA");
    pair.close(alice);
    pair.close(bob);
}

// 15 calls of two sessions each: descriptors and threads are back at the start, memory does not
// grow.
TEST(ManyCalls, LeaveNothingBehind) {
    Pair pair;
    for (int n = 0; n < 3; ++n) one_call(pair);  // what is made once, is
    const auto descriptors_before = descriptors();
    const auto threads_before = threads();
    for (int n = 0; n < 5; ++n) one_call(pair);
    const auto resident_half = resident();
    for (int n = 0; n < 10; ++n) one_call(pair);
    // Threads of a pool outlive their work by some seconds.
    const auto end = std::chrono::steady_clock::now() + 2 * patience;
    while (std::chrono::steady_clock::now() < end &&
           (descriptors() > descriptors_before || threads() > threads_before))
        pair.next<out::Silent>(alice, std::chrono::milliseconds{100});  // goes on meanwhile
    EXPECT_LE(descriptors(), descriptors_before);
    EXPECT_LE(threads(), threads_before);
    // A sanitizer keeps what is freed for a while, up to 256 MiB; without one a leak of a session
    // shows.
    EXPECT_LT(resident(), resident_half + std::size_t{64} * 1024);
}

TEST(ManyCalls, LimitIsSaidAndOneLessWorks) {
    Pair pair;
    for (std::uint32_t n = 1; n <= limits::sessions; ++n) pair.open(SessionId{n}, {});
    const SessionId extra{limits::sessions + 1};
    pair.submit(in::Open{.session = extra, .options = {.bind = IpAddress::v4(127, 0, 0, 1)}});
    const auto failed = pair.next<out::Failed>(extra);
    ASSERT_TRUE(failed);
    EXPECT_TRUE(failed->ends);
    pair.close(SessionId{1});
    pair.open(extra, {});
}

TEST(Opening, FullRangeAndForeignAddressAreSaid) {
    Pair pair;
    const auto first = pair.open(alice, {});
    const PortRange taken{.first = first.rtp.port,
                          .last = static_cast<std::uint16_t>(first.rtp.port + 1)};
    const auto refused = [&](SessionOptions options) {
        pair.submit(in::Open{.session = bob, .options = std::move(options)});
        const auto failed = pair.next<out::Failed>(bob);
        EXPECT_TRUE(failed && failed->ends && failed->kind == out::FailureKind::no_port);
        return failed ? failed->sentence : std::string{};
    };
    EXPECT_NE(
        refused({.bind = IpAddress::v4(127, 0, 0, 1), .ports = taken}).find("widen the range"),
        std::string::npos);
    EXPECT_NE(refused({.bind = IpAddress::v4(192, 0, 2, 1)}).find("192.0.2.1"), std::string::npos);
}

TEST(Opening, UnknownCodecIsSaidAndTheOthersAreOffered) {
    Pair pair;
    const auto stream = pair.open(alice, {.codecs = {"G729", "PCMU"}});
    ASSERT_FALSE(stream.codecs.empty());
    EXPECT_EQ(stream.codecs[0].name, "PCMU");
    const auto failed = pair.next<out::Failed>(alice);
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->kind, out::FailureKind::codec_missing);
    EXPECT_FALSE(failed->ends);
}

// The peer sends from another port than its SDP says, as behind a NAT: we follow, and say so (RFC
// 4961).
TEST(Symmetric, RtpFromElsewhereIsFollowedAndTold) {
    Pair pair;
    pair.first = pair.open(alice, {});
    pair.second = pair.open(bob, {});
    auto wrong = Pair::agreed(pair.first, pair.second, "PCMA");
    wrong.remote_rtp.port = 9;  // nobody is there
    pair.submit(in::Agreed{.session = alice, .stream = wrong});
    pair.submit(
        in::Agreed{.session = bob, .stream = Pair::agreed(pair.second, pair.first, "PCMA")});
    std::optional<out::FromElsewhere> elsewhere;
    do elsewhere = pair.next<out::FromElsewhere>(alice);
    while (elsewhere && !elsewhere->followed);
    ASSERT_TRUE(elsewhere);
    EXPECT_EQ(elsewhere->from, pair.second.rtp);
    EXPECT_EQ(elsewhere->expected.port, 9);
    EXPECT_TRUE(pair.next<out::FirstPacket>(bob)) << "Alice sends to where Bob's RTP comes from";
}

// A NAT before the peer binds anew in the call: the stream comes from another port, is followed
// there, and heard (latch.h, rule 4). rtpbin would take it for another's of the same SSRC.
class BoundAnew : public testing::TestWithParam<std::pair<const char*, SessionOptions>> {};

TEST_P(BoundAnew, ThePeerIsFollowedAndHeardAgain) {
    Pair pair;
    pair.first = pair.open(alice, GetParam().second);
    pair.second = pair.open(bob, GetParam().second);
    Relay nat{pair.first.rtp, pair.second.rtp};
    auto with_bob = Pair::agreed(pair.first, pair.second, "PCMU");
    with_bob.remote_rtp = nat.facing_alice();
    auto with_alice = Pair::agreed(pair.second, pair.first, "PCMU");
    with_alice.remote_rtp = nat.facing_bob();
    pair.submit(in::Agreed{.session = alice, .stream = with_bob});
    pair.submit(in::Agreed{.session = bob, .stream = with_alice});
    ASSERT_TRUE(pair.next<out::FirstPacket>(alice)) << pair.failures();
    ASSERT_TRUE(pair.next<out::FirstPacket>(bob)) << pair.failures();

    const auto place = nat.bind_anew();
    std::optional<out::FromElsewhere> elsewhere;
    do elsewhere = pair.next<out::FromElsewhere>(alice);
    while (elsewhere && !elsewhere->followed);
    ASSERT_TRUE(elsewhere);
    EXPECT_EQ(elsewhere->from, place);
    pair.submit(in::SendDtmf{.session = bob, .digits = "5"});
    const auto heard = pair.next<out::DtmfHeard>(alice);
    ASSERT_TRUE(heard) << "what comes from the new port is let in, and played";
    EXPECT_EQ(heard->digit, '5');
    pair.submit(in::SendDtmf{.session = alice, .digits = "6"});
    EXPECT_TRUE(pair.next<out::DtmfHeard>(bob)) << "ours goes to the new port";
}

INSTANTIATE_TEST_SUITE_P(
    Symmetric, BoundAnew,
    testing::Values(std::pair{"Plain", SessionOptions{}},
                    std::pair{"PlainWithoutMux", SessionOptions{.rtcp_mux = false}},
                    std::pair{"Sdes", SessionOptions{.srtp = sdp::Srtp::required, .dtls = false}},
                    std::pair{"Dtls", SessionOptions{.srtp = sdp::Srtp::required, .sdes = false}}),
    [](const auto& test) { return std::string(test.param.first); });

// RFC 3550 over IPv6.
TEST(Symmetric, SoundFlowsOverIpv6) {
    const auto loopback = *IpAddress::parse("::1");
    Pair pair;
    pair.connect("PCMU", {.bind = loopback}, {.bind = loopback});
    pair.settle();
}

// The other side moves in the call: sound goes to the new address within the time of a few packets.
TEST(Change, NewAddressAndNewCodecInTheCall) {
    Pair pair;
    pair.connect("PCMA");
    const SessionId carol{3};
    const auto third = pair.open(carol, {});
    pair.submit(in::Agreed{.session = alice, .stream = Pair::agreed(pair.first, third, "opus")});
    pair.submit(in::Agreed{.session = carol, .stream = Pair::agreed(third, pair.first, "opus")});
    const auto heard = pair.next<out::FirstPacket>(carol);
    ASSERT_TRUE(heard) << pair.failures();
    EXPECT_EQ(heard->codec, "opus");
    EXPECT_EQ(heard->from, pair.first.rtp) << "from the same socket";
    EXPECT_EQ(pair.statistics(alice).codec, "opus");
}

}  // namespace
}  // namespace holdfast::media
