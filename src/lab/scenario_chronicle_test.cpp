// What a page draws of a run is what happened: bindings from their REGISTER to their end and
// whether they led anywhere, times without reachability, calls. Whoever looks changes nothing, and
// a long run costs no more than its limits.
#include "lab/scenario_chronicle.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "lab/scenario_run.h"

namespace holdfast::lab::scenario {
namespace {

using namespace std::chrono_literals;

// Two servers in rotation, a phone behind a NAT with a port for each; hers dies at 20 s.
Scenario her_server_dies() {
    Scenario scenario;
    scenario.name = "test";
    scenario.length = 60s;
    scenario.clusters.push_back({.nodes = {"203.0.113.11", "203.0.113.12"}});
    RecordsPlan records;
    for (const auto* text : {"203.0.113.11", "203.0.113.12"})
        records.addresses.push_back(*IpAddress::parse(text));
    records.options.order = Rotation::round_robin;
    scenario.dns.push_back(records);
    scenario.nats.push_back({.mapping = Dependence::address_and_port_dependent, .name = "home"});
    scenario.phones.push_back({.transport = Transport::udp, .behind = "home"});
    scenario.callers.push_back({.phone = "alice", .every = 1s});
    EventPlan dies;
    dies.at = 20s;
    dies.choice = NodeChoice::current;
    dies.deed = Deed::node_silent;
    dies.label = "her server dies";
    scenario.events = {dies};
    return scenario;
}

Findings seen(const Scenario& scenario, const std::string& preset, std::size_t lines = 1000) {
    return run(scenario, {.preset = preset, .chronicle_lines = lines});
}

Instant at(Duration since_start) { return Internet::start + since_start; }

TEST(ScenarioChronicle, IsKeptOnlyWhenItIsAskedForAndChangesNothing) {
    const auto scenario = her_server_dies();
    const auto without = run(scenario, {.preset = "microsip"});
    const auto with = seen(scenario, "microsip");
    EXPECT_EQ(without.chronicle, nullptr);
    ASSERT_NE(with.chronicle, nullptr);
    EXPECT_EQ(without.trace_hash, with.trace_hash);
}

TEST(ScenarioChronicle, ABindingIsDrawnFromItsRegisterUntilItIsGone) {
    const auto scenario = her_server_dies();
    const auto outcome = seen(scenario, "holdfast");
    ASSERT_EQ(outcome.chronicle->phones.size(), 1U);
    const auto& phone = outcome.chronicle->phones.front();
    ASSERT_EQ(phone.bindings.size(), 2U);
    const auto& first = phone.bindings[0];
    const auto& second = phone.bindings[1];
    EXPECT_LT(first.from, at(1s));
    EXPECT_NE(first.node, second.node);
    EXPECT_EQ(first.way.remote.address.to_string(), "198.51.100.1");
    EXPECT_NE(first.way.remote.port, second.way.remote.port);
    EXPECT_TRUE(second.lasts);
    EXPECT_EQ(second.to, at(60s));
    EXPECT_FALSE(first.lasts);
    EXPECT_FALSE(first.ran_out);
    ASSERT_GE(first.states.size(), 2U);
    EXPECT_EQ(first.states[0].state, BindingState::current);
    EXPECT_EQ(first.states[1].at, at(20s));
    EXPECT_EQ(first.states[1].state, BindingState::stale);  // the other server has it, too
    ASSERT_EQ(second.states.size(), 1U);
    EXPECT_EQ(second.states[0].state, BindingState::current);
    // It could be reached but for the beginning and from the death to the second binding.
    ASSERT_EQ(phone.reach.size(), 4U);
    EXPECT_EQ(phone.reach[0].reach, Reach::no);
    EXPECT_EQ(phone.reach[1].at, first.from);
    EXPECT_EQ(phone.reach[2].at, at(20s));
    EXPECT_EQ(phone.reach[2].reach, Reach::no);
    EXPECT_EQ(phone.reach[3].at, second.from);
    EXPECT_EQ(phone.reach[3].reach, Reach::yes);
}

TEST(ScenarioChronicle, WithoutALocationServiceInCommonNobodyHasADeadServersBinding) {
    auto scenario = her_server_dies();
    scenario.clusters.front().options.location = Location::separate;
    const auto outcome = seen(scenario, "holdfast");
    const auto& first = outcome.chronicle->phones.front().bindings.front();
    ASSERT_GE(first.states.size(), 2U);
    EXPECT_EQ(first.states[1].state, BindingState::mute);
}

TEST(ScenarioChronicle, HasTheCallsThatTheFiguresCount) {
    const auto scenario = her_server_dies();
    for (const auto* preset : {"holdfast", "microsip"}) {
        const auto outcome = seen(scenario, preset);
        std::size_t lost = 0;
        const auto& calls = outcome.chronicle->phones.front().calls;
        for (const auto& call : calls) lost += call.lost;
        EXPECT_EQ(calls.size(), outcome.total.calls) << preset;
        EXPECT_EQ(lost, outcome.total.lost) << preset;
    }
}

TEST(ScenarioChronicle, TheTranscriptHasTheRegistersTheEventAndTheAnswersOfDns) {
    const auto scenario = her_server_dies();
    const auto outcome = seen(scenario, "holdfast");
    const auto& transcript = outcome.chronicle->transcript;
    const auto& lines = transcript.lines();
    const auto registers = std::ranges::count_if(lines, [](const TranscriptLine& line) {
        return line.packet.bytes.starts_with("REGISTER ");
    });
    EXPECT_GE(registers, static_cast<std::ptrdiff_t>(outcome.total.registers));
    const auto event = std::ranges::find(lines, "her server dies", &TranscriptLine::note);
    ASSERT_NE(event, lines.end());
    EXPECT_EQ(event->at, at(20s));
    const auto silence = std::ranges::find(lines, "silence", &TranscriptLine::fate);
    ASSERT_NE(silence, lines.end());
    EXPECT_GT(silence->at, at(20s) - 1s);
    EXPECT_EQ(silence->to, outcome.chronicle->phones.front().bindings.front().node);
    // What came through the NAT is drawn to whom it was for.
    EXPECT_TRUE(std::ranges::any_of(lines, [](const TranscriptLine& line) {
        return line.inside && line.to == "alice" && line.from.starts_with("node");
    }));
    EXPECT_TRUE(std::ranges::any_of(transcript.answers(), [](const TranscriptAnswer& answer) {
        return answer.question == dns::Question{"example.test", dns::RecordType::a} &&
               answer.answer.records.size() == 2 && answer.phone == "alice";
    }));
}

// Calls by the hundreds, half of them lost, and a phone that can be reached by fits.
TEST(ScenarioChronicle, ALongRunKeepsToItsLimits) {
    auto scenario = her_server_dies();
    scenario.length = 12min;
    scenario.phones.front().expires = 1h;
    scenario.clusters.front().options.server.use_received = true;
    scenario.events.clear();
    for (int i = 1; i < 360; ++i) {
        EventPlan plan;
        plan.at = i * 2s;
        plan.choice = NodeChoice::all;
        plan.deed = i % 2 == 1 ? Deed::node_silent : Deed::node_heals;
        scenario.events.push_back(plan);
    }
    const auto outcome = seen(scenario, "microsip", 100);
    const auto& chronicle = *outcome.chronicle;
    const auto& phone = chronicle.phones.front();
    EXPECT_LE(phone.calls.size(), 200U);
    std::size_t calls = 0;
    std::size_t lost = 0;
    for (const auto& row : phone.calls) {
        calls += row.calls;
        lost += row.lost;
    }
    EXPECT_EQ(calls, outcome.total.calls);
    EXPECT_EQ(lost, outcome.total.lost);
    EXPECT_LE(phone.reach.size(), 200U);
    EXPECT_GT(phone.reach_resolution, Duration{});
    EXPECT_LE(phone.bindings.size(), 40U);
    const auto& lines = chronicle.transcript.lines();
    const auto gaps = std::ranges::count_if(lines, &TranscriptLine::is_gap);
    EXPECT_GT(gaps, 0);
    EXPECT_LE(lines.size() - static_cast<std::size_t>(gaps), 150U);
}

}  // namespace
}  // namespace holdfast::lab::scenario
