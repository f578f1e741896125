// The driver: a machine's outbox against the real world; stores before sends, woken by deadlines
// only.
#include "runtime/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <memory>
#include <optional>

#include "runtime/clock.h"
#include "runtime/driver_fixture.h"
#include "runtime/state_file.h"

namespace holdfast::runtime {
namespace {

using namespace test;

TEST_F(DriverTest, FirstInputIsTheNetworkThenWhatWasSubmittedInOrder) {
    const auto driver = open();
    ScriptedMachine machine;
    driver->submit(in::RegisterNow{AccountId{7}});
    driver->attach(machine_of(machine));
    driver->submit(in::HangUp{AccountId{7}});
    ASSERT_TRUE(loop.run_until([&] { return machine.inputs.size() == 3; }, limit));
    ASSERT_TRUE(std::holds_alternative<in::NetworkChanged>(machine.inputs[0]));
    EXPECT_EQ(std::get<in::NetworkChanged>(machine.inputs[0]).addresses, std::vector{loopback()});
    EXPECT_TRUE(std::holds_alternative<in::RegisterNow>(machine.inputs[1]));
    EXPECT_TRUE(std::holds_alternative<in::HangUp>(machine.inputs[2]));
}

TEST_F(DriverTest, StoresOfAStepAreDurableBeforeItsSends) {  // B3
    UdpPeer server{loop};
    std::string found;
    const auto state = options().state_directory;
    server.on_datagram([&](const auto&) { found = StateFile::peek(state)->at("cseq"); });
    const auto driver = open();
    ScriptedMachine machine{[&](Instant, const Input& input, Outbox& outbox) {
        if (std::holds_alternative<in::NetworkChanged>(input))
            outbox.push(out::OpenFlow{
                .flow = flow, .target = {Transport::udp, server.endpoint()}, .tls_name = {}});
        if (std::holds_alternative<in::FlowOpened>(input)) {
            outbox.push(out::Send{.flow = flow, .bytes = "REGISTER"});
            outbox.push(out::Store{.key = "cseq", .value = "64"});
        }
    }};
    driver->attach(machine_of(machine));
    ASSERT_TRUE(loop.run_until([&] { return !server.received().empty(); }, limit));
    EXPECT_EQ(found, "64");
}

// What is stored without being sent may wait for company, but a stop does not lose it.
TEST_F(DriverTest, WhatWaitsToBeStoredIsStoredAtAStop) {  // B3
    {
        const auto driver = open();
        ScriptedMachine machine{[](Instant, const Input& input, Outbox& outbox) {
            if (std::holds_alternative<in::NetworkChanged>(input))
                outbox.push(out::Store{"engine/key", "value"});
        }};
        driver->attach(machine_of(machine));
        ASSERT_TRUE(
            loop.run_until([&] { return machine.last<in::NetworkChanged>() != nullptr; }, limit));
        driver->stop();
    }
    EXPECT_EQ(open()->engine_options().state.at("engine/key"), "value");
}

TEST_F(DriverTest, StoredStateComesBackWithoutTheRuntimesOwnKeys) {  // B3, N6
    {
        const auto driver = open();
        ScriptedMachine machine{[](Instant, const Input& input, Outbox& outbox) {
            if (!std::holds_alternative<in::NetworkChanged>(input)) return;
            outbox.push(out::OpenFlow{
                .flow = flow, .target = {Transport::udp, {loopback(2), 5060}}, .tls_name = {}});
            outbox.push(out::Store{.key = "call-id", .value = "one"});
            outbox.push(out::Send{.flow = flow, .bytes = "x"});
        }};
        driver->attach(machine_of(machine));
        ASSERT_TRUE(loop.run_until([&] { return machine.inputs.size() >= 2; }, limit));
    }
    const auto again = open();
    EXPECT_EQ(again->engine_options().state, (State{{"call-id", "one"}}));
}

TEST_F(DriverTest, SecondProcessOnTheSameStateIsRefused) {  // B3
    const auto first = open();
    const auto second = Driver::open(loop, options());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, FailureKind::state_in_use);
}

// Another program that holds the state's database, as a backup may.
class DatabaseInUse {
public:
    explicit DatabaseInUse(const std::filesystem::path& state) {
        sqlite3* raw = nullptr;
        EXPECT_EQ(sqlite3_open((state / "state.db").c_str(), &raw), SQLITE_OK);
        database_.reset(raw);
        run("BEGIN IMMEDIATE");
    }
    void let_go() { run("ROLLBACK"); }

private:
    struct Close {
        void operator()(sqlite3* database) const { sqlite3_close(database); }
    };
    void run(const char* sql) {
        EXPECT_EQ(sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr), SQLITE_OK);
    }
    std::unique_ptr<sqlite3, Close> database_;
};

