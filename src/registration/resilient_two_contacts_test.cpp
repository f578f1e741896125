// N3: registrars that refuse two Contacts in one REGISTER, or have room for one, and those that
// only seem to.
#include <gtest/gtest.h>

#include <utility>

#include "registration/resilient_world.h"

namespace holdfast::registration {
namespace {

using Reply = ResilientWorld::Reply;
using Sent = ResilientWorld::Sent;

// N3: a registrar that takes one Contact only (OpenSIPS with max_contacts: 503) gets the new one
// alone, the old one leaves with a later REGISTER, and nobody is told of a failure. F5 judges only
// answers to one Contact.
TEST(N3SteppingDown, ARegistrarThatTakesOneContactAtATime) {
    for (const int status : {503, 400, 403, 500, 606}) {
        ResilientWorld world([](auto& config) { config.registrar = "sip:203.0.113.11"; });
        ASSERT_TRUE(world.registers()) << world.story();
        world.servers[1].script = [&](const Sent& one) -> std::optional<Reply> {
            if (one.contacts.size() < 2) return std::nullopt;
            return Reply{status, ""};
        };
        world.rebind();
        ASSERT_TRUE(world.run_until(
            [&] {
                return world.binding().contact.find(world.mapping_for(1).to_string()) !=
                       std::string::npos;
            },
            1s))
            << status << world.story();
        world.run_for(10s);
        EXPECT_EQ(world.servers[1].bindings.size(), 1u) << status << world.story();
        EXPECT_TRUE(world.servers[1].bindings.contains(world.binding().contact)) << world.story();
        EXPECT_EQ(world.count(EventKind::refused), 0u) << world.story();
        EXPECT_EQ(world.count(EventKind::unregistered), 0u) << world.story();
        // B6: after the last removal that travelled alone came a REGISTER of the current Contact.
        ASSERT_FALSE(world.sent.back().only_removes()) << world.story();
    }
}

// N3, last step: with room for one binding only, even the new Contact alone is refused while the
// old one is there; then unregister-first.
TEST(N3SteppingDown, ARegistrarWithRoomForOneBinding) {
    ResilientWorld world([](auto& config) { config.registrar = "sip:203.0.113.11"; });
    ASSERT_TRUE(world.registers()) << world.story();
    world.servers[1].script = [&](const Sent& one) -> std::optional<Reply> {
        if (!one.authorized()) return std::nullopt;
        const bool other_is_bound =
            std::ranges::any_of(world.servers[1].bindings, [&](const auto& bound) {
                return !one.contacts.empty() && bound.first != one.contacts.front().first;
            });
        if (one.contacts.size() > 1 || (other_is_bound && !one.only_removes()))
            return Reply{503, ""};
        return std::nullopt;
    };
    world.rebind();
    ASSERT_TRUE(world.run_until(
        [&] {
            return world.servers[1].bindings.size() == 1 &&
                   world.servers[1].bindings.begin()->first.find(
                       world.mapping_for(1).to_string()) != std::string::npos;
        },
        10s))
        << world.story();
    EXPECT_TRUE(world.registered());
}

// N3: who refuses a lone Contact too has not refused two: the next server is asked to remove the
// old one with the REGISTER.
TEST(N3SteppingDown, WhoRefusesEverythingSaysNothingOfTwo) {
    ResilientWorld world;
    ASSERT_TRUE(world.registers()) << world.story();
    const auto first = world.at();
    const auto old = world.binding().contact;
    world.servers[first].script = [](const Sent&) -> std::optional<Reply> { return Reply{500}; };
    const auto before = world.sent.size();
    world.rebind();
    ASSERT_TRUE(world.run_until([&] { return world.at() != first; }, 5s)) << world.story();
    const auto* last = world.since(before).back();
    EXPECT_EQ(last->answered, 200) << world.story();
    EXPECT_TRUE(std::ranges::any_of(last->contacts, [&](const auto& contact) {
        return contact.first == old && contact.second == 0U;
    })) << world.story();
}

// N3, I5: and where it is known in this search that two were not the reason, the others are not
// asked twice.
TEST(N3SteppingDown, OneServerTeachesItForTheSearch) {
    ResilientWorld world;
    ASSERT_TRUE(world.registers()) << world.story();
    const auto first = world.at();
    for (auto& [index, one] : world.servers)
        one.script = [](const Sent&) -> std::optional<Reply> { return Reply{500}; };
    const auto before = world.sent.size();
    world.rebind();
    ASSERT_TRUE(world.run_until([&] { return world.count(EventKind::waiting) > 0; }, 5s))
        << world.story();
    std::map<int, int> asked;
    for (const auto* one : world.since(before)) ++asked[one->server];
    ASSERT_EQ(asked.size(), 3U) << world.story();
    for (const auto& [who, times] : asked) EXPECT_EQ(times == 1, who != first) << world.story();
}

// N3, I5: one server refused two Contacts when it was busy. The old one that stays listed is named
// again; that the account has sent too many REGISTERs to do so now makes of it neither a loop nor
// nothing.
TEST(N3SteppingDown, WhatWasHeldBackStillNamesTheOldOne) {
    ResilientWorld world([](auto& config) { config.registrar = "sip:203.0.113.11"; });
    ASSERT_TRUE(world.registers()) << world.story();
    for (int i = 0; i < 40; ++i) {
        world.run_for(2s);
        world.tell(told::RegisterNow{});
    }
    bool refuses = true;
    world.servers[1].script = [&](const Sent& one) -> std::optional<Reply> {
        if (one.contacts.size() < 2 || !std::exchange(refuses, false)) return std::nullopt;
        return Reply{503};
    };
    const auto before = world.sent.size();
    world.rebind();
    world.run_for(90s);
    ASSERT_FALSE(refuses) << world.story();
    EXPECT_EQ(world.servers[1].bindings.size(), 1U) << world.story();
    EXPECT_LE(world.since(before).size(), 8U) << world.story();
}

// N3, I5: who refuses the removal too refuses everything: the REGISTER that it refused a moment ago
// is not sent again.
TEST(N3SteppingDown, WhoRefusesTheRemovalTooIsAskedNoMore) {
    ResilientWorld world([](auto& config) { config.registrar = "sip:203.0.113.11"; });
    ASSERT_TRUE(world.registers()) << world.story();
    world.servers[1].script = [](const Sent&) -> std::optional<Reply> { return Reply{503, ""}; };
    const auto before = world.sent.size();
    world.rebind();
    ASSERT_TRUE(world.run_until([&] { return world.count(EventKind::waiting) > 0; }, 5s))
        << world.story();
    ASSERT_FALSE(world.since(before).empty());
    EXPECT_TRUE(world.since(before).back()->only_removes()) << world.story();
    EXPECT_LE(world.since(before).size(), 3U) << world.story();
}

}  // namespace
}  // namespace holdfast::registration
