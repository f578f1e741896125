// Two commands hear each other through a registrar's proxy on loopback. Alone, from the release
// build: sound is late on a busy host.
#include <gtest/gtest.h>

#include <span>

#include "apps/phone/two_phones.h"

namespace holdfast::phone {
namespace {

using namespace testing_phones;

// How many of the five pieces of the prompt are heard as they were played. Of five, because a busy
// host may be late with a packet.
int pieces_of(const media::Samples& prompt, const media::Samples& heard) {
    int found = 0;
    const std::size_t piece = prompt.size() / 5;
    for (std::size_t at = 0; at + piece <= prompt.size(); at += piece)
        if (media::likeness(std::span(prompt).subspan(at, piece), heard, rate).correlation >= 0.95)
            ++found;
    return found;
}

using TimedTwoPhones = TwoPhones;

// The prompt recorded at the far side is the one that was played, in both directions; then one side
// hangs up and both have ended well (RFC 3261 §13).
TEST_F(TimedTwoPhones, HearWhatTheOtherPlays) {
    auto& bob = bob_waits({"--play", file("bob-plays.wav"), "--record", file("bob.wav")});
    auto& alice = alice_calls({"--play", file("alice-plays.wav"), "--record", file("alice.wav"),
                               "--codec", "PCMA", "--duration", "3s"});
    ASSERT_TRUE(run_until_both_end(alice, bob)) << story(alice) << story(bob);
    EXPECT_EQ(alice.exit_code(), 0) << story(alice);
    EXPECT_EQ(bob.exit_code(), 0) << story(bob);

    const auto at_alice = media::read_wav(file("alice.wav"));
    const auto at_bob = media::read_wav(file("bob.wav"));
    ASSERT_EQ(at_alice.channels, 2) << story(alice);
    ASSERT_EQ(at_bob.channels, 2) << story(bob);
    ASSERT_EQ(at_bob.rate, rate) << "PCMA was agreed";
    EXPECT_GE(pieces_of(alices_prompt(), at_bob.channel(1)), 4);
    EXPECT_GE(pieces_of(bobs_prompt(), at_alice.channel(1)), 4);
    EXPECT_EQ(pieces_of(bobs_prompt(), at_bob.channel(1)), 0) << "nobody hears himself";
    EXPECT_TRUE(alice.said("\"measured\"")) << story(alice);
}

}  // namespace
}  // namespace holdfast::phone