// The phone is not held up by it, says so once, and writes all that it has meanwhile as soon as it
// may (B3).
TEST_F(DriverTest, StateThatCannotBeWrittenAnyMoreHoldsNothingUp) {
    const auto driver = open();
    EventLog log;
    driver->add_observer(log);
    std::optional<DatabaseInUse> other;
    int steps = 0;
    ScriptedMachine machine;
    machine = ScriptedMachine{[&](Instant now, const Input& input, Outbox& outbox) {
        opener({loopback(2), 5060})(now, input, outbox);
        machine.deadline = {now + 1ms, "a test"};
        outbox.push(out::Store{.key = "step", .value = std::to_string(++steps)});
        if (std::holds_alternative<in::FlowOpened>(input))
            outbox.push(out::Send{.flow = flow, .bytes = "REGISTER"});
        if (std::holds_alternative<in::ShutDown>(input)) outbox.push(event_of(EventKind::stopped));
    }};
    driver->attach(machine_of(machine));
    ASSERT_TRUE(loop.run_until([&] { return machine.last<in::FlowOpened>() != nullptr; }, limit));
    other.emplace(options().state_directory);
    ASSERT_TRUE(loop.run_until([&, until = steps + 100] { return steps >= until; }, limit));
    EXPECT_EQ(log.events.size(), 1U);
    EXPECT_THAT(log.find(EventKind::notice)->reason, testing::HasSubstr("database is locked"));
    other->let_go();
    driver->submit(in::ShutDown{});
    driver->run();
    EXPECT_EQ(log.events.back().reason, "The state can be written again.");
    EXPECT_EQ(StateFile::peek(options().state_directory)->at("step"), std::to_string(steps));
    EXPECT_FALSE(driver->failure());
}

// Whoever cannot remember who he is does not begin (B3): the next start would be somebody else.
TEST_F(DriverTest, StateThatCannotBeWrittenAtAllEndsTheRunBeforeAnythingIsSent) {
    UdpPeer server{loop};
    const auto driver = open();
    const DatabaseInUse other{options().state_directory};
    ScriptedMachine machine{[&](Instant now, const Input& input, Outbox& outbox) {
        opener(server.endpoint())(now, input, outbox);
        if (!std::holds_alternative<in::FlowOpened>(input)) return;
        outbox.push(out::Store{.key = "instance", .value = "1"});
        outbox.push(out::Send{.flow = flow, .bytes = "REGISTER"});
    }};
    driver->attach(machine_of(machine));
    driver->run();
    EXPECT_TRUE(driver->stopped());
    ASSERT_TRUE(driver->failure());
    EXPECT_EQ(driver->failure()->kind, FailureKind::state_unusable);
    EXPECT_THAT(driver->failure()->sentence, testing::HasSubstr("database is locked"));
    loop.run_until([] { return false; }, 20ms);
    EXPECT_TRUE(server.received().empty());
}

