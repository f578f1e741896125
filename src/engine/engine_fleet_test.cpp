// Many accounts in one engine: what they send together keeps to a rate (S3), at the start, when one
// answer reaches them all, while they prove themselves (R1), and at the end (B4).
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "engine/engine.h"
#include "engine/test_driver.h"

namespace holdfast::engine {
namespace {

// S3: a global limit for REGISTERs; the others wait in line.
TEST(EngineFleet, RegistersArePaced) {
    EngineOptions options;
    options.registers_per_second = 2;
    Driver driver(7, std::move(options));
    driver.resolve("example.test", {udp_target(11).endpoint.address});
    for (std::uint32_t i = 1; i <= 8; ++i)
        driver.add(AccountId{i}, "sip:user" + std::to_string(i) + "@example.test");
    const Instant begin = driver.now;
    for (int half = 1; half <= 8; ++half) {
        driver.run_until(begin + half * 500ms);
        EXPECT_LE(driver.requests("REGISTER"), static_cast<std::size_t>(half) + 1) << half;
    }
    driver.run_for(60s);
    for (std::uint32_t i = 1; i <= 8; ++i)
        EXPECT_TRUE(driver.status(AccountId{i}).registered) << i << "\n" << driver.words();
}

// S3: they all waited for the same DNS answer, or all lost the same server: none of it is a burst.
TEST(EngineFleet, OneAnswerForAllIsNoBurst) {
    EngineOptions options;
    options.registers_per_second = 5;
    Driver driver(7, std::move(options));
    driver.zone_delay = 9s;  // longer than any account's patience
    const auto first = udp_target(11);
    const auto second = udp_target(12);
    driver.resolve("example.test", {first.endpoint.address, second.endpoint.address});
    constexpr std::uint32_t accounts = 40;
    for (std::uint32_t i = 1; i <= accounts; ++i)
        driver.add(AccountId{i}, "sip:user" + std::to_string(i) + "@example.test");
    const auto registers = [&] {  // a repetition is the same request
        std::set<std::string_view> different;
        for (const auto& [target, text] : driver.sent)
            if (text.starts_with("REGISTER")) different.insert(text);
        return different.size();
    };
    const auto most_in_a_second = [&](Duration how_long) {
        std::size_t most = 0;
        for (const Instant end = driver.now + how_long; driver.now < end;) {
            const auto before = registers();
            driver.run_for(1s);
            most = std::max(most, registers() - before);
        }
        return most;
    };
    EXPECT_LE(most_in_a_second(60s), 6u);
    const auto registered = [&] {
        std::size_t found = 0;
        for (std::uint32_t i = 1; i <= accounts; ++i)
            found += driver.status(AccountId{i}).registered ? 1U : 0U;
        return found;
    };
    EXPECT_EQ(registered(), accounts) << driver.words();
    driver.silent.insert(first);
    EXPECT_LE(most_in_a_second(120s), 6u) << "its server died: they move one after the other";
    EXPECT_EQ(registered(), accounts) << driver.words();
}

// S3, N2: what a flow's first mapping is waits in line as well, and comes when the binding is there
// that has it: nothing has changed.
TEST(EngineFleet, TheFirstMappingIsNoChange) {
    EngineOptions options;
    options.registers_per_second = 5;
    Driver driver(7, std::move(options));
    driver.resolve("example.test", {udp_target(11).endpoint.address});
    constexpr std::uint32_t accounts = 10;
    for (std::uint32_t i = 1; i <= accounts; ++i)
        driver.add(AccountId{i}, "sip:user" + std::to_string(i) + "@example.test");
    driver.run_for(20s);
    ASSERT_EQ(driver.count(EventKind::registered), accounts) << driver.words();
    EXPECT_EQ(driver.count(EventKind::mapping_changed), 0u) << driver.words();
    driver.mapping = ";received=198.51.100.7;rport=23999";
    driver.run_for(60s);
    EXPECT_EQ(driver.count(EventKind::mapping_changed), accounts) << driver.words();
}

// S3, R1: whoever has registered wants to see its own OPTIONS arrive, and waits in the same line:
// the end of the line is no burst of them.
TEST(EngineFleet, ProofsArePacedAsWell) {
    EngineOptions options;
    options.registers_per_second = 5;
    Driver driver(7, std::move(options));
    driver.resolve("example.test", {udp_target(11).endpoint.address});
    constexpr std::uint32_t accounts = 40;
    for (std::uint32_t i = 1; i <= accounts; ++i)
        driver.add(AccountId{i}, "sip:user" + std::to_string(i) + "@example.test");
    const auto sent = [&](std::string_view begin) {  // a repetition is the same request
        std::set<std::string_view> different;
        for (const auto& [target, text] : driver.sent)
            if (text.starts_with(begin)) different.insert(text);
        return different.size();
    };
    std::size_t most = 0;
    for (const Instant end = driver.now + 60s; driver.now < end;) {
        const auto before = sent("REGISTER ") + sent("OPTIONS sip:user");
        driver.run_for(1s);
        most = std::max(most, sent("REGISTER ") + sent("OPTIONS sip:user") - before);
    }
    EXPECT_GE(sent("OPTIONS sip:user"), accounts) << driver.words();
    EXPECT_LE(most, 6u);
}

// B4, S3: a fleet's un-REGISTERs go at its rate, each server has 2 s from the time it is asked, and
// those whose turn has not come within the time that is given are gone without.
TEST(EngineFleet, LeavesAtItsRateWithinTheTimeThatIsGiven) {
    for (const Duration within : {30s, 3s}) {
        EngineOptions options;
        options.registers_per_second = 5;
        options.leave_within = within;
        Driver driver(7, std::move(options));
        driver.resolve("example.test", {udp_target(11).endpoint.address});
        constexpr std::uint32_t accounts = 40;
        for (std::uint32_t i = 1; i <= accounts; ++i)
            driver.add(AccountId{i}, "sip:user" + std::to_string(i) + "@example.test");
        driver.run_for(60s);
        ASSERT_EQ(driver.count(EventKind::registered), accounts) << driver.words();
        const Instant begin = driver.now;
        const auto before = driver.requests("REGISTER");
        driver.feed(in::ShutDown{});
        driver.run_for(2900ms);
        EXPECT_LE(driver.requests("REGISTER") - before, 17u) << "S3";
        EXPECT_EQ(driver.count(EventKind::stopped), 0u);
        driver.run_until(begin + within);
        ASSERT_EQ(driver.count(EventKind::stopped), 1u) << driver.words();
        if (within == 3s) {
            EXPECT_LE(driver.count(EventKind::unregistered), 17u);
        } else {
            EXPECT_EQ(driver.count(EventKind::unregistered), accounts) << driver.words();
            EXPECT_LE(driver.events.back().first, begin + accounts * 200ms + 1s)
                << "no longer than needed";
        }
    }
}

}  // namespace
}  // namespace holdfast::engine
