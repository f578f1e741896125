// The sound of a call follows the host's address (K5, L8): what the phone tells the engine. The
// machine here only notes its inputs, the media only their commands; what the engine makes of it is
// in tests/calls_moving_test.cpp.
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "apps/phone/calls.h"
#include "apps/phone/phone_of_notes.h"
#include "engine/input.h"
#include "runtime/loop.h"

namespace holdfast::phone {
namespace {

using namespace std::chrono_literals;

class CallNetwork : public testing::Test {
protected:
    CallNetwork() {
        runtime::DriverOptions options;
        options.keep_state = false;
        auto opened = runtime::Driver::open(loop, options);
        EXPECT_TRUE(opened.has_value());
        driver = *std::move(opened);
        calls = std::make_unique<Calls>(
            *driver, media, [](Instant, const Event&) {}, [](Instant, CallRef, const Call&) {});
        driver->attach(
            {.handle = [this](Instant, const Input& input, Outbox&) { inputs.push_back(input); },
             .next_deadline = [] { return Deadline{}; }});
    }
    void open_flow(std::uint32_t id, const IpAddress& local) {
        std::vector<Output> outputs;
        outputs.emplace_back(out::OpenFlow{FlowId{id}, server, "", false});
        calls->on_step(now, in::Time{}, outputs);
        calls->on_step(now, in::FlowOpened{FlowId{id}, {local, 40'000}, {}}, {});
    }
    void close_flow(std::uint32_t id) {
        std::vector<Output> outputs;
        outputs.emplace_back(out::CloseFlow{FlowId{id}});
        calls->on_step(now, in::NetworkChanged{}, outputs);
    }
    // A call whose sound is open at our first address.
    CallRef dial(CallSettings settings = {}) {
        open_flow(1, first);
        Event registered{.kind = EventKind::registered, .account = AccountId{1}};
        registered.target = server;
        calls->on_event(now, registered);
        const auto call = calls->dial(AccountId{1}, "sip:bob@example.test", std::move(settings));
        sdp::LocalStream stream;
        stream.rtp = {first, 20'000};
        stream.rtcp = Endpoint{first, 20'001};
        media.events.emplace_back(media::out::Ready{media::SessionId{call.value}, stream});
        calls->on_media(now);
        return call;
    }
    std::vector<in::MediaChanged> changes() {
        for (int round = 0; round < 5; ++round) {  // behind what the driver posts itself
            bool told = false;
            loop.post([&] { told = true; });
            EXPECT_TRUE(loop.run_until([&] { return told; }, 5s));
        }
        std::vector<in::MediaChanged> found;
        for (const auto& input : inputs)
            if (const auto* const change = std::get_if<in::MediaChanged>(&input))
                found.push_back(*change);
        return found;
    }

    const Instant now{1h};
    const IpAddress first = IpAddress::v4(192, 168, 1, 20);
    const IpAddress second = IpAddress::v4(10, 0, 0, 77);
    const Target server{Transport::udp, {IpAddress::v4(203, 0, 113, 11), 5060}};
    runtime::Loop loop;
    NotedMedia media;
    std::vector<Input> inputs;
    std::unique_ptr<runtime::Driver> driver;
    std::unique_ptr<Calls> calls;
};

// K5, L8: the address is gone, another is there: the same ports at the new one, said as soon as a
// flow shows it, and once.
TEST_F(CallNetwork, TheSoundIsSaidToBeAtTheNewAddress) {
    const auto call = dial();
    EXPECT_TRUE(changes().empty());
    close_flow(1);
    EXPECT_TRUE(changes().empty()) << "there is no address to tell yet";
    open_flow(2, second);
    const auto told = changes();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].call, call);
    EXPECT_EQ(told[0].streams.at(0).rtp, (Endpoint{second, 20'000}));
    EXPECT_EQ(told[0].streams.at(0).rtcp, (Endpoint{second, 20'001}));
    open_flow(3, second);
    EXPECT_EQ(changes().size(), 1U);
}

// N4: an address chosen by hand stays, and so does one that the sockets are bound to.
TEST_F(CallNetwork, AnAddressThatWasChosenStays) {
    for (const bool advertised : {false, true}) {
        CallSettings settings;
        (advertised ? settings.sound.advertise.emplace() : settings.sound.bind) = first;
        dial(settings);
        close_flow(1);
        open_flow(2, second);
        close_flow(2);
    }
    EXPECT_TRUE(changes().empty());
}

// The sockets are of one family: an address of the other is none of theirs.
TEST_F(CallNetwork, AnAddressOfTheOtherFamilyIsNotTold) {
    dial();
    close_flow(1);
    open_flow(2, *IpAddress::parse("2001:db8::77"));
    EXPECT_TRUE(changes().empty());
}

}  // namespace
}  // namespace holdfast::phone
