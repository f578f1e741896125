// What a proof does to a registration (R1, R3), and what a registrar gives for requests: routes
// (L8) and GRUUs. Against scripted servers.
#include <gtest/gtest.h>

#include <set>

#include "registration/resilient_world.h"

namespace holdfast::registration {
namespace {

using Reply = ResilientWorld::Reply;
using Sent = ResilientWorld::Sent;

// R1: the OPTIONS goes to the AOR, Max-Forwards 20, over the current flow (L8); a GRUU, if the
// registrar gave one, is asked instead.
TEST(R1Proof, GoesToTheGruuElseTheAor) {
    for (const bool gruu : {false, true}) {
        ResilientWorld world([](auto& config) { config.policy.prove_reachable = true; });
        const std::string ours = "sip:alice@example.test;gr=urn:uuid:x";
        if (gruu)
            for (auto& [index, server] : world.servers) {
                server.challenges = false;
                server.script = [&](const Sent& one) -> std::optional<Reply> {
                    if (one.contacts.empty() || one.request.method() != sip::Method::register_)
                        return std::nullopt;
                    return Reply{200, "Contact: <" + one.contacts.front().first +
                                          ">;expires=300;pub-gruu=\"" + ours + "\"\r\n"};
                };
            }
        ASSERT_TRUE(world.registers()) << world.story();
        world.run_for(1s);
        const auto options = std::ranges::find_if(world.sent, [](const Sent& one) {
            return one.request.method() == sip::Method::options;
        });
        ASSERT_NE(options, world.sent.end()) << world.story();
        EXPECT_EQ(options->request.request_uri().text, gruu ? ours : "sip:alice@example.test");
        EXPECT_EQ(options->request.max_forwards(), 20u);
        EXPECT_EQ(options->server, world.at());
    }
}

// RFC 3608 §6.1: the Service-Route of a flow's last 200 is the Route of the requests outside
// dialogs (L8), not of REGISTERs. RFC 3327 §5.1: Path in a 200 says who will bring us requests.
TEST(ServiceRoute, IsTheRouteUntilThe200SaysOtherwise) {
    ResilientWorld world([](auto& config) {
        config.registrar = "sip:203.0.113.11";
        config.policy.prove_reachable = true;
    });
    std::string lines =
        "Service-Route: <sip:one.example.test;lr>, <sip:two.example.test;lr>\r\n"
        "Service-Route: sip:none.example.test;lr\r\n"  // RFC 3261 §20.34 wants brackets
        "Path: <sip:192.0.2.77;lr>\r\n";
    world.servers[1].challenges = false;
    world.servers[1].script = [&](const Sent& one) -> std::optional<Reply> {
        if (one.request.method() != sip::Method::register_) return std::nullopt;
        return Reply{200, "Contact: <" + one.contacts.front().first + ">;expires=300\r\n" + lines};
    };
    const auto last_options = [&] {
        return std::ranges::find_if(world.sent.rbegin(), world.sent.rend(), [](const Sent& one) {
            return one.request.method() == sip::Method::options;
        });
    };
    ASSERT_TRUE(world.registers()) << world.story();
    world.run_for(1s);
    ASSERT_NE(last_options(), world.sent.rend()) << world.story();
    const auto routes = last_options()->request.routes();
    ASSERT_EQ(routes.size(), 2u) << world.story();
    EXPECT_EQ(routes[0].uri.host, "one.example.test");
    EXPECT_EQ(routes[1].uri.host, "two.example.test");
    const auto view = world.resilient->view();
    EXPECT_EQ(view.service_route.size(), 2u);
    const auto edge = *IpAddress::parse("192.0.2.77");
    EXPECT_EQ(std::ranges::count(world.resilient->accepted(world.now), edge), 1);

    lines.clear();
    world.run_for(15min);
    EXPECT_TRUE(last_options()->request.routes().empty()) << world.story();
    EXPECT_EQ(std::ranges::count(world.resilient->accepted(world.now), edge), 0);
    for (const auto& one : world.sent)
        if (one.request.method() == sip::Method::register_) {
            EXPECT_TRUE(one.request.routes().empty());
        }
}

// RFC 5627 §4.2, §4.4: GRUUs are kept with the binding that they were given to and go with it; they
// are never a Contact of a REGISTER. What is none is not kept.
TEST(Gruu, IsKeptWithItsBinding) {
    ResilientWorld world;
    std::string given =
        ";pub-gruu=\"sip:alice@example.test;gr=urn:uuid:x\""
        ";temp-gruu=\"sip:tgruu.1@example.test;gr\"";
    for (auto& [index, server] : world.servers) {
        server.challenges = false;
        server.script = [&](const Sent& one) -> std::optional<Reply> {
            if (one.contacts.empty()) return std::nullopt;
            return Reply{
                200, "Contact: <" + one.contacts.front().first + ">;expires=60" + given + "\r\n"};
        };
    }
    ASSERT_TRUE(world.registers()) << world.story();
    EXPECT_EQ(world.binding().public_gruu, "sip:alice@example.test;gr=urn:uuid:x");
    EXPECT_EQ(world.binding().temporary_gruu, "sip:tgruu.1@example.test;gr");
    // Each 200 says it anew.
    given = ";pub-gruu=\"tel:+1;gr=1\";temp-gruu=\"sip:tgruu.2@example.test\"";
    world.run_for(60s);
    EXPECT_EQ(world.binding().public_gruu, "") << world.story();
    EXPECT_EQ(world.binding().temporary_gruu, "") << world.story();
    given = ";temp-gruu=\"sip:tgruu.3@example.test;gr\"";
    world.run_for(60s);
    EXPECT_EQ(world.binding().temporary_gruu, "sip:tgruu.3@example.test;gr") << world.story();
    for (const auto& one : world.sent)
        for (const auto& [uri, expires] : one.contacts)
            EXPECT_EQ(uri.find(";gr"), std::string::npos) << uri;
    // The registration lapses, and its GRUUs with it.
    for (auto& [index, server] : world.servers)
        server.script = [](const Sent&) -> std::optional<Reply> { return Reply{500, ""}; };
    world.run_for(2min);
    EXPECT_FALSE(world.binding().registered) << world.story();
    EXPECT_EQ(world.binding().temporary_gruu, "");
}

// RFC 5627 §4.4: a new Call-ID (F5: after a 400) makes the temporary GRUUs of the old one invalid.
// The 200 to it brings another, and no 200 of the old one counts any more.
TEST(Gruu, ATemporaryOneGoesWithItsCallId) {
    ResilientWorld world;
    bool refuses = false;
    const auto gruu_of = [](const Sent& one) {
        return "sip:" + std::string(one.request.call_id()) + "@example.test;gr";
    };
    for (auto& [index, server] : world.servers) {
        server.challenges = false;
        server.script = [&](const Sent& one) -> std::optional<Reply> {
            if (one.contacts.empty()) return std::nullopt;
            if (std::exchange(refuses, false)) return Reply{400, ""};
            return Reply{200, "Contact: <" + one.contacts.front().first +
                                  ">;expires=60;temp-gruu=\"" + gruu_of(one) + "\"\r\n"};
        };
    }
    ASSERT_TRUE(world.registers()) << world.story();
    const auto old = world.binding().temporary_gruu;
    EXPECT_EQ(old, gruu_of(world.sent.front()));
    refuses = true;
    const auto before = world.sent.size();
    world.run_for(60s);
    ASSERT_FALSE(refuses) << "the refresh was refused";
    const auto last = std::ranges::find_if(
        world.sent.rbegin(), world.sent.rend(),
        [](const Sent& one) { return one.request.method() == sip::Method::register_; });
    ASSERT_GE(world.sent.size(), before + 2) << world.story();
    EXPECT_NE(gruu_of(*last), old) << "the Call-ID is new";
    EXPECT_EQ(world.binding().temporary_gruu, gruu_of(*last)) << world.story();
}

// Its first OPTIONS came back, and none after it does.
struct Doubted : ResilientWorld {
    Doubted() : ResilientWorld([](auto& account) { account.policy.prove_reachable = true; }) {
        EXPECT_TRUE(registers()) << story();
        run_for(100ms);
        const auto options = std::ranges::find_if(
            sent, [](const Sent& one) { return one.request.method() == sip::Method::options; });
        if (options != sent.end())
            tell(told::Returned{std::string(options->request.call_id()), binding().flow, false});
    }
    // When a REGISTER with a fresh Contact was begun.
    [[nodiscard]] std::optional<Instant> fresh_at() const {
        for (const auto& [at, event] : events)
            if (event.kind == EventKind::attempt &&
                event.reason.find("still do not arrive") != std::string::npos)
                return at;
        return std::nullopt;
    }
};

// R3: what is wanted while a REGISTER is on its way becomes one, and the fresh Contact is not lost
// in it.
TEST(R3Proof, AFreshContactOutlivesOtherWishes) {
    Doubted rehearsal;
    ASSERT_TRUE(rehearsal.run_until([&] { return rehearsal.fresh_at().has_value(); }, 13min));
    const Instant doubt = *rehearsal.fresh_at();

    Doubted world;
    world.run_for(doubt - 100ms - world.now);
    const auto contact = world.binding().contact;
    for (auto& [index, server] : world.servers) server.answers_after = 500ms;
    world.tell(told::RegisterNow{});
    world.run_for(200ms);  // R3 wants a fresh Contact now …
    EXPECT_FALSE(world.fresh_at()) << world.story();
    world.tell(told::RegisterNow{});  // … and somebody else any
    world.run_for(5s);
    EXPECT_NE(world.binding().contact, contact) << world.story();
    EXPECT_FALSE(world.fresh_at()) << "the last reason is the one that is told: " << world.story();
    EXPECT_EQ(world.servers[world.at()].bindings.size(), 1u) << "and the old one is removed";
}

// R3: seen before, and not any more: one REGISTER, then one with a fresh Contact, the old one
// removed in it; then it is told. R1's answers never count in F5 and F6 (R3).
TEST(R3Proof, DoubtIsResolvedStepByStep) {
    Doubted world;
    ASSERT_EQ(world.count(EventKind::reachable), 1u) << world.story();
    const auto contact = world.binding().contact;
    const auto before = world.sent.size();
    ASSERT_TRUE(world.run_until([&] { return world.count(EventKind::unreachable) > 0; }, 13min))
        << world.story();
    world.run_for(5s);
    std::vector<const Sent*> fresh;
    std::set<std::string> uris;
    for (const auto* one : world.since(before)) {
        if (!uris.insert(one->contacts.front().first).second) continue;
        fresh.push_back(one);
    }
    ASSERT_EQ(uris.size(), 2u) << world.story();
    EXPECT_NE(world.binding().contact, contact);
    EXPECT_EQ(world.servers[world.at()].bindings.size(), 1u) << world.story();
    EXPECT_TRUE(world.registered());
    EXPECT_EQ(world.count(EventKind::unregistered), 0u);
    // B5: registered is what the registrar said; reachable is what was proven.
    EXPECT_FALSE(world.resilient->view().proven);
}

}  // namespace
}  // namespace holdfast::registration
