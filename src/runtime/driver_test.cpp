// The driver: a machine's outbox against real sockets; stores before sends, the port kept, woken by
// deadlines only.
#include "runtime/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <map>

#include "runtime/clock.h"
#include "runtime/state_file.h"
#include "runtime/test_support.h"

namespace holdfast::runtime {
namespace {

using namespace test;
using testing::HasSubstr;

constexpr FlowId flow{1};

class DriverTest : public testing::Test {
protected:
    DriverOptions options() {
        DriverOptions options;
        options.state_directory = directory_.path() / "state";
        options.local = Endpoint{loopback(), 0};
        options.dns_servers = {closed_port()};
        return options;
    }
    std::unique_ptr<Driver> open(DriverOptions options) {
        auto driver = Driver::open(loop_, std::move(options));
        EXPECT_TRUE(driver) << driver.error().sentence;
        return driver ? *std::move(driver) : nullptr;
    }
    std::unique_ptr<Driver> open() { return open(options()); }

    // Opens a UDP flow to this endpoint at the first input.
    static ScriptedMachine::Script opener(const Endpoint& remote) {
        return [remote](Instant, const Input& input, Outbox& outbox) {
            if (std::holds_alternative<in::NetworkChanged>(input))
                outbox.push(out::OpenFlow{
                    .flow = flow, .target = {Transport::udp, remote}, .tls_name = {}});
        };
    }
    // Runs one driver until its UDP port is open; the port.
    std::uint16_t port_after_one_run(DriverOptions options, EventLog* log = nullptr) {
        const auto driver = open(std::move(options));
        if (log != nullptr) driver->add_observer(*log);
        ScriptedMachine machine{[](Instant, const Input& input, Outbox& outbox) {
            if (std::holds_alternative<in::NetworkChanged>(input))
                outbox.push(out::OpenFlow{
                    .flow = flow, .target = {Transport::udp, {loopback(2), 5060}}, .tls_name = {}});
            if (std::holds_alternative<in::FlowOpened>(input))
                outbox.push(out::Send{.flow = flow, .bytes = "x"});
        }};
        driver->attach(machine_of(machine));
        EXPECT_TRUE(loop_.run_until(
            [&] {
                return driver->udp_port(Family::ipv4).has_value() &&
                       machine.last<in::FlowOpened>() != nullptr;
            },
            limit));
        return driver->udp_port(Family::ipv4).value_or(0);
    }

