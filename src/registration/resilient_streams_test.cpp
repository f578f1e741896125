// TCP and TLS before UDP: large requests that UDP does not carry (N8), mappings that do not rest
// (N5). What compact forms do to size: register_request_test.cpp.
#include <gtest/gtest.h>

#include "registration/register_request.h"
#include "registration/resilient_world.h"

namespace holdfast::registration {
namespace {

using Reply = ResilientWorld::Reply;
using Sent = ResilientWorld::Sent;

bool over_udp(const Sent& one) {
    return one.request.text().find("Via: SIP/2.0/UDP") != std::string_view::npos ||
           one.request.text().find("v: SIP/2.0/UDP") != std::string_view::npos;
}
bool is_large(const Sent& one) { return one.request.text().size() > compact_above; }

// Something on the way drops datagrams that were cut in pieces; streams are not touched.
void drop_large_datagrams(ResilientWorld& world) {
    for (auto& [index, server] : world.servers)
        server.script = [](const Sent& one) -> std::optional<Reply> {
            if (over_udp(one) && is_large(one)) return Reply{0, ""};
            return std::nullopt;
        };
}
void make_large(AccountConfig& config) { config.display_name = std::string(600, 'x'); }
void any_transport(AccountConfig& config) { config.transport.reset(); }

bool told_of(const ResilientWorld& world, std::string_view words) {
    return std::ranges::any_of(world.events_of(EventKind::notice), [&](const Event& event) {
        return event.reason.find(words) != std::string::npos;
    });
}

// N8: the large request goes over UDP; unanswered, it is told and the account moves to a stream
// within patience. F3's repetition (its end after 32 s) does not loop on it: UDP sees it once, and
// not again for as long as it is large. Deviates: RFC 3261 §18.1.1.
TEST(N8LargeRequests, MoveToAStreamAndStayThere) {
    ResilientWorld world([](auto& config) {
        make_large(config);
        any_transport(config);
    });
    drop_large_datagrams(world);
    ASSERT_TRUE(world.registers(1s + 10 * ResilientWorld::rtt)) << world.story();
    EXPECT_TRUE(is_reliable(world.binding().target->transport)) << world.story();
    EXPECT_TRUE(told_of(world, "(N8)")) << world.story();
    world.run_for(2h);
    const auto lost = std::ranges::count_if(
        world.sent, [](const Sent& one) { return over_udp(one) && is_large(one); });
    EXPECT_EQ(lost, 1) << world.story();
    EXPECT_TRUE(is_reliable(world.binding().target->transport)) << world.story();
    EXPECT_EQ(world.count(EventKind::unregistered), 0u);
    EXPECT_EQ(world.count(EventKind::notice), 1u) << world.story();
}

// N8: no change of transport by size alone: a large request that is answered stays on UDP.
TEST(N8LargeRequests, SizeAloneChangesNothing) {
    ResilientWorld world([](auto& config) {
        make_large(config);
        any_transport(config);
    });
    ASSERT_TRUE(world.registers(1s)) << world.story();
    EXPECT_TRUE(std::ranges::any_of(world.sent, is_large));
    EXPECT_EQ(world.binding().target->transport, Transport::udp) << world.story();
    EXPECT_EQ(world.count(EventKind::notice), 0u) << world.story();
}

// N8: a small request that is not answered is F3's business; and where the account fixes UDP there
// is nothing to move to.
TEST(N8LargeRequests, OnlyLargeOnesAndOnlyWhereAStreamIsOffered) {
    ResilientWorld small(any_transport);
    small.start();
    const auto first = small.sent.front().server;
    small.servers[first].silent = true;
    ASSERT_TRUE(small.run_until([&] { return small.registered(); }, 2s)) << small.story();
    EXPECT_EQ(small.binding().target->transport, Transport::udp) << small.story();
    EXPECT_FALSE(told_of(small, "(N8)"));

    ResilientWorld fixed(make_large);
    drop_large_datagrams(fixed);
    fixed.start();
    fixed.run_for(60s);
    EXPECT_FALSE(fixed.registered());
    EXPECT_FALSE(told_of(fixed, "(N8)"));
    EXPECT_GE(fixed.count(EventKind::waiting), 1u);
}

// N5, L3: a mapping that changes more than 3 times in 5 min: told, and TCP or TLS is preferred
// where offered, make before break; no return to UDP while it lasts.
TEST(N5RestlessMapping, PrefersAStreamIfOffered) {
    ResilientWorld world(any_transport);
    ASSERT_TRUE(world.registers()) << world.story();
    ASSERT_EQ(world.binding().target->transport, Transport::udp);
    for (int i = 0; i < 3; ++i) {
        world.run_for(20s);
        world.rebind();
    }
    world.run_for(20s);
    EXPECT_EQ(world.binding().target->transport, Transport::udp) << world.story();
    EXPECT_FALSE(told_of(world, "(N5)"));
    world.rebind();
    world.run_for(1s);
    EXPECT_TRUE(is_reliable(world.binding().target->transport)) << world.story();
    EXPECT_TRUE(told_of(world, "(N5)")) << world.story();
    const auto before = world.sent.size();
    world.run_for(290s);
    for (const auto* one : world.since(before)) {
        const bool fetches = one->contacts.empty();  // B7, at the old server
        EXPECT_TRUE(fetches || !over_udp(*one)) << world.story();
    }
    EXPECT_EQ(world.count(EventKind::unregistered), 0u);
    for (const auto& [index, server] : world.servers)
        EXPECT_LE(server.bindings.size(), 1u) << world.story();
}

// N5: where the account fixes UDP the Contact rests (K3), and nothing else happens.
TEST(N5RestlessMapping, StaysWhereNoStreamIsOffered) {
    ResilientWorld world;
    ASSERT_TRUE(world.registers()) << world.story();
    for (int i = 0; i < 6; ++i) {
        world.run_for(20s);
        world.rebind();
    }
    EXPECT_EQ(world.binding().target->transport, Transport::udp);
    EXPECT_FALSE(told_of(world, "(N5)")) << world.story();
}

}  // namespace
}  // namespace holdfast::registration
