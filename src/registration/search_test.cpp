#include "registration/search.h"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::registration {
namespace {

using namespace std::chrono_literals;
using Do = Search::Do;

Target udp(int host) {
    return {Transport::udp, {IpAddress::v4(203, 0, 113, static_cast<std::uint8_t>(host)), 5060}};
}
Target tcp(int host) {
    return {Transport::tcp, {IpAddress::v4(203, 0, 113, static_cast<std::uint8_t>(host)), 5060}};
}

constexpr Instant start_of_all{1000s};

// Drives one search by hand: what it says is collected as words, "register 12", in order.
class Driven {
public:
    explicit Driven(std::vector<Search::Entry> entries, Duration patience = 1s)
        : search({.patience = patience,
                  .extended = 4s,
                  .probe = true,
                  .probe_spacing = 100ms,
                  .probe_priority_delay = 500ms,
                  .probe_timeout = 2s,
                  .connect_spacing = 250ms,
                  .connect_preference = 100ms},
                 std::move(entries)) {
        search.start(now, steps);
    }
    static std::vector<Search::Entry> entries(const std::vector<Target>& targets,
                                              std::size_t second_tier_from = 99) {
        std::vector<Search::Entry> made;
        for (const auto& target : targets)
            made.push_back({.candidate = {.target = target,
                                          .tier = made.size() >= second_tier_from ? 1U : 0U,
                                          .host = {},
                                          .reason = {}},
                            .patience = 1s,
                            .rtt = {}});
        return made;
    }

    // What was said since the last look. UDP opens at once, as the engine does it.
    std::string said() {
        std::string words;
        while (!steps.empty()) {
            auto now_said = std::exchange(steps, {});
            for (const auto& step : now_said) {
                const auto host = std::to_string(step.target.endpoint.address.bytes()[3]);
                switch (step.what) {
                case Do::open:
                    if (step.target.transport == Transport::udp) {
                        search.on_open(now, step.target, steps);
                        continue;
                    }
                    words += "open " + host;
                    break;
                case Do::register_: words += "register " + host; break;
                case Do::probe: words += "probe " + host; break;
                case Do::abandon: words += "abandon " + host; break;
                case Do::exhausted: words += "exhausted"; break;
                }
                words += "; ";
            }
        }
        return words;
    }
    // Time passes up to (not beyond) the next deadline, which must be exactly so far away.
    std::string after(Duration expected) {
        EXPECT_EQ(search.next_deadline().at - now, expected);
        now = search.next_deadline().at;
        search.on_time(now, steps);
        return said();
    }
    std::string probed(const Target& target, ProbeResult result) {
        search.on_probed(now, target, result, steps);
        return said();
    }
    std::string failed(const Target& target) {
        search.on_failed(now, target, steps);
        return said();
    }