    TemporaryDirectory directory_;
    Loop loop_;
};

TEST_F(DriverTest, FirstInputIsTheNetworkThenWhatWasSubmittedInOrder) {
    const auto driver = open();
    ScriptedMachine machine;
    driver->submit(in::RegisterNow{AccountId{7}});
    driver->attach(machine_of(machine));
    driver->submit(in::HangUp{AccountId{7}});
    ASSERT_TRUE(loop_.run_until([&] { return machine.inputs.size() == 3; }, limit));
    ASSERT_TRUE(std::holds_alternative<in::NetworkChanged>(machine.inputs[0]));
    EXPECT_EQ(std::get<in::NetworkChanged>(machine.inputs[0]).addresses, std::vector{loopback()});
    EXPECT_TRUE(std::holds_alternative<in::RegisterNow>(machine.inputs[1]));
    EXPECT_TRUE(std::holds_alternative<in::HangUp>(machine.inputs[2]));
}

TEST_F(DriverTest, StoresOfAStepAreDurableBeforeItsSends) {  // B3
    UdpPeer server{loop_};
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
    ASSERT_TRUE(loop_.run_until([&] { return !server.received().empty(); }, limit));
    EXPECT_EQ(found, "64");
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
        ASSERT_TRUE(loop_.run_until([&] { return machine.inputs.size() >= 2; }, limit));
    }
    const auto again = open();
    EXPECT_EQ(again->engine_options().state, (State{{"call-id", "one"}}));
}

TEST_F(DriverTest, LocalPortIsKeptAcrossRestarts) {  // N6
    const auto first = port_after_one_run(options());
    EXPECT_GT(first, 1024);
    EXPECT_NE(first, 5060);
    EXPECT_EQ(port_after_one_run(options()), first);
}

TEST_F(DriverTest, TakenPortIsSaidAndAnotherOneIsUsedAndKept) {  // N6
    const auto first = port_after_one_run(options());
    std::uint16_t second = 0;
    {
        const UdpPeer other_program{loop_, {loopback(), first}};
        EventLog log;
        second = port_after_one_run(options(), &log);
        EXPECT_NE(second, first);
        ASSERT_NE(log.find(EventKind::notice), nullptr);
        EXPECT_THAT(log.find(EventKind::notice)->reason,
                    HasSubstr("port " + std::to_string(first) + " is taken"));
    }
    EXPECT_EQ(port_after_one_run(options()), second);
}

TEST_F(DriverTest, PortAskedForByNumberAndTakenIsAFailure) {
    const UdpPeer other_program{loop_};
    auto with_port = options();
    with_port.local = other_program.endpoint();
    const auto driver = Driver::open(loop_, with_port);
    ASSERT_FALSE(driver);
    EXPECT_EQ(driver.error().kind, FailureKind::port_in_use);
    EXPECT_THAT(driver.error().sentence, HasSubstr(other_program.endpoint().to_string()));
}

TEST_F(DriverTest, AddressThatIsNotOursIsAFailure) {
    auto elsewhere = options();
    elsewhere.local = Endpoint{IpAddress::v4(192, 0, 2, 1), 40000};
    const auto driver = Driver::open(loop_, elsewhere);
    ASSERT_FALSE(driver);
    EXPECT_EQ(driver.error().kind, FailureKind::address_unusable);
}

TEST_F(DriverTest, SecondProcessOnTheSameStateIsRefused) {  // B3
    const auto first = open();
    const auto second = Driver::open(loop_, options());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, FailureKind::state_in_use);
}

TEST_F(DriverTest, DatagramOfATargetIsItsFlowsAndOthersAreStray) {  // N7
    UdpPeer target{loop_};
    UdpPeer cluster_node{loop_};
    const auto driver = open();
    ScriptedMachine machine{opener(target.endpoint())};
    driver->attach(machine_of(machine));
    ASSERT_TRUE(loop_.run_until([&] { return machine.last<in::FlowOpened>() != nullptr; }, limit));
    const auto local = machine.last<in::FlowOpened>()->local;
    EXPECT_EQ(local.port, driver->udp_port(Family::ipv4));

    target.send(local, "200 OK");
    cluster_node.send(local, "INVITE");
    ASSERT_TRUE(loop_.run_until(
        [&] {
            return machine.last<in::Received>() != nullptr && machine.last<in::Stray>() != nullptr;
        },
        limit));
    EXPECT_EQ(machine.last<in::Received>()->flow, flow);
    EXPECT_EQ(machine.last<in::Received>()->bytes, "200 OK");
    EXPECT_EQ(machine.last<in::Stray>()->bytes, "INVITE");
    EXPECT_EQ(machine.last<in::Stray>()->remote, cluster_node.endpoint());
    EXPECT_EQ(machine.last<in::Stray>()->local, local);
}

