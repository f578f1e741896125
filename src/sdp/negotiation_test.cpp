// The offer/answer model, RFC 3264: two sides, and what both believe afterwards.
#include "sdp/negotiation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "sdp/attributes.h"
#include "sdp/formats.h"
#include "sdp/testing.h"

namespace holdfast::sdp {
namespace {

using testing_sdp::audio;
using testing_sdp::Pair;

const Codec opus{.name = "opus", .clock_rate = 48000, .channels = 2, .fmtp = "useinbandfec=1"};
const Codec g722{.name = "G722", .clock_rate = 8000};
const Codec pcma{.name = "PCMA", .clock_rate = 8000};
const Codec pcmu{.name = "PCMU", .clock_rate = 8000};
const Codec events8{.name = "telephone-event", .clock_rate = 8000, .fmtp = "0-16"};
const Codec events48{.name = "telephone-event", .clock_rate = 48000, .fmtp = "0-16"};

std::vector<std::string> names(const std::vector<Codec>& codecs) {
    std::vector<std::string> all;
    for (const auto& codec : codecs) all.push_back(codec.name);
    return all;
}

TEST(OfferAnswer, BothSidesAgreeOnCodecsPlacesAndNumbers) {  // RFC 3264 §5, §6, §7
    Pair pair;
    pair.alice = {audio("192.0.2.1", 4000, {opus, g722, pcma, events48, events8})};
    pair.bob = {audio("192.0.2.2", 5000, {pcmu, pcma, opus, events8})};
    ASSERT_EQ(pair.call(), "");
    const auto& a = pair.of_alice();
    const auto& b = pair.of_bob();
    // The answerer's preference: PCMA stands before opus there.
    EXPECT_EQ(names(b.send), (std::vector<std::string>{"PCMA", "opus", "telephone-event"}));
    EXPECT_EQ(names(a.send), names(b.receive));
    EXPECT_EQ(names(a.receive), names(b.send));
    for (std::size_t i = 0; i < a.send.size(); ++i) {
        EXPECT_EQ(a.send[i].payload_type, b.receive[i].payload_type);
        EXPECT_EQ(a.receive[i].payload_type, b.send[i].payload_type);
    }
    EXPECT_EQ(a.remote_rtp, (Endpoint{IpAddress::v4(192, 0, 2, 2), 5000}));
    EXPECT_EQ(b.remote_rtcp, (Endpoint{IpAddress::v4(192, 0, 2, 1), 4001}));
    EXPECT_EQ(a.dtmf_send, b.dtmf_receive);
    EXPECT_EQ(a.send[1].fmtp, "useinbandfec=1");
}

TEST(OfferAnswer, TheOfferersOrderAndOneCodecAreChoices) {  // RFC 3264 §6.1
    Pair pair;
    pair.bob_options = {.offerers_order = true, .one_codec = true};
    pair.alice = {audio("192.0.2.1", 4000, {opus, pcma, events48, events8})};
    pair.bob = {audio("192.0.2.2", 5000, {pcma, opus, events8, events48})};
    ASSERT_EQ(pair.call(), "");
    EXPECT_EQ(names(pair.of_alice().send),
              (std::vector<std::string>{"opus", "telephone-event", "telephone-event"}));
    // RFC 4733 §2.5.1.2: events with the clock of the sound.
    EXPECT_EQ(pair.of_alice().dtmf_send, pair.of_alice().send[1].payload_type);
    EXPECT_EQ(pair.of_alice().send[1].clock_rate, 48000U);
}

TEST(OfferAnswer, NothingInCommonIsSaidInWords) {
    Pair pair;
    pair.alice = {audio("192.0.2.1", 4000, {{.name = "G729", .clock_rate = 8000}, events8})};
    pair.bob = {audio("192.0.2.2", 5000, {pcma, events8})};
    EXPECT_EQ(pair.call(),
              "488 the other side offers G729/8000, and none of that is installed or "
              "allowed here");
    EXPECT_FALSE(pair.theirs.agreement());
}

// A number stays a format's own for the whole call (RFC 3264 §8.3.2), whoever offers.
TEST(OfferAnswer, NumbersStayWhenTheOtherSideOffersAgain) {
    Pair pair;
    pair.alice = {audio("192.0.2.1", 4000, {pcma, opus, events8})};
    pair.bob = {audio("192.0.2.2", 5000, {opus, pcma, events8})};
    ASSERT_EQ(pair.call(), "");
    const auto before = pair.of_bob().receive;
    ASSERT_EQ(pair.call_back(), "");
    for (const auto& codec : pair.of_bob().receive)
        for (const auto& old : before) {
            if (old.name != codec.name) continue;
            EXPECT_EQ(old.payload_type, codec.payload_type) << old.name;
        }
}

// The other side offers again with our two numbers changed over (it may not, §8.3.2, and some do):
// what we offer next has no number twice.
TEST(OfferAnswer, ANumberNeverMeansTwoFormats) {
    Pair pair;
    pair.alice = {audio("192.0.2.1", 4000, {opus, events8, events48})};
    pair.bob = {audio("192.0.2.2", 5000, {opus, events8})};
    ASSERT_EQ(pair.call(), "");
    ASSERT_EQ(pair.of_alice().receive.front().payload_type, 96);
    const auto answer = pair.ours.on_offer(
        "v=0\r\nc=IN IP4 192.0.2.2\r\nm=audio 5000 RTP/AVP 97 98\r\n"
        "a=rtpmap:97 opus/48000/2\r\na=rtpmap:98 telephone-event/8000\r\n",
        pair.alice);
    ASSERT_TRUE(answer) << answer.error().words;
    const auto offer = parse(pair.ours.make_offer(pair.alice));
    auto formats = offer->media.front().formats;
    EXPECT_EQ(formats.size(), 3U);
    std::ranges::sort(formats);
    EXPECT_EQ(std::ranges::adjacent_find(formats), formats.end());
}

struct Hold {
    Direction alice;
    Direction bob;
    Direction of_alice;  // agreed
    bool bob_is_held;
    bool alice_is_held;
};
class Holds : public testing::TestWithParam<Hold> {};

TEST_P(Holds, DirectionsMeet) {  // RFC 3264 §6.1, §8.4
    const auto& hold = GetParam();
    Pair pair;
    pair.alice = {audio("192.0.2.1", 4000, {pcma})};
    pair.bob = {audio("192.0.2.2", 5000, {pcma})};
    pair.alice.front().direction = hold.alice;
    pair.bob.front().direction = hold.bob;
    ASSERT_EQ(pair.call(), "");
    EXPECT_EQ(pair.of_alice().direction, hold.of_alice);
    EXPECT_EQ(pair.of_bob().direction, reversed(hold.of_alice));
    EXPECT_EQ(pair.of_bob().held_by_peer, hold.bob_is_held);
    EXPECT_EQ(pair.of_alice().held_by_peer, hold.alice_is_held);
}

INSTANTIATE_TEST_SUITE_P(
    Directions, Holds,
    testing::Values(
        Hold{Direction::sendrecv, Direction::sendrecv, Direction::sendrecv, false, false},
        Hold{Direction::sendonly, Direction::sendrecv, Direction::sendonly, true, false},
        Hold{Direction::inactive, Direction::sendrecv, Direction::inactive, true, false},
        Hold{Direction::recvonly, Direction::sendrecv, Direction::recvonly, false, false},
        Hold{Direction::sendrecv, Direction::sendonly, Direction::recvonly, false, true},
        Hold{Direction::sendonly, Direction::sendonly, Direction::inactive, true, true},
        Hold{Direction::sendrecv, Direction::recvonly, Direction::sendonly, false, false}));

TEST(OfferAnswer, AHoldByAddressIsAHold) {  // RFC 2543's way; RFC 3264 §8.4
    Negotiation ours{{.session_id = "1"}};
    const std::vector streams{audio("192.0.2.1", 4000, {pcma})};
    const auto answer =
        ours.on_offer("v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 5000 RTP/AVP 8\r\n", streams);
    ASSERT_TRUE(answer);
    EXPECT_TRUE(ours.agreement()->streams.front().held_by_peer);
    EXPECT_FALSE(sends(ours.agreement()->streams.front().direction));
}

// RFC 3264 §8: o= rises by one exactly when the text changes.
TEST(OfferAnswer, TheVersionRisesWhenTheTextChanges) {
    Pair pair;
    pair.alice = {audio("192.0.2.1", 4000, {pcma})};
    pair.bob = {audio("192.0.2.2", 5000, {pcma})};
    const auto first = pair.ours.make_offer(pair.alice);
    EXPECT_EQ(pair.ours.make_offer(pair.alice), first);
    pair.alice.front().direction = Direction::sendonly;
    const auto held = parse(pair.ours.make_offer(pair.alice));
    EXPECT_EQ(parse(first)->origin.version, "1");
    EXPECT_EQ(held->origin.version, "2");
    EXPECT_EQ(held->origin.session_id, parse(first)->origin.session_id);
}

// A refused re-INVITE changes nothing (RFC 3261 §14.1), and o= never goes back.
TEST(OfferAnswer, AWithdrawnOfferChangesNothing) {
    Pair pair;
    pair.alice = {audio("192.0.2.1", 4000, {pcma})};
    pair.bob = {audio("192.0.2.2", 5000, {pcma})};
    ASSERT_EQ(pair.call(), "");
    const auto before = *pair.ours.agreement();
    auto more = pair.alice;
    more.push_back(audio("192.0.2.1", 4010, {opus}));
    const auto offer = parse(pair.ours.make_offer(more));
    EXPECT_TRUE(pair.ours.is_offering());
    pair.ours.withdraw();
    EXPECT_FALSE(pair.ours.is_offering());
    EXPECT_EQ(*pair.ours.agreement(), before);
    const auto again = parse(pair.ours.make_offer(pair.alice));
    EXPECT_EQ(again->media.size(), 1U);
    EXPECT_GT(std::stoi(again->origin.version), std::stoi(offer->origin.version));
}

// §8.2: an m-line that is not wanted any more keeps its place, and the place is used again.
TEST(OfferAnswer, PlacesAreKeptAndUsedAgain) {
    Negotiation ours{{.session_id = "1"}};
    const std::vector one{audio("192.0.2.1", 4000, {pcma})};
    const std::vector two{audio("192.0.2.1", 4000, {pcma}), audio("192.0.2.1", 4010, {pcma})};
    EXPECT_EQ(parse(ours.make_offer(two))->media.size(), 2U);
    const auto fewer = parse(ours.make_offer(one));
    ASSERT_EQ(fewer->media.size(), 2U);
    EXPECT_EQ(fewer->media[1].port, 0);
    EXPECT_FALSE(fewer->media[1].formats.empty());
    EXPECT_EQ(parse(ours.make_offer(two))->media[1].port, 4010);
}

TEST(OfferAnswer, StreamsOfOtherKindsAreRefusedInTheirPlace) {  // RFC 3264 §6
    Negotiation ours{{.session_id = "1"}};
    const std::vector streams{audio("192.0.2.1", 4000, {pcma})};
    const auto answer = ours.on_offer(
        "v=0\r\nc=IN IP4 192.0.2.2\r\nm=video 6000 RTP/AVP 99\r\na=mid:v\r\n"
        "m=audio 5000 RTP/AVP 8\r\nm=audio 5010 RTP/AVP 8\r\nm=image 7000 udptl t38\r\n",
        streams);
    ASSERT_TRUE(answer);
    const auto read = parse(*answer);
    ASSERT_EQ(read->media.size(), 4U);
    EXPECT_EQ(read->media[0].port, 0);
    EXPECT_EQ(find(read->media[0].attributes, "mid"), "v");
    EXPECT_EQ(read->media[1].port, 4000);
    EXPECT_EQ(read->media[2].port, 0);  // we have one stream
    EXPECT_EQ(read->media[3].formats, (std::vector<std::string>{"t38"}));
    EXPECT_EQ(ours.agreement()->streams[1].local, 0U);
    EXPECT_TRUE(ours.agreement()->streams[0].rejected);
}

TEST(OfferAnswer, FewerStreamsThanBeforeAreNoAnswerAndNoOffer) {
    Pair pair;
    pair.alice = {audio("192.0.2.1", 4000, {pcma}), audio("192.0.2.1", 4010, {pcma})};
    (void)pair.ours.make_offer(pair.alice);
    const std::string one = "v=0\r\nc=IN IP4 192.0.2.2\r\nm=audio 5000 RTP/AVP 8\r\n";
    EXPECT_EQ(pair.ours.on_answer(one).error().words, "the answer has 1 streams, the offer has 2");
    EXPECT_TRUE(pair.ours.is_offering());
    pair.bob = {audio("192.0.2.2", 5000, {pcma})};
    ASSERT_EQ(pair.call(), "");
    EXPECT_FALSE(pair.theirs.on_offer(one, pair.bob));
}

// The other side removes its only stream: that is no failure.
TEST(OfferAnswer, AStreamMayBeTakenAway) {
    Negotiation ours{{.session_id = "1"}};
    const std::vector streams{audio("192.0.2.1", 4000, {pcma})};
    ASSERT_TRUE(ours.on_offer("v=0\r\nc=IN IP4 192.0.2.2\r\nm=audio 5000 RTP/AVP 8\r\n", streams));
    ASSERT_TRUE(ours.on_offer("v=0\r\nc=IN IP4 192.0.2.2\r\nm=audio 0 RTP/AVP 8\r\n", streams));
    EXPECT_TRUE(ours.agreement()->streams.front().rejected);
    // … but one that we cannot do leaves what there was.
    const auto before = ours.agreement();
    EXPECT_FALSE(
        ours.on_offer("v=0\r\nc=IN IP4 192.0.2.2\r\nm=audio 5000 RTP/AVP 18\r\n", streams));
    EXPECT_EQ(ours.agreement(), before);
}

TEST(OfferAnswer, AnAnswerMayNotInvent) {
    Pair pair;
    pair.alice = {audio("192.0.2.1", 4000, {pcma})};
    (void)pair.ours.make_offer(pair.alice);
    const auto answered =
        pair.ours.on_answer("v=0\r\nc=IN IP4 192.0.2.2\r\nm=audio 5000 RTP/AVP 0\r\n");
    ASSERT_FALSE(answered);
    EXPECT_EQ(answered.error().words, "the answer names PCMU/8000, and none of that was offered");
    // An unreadable one can be followed by a good one.
    EXPECT_EQ(pair.ours.on_answer("rubbish").error().status, 400);
    EXPECT_TRUE(pair.ours.on_answer("v=0\r\nc=IN IP4 192.0.2.2\r\nm=audio 5000 RTP/AVP 8\r\n"));
}

TEST(OfferAnswer, RtcpMuxNeedsBoth) {  // RFC 5761 §5.1.1
    for (const bool bob : {false, true}) {
        Pair pair;
        pair.alice = {audio("192.0.2.1", 4000, {pcma})};
        pair.bob = {audio("192.0.2.2", 5000, {pcma})};
        pair.alice.front().rtcp_mux = true;
        pair.bob.front().rtcp_mux = bob;
        ASSERT_EQ(pair.call(), "");
        EXPECT_EQ(pair.of_alice().rtcp_mux, bob);
        EXPECT_EQ(pair.of_bob().rtcp_mux, bob);
        EXPECT_EQ(pair.of_alice().remote_rtcp.has_value(), !bob);
    }
}

TEST(OfferAnswer, FeedbackIsWhatBothHave) {  // RFC 4585 §4.2
    Pair pair;
    pair.alice = {audio("192.0.2.1", 4000, {pcma})};
    pair.bob = {audio("192.0.2.2", 5000, {pcma})};
    pair.alice.front().feedback = {"* nack", "* nack pli"};
    pair.bob.front().feedback = {"* nack pli", "* ccm fir"};
    ASSERT_EQ(pair.call(), "");
    EXPECT_EQ(pair.of_alice().feedback, std::vector<std::string>{"* nack pli"});
    EXPECT_EQ(pair.of_bob().feedback, std::vector<std::string>{"* nack pli"});
}

TEST(OfferAnswer, IceIsAnsweredOnlyIfItWasOffered) {  // RFC 8839 §4.2
    for (const bool alice : {false, true}) {
        Pair pair;
        pair.alice = {audio("192.0.2.1", 4000, {pcma})};
        pair.bob = {audio("192.0.2.2", 5000, {pcma})};
        if (alice) {
            pair.alice.front().ice = IceCredentials{"aaaa", Redacted<std::string>("pa")};
            pair.alice.front().candidates = {"1 1 UDP 1"};
        }
        pair.bob.front().ice = IceCredentials{"bbbb", Redacted<std::string>("pb")};
        ASSERT_EQ(pair.call(), "");
        EXPECT_EQ(pair.of_bob().ice.has_value(), alice);
        EXPECT_EQ(pair.of_alice().ice.has_value(), alice);
        if (!alice) continue;
        EXPECT_EQ(pair.of_bob().ice->candidates.size(), 1U);
        EXPECT_FALSE(pair.of_bob().ice->restarted);
        EXPECT_TRUE(pair.of_alice().ice->controlling);  // RFC 8445 §6.1.1
        EXPECT_FALSE(pair.of_bob().ice->controlling);
        pair.alice.front().ice->ufrag = "cccc";  // RFC 8839 §4.4.1
        ASSERT_EQ(pair.call(), "");
        EXPECT_TRUE(pair.of_bob().ice->restarted);
    }
}

}  // namespace
}  // namespace holdfast::sdp