    Instant now = start_of_all;
    Search::Steps steps;
    Search search;
};

// Silence costs patience; then the others are probed in rank order, 100 ms apart, while the first
// attempt lives on; the first that answers gets the REGISTER and the first attempt is abandoned
// (F3; RFC 3263 §4.3).
TEST(Search, SilenceIsLeftForTheFirstThatAnswersAProbe) {
    Driven it{Driven::entries({udp(11), udp(12), udp(13)})};
    EXPECT_EQ(it.said(), "register 11; ");
    EXPECT_EQ(it.after(1s), "probe 12; ");
    EXPECT_EQ(it.after(100ms), "probe 13; ");
    it.now += 20ms;
    EXPECT_EQ(it.probed(udp(13), ProbeResult::alive), "abandon 11; register 13; ");
    EXPECT_EQ(it.search.chosen(), udp(13));
}

// An answer of the first attempt before any probe's wins (F3).
TEST(Search, ALateAnswerOfTheFirstAttemptWins) {
    Driven it{Driven::entries({udp(11), udp(12)})};
    it.said();
    EXPECT_EQ(it.after(1s), "probe 12; ");
    it.search.on_resent(it.now, udp(11));  // a challenge came and was answered
    EXPECT_EQ(it.probed(udp(12), ProbeResult::alive), "");
    EXPECT_EQ(it.search.chosen(), udp(11));
}

// A 1xx extends patience, once, to 4 s (F3).
TEST(Search, AProvisionalAnswerExtendsPatienceOnce) {
    Driven it{Driven::entries({udp(11), udp(12)})};
    it.said();
    it.now += 400ms;
    it.search.on_provisional(it.now, udp(11));
    it.now += 1s;
    it.search.on_provisional(it.now, udp(11));
    EXPECT_EQ(it.after(3s), "probe 12; ");
}

// A lower SRV priority is probed 500 ms later (F3).
TEST(Search, ALowerPriorityIsProbedLater) {
    Driven it{Driven::entries({udp(11), udp(12), udp(21)}, 2)};
    it.said();
    EXPECT_EQ(it.after(1s), "probe 12; ");
    EXPECT_EQ(it.after(500ms), "probe 21; ");
}

// A busy server (503 to the probe) does not get the REGISTER (F3, F9).
TEST(Search, ABusyTargetIsPassedOver) {
    Driven it{Driven::entries({udp(11), udp(12), udp(13)})};
    it.said();
    it.after(1s);
    EXPECT_EQ(it.probed(udp(12), ProbeResult::busy), "");
    EXPECT_EQ(it.after(100ms), "probe 13; ");
    EXPECT_EQ(it.probed(udp(13), ProbeResult::alive), "abandon 11; register 13; ");
}

// No probe answered in 2 s: REGISTER target by target, patience apart; the first attempt lives on
// (F3, second half).
TEST(Search, WithoutProbesEachTargetGetsARegister) {
    Driven it{Driven::entries({udp(11), udp(12), udp(13)})};
    it.said();
    it.after(1s);
    it.after(100ms);
    EXPECT_EQ(it.after(2s), "register 12; ");
    EXPECT_EQ(it.after(1s), "abandon 12; register 13; ");
    EXPECT_EQ(it.after(1s), "exhausted; ");
    EXPECT_EQ(it.search.next_deadline().at, never);
}

// The only target: patience, and then it is S1's; the attempt is not abandoned (S1).
TEST(Search, ASingleSilentTargetIsExhaustedAfterPatience) {
    Driven it{Driven::entries({udp(11)})};
    EXPECT_EQ(it.said(), "register 11; ");
    EXPECT_EQ(it.after(1s), "exhausted; ");
    EXPECT_EQ(it.search.silent_targets(), std::vector{udp(11)});
}

// A hard failure or a 503 costs no time at all (F2, F5).
TEST(Search, AHardFailureGoesToTheNextAtOnce) {
    Driven it{Driven::entries({udp(11), udp(12), udp(13)})};
    it.said();
    EXPECT_EQ(it.failed(udp(11)), "register 12; ");
    EXPECT_EQ(it.failed(udp(12)), "register 13; ");
    EXPECT_EQ(it.failed(udp(13)), "exhausted; ");
}

// Connections race: the next starts 250 ms after the last; the first that is open gets the REGISTER
// (F4; RFC 8305 §5).
TEST(Search, ConnectionsRace) {
    Driven it{Driven::entries({tcp(11), tcp(12), tcp(13)})};
    EXPECT_EQ(it.said(), "open 11; ");
    EXPECT_EQ(it.after(250ms), "open 12; ");
    it.now += 20ms;
    it.search.on_open(it.now, tcp(12), it.steps);
    EXPECT_EQ(it.said(), "");  // the better one might still come
    EXPECT_EQ(it.after(100ms), "register 12; ");
}

// A better rank within 100 ms is preferred (F4).
TEST(Search, ABetterRankWithinAHundredMillisecondsIsPreferred) {
    Driven it{Driven::entries({tcp(11), tcp(12)})};
    it.said();
    it.after(250ms);
    it.search.on_open(it.now, tcp(12), it.steps);
    it.now += 99ms;
    it.search.on_open(it.now, tcp(11), it.steps);
    EXPECT_EQ(it.said(), "register 11; ");
}

// A refused connection does not wait for the race's clock (F2, F4).
TEST(Search, ARefusedConnectionStartsTheNextAtOnce) {
    Driven it{Driven::entries({tcp(11), tcp(12)})};
    EXPECT_EQ(it.said(), "open 11; ");
    it.search.on_open_failed(it.now, tcp(11), it.steps);
    EXPECT_EQ(it.said(), "open 12; ");
}

// Patience counts from the request's writing, not from the connect (F4).
TEST(Search, PatienceCountsFromTheWriting) {
    Driven it{Driven::entries({tcp(11), tcp(12)})};
    it.said();
    it.now += 200ms;
    it.search.on_open(it.now, tcp(11), it.steps);
    EXPECT_EQ(it.said(), "register 11; ");
    EXPECT_EQ(it.after(1s), "probe 12; ");
}

// Of a suspect the 2 s of its keep-alive were the patience: the others are probed 200 ms later
// (K2).
TEST(Search, ASuspectGetsTwoHundredMilliseconds) {
    Driven it{Driven::entries({udp(11), udp(12)}), 200ms};
    it.said();
    EXPECT_EQ(it.after(200ms), "probe 12; ");
}

// A chosen target that answers OPTIONS but not REGISTER: the next living one gets it (F3).
TEST(Search, OneThatAnswersOnlyOptionsIsLeftToo) {
    Driven it{Driven::entries({udp(11), udp(12), udp(13)})};
    it.said();
    it.after(1s);
    it.after(100ms);
    EXPECT_EQ(it.probed(udp(12), ProbeResult::alive), "abandon 11; register 12; ");
    it.probed(udp(13), ProbeResult::alive);
    EXPECT_EQ(it.after(1s), "abandon 12; register 13; ");
}

}  // namespace
}  // namespace holdfast::registration
