#include "flow/keepalive_learn.h"

#include <gtest/gtest.h>

#include <vector>

namespace holdfast::flow {
namespace {

Endpoint at(std::string_view text) { return Endpoint::parse(text).value(); }

// A NAT that forgets an idle mapping after its lifetime, and a server 50 ms away.
class LearnTest : public testing::Test {
protected:
    Instant now{1h};
    KeepAliveLearn machine;
    Duration lifetime = 30s;
    Instant last_packet{};
    std::uint16_t port = 2000;
    int sent = 0;

    void open() {
        ASSERT_EQ(machine.start(), LearnStep::open_flow);
        send(machine.opened(now, at("192.168.1.20:40000")));
    }
    void send(LearnStep step) {
        ASSERT_EQ(step, LearnStep::send);
        if (sent > 0 && now - last_packet >= lifetime) ++port;
        last_packet = now;
        ++sent;
    }
    LearnStep answer() {
        now += 50ms;
        last_packet = now;  // the answer refreshes the mapping too
        return machine.answered(now, {.address = at("198.51.100.7:1").address, .port = port});
    }
    // The idle times that were tried, until it is done.
    std::vector<Duration> run() {
        std::vector<Duration> waits;
        open();
        LearnStep step = answer();
        while (step == LearnStep::quiet && waits.size() < 20) {
            const Instant idle_since = now;
            now = machine.next_deadline().at;
            waits.push_back(now - idle_since);
            send(machine.on_time(now));
            step = answer();
        }
        EXPECT_EQ(step, LearnStep::learned);
        return waits;
    }
};

// Halving between 10 s and 110 s until 5 s are left (K4).
TEST_F(LearnTest, HalvesUntilTheLifetimeIsKnown) {
    EXPECT_EQ(run(), (std::vector<Duration>{110s, 60s, 35s, 22500ms, 28750ms, 31875ms}));
    EXPECT_EQ(machine.interval(), 28750ms);
    EXPECT_TRUE(machine.is_done());
    EXPECT_EQ(machine.next_deadline().at, never);
}

// Up to 110 s, in one trial (K4).
TEST_F(LearnTest, LongLifetimeIsKnownAfterOneTrial) {
    lifetime = 120s;
    EXPECT_EQ(run(), std::vector<Duration>{110s});
    EXPECT_EQ(machine.interval(), 110s);
}

// Down to 10 s, which is never tried: shorter would be no keep-alive but a flood (K4).
TEST_F(LearnTest, ShortLifetimeEndsAtTenSeconds) {
    lifetime = 9s;
    EXPECT_EQ(run(), (std::vector<Duration>{110s, 60s, 35s, 22500ms, 16250ms, 13125ms}));
    EXPECT_EQ(machine.interval(), 10s);
}

// What is learned was survived, and what is 5 s longer was not, whatever the lifetime (K4).
TEST_F(LearnTest, EveryLifetimeIsFoundWithinFiveSeconds) {
    for (lifetime = 11s; lifetime <= 110s; lifetime += 700ms) {
        machine = {};
        sent = 0;
        run();
        EXPECT_LT(*machine.interval(), lifetime);
        EXPECT_GE(*machine.interval() + learn_precision, lifetime);
    }
}

// No NAT, or one that keeps the port number, cannot be learned from: the default stays (K4).
TEST_F(LearnTest, GivesUpWhereALostMappingLooksTheSame) {
    machine.start();
    machine.opened(now, at("192.168.1.20:40000"));
    EXPECT_EQ(machine.answered(now, at("198.51.100.7:40000")), LearnStep::gave_up);
    EXPECT_EQ(machine.interval(), std::nullopt);
    EXPECT_EQ(machine.reason(), "the NAT keeps the port number: a lost mapping looks the same");

    machine = {};
    machine.start();
    machine.opened(now, at("198.51.100.9:40000"));
    EXPECT_EQ(machine.answered(now, at("198.51.100.9:40000")), LearnStep::gave_up);
    EXPECT_EQ(machine.reason(), "no NAT is seen");
}

// Lost packets cost time, not truth: repeated as keep-alives are, the trial again, and an end (K2,
// K4).
TEST_F(LearnTest, RepeatsAndGivesUpOnSilence) {
    machine.start();
    const Instant opened = now;
    ASSERT_EQ(machine.opened(now, at("192.168.1.20:40000")), LearnStep::send);
    std::vector<Duration> sends;
    LearnStep step = LearnStep::send;
    for (int i = 0; i < 20 && step != LearnStep::gave_up; ++i) {
        now = machine.next_deadline().at;
        step = machine.on_time(now);
        if (step == LearnStep::send) sends.push_back(now - opened);
    }
    EXPECT_EQ(step, LearnStep::gave_up);
    EXPECT_EQ(sends,
              (std::vector<Duration>{500ms, 1500ms, 12s, 12500ms, 13500ms, 24s, 24500ms, 25500ms}));
    EXPECT_EQ(now - opened, 26s);
    EXPECT_EQ(machine.reason(), "the server does not answer");
}

// A trial that nobody answered is made again in full (K4).
TEST_F(LearnTest, ASilentTrialIsMadeAgain) {
    lifetime = 120s;
    open();
    EXPECT_EQ(answer(), LearnStep::quiet);
    now = machine.next_deadline().at;
    EXPECT_EQ(machine.on_time(now), LearnStep::send);
    for (int i = 0; i < 3; ++i) {
        now = machine.next_deadline().at;
        EXPECT_EQ(machine.on_time(now), i < 2 ? LearnStep::send : LearnStep::quiet);
    }
    EXPECT_EQ(machine.next_deadline().at - now, 110s);
    now = machine.next_deadline().at;
    EXPECT_EQ(machine.on_time(now), LearnStep::send);
    EXPECT_FALSE(machine.is_repetition());
    EXPECT_EQ(answer(), LearnStep::learned);
}

// A spare flow that fails ends it; late answers and timers do nothing.
TEST_F(LearnTest, EndsWithItsFlow) {
    open();
    EXPECT_EQ(machine.failed(), LearnStep::gave_up);
    EXPECT_EQ(machine.failed(), LearnStep::quiet);
    EXPECT_EQ(machine.answered(now, at("198.51.100.7:1")), LearnStep::quiet);
    EXPECT_EQ(machine.on_time(now + 1h), LearnStep::quiet);
    EXPECT_EQ(machine.interval(), std::nullopt);
}

// Only silences in a row end it: an answer between them shows that the server is there (K4).
TEST_F(LearnTest, AnAnswerForgivesEarlierSilences) {
    lifetime = 30s;
    open();
    EXPECT_EQ(answer(), LearnStep::quiet);
    for (int trial = 0; trial < 4; ++trial) {
        for (int silence = 0; silence < learn_silences - 1; ++silence) {
            for (int i = 0; i < 4; ++i) {
                now = machine.next_deadline().at;
                EXPECT_EQ(machine.on_time(now), i < 3 ? LearnStep::send : LearnStep::quiet);
            }
        }
        now = machine.next_deadline().at;
        send(machine.on_time(now));
        EXPECT_EQ(answer(), LearnStep::quiet) << trial;
    }
    EXPECT_FALSE(machine.is_done());
}

}  // namespace
}  // namespace holdfast::flow