TEST_F(DriverTest, RefusedDatagramFailsItsFlowOnly) {  // N7, F2
    UdpPeer good{loop_};
    constexpr FlowId dead_flow{2};
    const auto dead = closed_port();
    const auto driver = open();
    ScriptedMachine machine{[&](Instant, const Input& input, Outbox& outbox) {
        if (!std::holds_alternative<in::NetworkChanged>(input)) return;
        outbox.push(
            out::OpenFlow{.flow = dead_flow, .target = {Transport::udp, dead}, .tls_name = {}});
        outbox.push(out::OpenFlow{
            .flow = flow, .target = {Transport::udp, good.endpoint()}, .tls_name = {}});
        outbox.push(out::Send{.flow = dead_flow, .bytes = "x"});
        outbox.push(out::Send{.flow = flow, .bytes = "y"});
    }};
    driver->attach(machine_of(machine));
    ASSERT_TRUE(loop_.run_until(
        [&] { return !good.received().empty() && machine.last<in::FlowFailed>() != nullptr; },
        limit));
    EXPECT_EQ(machine.last<in::FlowFailed>()->flow, dead_flow);
    EXPECT_EQ(machine.last<in::FlowFailed>()->error, FlowError::port_unreachable);
    EXPECT_EQ(std::ranges::count_if(
                  machine.inputs,
                  [](const Input& input) { return std::holds_alternative<in::FlowFailed>(input); }),
              1);
}

TEST_F(DriverTest, StreamFlowCarriesBytesAndItsEndIsToldOnce) {
    Descriptor connection;
    const TcpPeer server{loop_, [&](Descriptor accepted) {
                             ASSERT_EQ(::send(accepted.get(), "SIP/2.0 200", 11, 0), 11);
                             connection = std::move(accepted);
                         }};
    const auto driver = open();
    ScriptedMachine machine{[&](Instant, const Input& input, Outbox& outbox) {
        if (std::holds_alternative<in::NetworkChanged>(input))
            outbox.push(out::OpenFlow{
                .flow = flow, .target = {Transport::tcp, server.endpoint()}, .tls_name = {}});
    }};
    driver->attach(machine_of(machine));
    ASSERT_TRUE(loop_.run_until([&] { return machine.last<in::Received>() != nullptr; }, limit));
    EXPECT_EQ(machine.last<in::FlowOpened>()->local.address, loopback());
    EXPECT_EQ(machine.last<in::Received>()->bytes, "SIP/2.0 200");
    connection.close();
    ASSERT_TRUE(loop_.run_until([&] { return machine.last<in::FlowClosed>() != nullptr; }, limit));
    EXPECT_EQ(machine.last<in::FlowClosed>()->error, FlowError::closed_by_peer);
    EXPECT_EQ(machine.inputs.size(), 4U);
}

TEST_F(DriverTest, StreamsThatCannotBeOpenedSayWhy) {  // F2
    const auto closed = closed_port(loopback(), SOCK_STREAM);
    constexpr FlowId tls_flow{2};
    Descriptor connection;
    const TcpPeer no_tls{loop_, [&](Descriptor accepted) {
                             ASSERT_EQ(::send(accepted.get(), "SIP/2.0 400", 11, 0), 11);
                             connection = std::move(accepted);
                         }};
    const auto driver = open();
    std::map<FlowId, FlowError> failed;
    ScriptedMachine machine{[&](Instant, const Input& input, Outbox& outbox) {
        if (const auto* failure = std::get_if<in::FlowFailed>(&input))
            failed[failure->flow] = failure->error;
        if (!std::holds_alternative<in::NetworkChanged>(input)) return;
        outbox.push(
            out::OpenFlow{.flow = flow, .target = {Transport::tcp, closed}, .tls_name = {}});
        outbox.push(out::OpenFlow{.flow = tls_flow,
                                  .target = {Transport::tls, no_tls.endpoint()},
                                  .tls_name = "example.test"});
    }};
    driver->attach(machine_of(machine));
    ASSERT_TRUE(loop_.run_until([&] { return failed.size() == 2; }, limit));
    EXPECT_EQ(failed.at(flow), FlowError::refused);
    EXPECT_EQ(failed.at(tls_flow), FlowError::tls);
}

