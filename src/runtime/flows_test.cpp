// The engine's flows on real sockets, seen through a driver: one UDP port for all targets (N7),
// kept across restarts (N6), and connections that say why they end (F2).
#include "runtime/flows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <map>

#include "runtime/driver_fixture.h"

namespace holdfast::runtime {
namespace {

using namespace test;
using testing::HasSubstr;

using FlowsTest = DriverTest;

TEST_F(FlowsTest, LocalPortIsKeptAcrossRestarts) {  // N6
    const auto first = port_after_one_run(options());
    EXPECT_GT(first, 1024);
    EXPECT_NE(first, 5060);
    EXPECT_EQ(port_after_one_run(options()), first);
}

TEST_F(FlowsTest, TakenPortIsSaidAndAnotherOneIsUsedAndKept) {  // N6
    const auto first = port_after_one_run(options());
    std::uint16_t second = 0;
    {
        const UdpPeer other_program{loop, {loopback(), first}};
        EventLog log;
        second = port_after_one_run(options(), &log);
        EXPECT_NE(second, first);
        ASSERT_NE(log.find(EventKind::notice), nullptr);
        EXPECT_THAT(log.find(EventKind::notice)->reason,
                    HasSubstr("port " + std::to_string(first) + " is taken"));
    }
    EXPECT_EQ(port_after_one_run(options()), second);
}

TEST_F(FlowsTest, PortAskedForByNumberAndTakenIsAFailure) {
    const UdpPeer other_program{loop};
    auto with_port = options();
    with_port.local = other_program.endpoint();
    const auto driver = Driver::open(loop, with_port);
    ASSERT_FALSE(driver);
    EXPECT_EQ(driver.error().kind, FailureKind::port_in_use);
    EXPECT_THAT(driver.error().sentence, HasSubstr(other_program.endpoint().to_string()));
}

TEST_F(FlowsTest, AddressThatIsNotOursIsAFailure) {
    auto elsewhere = options();
    elsewhere.local = Endpoint{IpAddress::v4(192, 0, 2, 1), 40000};
    const auto driver = Driver::open(loop, elsewhere);
    ASSERT_FALSE(driver);
    EXPECT_EQ(driver.error().kind, FailureKind::address_unusable);
}

TEST_F(FlowsTest, DatagramOfATargetIsItsFlowsAndOthersAreStray) {  // N7
    UdpPeer target{loop};
    UdpPeer cluster_node{loop};
    const auto driver = open();
    ScriptedMachine machine{opener(target.endpoint())};
    driver->attach(machine_of(machine));
    ASSERT_TRUE(loop.run_until([&] { return machine.last<in::FlowOpened>() != nullptr; }, limit));
    const auto local = machine.last<in::FlowOpened>()->local;
    EXPECT_EQ(local.port, driver->udp_port(Family::ipv4));

    target.send(local, "200 OK");
    cluster_node.send(local, "INVITE");
    ASSERT_TRUE(loop.run_until(
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

TEST_F(FlowsTest, RefusedDatagramFailsItsFlowOnly) {  // N7, F2
    UdpPeer good{loop};
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
    ASSERT_TRUE(loop.run_until(
        [&] { return !good.received().empty() && machine.last<in::FlowFailed>() != nullptr; },
        limit));
    EXPECT_EQ(machine.last<in::FlowFailed>()->flow, dead_flow);
    EXPECT_EQ(machine.last<in::FlowFailed>()->error, FlowError::port_unreachable);
    EXPECT_EQ(std::ranges::count_if(
                  machine.inputs,
                  [](const Input& input) { return std::holds_alternative<in::FlowFailed>(input); }),
              1);
}

TEST_F(FlowsTest, StreamFlowCarriesBytesAndItsEndIsToldOnce) {
    Descriptor connection;
    const TcpPeer server{loop, [&](Descriptor accepted) {
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
    ASSERT_TRUE(loop.run_until([&] { return machine.last<in::Received>() != nullptr; }, limit));
    EXPECT_EQ(machine.last<in::FlowOpened>()->local.address, loopback());
    EXPECT_EQ(machine.last<in::Received>()->bytes, "SIP/2.0 200");
    connection.close();
    ASSERT_TRUE(loop.run_until([&] { return machine.last<in::FlowClosed>() != nullptr; }, limit));
    EXPECT_EQ(machine.last<in::FlowClosed>()->error, FlowError::closed_by_peer);
    EXPECT_EQ(machine.inputs.size(), 4U);
}

TEST_F(FlowsTest, StreamsThatCannotBeOpenedSayWhy) {  // F2
    const auto closed = closed_port(loopback(), SOCK_STREAM);
    constexpr FlowId tls_flow{2};
    Descriptor connection;
    const TcpPeer no_tls{loop, [&](Descriptor accepted) {
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
    ASSERT_TRUE(loop.run_until([&] { return failed.size() == 2; }, limit));
    EXPECT_EQ(failed.at(flow), FlowError::refused);
    EXPECT_EQ(failed.at(tls_flow), FlowError::tls);
}

TEST_F(FlowsTest, AFlowMayBeClosedByWhatComesInOnIt) {
    std::vector<Descriptor> connections;
    const TcpPeer server{loop, [&](Descriptor accepted) {
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
    ASSERT_TRUE(loop.run_until([&] { return machine.last<in::Received>() != nullptr; }, limit));
    EXPECT_FALSE(loop.run_until([&] { return machine.last<in::FlowClosed>() != nullptr; }, 20ms));
}

TEST_F(FlowsTest, SparePortIsAnotherOne) {  // K4
    UdpPeer server{loop};
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
    ASSERT_TRUE(loop.run_until([&] { return server.received().size() == 2; }, limit));
    EXPECT_EQ(server.received()[0].from.port, driver->udp_port(Family::ipv4));
    EXPECT_NE(server.received()[1].from, server.received()[0].from);
    server.send(server.received()[1].from, "pong");
    server.send(server.received()[1].from, "again");
    ASSERT_TRUE(loop.run_until([&] { return machine.last<in::Received>() != nullptr; }, limit));
    EXPECT_EQ(machine.last<in::Received>()->flow, spare);
    EXPECT_FALSE(
        loop.run_until([&] { return machine.last<in::Received>()->bytes == "again"; }, 20ms));
}

}  // namespace
}  // namespace holdfast::runtime
