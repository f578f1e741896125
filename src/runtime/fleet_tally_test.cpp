// How accounts stand is right after any order of events; what is counted is counted once.
#include "runtime/fleet_tally.h"

#include <gtest/gtest.h>

#include "base/flow_error.h"

namespace holdfast::runtime {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view alice = "sip:alice@example.test";
constexpr std::string_view bob = "sip:bob@example.test";

Target target(int last) {
    return *Target::parse("udp:203.0.113." + std::to_string(last) + ":5060");
}

class FleetTallyTest : public testing::Test {
protected:
    FleetTallyTest() { tally.account_added(alice); }

    void tell(EventKind kind, std::optional<Target> at = {}, int reg_id = 1,
              std::string_view aor = alice) {
        Event event{.kind = kind};
        event.target = at;
        event.reg_id = reg_id;
        tally.on_event(event, aor);
    }
    void fail(const std::string& reason, int status = 0) {
        Event event{.kind = EventKind::attempt_failed};
        event.status = status;
        event.reason = reason;
        tally.on_event(event, alice);
    }
    [[nodiscard]] std::uint64_t at(int last) const {
        const auto found = tally.targets().find(target(last));
        return found == tally.targets().end() ? 0 : found->second;
    }

    FleetTally tally;
    const AccountCounts& now = tally.accounts();
    const EventCounts& events = tally.events();
};

TEST_F(FleetTallyTest, RegisteredUnregisteredAndAgain) {
    EXPECT_EQ(now.configured, 1u);
    EXPECT_EQ(now.registered, 0u);
    tell(EventKind::registered, target(11));
    tell(EventKind::refreshed, target(11));
    EXPECT_EQ(now.registered, 1u);
    EXPECT_EQ(at(11), 1u);
    tell(EventKind::unregistered, target(11));
    tell(EventKind::unregistered, target(11));  // told twice, it counts once
    EXPECT_EQ(now.registered, 0u);
    EXPECT_EQ(at(11), 0u);
    tell(EventKind::registered, target(12));
    EXPECT_EQ(now.registered, 1u);
    EXPECT_EQ(events.registered, 2u);
    EXPECT_EQ(events.refreshed, 1u);
}

TEST_F(FleetTallyTest, TwoFlowsAreOneAccount) {
    tell(EventKind::registered, target(11), 1);
    tell(EventKind::registered, target(12), 2);
    EXPECT_EQ(now.registered, 1u);
    EXPECT_EQ(at(11), 1u);
    EXPECT_EQ(at(12), 1u);
    tell(EventKind::moved, target(12), 1);  // both at one server
    EXPECT_EQ(at(11), 0u);
    EXPECT_EQ(at(12), 1u);
    tell(EventKind::unregistered, target(12), 1);
    EXPECT_EQ(now.registered, 1u);
    EXPECT_EQ(at(12), 1u);
    tell(EventKind::unregistered, target(12), 2);
    EXPECT_EQ(now.registered, 0u);
    EXPECT_EQ(at(12), 0u);
}

TEST_F(FleetTallyTest, ReachabilityIsThatOfRegisteredAccounts) {
    tell(EventKind::registered, target(11));
    tell(EventKind::reachable, target(11));
    tell(EventKind::reachable, target(11));
    EXPECT_EQ(now.reachable, 1u);
    tell(EventKind::unreachable, target(11));
    EXPECT_EQ(now.reachable, 0u);
    EXPECT_EQ(now.unreachable, 1u);
    tell(EventKind::unprovable, target(11));
    EXPECT_EQ(now.unreachable, 0u);
    EXPECT_EQ(now.unprovable, 1u);
    tell(EventKind::unregistered, target(11));
    EXPECT_EQ(now.unprovable, 0u);
    tell(EventKind::registered, target(11));  // a new binding is not proven by the old one's proof
    EXPECT_EQ(now.reachable + now.unreachable + now.unprovable, 0u);
}

TEST_F(FleetTallyTest, WaitingAndRefusedLastUntilASuccess) {
    tell(EventKind::waiting);
    tell(EventKind::attempt, target(11));
    EXPECT_EQ(now.waiting, 1u);
    tell(EventKind::refused, target(11));
    EXPECT_EQ(now.waiting, 0u);
    EXPECT_EQ(now.refused, 1u);
    tell(EventKind::registered, target(11));
    EXPECT_EQ(now.refused, 0u);
    tell(EventKind::waiting, {}, 2);  // of one of two flows
    EXPECT_EQ(now.waiting, 1u);
    tell(EventKind::refreshed, target(11), 1);
    EXPECT_EQ(now.waiting, 1u);
    tell(EventKind::registered, target(12), 2);
    EXPECT_EQ(now.waiting, 0u);
}

// S1: a search that fails leaves the binding where it is, until it lapses.
TEST_F(FleetTallyTest, AWaitingAccountMayStillBeRegistered) {
    tell(EventKind::registered, target(11));
    tell(EventKind::waiting);
    EXPECT_EQ(now.registered, 1u);
    EXPECT_EQ(now.waiting, 1u);
}

// A plain client (reg_id 0) has one binding and says its end so.
TEST_F(FleetTallyTest, APlainClientsFailureEndsItsBinding) {
    for (const auto kind : {EventKind::waiting, EventKind::refused, EventKind::auth_failed}) {
        tell(EventKind::registered, target(11), 0);
        EXPECT_EQ(now.registered, 1u);
        tell(kind, {}, 0);
        EXPECT_EQ(now.registered, 0u) << name_of(kind);
        EXPECT_EQ(at(11), 0u);
    }
}

TEST_F(FleetTallyTest, ARemovedAccountIsInNoSum) {
    tally.account_added(alice);  // twice is once
    tally.account_added(bob);
    for (const auto aor : {alice, bob}) {
        tell(EventKind::registered, target(11), 1, aor);
        tell(EventKind::unreachable, target(11), 1, aor);
        tell(EventKind::waiting, {}, 2, aor);
    }
    EXPECT_EQ(at(11), 2u);
    tally.account_removed(alice);
    tally.account_removed(alice);
    EXPECT_EQ(now.configured, 1u);
    EXPECT_EQ(now.registered, 1u);
    EXPECT_EQ(now.unreachable, 1u);
    EXPECT_EQ(now.waiting, 1u);
    EXPECT_EQ(at(11), 1u);
    tell(EventKind::registered, target(11), 1, alice);  // its last words do not bring it back
    EXPECT_EQ(now.registered, 1u);
    EXPECT_EQ(at(11), 1u);
    EXPECT_EQ(events.registered, 3u);  // but it did happen
    tally.account_removed(bob);
    EXPECT_EQ(now.configured + now.registered + now.unreachable + now.waiting, 0u);
    EXPECT_EQ(at(11), 0u);
}

// A move is a failover if the server that was left had been asked or doubted; a failback or a drain
// leaves a server that was well (L4, L7).
TEST_F(FleetTallyTest, AFailoverLeavesAServerThatDidNotServe) {
    const auto move_after = [&](std::optional<EventKind> trouble, int where) {
        const auto before = events.failovers;
        tell(EventKind::registered, target(11));
        if (trouble) tell(*trouble, target(where));
        tell(EventKind::attempt, target(12));
        tell(EventKind::moved, target(12));
        return events.failovers - before;
    };
    EXPECT_EQ(move_after(std::nullopt, 0), 0u);
    EXPECT_EQ(move_after(EventKind::attempt, 11), 1u);
    EXPECT_EQ(move_after(EventKind::suspect, 11), 1u);
    EXPECT_EQ(move_after(EventKind::flow_lost, 11), 1u);
    EXPECT_EQ(move_after(EventKind::attempt_failed, 11), 1u);
    EXPECT_EQ(move_after(EventKind::attempt_failed, 13), 0u);  // another's trouble
    tell(EventKind::attempt, target(12));
    tell(EventKind::refreshed, target(12));  // trouble that has passed
    tell(EventKind::moved, target(11));
    EXPECT_EQ(events.failovers, 4u);
    EXPECT_EQ(events.moved, 7u);
}

// Every way in which a flow can end has its class, in the words that the engine uses.
TEST_F(FleetTallyTest, FailuresHaveFewClasses) {
    const auto class_for = [&](std::string reason, int status = 0) {
        Event event{.kind = EventKind::attempt_failed};
        event.reason = std::move(reason);
        event.status = status;
        return class_of(event);
    };
    EXPECT_EQ(class_for("no answer"), FailureClass::silent);
    EXPECT_EQ(class_for("no answer in 32 s", 408), FailureClass::silent);
    EXPECT_EQ(class_for("408 Request Timeout from udp:203.0.113.11:5060", 408),
              FailureClass::client);
    EXPECT_EQ(class_for("302", 302), FailureClass::redirect);
    EXPECT_EQ(class_for("503 Service Unavailable", 503), FailureClass::server);
    EXPECT_EQ(class_for("603 Decline", 603), FailureClass::global);
    const auto of = [&](FlowError error) { return class_for(std::string(name_of(error))); };
    EXPECT_EQ(of(FlowError::refused), FailureClass::refused);
    EXPECT_EQ(of(FlowError::reset), FailureClass::reset);
    EXPECT_EQ(of(FlowError::closed_by_peer), FailureClass::reset);
    EXPECT_EQ(of(FlowError::timed_out), FailureClass::silent);
    EXPECT_EQ(of(FlowError::port_unreachable), FailureClass::icmp);
    EXPECT_EQ(of(FlowError::prohibited), FailureClass::icmp);
    EXPECT_EQ(of(FlowError::network_unreachable), FailureClass::network);
    EXPECT_EQ(of(FlowError::local_address_gone), FailureClass::network);
    EXPECT_EQ(of(FlowError::tls), FailureClass::tls);
    EXPECT_EQ(of(FlowError::certificate), FailureClass::tls);
    EXPECT_EQ(class_for("something new"), FailureClass::other);
    fail("no answer");
    fail("500", 500);
    EXPECT_EQ(events.failures[static_cast<std::size_t>(FailureClass::silent)], 1u);
    EXPECT_EQ(events.failures[static_cast<std::size_t>(FailureClass::server)], 1u);
}

TEST_F(FleetTallyTest, RoundTripsFallIntoTheirBuckets) {
    const auto measure = [&](Duration rtt) {
        Event event{.kind = EventKind::refreshed};
        event.rtt = rtt;
        tally.on_event(event, alice);
    };
    measure(1ms);  // the upper end belongs to its bucket
    measure(1001us);
    measure(60s);
    EXPECT_EQ(events.rtt.front(), 1u);
    EXPECT_EQ(events.rtt[1], 1u);
    EXPECT_EQ(events.rtt.back(), 1u);
    EXPECT_DOUBLE_EQ(events.rtt_seconds, 60.002001);
    tell(EventKind::refreshed, target(11));  // without a measure
    EXPECT_EQ(events.rtt.front() + events.rtt[1] + events.rtt.back(), 3u);
}

// Servers that come and go for years do not fill the memory; those with accounts stay.
TEST_F(FleetTallyTest, TargetsWithoutAccountsAreForgottenWhenThereAreMany) {
    tally.account_added(bob);
    tell(EventKind::registered, Target::parse("tls:[2001:db8::1]:5061"), 1, bob);
    for (int i = 0; i < 100'000; ++i)
        tell(EventKind::moved,
             Target{Transport::udp, {IpAddress::v4(10, 0, 0, 1), static_cast<std::uint16_t>(i)}});
    EXPECT_LE(tally.targets().size(), 102u);
    EXPECT_EQ(tally.targets().at(*Target::parse("tls:[2001:db8::1]:5061")), 1u);
}

}  // namespace
}  // namespace holdfast::runtime
