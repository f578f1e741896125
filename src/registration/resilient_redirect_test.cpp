// 3xx to names (F5, RFC 3263 §4): followed where they are ours, kept as long as they say, never in
// circles and never from TLS to clear text. Numbers: resilient_answers_test.cpp.
#include <gtest/gtest.h>

#include "registration/resilient_world.h"

namespace holdfast::registration {
namespace {

using Reply = ResilientWorld::Reply;
using Sent = ResilientWorld::Sent;

auto redirect_to(std::string contacts) {
    return [contacts = std::move(contacts)](const Sent& one) -> std::optional<Reply> {
        if (one.request.method() != sip::Method::register_) return std::nullopt;
        return Reply{302, "Contact: " + contacts + "\r\n"};
    };
}

bool failed_with(const ResilientWorld& world, std::string_view words) {
    return std::ranges::any_of(world.events_of(EventKind::attempt_failed), [&](const Event& event) {
        return event.reason.find(words) != std::string::npos;
    });
}

// A name in the next hop's domain is looked up and followed; the Request-URI stays the domain; the
// redirect is kept over refreshes (F5).
TEST(F5RedirectToName, InTheDomain) {
    ResilientWorld world;
    world.names["new.example.test"] = {7};
    world.start();
    world.servers[world.order().front()].script = redirect_to("<sip:new.example.test:5070>");
    ASSERT_TRUE(world.run_until([&] { return world.registered(); }, 1s)) << world.story();
    EXPECT_EQ(world.at(), 7) << world.story();
    EXPECT_EQ(world.binding().target->endpoint.port, 5070);
    EXPECT_EQ(world.sent.back().request.request_uri().text, "sip:example.test");
    EXPECT_TRUE(failed_with(world, "it redirects to udp:203.0.113.17:5070")) << world.story();
    const auto before = world.sent.size();
    world.run_for(1h);
    ASSERT_GT(world.since(before).size(), 10u);
    for (const auto* one : world.since(before)) EXPECT_EQ(one->server, 7) << world.story();
    EXPECT_FALSE(world.servers[7].bindings.empty());
}

// Somebody else's name counts where it leads to a listed target, and only there (F5).
TEST(F5RedirectToName, ThatLeadsToAListedAddress) {
    ResilientWorld world;
    world.start();
    const auto last = world.order().back();
    world.names["node.other.test"] = {9, last, 8};
    world.servers[world.order().front()].script = redirect_to("<sip:node.other.test>");
    ASSERT_TRUE(world.run_until([&] { return world.registered(); }, 1s)) << world.story();
    EXPECT_EQ(world.at(), last) << world.story();
    for (const auto* one : world.since(0)) EXPECT_LE(one->server, 3) << world.story();
}

// One that leads nowhere that is ours is told in words, with the name, and the next target is
// tried.
TEST(F5RedirectToName, NowhereOfOursIsTold) {
    ResilientWorld world;
    world.names["node.other.test"] = {9};
    world.start();
    const auto order = world.order();
    world.servers[order.front()].script = redirect_to("<sip:node.other.test>, <sip:evil.test>");
    ASSERT_TRUE(world.run_until([&] { return world.registered(); }, 1s)) << world.story();
    EXPECT_EQ(world.at(), order[1]) << world.story();
    EXPECT_TRUE(failed_with(world, "nowhere that is ours")) << world.story();
    EXPECT_TRUE(failed_with(world, "(node.other.test, evil.test)")) << world.story();
}

// Addresses of strangers take no place of the five: behind them one of ours is found (F5).
TEST(F5RedirectToName, StrangersNumbersAreNotCounted) {
    ResilientWorld world;
    world.start();
    const auto order = world.order();
    std::string contacts;
    for (int i = 1; i <= 9; ++i) contacts += "<sip:198.51.100." + std::to_string(i) + ">, ";
    contacts +=
        "<" + std::string("sip:") + ResilientWorld::address_of(order.back()).to_string() + ":5070>";
    world.servers[order.front()].script = redirect_to(contacts);
    ASSERT_TRUE(world.run_until([&] { return world.registered(); }, 1s)) << world.story();
    EXPECT_EQ(world.at(), order.back()) << world.story();
    EXPECT_EQ(world.binding().target->endpoint.port, 5070);
}

// The highest q first (RFC 3261 §8.1.3.4), and five targets at most (F5).
TEST(F5RedirectToName, FiveAtMostTheBestFirst) {
    ResilientWorld world;
    for (int i = 11; i <= 19; ++i) world.names["n" + std::to_string(i) + ".example.test"] = {i};
    world.start();
    std::string contacts = "<sip:n11.example.test>;q=0.1";
    for (int i = 12; i <= 18; ++i)
        contacts += ", <sip:n" + std::to_string(i) + ".example.test>;q=0.5";
    contacts += ", <sip:n19.example.test>;q=0.9";
    world.servers[world.order().front()].script = redirect_to(contacts);
    for (int i = 11; i <= 19; ++i) world.servers[i].script = redirect_to("<sip:evil.test>");
    ASSERT_TRUE(world.run_until([&] { return world.registered(); }, 2s)) << world.story();
    EXPECT_LE(world.at(), 3);
    std::vector<int> asked;
    for (const auto* one : world.since(0))
        if (one->server > 10) asked.push_back(one->server);
    EXPECT_EQ(asked, (std::vector<int>{19, 12, 13, 14, 15})) << world.story();
}

// Names that send us in a circle, or on and on, end as any other outage does (F5, I5).
TEST(F5RedirectToName, CirclesEnd) {
    ResilientWorld world;
    for (int i = 11; i <= 40; ++i) {
        world.names["n" + std::to_string(i) + ".example.test"] = {i};
        world.servers[i].script = redirect_to("<sip:n" + std::to_string(i + 1) + ".example.test>");
    }
    for (int i = 1; i <= 3; ++i)
        world.servers[i].script = redirect_to("<sip:example.test>, <sip:n11.example.test>");
    world.start();
    world.run_for(10s);
    EXPECT_LE(world.since(0).size(), 2 * 3u + 8u) << world.story();
    for (const auto* one : world.since(0)) EXPECT_LE(one->server, 15) << world.story();
    EXPECT_EQ(world.count(EventKind::waiting), 1u) << world.story();
    world.run_for(10min);
    EXPECT_LE(world.since(0).size(), 6 * 3u + 60u) << world.story();
}

// From TLS only to TLS, whatever the redirect says, and with the configured name (F5, RFC 5922).
TEST(F5RedirectToName, NeverFromTlsToClearText) {
    for (const auto* contact :
         {"<sip:new.example.test;transport=udp>", "<sip:new.example.test;transport=tcp>",
          "<sip:203.0.113.13;transport=tcp>"}) {
        ResilientWorld world([](auto& config) { config.transport = Transport::tls; });
        world.names["new.example.test"] = {7};
        world.start();
        world.servers[world.order().front()].script = redirect_to(contact);
        ASSERT_TRUE(world.run_until([&] { return world.registered(); }, 2s)) << world.story();
        EXPECT_LE(world.at(), 3) << world.story();
        for (const auto& flow : world.flows.all()) EXPECT_EQ(flow.target.transport, Transport::tls);
    }
    ResilientWorld world([](auto& config) { config.transport = Transport::tls; });
    world.names["new.example.test"] = {7};
    world.start();
    world.servers[world.order().front()].script = redirect_to("<sip:new.example.test>");
    ASSERT_TRUE(world.run_until([&] { return world.registered(); }, 2s)) << world.story();
    EXPECT_EQ(world.at(), 7) << world.story();
    const auto* flow = world.flows.find(world.binding().flow);
    ASSERT_NE(flow, nullptr);
    EXPECT_EQ(flow->target.transport, Transport::tls);
    EXPECT_EQ(flow->tls_name, "example.test");
}

// The same where the account itself may take clear text: who has got it to TLS keeps it there.
TEST(F5RedirectToName, NotEvenWhereClearTextIsAllowed) {
    for (const auto* transport : {"udp", "tcp"}) {
        ResilientWorld world([](auto& config) {
            config.transport.reset();
            config.registrar = "sip:example.test;transport=tls";
        });
        world.names["new.example.test"] = {7};
        world.start();
        for (const int server : world.listed)
            world.servers[server].script =
                redirect_to("<sip:new.example.test;transport=" + std::string(transport) + ">");
        world.run_for(500ms);
        ASSERT_FALSE(world.since(0).empty()) << world.story();
        EXPECT_EQ(world.flows.all().front().target.transport, Transport::tls);
        const bool in_clear = std::ranges::any_of(world.flows.all(), [](const auto& flow) {
            return ResilientWorld::server_at(flow.target) == 7 && !is_secure(flow.target.transport);
        });
        EXPECT_FALSE(in_clear) << world.story();
    }
}

// Kept until its expires: then the account goes back to where DNS leads (F5).
TEST(F5RedirectToName, IsKeptUntilItsExpires) {
    ResilientWorld world;
    world.names["new.example.test"] = {7};
    world.start();
    const auto first = world.order().front();
    world.servers[first].script = redirect_to("<sip:new.example.test>;expires=900");
    ASSERT_TRUE(world.run_until([&] { return world.at() == 7; }, 1s)) << world.story();
    world.run_for(899s);
    EXPECT_EQ(world.at(), 7) << world.story();
    world.servers[first].script = {};
    EXPECT_TRUE(world.run_until([&] { return world.at() == first; }, 300s)) << world.story();
    EXPECT_EQ(world.count(EventKind::unregistered), 0u);
}

// DNS that takes its time holds nobody up: the search goes on by F3, and what comes late changes
// nothing (F5).
TEST(F5RedirectToName, SlowDnsHoldsNobodyUp) {
    ResilientWorld world;
    world.names["new.example.test"] = {7};
    world.names_delay = 8s;
    world.start();
    const auto order = world.order();
    world.servers[order.front()].script = redirect_to("<sip:new.example.test>");
    ASSERT_TRUE(world.run_until([&] { return world.registered(); }, 2s)) << world.story();
    EXPECT_EQ(world.at(), order[1]) << world.story();
    const auto before = world.sent.size();
    world.run_for(60s);
    EXPECT_EQ(world.sent.size(), before) << world.story();
}

}  // namespace
}  // namespace holdfast::registration
