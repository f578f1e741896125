#include "engine/flow_desk.h"

#include <gtest/gtest.h>

#include "engine/limits.h"
#include "engine/test_bench.h"
#include "engine/test_names.h"

namespace holdfast::engine {
namespace {

namespace told = registration::told;

// Accounts with the same next hop share a flow (K1); who comes while it is being opened waits with
// the others.
TEST(FlowDesk, SharesOneFlowPerTarget) {
    Bench bench;
    EXPECT_FALSE(bench.flows.open(bench.step(), alice, udp_target(11), ""));
    EXPECT_FALSE(bench.flows.open(bench.step(), bob, udp_target(11), ""));
    const auto opened = bench.take_outputs<out::OpenFlow>();
    ASSERT_EQ(opened.size(), 1u);
    EXPECT_EQ(opened.front().target, udp_target(11));

    bench.flows.on_opened(bench.step(), opened.front().flow, our_end, "");

    const auto told = bench.take_told<told::FlowOpen>();
    ASSERT_EQ(told.size(), 2u);
    EXPECT_EQ(told[0].first, alice);
    EXPECT_EQ(told[1].first, bob);
    EXPECT_EQ(bench.flows.users(opened.front().flow), (std::set{alice, bob}));
    EXPECT_EQ(bench.flows.open(bench.step(), alice, udp_target(11), ""), opened.front().flow);
}

// A connection verified for one name proves nothing for another.
TEST(FlowDesk, TheTlsNameBelongsToTheFlow) {
    Bench bench;
    const Target tls{Transport::tls, {IpAddress::v4(203, 0, 113, 11), 5061}};
    const FlowId one = bench.open_flow(alice, tls, "example.test");
    EXPECT_FALSE(bench.flows.open(bench.step(), bob, tls, "other.test"));
    EXPECT_EQ(bench.flows.open(bench.step(), bob, tls, "example.test"), one);
}

TEST(FlowDesk, TellsThoseWhoWaitedThatItFailed) {
    Bench bench;
    bench.flows.open(bench.step(), alice, tcp_target(11), "");
    const FlowId flow = bench.flows.find(tcp_target(11), "")->id;
    EXPECT_TRUE(bench.flows.on_failed(
        bench.step(), {flow, tcp_target(11), FlowError::refused, "Connection refused"}));
    const auto told = bench.take_told<told::FlowFailed>();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].second.error, FlowError::refused);
    bench.flows.sweep();
    EXPECT_EQ(bench.flows.find(flow), nullptr);
    EXPECT_FALSE(bench.flows.open(bench.step(), alice, tcp_target(11), ""))
        << "the next try is a new flow";
    EXPECT_EQ(bench.take_outputs<out::OpenFlow>().size(), 2u);
}

// L8: a flow that was left stays 32 s after it was last used, and goes then.
TEST(FlowDesk, ClosesWhatNobodyUsesAfter32Seconds) {
    Bench bench;
    const FlowId flow = bench.open_flow(alice, udp_target(11));
    EXPECT_EQ(bench.flows.next_deadline().at, never);
    bench.flows.release(bench.now, flow, alice);
    EXPECT_TRUE(bench.flows.uses_or_used(flow, alice)) << "§11 (a): used counts";
    bench.now += 10s;
    bench.flows.send(bench.step(), flow, "a late answer");
    EXPECT_EQ(bench.flows.next_deadline().at, bench.now + 32s);
    bench.now += 32s;
    bench.outbox.clear();
    bench.flows.on_time(bench.step());
    EXPECT_EQ(bench.take_outputs<out::CloseFlow>().size(), 1u);
    bench.flows.sweep();
    EXPECT_TRUE(bench.flows.table().empty());
}

// §11 (a): for who has left it, the other end is trusted 32 s more, however long the flow lives,
// and then only if it is a known address for another reason (b).
TEST(FlowDesk, WhoWasLeftIsTrustedFor32Seconds) {
    Bench bench;
    const FlowId flow = bench.open_flow(alice, udp_target(11));
    bench.flows.open(bench.step(), bob, udp_target(11), "");
    const std::vector known{udp_target(11).endpoint.address};
    bench.flows.release(bench.now, flow, alice);
    bench.now += 32s - 1us;
    bench.flows.touch(bench.now, flow);
    EXPECT_TRUE(bench.flows.trusts(bench.now, flow, alice, {}));
    bench.now += 1us;
    EXPECT_FALSE(bench.flows.trusts(bench.now, flow, alice, {}));
    EXPECT_TRUE(bench.flows.trusts(bench.now, flow, alice, known));
    EXPECT_TRUE(bench.flows.trusts(bench.now, flow, bob, {})) << "who uses it";
    EXPECT_FALSE(bench.flows.trusts(bench.now, flow, AccountId{3}, known))
        << "never had to do with it";
    bench.flows.open(bench.step(), alice, udp_target(11), "");
    EXPECT_TRUE(bench.flows.trusts(bench.now, flow, alice, {})) << "back again";
}

