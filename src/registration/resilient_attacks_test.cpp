// What a registrar that means harm may say, and what comes of it: nothing that it says goes into
// our requests unread, keeps us from the other servers, or piles up here (docs/security.md; I8,
// F5).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "registration/resilient_world.h"

namespace holdfast::registration {
namespace {

using Reply = ResilientWorld::Reply;
using Sent = ResilientWorld::Sent;

// A 200 that lists what was asked for, and says more.
void accept_and_say(ResilientWorld& world, const std::string& parameters,
                    const std::string& headers) {
    for (auto& [index, server] : world.servers)
        server.script = [=](const Sent& sent) -> std::optional<Reply> {
            if (sent.request.method() != sip::Method::register_) return Reply{200, ""};
            std::string lines = headers;
            for (const auto& [uri, expires] : sent.contacts)
                if (expires != 0U)
                    lines.append("Contact: <")
                        .append(uri)
                        .append(">;expires=300")
                        .append(parameters)
                        .append("\r\n");
            return Reply{200, lines};
        };
}

std::vector<std::string> options_of(const ResilientWorld& world) {
    std::vector<std::string> found;
    for (const auto& one : world.sent)
        if (one.request.method() == sip::Method::options) found.emplace_back(one.request.text());
    return found;
}

// RFC 5627 §4.2: the GRUU is a URI. Something else would end the request line and begin our headers
// (R1 sends to it).
TEST(MaliciousRegistrar, AGruuThatIsNoUriIsNotRepeated) {
    for (const std::string gruu : {"sip:a SIP/2.0", "sip:a>;x=<sip:b", "evil", ""}) {
        ResilientWorld world([](auto& config) { config.policy.prove_reachable = true; });
        accept_and_say(world, ";pub-gruu=\"" + gruu + "\"", "");
        ASSERT_TRUE(world.registers()) << world.story();
        world.run_for(5s);
        const auto options = options_of(world);
        ASSERT_FALSE(options.empty()) << world.story();
        for (const auto& text : options)
            EXPECT_THAT(text, testing::StartsWith("OPTIONS sip:alice@example.test SIP/2.0\r\n"));
    }
}

// The contrast: one that is a URI is where R1 sends to.
TEST(MaliciousRegistrar, AGruuThatIsAUriIsUsed) {
    ResilientWorld world([](auto& config) { config.policy.prove_reachable = true; });
    accept_and_say(world, ";pub-gruu=\"sip:alice@example.test;gr=x\"", "");
    ASSERT_TRUE(world.registers()) << world.story();
    world.run_for(5s);
    const auto options = options_of(world);
    ASSERT_FALSE(options.empty()) << world.story();
    EXPECT_THAT(options.front(),
                testing::StartsWith("OPTIONS sip:alice@example.test;gr=x SIP/2.0\r\n"));
}

// RFC 3608 §6.1. At the limit the route is used; one past it, none of it: our own requests stay
// such that others can read them.
TEST(MaliciousRegistrar, AServiceRouteWithoutEndIsNotTaken) {
    const auto routes_in_options = [](std::size_t count, std::size_t length) {
        ResilientWorld world([](auto& config) { config.policy.prove_reachable = true; });
        std::string headers;
        for (std::size_t i = 0; i < count; ++i) {
            std::string route = "<sip:203.0.113.11;lr;i=" + std::to_string(10 + i) + ">";
            if (length > route.size()) route.insert(route.size() - 1, length - route.size(), 'x');
            headers.append("Service-Route: ").append(route).append("\r\n");
        }
        accept_and_say(world, "", headers);
        EXPECT_TRUE(world.registers()) << world.story();
        world.run_for(5s);
        for (const auto& one : world.sent)
            if (one.request.method() == sip::Method::options) return one.request.routes().size();
        return std::size_t{999};
    };
    EXPECT_EQ(routes_in_options(16, 0), 16u);
    EXPECT_EQ(routes_in_options(17, 0), 0u);
    EXPECT_EQ(routes_in_options(16, 256), 16u);
    EXPECT_EQ(routes_in_options(16, 257), 0u);
}

}  // namespace
}  // namespace holdfast::registration