TEST_F(DriverTest, AFlowMayBeClosedByWhatComesInOnIt) {
    std::vector<Descriptor> connections;
    const TcpPeer server{loop_, [&](Descriptor accepted) {
                             ASSERT_EQ(::send(accepted.get(), "one", 3, 0), 3);
                             connections.push_back(std::move(accepted));
                         }};
    const auto driver = open();
    ScriptedMachine machine{[&](Instant, const Input& input, Outbox& outbox) {
        if (std::holds_alternative<in::NetworkChanged>(input))
            outbox.push(out::OpenFlow{
                .flow = flow, .target = {Transport::tcp, server.endpoint()}, .tls_name = {}});
        if (std::holds_alternative<in::Received>(input)) {
            outbox.push(out::CloseFlow{flow});
            outbox.push(out::Send{.flow = flow, .bytes = "too late"});
        }
    }};
    driver->attach(machine_of(machine));
    ASSERT_TRUE(loop_.run_until([&] { return machine.last<in::Received>() != nullptr; }, limit));
    EXPECT_FALSE(loop_.run_until([&] { return machine.last<in::FlowClosed>() != nullptr; }, 20ms));
}

TEST_F(DriverTest, SparePortIsAnotherOne) {  // K4
    UdpPeer server{loop_};
    constexpr FlowId spare{2};
    const auto driver = open();
    ScriptedMachine machine{[&](Instant, const Input& input, Outbox& outbox) {
        const Target target{Transport::udp, server.endpoint()};
        if (std::holds_alternative<in::NetworkChanged>(input)) {
            outbox.push(out::OpenFlow{.flow = flow, .target = target, .tls_name = {}});
            outbox.push(
                out::OpenFlow{.flow = spare, .target = target, .tls_name = {}, .spare_port = true});
            outbox.push(out::Send{.flow = flow, .bytes = "shared"});
            outbox.push(out::Send{.flow = spare, .bytes = "spare"});
        }
        // Closed by what came in on it: nothing of it may be used afterwards.
        if (const auto* received = std::get_if<in::Received>(&input);
            received != nullptr && received->flow == spare)
            outbox.push(out::CloseFlow{spare});
    }};
    driver->attach(machine_of(machine));
    ASSERT_TRUE(loop_.run_until([&] { return server.received().size() == 2; }, limit));
    EXPECT_EQ(server.received()[0].from.port, driver->udp_port(Family::ipv4));
    EXPECT_NE(server.received()[1].from, server.received()[0].from);
    server.send(server.received()[1].from, "pong");
    server.send(server.received()[1].from, "again");
    ASSERT_TRUE(loop_.run_until([&] { return machine.last<in::Received>() != nullptr; }, limit));
    EXPECT_EQ(machine.last<in::Received>()->flow, spare);
    EXPECT_FALSE(
        loop_.run_until([&] { return machine.last<in::Received>()->bytes == "again"; }, 20ms));
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
    ASSERT_TRUE(loop_.run_until([&] { return woken != Instant{}; }, limit));
    EXPECT_GE(woken, wanted);
    EXPECT_FALSE(loop_.run_until([&] { return machine.inputs.size() > 2; }, 50ms));
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
    ASSERT_TRUE(loop_.run_until([&] { return machine.last<in::DnsAnswer>() != nullptr; }, limit));
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
        void on_traffic(Instant, const Traffic& traffic) override {
            lines += (traffic.direction == Direction::sent ? "> " : "< ") +
                     std::string(traffic.bytes) + "\n";
            last_flow = traffic.flow;
        }
        std::string lines;
        FlowId last_flow;
    } trace;
    UdpPeer server{loop_};
    server.on_datagram([&](const auto& datagram) { server.send(datagram.from, "200"); });
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
    ASSERT_TRUE(loop_.run_until([&] { return machine.last<in::Received>() != nullptr; }, limit));
    EXPECT_EQ(trace.lines, "> OPTIONS\n< 200\n");
    EXPECT_EQ(trace.last_flow, flow);
}

}  // namespace
}  // namespace holdfast::runtime