TEST_F(DriverTest, MachineIsWokenAtItsDeadlineAndNotOtherwise) {
    const auto driver = open();
    Instant wanted{};
    Instant woken{};
    ScriptedMachine machine;
    machine = ScriptedMachine{[&](Instant now, const Input& input, Outbox&) {
        if (std::holds_alternative<in::NetworkChanged>(input))
            machine.deadline = {wanted = now + 30ms, "a test"};
        if (std::holds_alternative<in::Time>(input)) {
            woken = now;
            machine.deadline = {now + 1h, "later"};
        }
    }};
    driver->attach(machine_of(machine));
    ASSERT_TRUE(loop.run_until([&] { return woken != Instant{}; }, limit));
    EXPECT_GE(woken, wanted);
    EXPECT_FALSE(loop.run_until([&] { return machine.inputs.size() > 2; }, 50ms));
    EXPECT_EQ(driver->steps(), 2U);
}

TEST_F(DriverTest, DeadlineThatNeverMovesIsACheckAndNoSpin) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    const auto run_stuck = [this] {
        const auto driver = open();
        ScriptedMachine machine;
        machine.deadline = {Instant{}, "a stuck timer"};
        driver->attach(machine_of(machine));
        driver->run();
    };
    EXPECT_DEATH(run_stuck(), "a stuck timer");
}

TEST_F(DriverTest, EveryQuestionIsAnswered) {
    const auto driver = open();
    ScriptedMachine machine{[](Instant, const Input& input, Outbox& outbox) {
        if (std::holds_alternative<in::NetworkChanged>(input))
            outbox.push(out::Resolve{.query = QueryId{3},
                                     .question = {"example.test", dns::RecordType::a}});
    }};
    driver->attach(machine_of(machine));
    ASSERT_TRUE(loop.run_until([&] { return machine.last<in::DnsAnswer>() != nullptr; }, limit));
    EXPECT_EQ(machine.last<in::DnsAnswer>()->query, QueryId{3});
    EXPECT_TRUE(dns::is_failure(machine.last<in::DnsAnswer>()->answer.status));
}

TEST_F(DriverTest, StoppedMachineEndsTheRun) {
    const auto driver = open();
    EventLog log;
    driver->add_observer(log);
    ScriptedMachine machine{[](Instant, const Input& input, Outbox& outbox) {
        if (std::holds_alternative<in::ShutDown>(input)) outbox.push(event_of(EventKind::stopped));
    }};
    driver->attach(machine_of(machine));
    driver->submit(in::ShutDown{});
    driver->run();
    EXPECT_TRUE(driver->stopped());
    EXPECT_NE(log.find(EventKind::stopped), nullptr);
}

TEST_F(DriverTest, ObserversSeeWhatIsSentAndReceived) {
    class Trace final : public Observer {
    public:
        void on_traffic(Instant at, const Traffic& traffic) override {
            (traffic.direction == Direction::sent ? sent : received) = at;
            lines += (traffic.direction == Direction::sent ? "> " : "< ") +
                     std::string(traffic.bytes) + "\n";
            last_flow = traffic.flow;
        }
        std::string lines;
        FlowId last_flow;
        Instant sent{};
        Instant received{};
    } trace;
    UdpPeer server{loop};
    Endpoint phone;
    constexpr auto needs = 50ms;  // the server, for its answer
    Timer answers{loop, [&] { server.send(phone, "200"); }};
    server.on_datagram([&](const auto& datagram) {
        phone = datagram.from;
        answers.arm(boot_time() + needs);
    });
    const auto driver = open();
    driver->add_observer(trace);
    ScriptedMachine machine{[&](Instant, const Input& input, Outbox& outbox) {
        if (std::holds_alternative<in::NetworkChanged>(input))
            outbox.push(out::OpenFlow{
                .flow = flow, .target = {Transport::udp, server.endpoint()}, .tls_name = {}});
        if (std::holds_alternative<in::FlowOpened>(input))
            outbox.push(out::Send{.flow = flow, .bytes = "OPTIONS"});
    }};
    driver->attach(machine_of(machine));
    ASSERT_TRUE(loop.run_until([&] { return machine.last<in::Received>() != nullptr; }, limit));
    EXPECT_EQ(trace.lines, "> OPTIONS\n< 200\n");
    EXPECT_EQ(trace.last_flow, flow);
    EXPECT_GE(trace.received - trace.sent, needs) << "the time at which it came";
}

}  // namespace
}  // namespace holdfast::runtime
