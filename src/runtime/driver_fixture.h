// A driver on loopback with a state directory of its own, for tests of the driver and of its flows.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "runtime/driver.h"
#include "runtime/test_support.h"

namespace holdfast::runtime::test {

constexpr FlowId flow{1};

class DriverTest : public testing::Test {
protected:
    DriverOptions options() {
        DriverOptions options;
        options.state_directory = directory.path() / "state";
        options.local = Endpoint{loopback(), 0};
        options.dns_servers = {closed_port()};
        return options;
    }
    std::unique_ptr<Driver> open(DriverOptions options) {
        auto driver = Driver::open(loop, std::move(options));
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
        EXPECT_TRUE(loop.run_until(
            [&] {
                return driver->udp_port(Family::ipv4).has_value() &&
                       machine.last<in::FlowOpened>() != nullptr;
            },
            limit));
        return driver->udp_port(Family::ipv4).value_or(0);
    }

    TemporaryDirectory directory;
    Loop loop;
};

}  // namespace holdfast::runtime::test
