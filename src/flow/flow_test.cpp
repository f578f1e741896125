#include "flow/flow.h"

#include <gtest/gtest.h>

#include <vector>

namespace holdfast::flow {
namespace {

Target target(std::string_view text) { return Target::parse(text).value(); }

// Iteration is in order of id, whatever the order of insertion: a run repeats (I7).
TEST(FlowTable, IteratesInOrderOfId) {
    Table table;
    for (const std::uint32_t id : {7u, 2u, 5u})
        table.add({.id = FlowId{id}, .target = target("udp:203.0.113.11:5060"), .tls_name = {}});
    std::vector<std::uint32_t> ids;
    for (const auto& flow : table.all()) ids.push_back(flow.id.value);
    EXPECT_EQ(ids, (std::vector<std::uint32_t>{2, 5, 7}));
    EXPECT_EQ(table.fresh_id(), FlowId{8});
    EXPECT_TRUE(table.erase(FlowId{7}));
    EXPECT_FALSE(table.erase(FlowId{7}));
    EXPECT_EQ(table.fresh_id(), FlowId{9});  // an id is never used twice
    EXPECT_EQ(table.size(), 2u);
}

// Accounts with the same next hop share the flow (K1); one verified for another name is another
// flow.
TEST(FlowTable, FindsTheFlowToShare) {
    Table table;
    const auto tls = target("tls:203.0.113.11:5061");
    auto& first = table.open(tls, "example.test", {});
    auto& other = table.open(tls, "example.org", {});
    EXPECT_EQ(table.find(tls, "example.test"), &first);
    EXPECT_EQ(table.find(tls, "example.org"), &other);
    EXPECT_EQ(table.find(tls, ""), nullptr);
    EXPECT_EQ(table.find(target("tcp:203.0.113.11:5061"), "example.test"), nullptr);
    EXPECT_EQ(table.find(first.id), &first);
    EXPECT_EQ(table.find(FlowId{99}), nullptr);

    first.ended(FlowState::failed, FlowError::refused);
    EXPECT_EQ(table.find(tls, "example.test"), nullptr);
    EXPECT_EQ(first.error, FlowError::refused);
    auto& again = table.open(tls, "example.test", {});
    EXPECT_EQ(table.find(tls, "example.test"), &again);
}

// The spare port of K4 is nobody's flow: neither shared nor found by what comes from the target.
TEST(FlowTable, SparePortIsNeverFoundByTarget) {
    Table table;
    const auto udp = target("udp:203.0.113.11:5060");
    auto& spare = table.open(udp, "", {}, true);
    EXPECT_EQ(table.find(udp, ""), nullptr);
    EXPECT_EQ(table.find_remote(Transport::udp, udp.endpoint), nullptr);
    EXPECT_EQ(table.find(spare.id), &spare);
    auto& shared = table.open(udp, "", {});
    EXPECT_EQ(table.find_remote(Transport::udp, udp.endpoint), &shared);
}

// The earliest keep-alive of all flows; the lower id wins a tie (I7).
TEST(FlowTable, NamesTheEarliestKeepAlive) {
    const Instant now{1h};
    Random random{seed_from_number(1)};
    Table table;
    EXPECT_EQ(table.next_keep_alive().deadline.at, never);
    const KeepAliveSettings slow{.udp_min = 29s, .udp_max = 29s};
    const KeepAliveSettings fast{.udp_min = 24s, .udp_max = 24s};
    table.open(target("udp:203.0.113.11:5060"), "", slow).keep_alive.start(now, random);
    auto& second = table.open(target("udp:203.0.113.12:5060"), "", fast);
    second.keep_alive.start(now, random);
    table.open(target("udp:203.0.113.13:5060"), "", fast).keep_alive.start(now, random);
    EXPECT_EQ(table.next_keep_alive().flow, second.id);
    EXPECT_EQ(table.next_keep_alive().deadline.at, now + 24s);

    second.ended(FlowState::closed, FlowError::reset);
    EXPECT_EQ(table.next_keep_alive().flow, FlowId{3});
}

// A flow remembers when it opened and who was verified; its silence is measured from there (RFC
// 5626 §3).
TEST(Flow, OpensAndHears) {
    Table table;
    auto& flow = table.open(target("tls:203.0.113.11:5061"), "example.test", {});
    EXPECT_EQ(flow.state, FlowState::opening);
    flow.opened(Instant{5s}, *Endpoint::parse("192.0.2.4:40000"), "example.test");
    EXPECT_TRUE(flow.is_open());
    EXPECT_EQ(flow.last_heard, Instant{5s});
    EXPECT_EQ(flow.verified_name, "example.test");
    flow.heard(Instant{7s});
    EXPECT_EQ(flow.last_heard, Instant{7s});
    EXPECT_EQ(flow.opened_at, Instant{5s});
}

// Smoothed as TCP does, and the least (RFC 6298 §2; F3's patience is measured by it).
TEST(RoundTrip, IsSmoothed) {
    RoundTrip rtt;
    EXPECT_EQ(rtt.smoothed(), std::nullopt);
    rtt.add(80ms);
    rtt.add(160ms);
    EXPECT_EQ(rtt.smoothed(), 90ms);
    rtt.add(10ms);
    EXPECT_EQ(rtt.smoothed(), 80ms);
    EXPECT_EQ(rtt.least(), 10ms);
}

}  // namespace
}  // namespace holdfast::flow