// A call that comes back over a flow (L8) trusts nobody anew.
TEST(FlowDesk, ACallThatCameBackTrustsKnownAddressesOnly) {
    Bench bench;
    const FlowId flow = bench.flows.open_to_hold(bench.step(), udp_target(11));
    bench.flows.on_opened(bench.step(), flow, our_end, "");
    bench.flows.join_as_former(flow, alice);
    const std::vector known{udp_target(11).endpoint.address};
    EXPECT_FALSE(bench.flows.trusts(bench.now, flow, alice, {}));
    EXPECT_TRUE(bench.flows.trusts(bench.now, flow, alice, known));
}

TEST(FlowDesk, AFlowInUseAgainIsNotClosed) {
    Bench bench;
    const FlowId flow = bench.open_flow(alice, udp_target(11));
    bench.flows.release(bench.now, flow, alice);
    bench.now += 31s;
    EXPECT_EQ(bench.flows.open(bench.step(), bob, udp_target(11), ""), flow);
    EXPECT_EQ(bench.flows.next_deadline().at, never);
}

// Flows to answer strangers are few, and none of them is a flow we opened in the sense of §11 (a).
TEST(FlowDesk, AnswersToStrangersHaveALimit) {
    Bench bench;
    for (std::size_t i = 0; i < limits::stray_flows; ++i)
        ASSERT_TRUE(bench.flows.open_to_answer(
            bench.step(), {IpAddress::v4(198, 51, 100, 1), static_cast<std::uint16_t>(1024 + i)}));
    EXPECT_FALSE(bench.flows.open_to_answer(bench.step(), {IpAddress::v4(198, 51, 100, 1), 9}));
    const auto again =
        bench.flows.open_to_answer(bench.step(), {IpAddress::v4(198, 51, 100, 1), 1024});
    ASSERT_TRUE(again);
    EXPECT_FALSE(bench.flows.is_ours(*again));
    bench.flows.on_opened(bench.step(), *again, our_end, "");
    bench.now += 32s;
    bench.flows.on_time(bench.step());
    bench.flows.sweep();
    EXPECT_TRUE(bench.flows.open_to_answer(bench.step(), {IpAddress::v4(198, 51, 100, 1), 9}));
}

// As many as there may be, opened or still being opened.
std::vector<FlowId> open_all_strays(Bench& bench, bool are_open) {
    std::vector<FlowId> flows;
    for (std::size_t i = 0; i < limits::stray_flows; ++i) {
        const auto flow = bench.flows.open_to_answer(
            bench.step(), {IpAddress::v4(198, 51, 100, 1), static_cast<std::uint16_t>(1024 + i)});
        flows.push_back(flow.value_or(FlowId{}));
        if (are_open) bench.flows.on_opened(bench.step(), flows.back(), our_end, "");
    }
    return flows;
}

// §11: who was answered the longest time ago makes room; not who is being opened, for his request
// has no answer yet.
TEST(FlowDesk, AStrangerMakesRoomForTheNext) {
    Bench bench;
    open_all_strays(bench, false);
    EXPECT_FALSE(bench.flows.stray_to_give_up());
    Bench other;
    const auto flows = open_all_strays(other, true);
    other.flows.touch(other.now, flows.front());
    EXPECT_EQ(other.flows.stray_to_give_up(), flows.at(1));
    other.flows.close(other.step(), flows.at(1), FlowError::closed_by_peer);
    EXPECT_FALSE(other.flows.stray_to_give_up()) << "there is room";
    EXPECT_TRUE(other.flows.open_to_answer(other.step(), {IpAddress::v4(198, 51, 100, 1), 9}));
    EXPECT_EQ(other.flows.stray_to_give_up(), flows.at(2));
}

// §11, L8: nor who has a call, which takes no other's place either; when it is over he is like the
// others.
TEST(FlowDesk, AStrangerWithACallKeepsHisFlow) {
    Bench bench;
    const auto flows = open_all_strays(bench, true);
    for (const FlowId flow : flows) bench.flows.hold(flow);
    EXPECT_FALSE(bench.flows.stray_to_give_up());
    const auto more = bench.flows.open_to_answer(bench.step(), {IpAddress::v4(198, 51, 100, 1), 9});
    ASSERT_TRUE(more);
    bench.flows.on_opened(bench.step(), *more, our_end, "");
    for (const FlowId flow : flows) bench.flows.let_go(bench.now, flow);
    EXPECT_EQ(bench.flows.stray_to_give_up(), *more);
    // A target of ours is none of them.
    for (const FlowId flow : flows)
        bench.flows.open(bench.step(), alice, bench.flow(flow).target, "");
    EXPECT_FALSE(bench.flows.stray_to_give_up());
}

}  // namespace
}  // namespace holdfast::engine
