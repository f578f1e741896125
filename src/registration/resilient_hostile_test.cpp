// Registrars whose answers are built to lead a client astray, found by tests/real/hostile: what the
// whole registration makes of them, in virtual time.
#include <gtest/gtest.h>

#include "registration/resilient_world.h"

namespace holdfast::registration {
namespace {

using Reply = ResilientWorld::Reply;
using Sent = ResilientWorld::Sent;

bool is_register(const Sent& one) { return one.request.method() == sip::Method::register_; }

// Every server redirects to a port that nobody has seen before: 5 are followed in a search, and
// then it is an outage like any other, not a walk without end (F5, S1; RFC 3261 §8.1.3.4).
TEST(F5Redirect, AChainWithoutEndIsLeft) {
    ResilientWorld world([](auto& config) { config.registrar = "sip:203.0.113.11"; });
    int port = 20000;
    world.servers[1].script = [&](const Sent& one) -> std::optional<Reply> {
        if (!is_register(one)) return std::nullopt;
        return Reply{302, "Contact: <sip:203.0.113.11:" + std::to_string(++port) + ">\r\n"};
    };
    world.start();
    world.run_for(5s);
    EXPECT_EQ(world.since(0).size(), 6u) << world.story();
    ASSERT_EQ(world.count(EventKind::waiting), 1u) << world.story();
    EXPECT_NE(world.events_of(EventKind::attempt_failed).back().reason.find("5 times"),
              std::string::npos)
        << world.story();
    // The next search may follow 5 again; and one that leads somewhere is followed.
    world.servers[1].script = [&](const Sent& one) -> std::optional<Reply> {
        if (!is_register(one) || port == 30000) return std::nullopt;
        port = 30000;
        return Reply{302, "Contact: <sip:203.0.113.11:30000>\r\n"};
    };
    ASSERT_TRUE(world.run_until([&] { return world.registered(); }, 5min)) << world.story();
    EXPECT_EQ(world.binding().target->endpoint.port, 30000);
}

// Retry-After: 0, or a second, with a refusal is no leave to hammer: 5 s, doubling to a minute;
// longer ones are obeyed as they are (F5).
TEST(F5Answers, AShortRetryAfterIsNoLoop) {
    for (const auto* said : {"Retry-After: 0\r\n", "Retry-After: 1\r\n"}) {
        ResilientWorld world([](auto& config) { config.registrar = "sip:203.0.113.11"; });
        world.servers[1].challenges = false;
        world.servers[1].script = [&](const Sent& one) -> std::optional<Reply> {
            if (!is_register(one)) return std::nullopt;
            return Reply{486, said};
        };
        world.start();
        world.run_for(4s);
        EXPECT_EQ(world.since(0).size(), 1u) << world.story();
        world.run_for(10min);
        EXPECT_GE(world.since(0).size(), 10u) << world.story();
        EXPECT_LE(world.since(0).size(), 15u) << world.story();
        const auto refusals = world.events_of(EventKind::refused);
        EXPECT_EQ(refusals.front().expires, 5s) << world.story();
        EXPECT_EQ(refusals.back().expires, 60s) << world.story();
    }
}

// B4: an expiry that nobody can read is none: what we asked counts, not the hour of RFC 3261
// §20.19, at the end of which the registrar would long have forgotten us.
TEST(B4Expiry, WhatCannotBeReadIsNotAnHour) {
    for (const auto& [header, parameter, expected] :
         {std::tuple{"Expires: soon\r\n", "", 300s}, std::tuple{"", ";expires=-60", 300s},
          std::tuple{"Expires: 80\r\n", ";expires=soon", 80s},
          std::tuple{"Expires: never\r\n", ";expires=70", 70s}}) {
        ResilientWorld world;
        for (auto& [index, server] : world.servers) {
            server.challenges = false;
            server.script = [header = header,
                             parameter = parameter](const Sent& one) -> std::optional<Reply> {
                if (!is_register(one)) return std::nullopt;
                return Reply{200, "Contact: <" + one.contacts.front().first + ">" + parameter +
                                      "\r\n" + header};
            };
        }
        ASSERT_TRUE(world.registers()) << world.story();
        EXPECT_EQ(world.events_of(EventKind::registered).front().expires, expected)
            << header << parameter << world.story();
    }
}

// B2, B8: another device's Contact that nobody can read takes neither our own nor the 200 away.
TEST(B8Ours, StandsBesideAContactThatCannotBeRead) {
    for (const auto* bad : {"<sip:bob smith@192.0.2.1>;expires=60", "<sip:bob@192.0.2.1:99999>",
                            "\"Bob <sip:bob@192.0.2.1>"}) {
        ResilientWorld world;
        for (auto& [index, server] : world.servers) {
            server.challenges = false;
            server.script = [&](const Sent& one) -> std::optional<Reply> {
                if (!is_register(one)) return std::nullopt;
                return Reply{200, "Contact: " + std::string(bad) + "\r\nContact: <" +
                                      one.contacts.front().first + ">;expires=200\r\n"};
            };
        }
        ASSERT_TRUE(world.registers()) << bad << world.story();
        EXPECT_EQ(world.events_of(EventKind::registered).front().expires, 200s) << world.story();
    }
}

// R1, RFC 5627 §5.1: what stands in pub-gruu becomes our Request-URI, so it must be a SIP URI, of a
// length that makes sense; else the AOR is asked.
TEST(R1Proof, AGruuThatIsNoneIsNotAsked) {
    for (const auto& gruu : {std::string("no uri"), std::string("sip:a@b SIP/2.0"),
                             std::string("tel:+4930"), std::string("sip:a@b>;x=<"),
                             std::string("*"), "sip:a@b.test;gr=" + std::string(600, 'b')}) {
        ResilientWorld world([](auto& config) { config.policy.prove_reachable = true; });
        for (auto& [index, server] : world.servers) {
            server.challenges = false;
            server.script = [&](const Sent& one) -> std::optional<Reply> {
                if (!is_register(one)) return std::nullopt;
                return Reply{200, "Contact: <" + one.contacts.front().first +
                                      ">;expires=300;pub-gruu=\"" + gruu + "\"\r\n"};
            };
        }
        ASSERT_TRUE(world.registers()) << world.story();
        world.run_for(1s);
        const auto options = std::ranges::find_if(world.sent, [](const Sent& one) {
            return one.request.method() == sip::Method::options;
        });
        ASSERT_NE(options, world.sent.end()) << gruu << world.story();
        EXPECT_EQ(options->request.request_uri().text, "sip:alice@example.test") << gruu;
    }
}

}  // namespace
}  // namespace holdfast::registration
