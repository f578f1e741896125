// What was recorded replays: a fresh engine that is told the same inputs at the same instants says
// the same, octet for octet, but for passwords and Authorization headers, which a recording does
// not hold (design: "Every stimulus is one (Instant, Input)"). Rules I7, B3.
//   Not tested here: a recording of real sockets (tests/loopback).
#include <gmock/gmock.h>

#include "lab/replay.h"
#include "sip/digest.h"
#include "tests/scenario.h"

namespace holdfast::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view password = "correct horse battery staple";

// Digest, a failover (its server falls silent), a NAT rebinding, a proof (R1), and the way out.
struct RecordedRun {
    explicit RecordedRun(Transport transport = Transport::udp,
                         const std::string& preset = "holdfast")
        : world(seed_from_number(7), {.one_way_delay = 10ms}),
          cluster(world.add_registrars({"203.0.113.11", "203.0.113.12", "203.0.113.13"})),
          nat(world.add_nat({.mapping = Dependence::address_and_port_dependent})),
          phone(world.add_phone({.password = std::string(password),
                                 .transport = transport,
                                 .preset = preset,
                                 .expires = 60s,
                                 .behind = &nat,
                                 .record = true})) {
        world.dns().a("example.test", cluster.addresses(), {.ttl = 5s, .rotate = true});
    }
    void live() {
        world.run_for(100s);
        if (const auto target = phone.current_target()) world.silence(*target);
        world.run_for(100s);
        nat.rebind();
        world.run_for(200s);
        cluster.heal();
        world.run_for(100s);
        phone.shut_down();
        world.run_for(5s);
    }

    World world;
    Cluster& cluster;
    Nat& nat;
    Phone& phone;
    FaultLife fault{world};  // last
};

Recording parsed(const std::string& text) {
    auto recording = parse_recording(text);
    EXPECT_TRUE(recording) << recording.error();
    return std::move(recording).value_or(Recording{});
}

class Replaying : public testing::TestWithParam<std::tuple<Transport, std::string>> {};

TEST_P(Replaying, RecordingReplaysWithTheSameOutputs) {
    const auto& [transport, preset] = GetParam();
    RecordedRun run(transport, preset);
    run.live();
    ASSERT_GT(run.phone.count(EventKind::refreshed), 0u) << run.phone.event_log();
    if (preset == "holdfast") {
        EXPECT_GE(run.phone.count(EventKind::moved), 1u) << run.phone.event_log();
        // A stream does not outlive the rebinding: it moves once more.
        const auto rebound =
            transport == Transport::udp ? EventKind::mapping_changed : EventKind::flow_lost;
        EXPECT_GE(run.phone.count(rebound), 1u) << run.phone.event_log();
    }
    EXPECT_TRUE(run.phone.is_stopped());

    const auto recording = parsed(run.phone.recording());
    EXPECT_EQ(recording.steps.size(), run.phone.step_count());
    const auto again = replay(recording);
    EXPECT_FALSE(again.difference) << again.difference->text();
    EXPECT_EQ(again.steps, recording.steps.size());
}

std::string name_of_replaying(const testing::TestParamInfo<Replaying::ParamType>& info) {
    const auto& [transport, preset] = info.param;
    return std::string(name_of(transport)) +
           (preset == "holdfast" ? "_holdfast" : "_microsip_3_20");
}

INSTANTIATE_TEST_SUITE_P(EveryTransport, Replaying,
                         testing::Combine(testing::Values(Transport::udp, Transport::tcp,
                                                          Transport::tls),
                                          testing::Values("holdfast", "microsip-3.20")),
                         name_of_replaying);

// B3: the second run begins with what the first has stored, and its recording holds it.
TEST(Replay, RunThatContinuesAnotherReplaysToo) {
    RecordedRun run;
    run.world.run_for(100s);
    run.phone.crash();
    run.world.run_for(3s);
    run.phone.start();
    run.world.run_for(100s);
    const auto recording = parsed(run.phone.recording());
    EXPECT_FALSE(recording.options.state.empty());
    const auto again = replay(recording);
    EXPECT_FALSE(again.difference) << again.difference->text();
}

// An input, an instant, the seed, or an output that is not as it was: the first difference is
// named.
TEST(Replay, ChangedRecordingIsNoticed) {
    RecordedRun run;
    run.live();
    const auto recording = parsed(run.phone.recording());

    auto late = recording;
    const auto is_answer = [](const RecordedStep& step) {
        const auto* received = std::get_if<in::Received>(&step.input);
        return received != nullptr && received->bytes.starts_with("SIP/2.0 200") &&
               received->bytes.find("rport=") != std::string::npos;
    };
    const auto answer = std::ranges::find_if(late.steps, is_answer);
    ASSERT_NE(answer, late.steps.end());
    auto& bytes = std::get<in::Received>(answer->input).bytes;
    auto& digit = bytes[bytes.find_first_not_of("0123456789", bytes.find("rport=") + 6) - 1];
    digit = digit == '0' ? '1' : '0';  // another mapping
    const auto other_mapping = replay(late);
    ASSERT_TRUE(other_mapping.difference);
    EXPECT_GE(other_mapping.difference->step,
              static_cast<std::size_t>(answer - late.steps.begin()) + 1);
    EXPECT_THAT(other_mapping.difference->text(), HasSubstr("\n+ "));

    auto other_seed = recording;
    other_seed.options.seed[0] ^= 1;
    EXPECT_TRUE(replay(other_seed).difference);

    auto missing_output = recording;
    std::ranges::find_if(missing_output.steps, [](const RecordedStep& step) {
        return !step.outputs.empty();
    })->outputs.pop_back();
    EXPECT_TRUE(replay(missing_output).difference);

    auto missing_input = recording;
    missing_input.steps.erase(missing_input.steps.begin() + (answer - late.steps.begin()));
    EXPECT_TRUE(replay(missing_input).difference);
}

// Design §4, §11: neither the password, nor an Authorization header's value, nor HA1, in any form.
TEST(Replay, RecordingHoldsNoSecret) {
    RecordedRun run;
    run.live();
    const auto& text = run.phone.recording();
    EXPECT_THAT(text, HasSubstr("Authorization: <redacted>"));
    EXPECT_THAT(text, Not(HasSubstr("Digest username")));
    EXPECT_THAT(text, Not(HasSubstr("response=")));
    EXPECT_THAT(text, Not(HasSubstr(std::string(password))));
    for (const auto algorithm : {sip::DigestAlgorithm::md5, sip::DigestAlgorithm::sha256}) {
        const auto ha1 = sip::digest_ha1(algorithm, "alice", "example.test",
                                         Redacted<std::string>(std::string(password)));
        EXPECT_THAT(text, Not(HasSubstr(ha1.reveal())));
    }
}

}  // namespace
}  // namespace holdfast::lab
