// N5: the NAT's kind, told when it is known and when it is another. How mappings are judged:
// flow/nat_kind_test.cpp.
#include "engine/nat_desk.h"

#include <gtest/gtest.h>

#include "engine/limits.h"

namespace holdfast::engine {
namespace {

using namespace std::chrono_literals;
using flow::Learned;
using flow::NatKind;

class NatDeskTest : public testing::Test {
protected:
    Instant now{1h};
    NatDesk desk;
    flow::Table flows;

    flow::Flow& flow_to(std::uint8_t server, bool spare = false) {
        auto& flow =
            flows.open({Transport::udp, {IpAddress::v4(203, 0, 113, server), 5060}}, "", {}, spare);
        flow.opened(now, {IpAddress::v4(10, 0, 0, 2), 40000}, "");
        return flow;
    }
    std::optional<NatKind> sees(flow::Flow& flow, std::uint16_t port) {
        const auto server = flow.target.endpoint;
        const auto learned =
            flow.mapping.learn_stun(now, {IpAddress::v4(198, 51, 100, 7), port}, server, server);
        const auto view = desk.on_sighting(now, flow, learned);
        return view ? std::optional(view->kind) : std::nullopt;
    }
};

// Known with the second server, and told once; another kind is news again (N5).
TEST_F(NatDeskTest, IsToldOnceAndWhenItIsAnother) {
    auto& one = flow_to(11);
    auto& two = flow_to(12);
    EXPECT_EQ(sees(one, 13000), std::nullopt);
    EXPECT_EQ(sees(two, 13000), NatKind::endpoint_independent);
    EXPECT_EQ(sees(one, 13000), std::nullopt);
    EXPECT_EQ(sees(two, 13000), std::nullopt);
    now += limits::nat_kind_spacing;
    EXPECT_EQ(sees(one, 14000), std::nullopt);  // changed: what the others saw is of the past
    EXPECT_EQ(sees(two, 14500), std::nullopt);
    EXPECT_EQ(sees(one, 14000), NatKind::endpoint_dependent);
}

// One that wavers is told once in 5 min (N5): what was held back comes when they are over, though
// nothing new was seen then.
TEST_F(NatDeskTest, WhatWasHeldBackIsToldLater) {
    auto& one = flow_to(11);
    auto& two = flow_to(12);
    sees(one, 13000);
    ASSERT_EQ(sees(two, 13000), NatKind::endpoint_independent);
    const auto told = now;
    sees(one, 14000);
    sees(two, 14500);
    EXPECT_EQ(sees(one, 14000), std::nullopt);
    for (; now < told + limits::nat_kind_spacing; now += limits::mapping_fresh / 2) {
        EXPECT_EQ(sees(one, 14000), std::nullopt);
        EXPECT_EQ(sees(two, 14500), std::nullopt);
    }
    EXPECT_EQ(sees(one, 14000), NatKind::endpoint_dependent);
    EXPECT_EQ(sees(two, 14500), std::nullopt);
}

// A NAT that forgot everything is no endpoint-dependent one (N5, RFC 4787 §4.1).
TEST_F(NatDeskTest, ARebootIsNoOtherKind) {
    auto& one = flow_to(11);
    auto& two = flow_to(12);
    sees(one, 13000);
    sees(two, 13000);
    now += 1h;
    EXPECT_EQ(sees(one, 15000), std::nullopt);
    EXPECT_EQ(sees(two, 15000), std::nullopt);
    EXPECT_EQ(sees(one, 15000), std::nullopt);
}

// What was seen longer ago than a NAT keeps a mapping is not compared: at the limit, and past it.
TEST_F(NatDeskTest, OnlyWhatWasSeenLatelyIsCompared) {
    sees(flow_to(11), 13000);
    now += limits::mapping_fresh;
    EXPECT_EQ(sees(flow_to(12), 13001), NatKind::endpoint_dependent);
    desk.on_network_changed();
    sees(flow_to(13), 13000);
    now += limits::mapping_fresh + 1us;
    EXPECT_EQ(sees(flow_to(14), 13001), std::nullopt);
}

// The spare port of K4 is another port; that there is no NAT is no news.
TEST_F(NatDeskTest, SparePortsAndNoNatSayNothing) {
    sees(flow_to(11), 13000);
    EXPECT_EQ(sees(flow_to(12, true), 13001), std::nullopt);
    desk.on_network_changed();
    auto& flow = flows.open({Transport::udp, {IpAddress::v4(10, 0, 0, 1), 5060}}, "", {});
    flow.opened(now, {IpAddress::v4(10, 0, 0, 2), 40000}, "");
    const auto server = flow.target.endpoint;
    const auto learned = flow.mapping.learn_stun(now, flow.local, server, server);
    EXPECT_EQ(learned, Learned::first);
    EXPECT_FALSE(desk.on_sighting(now, flow, learned));
}

}  // namespace
}  // namespace holdfast::engine
