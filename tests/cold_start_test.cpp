// S1–S4, S8: a phone that starts while some of its servers are dead, slow or refuse. Limits: the
// promise's table (docs/registration.md), round trips of 20 ms.
#include "tests/scenario.h"

namespace holdfast::lab {
namespace {

class ColdStart : public testing::TestWithParam<Way> {
protected:
    [[nodiscard]] ScenarioOptions options() const {
        return {.transport = std::get<0>(GetParam()), .families = std::get<1>(GetParam())};
    }
    [[nodiscard]] bool udp() const { return std::get<0>(GetParam()) == Transport::udp; }
};

TEST_P(ColdStart, S0NothingIsWrong) {
    Scenario s(options());
    ASSERT_TRUE(s.registers_within(5s)) << s.story();
    EXPECT_LE(s.world.elapsed(), 200ms) << s.story();
    s.world.run_for(10s);
    EXPECT_EQ(s.cluster.bindings(s.phone.aor()).size(), 1u) << s.story();
    EXPECT_TRUE(s.world.stale_bindings(s.phone).empty()) << s.story();
    EXPECT_TRUE(s.world.is_reachable(s.phone)) << s.story();
}

// F3 (UDP), F4 (TCP and TLS): a silent first target costs patience and a few round trips.
TEST_P(ColdStart, S1SilentFirstTarget) {
    Scenario s(options());
    s.world.silence(s.phone.first_choice());
    ASSERT_TRUE(s.registers_within(5s)) << s.story();
    EXPECT_LE(s.world.elapsed(), udp() ? 1500ms : 600ms) << s.story();
    EXPECT_EQ(s.cluster.location_service().bindings(s.phone.aor()).size(), 1u);
}

// The same while DNS turns with every query (L2).
TEST_P(ColdStart, S1rSilentFirstTargetUnderRotation) {
    auto o = options();
    o.rotate = true;
    Scenario s(o);
    s.world.silence(s.phone.first_choice());
    ASSERT_TRUE(s.registers_within(5s)) << s.story();
    EXPECT_LE(s.world.elapsed(), 1500ms) << s.story();
}

// F3: two of three silent; every family and position of the live one.
TEST_P(ColdStart, S2OnlyOneTargetIsAlive) {
    for (std::size_t alive = 0; alive < 3; ++alive) {
        Scenario s(options());
        s.cluster.silence();
        s.cluster.node(alive).heal();
        ASSERT_TRUE(s.registers_within(5s)) << s.story();
        EXPECT_LE(s.world.elapsed(), 1500ms) << s.story();
    }
}

// F2: ICMP port unreachable, or RST: the next target at once. S3 (UDP ≤ 0.2 s) and S4b (TCP ≤ 0.05
// s more).
TEST_P(ColdStart, S3S4bFirstTargetRefuses) {
    Scenario s(options());
    s.world.node_at(s.phone.first_choice()).refuse();
    ASSERT_TRUE(s.registers_within(5s)) << s.story();
    Scenario healthy(options());
    ASSERT_TRUE(healthy.registers_within(5s));
    EXPECT_LE(s.world.elapsed(), 200ms) << s.story();
    EXPECT_LE(s.world.elapsed() - healthy.world.elapsed(), 50ms) << s.story();
}

// F2: administratively prohibited is as hard.
TEST_P(ColdStart, S3FirstTargetIsProhibited) {
    Scenario s(options());
    s.world.node_at(s.phone.first_choice()).refuse(IcmpReason::prohibited);
    ASSERT_TRUE(s.registers_within(5s)) << s.story();
    EXPECT_LE(s.world.elapsed(), 200ms) << s.story();
}

// F4: connects, and then nothing is ever answered: patience counts from the request's writing; over
// TLS the handshake hangs and the next connect has started long before.
TEST_P(ColdStart, S4FirstTargetAcceptsAndSaysNothing) {
    Scenario s(options());
    s.world.node_at(s.phone.first_choice()).mute();
    ASSERT_TRUE(s.registers_within(5s)) << s.story();
    EXPECT_LE(s.world.elapsed(), 1500ms) << s.story();
}

// F5: 503 with and without Retry-After, and what counts like it.
TEST_P(ColdStart, S8FirstTargetAnswers503) {
    for (const int status : {503, 500, 502, 504, 408, 580}) {
        for (const auto retry_after :
             {std::optional<std::uint32_t>{}, std::optional<std::uint32_t>{20}}) {
            Scenario s(options());
            s.world.node_at(s.phone.first_choice()).answer_with(status, retry_after);
            ASSERT_TRUE(s.registers_within(5s)) << s.story();
            Scenario healthy(options());
            ASSERT_TRUE(healthy.registers_within(5s));
            // A connection to the next server takes its round trips.
            EXPECT_LE(s.world.elapsed() - healthy.world.elapsed(), udp() ? 50ms : 120ms)
                << s.story();
        }
    }
}

INSTANTIATE_TEST_SUITE_P(EveryWay, ColdStart, every_way(), name_of_way);

// F2, §11: a certificate of another name, or an expired one, is a hard failure; nothing is sent on
// it.
TEST(ColdStartTls, CertificateOfAnotherNameIsLeftAtOnce) {
    for (const bool expired : {false, true}) {
        Scenario s({.transport = Transport::tls});
        auto& node = s.world.node_at(s.phone.first_choice());
        node.set_certificate(expired ? Certificate{{"example.test"}, true}
                                     : Certificate{{"other.test"}, false});
        ASSERT_TRUE(s.registers_within(5s)) << s.story();
        EXPECT_LE(s.world.elapsed(), 250ms) << s.story();
        EXPECT_EQ(node.counters().requests, 0u);
    }
}

}  // namespace
}  // namespace holdfast::lab
