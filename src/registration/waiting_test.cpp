// The client of an account that waits to be called. Not tested here: the calls that come
// (tests/direct_waiting_test.cpp).
#include "registration/waiting.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "location/candidate_pool.h"
#include "location/health.h"

namespace holdfast::registration {
namespace {

using namespace std::chrono_literals;

const IpAddress v4 = IpAddress::v4(192, 0, 2, 1);
const IpAddress v6 = IpAddress::parse("2001:db8::1").value();

class WaitingTest : public testing::Test {
protected:
    // What it says, one line each.
    std::string tell(const Told& told) {
        actions_.clear();
        it.handle(told,
                  {AccountId{1}, now_, 0, random_, health_, pool_, flows_, addresses, actions_});
        std::string said;
        for (const auto& action : actions_) {
            if (std::holds_alternative<act::Unregistered>(action)) said += "done\n";
            if (const auto* const event = std::get_if<Event>(&action))
                said += std::string(name_of(event->kind)) + " " + event->contact + " " +
                        event->reason.substr(0, 15) + "\n";
        }
        return said;
    }
    std::string network_changes(std::vector<IpAddress> now) {
        addresses = std::move(now);
        return tell(told::Network{addresses, false});
    }

    Waiting it{"sip:alice@0.0.0.0", 5060};
    std::vector<IpAddress> addresses{v4, v6};

private:
    Instant now_{1000s};
    Random random_{seed_from_number(2)};
    location::Health health_;
    location::CandidatePool pool_;
    flow::Table flows_;
    Actions actions_;
};

// RFC 3261 §19.1.1: a URI for each address, with the port.
TEST_F(WaitingTest, SaysWhereItCanBeCalled) {
    const std::string both =
        "connected sip:alice@192.0.2.1:5060 udp\n"
        "connected sip:alice@[2001:db8::1]:5060 udp\n";
    EXPECT_EQ(tell(told::Start{}), both);
    EXPECT_EQ(it.view().state,
              "can be called at sip:alice@192.0.2.1:5060, sip:alice@[2001:db8::1]:5060 (udp)");
    EXPECT_FALSE(it.view().registered);
    EXPECT_EQ(tell(told::RegisterNow{}), both) << "who asks is told again";
    EXPECT_EQ(tell(told::Time{}), "");
    EXPECT_EQ(tell(told::ShutDown{}), "done\n");
}

// K5: what has changed is said, and what has not is not.
TEST_F(WaitingTest, SaysWhatHasChanged) {
    tell(told::Start{});
    EXPECT_EQ(network_changes({v4, v6}), "");
    EXPECT_EQ(network_changes({}), "notice  Nobody can call\n");
    EXPECT_EQ(it.view().state, "can be called by nobody: this host has no network address");
    EXPECT_EQ(network_changes({v6}), "connected sip:alice@[2001:db8::1]:5060 udp\n");
}

TEST(WaitsAt, IsNoUriThatCouldBeCalled) {
    EXPECT_EQ(waiting_port(waits_at(5070)), 5070);
    for (const auto* const other : {"", "*:", "*:x", "*:65536", "sip:0.0.0.0:5060", "sip:*:5060"})
        EXPECT_EQ(waiting_port(other), std::nullopt) << other;
}

}  // namespace
}  // namespace holdfast::registration
