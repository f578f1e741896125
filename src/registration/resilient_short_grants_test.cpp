// B4 and I5 together: a registrar that grants little, and wants another proof of the password each
// time, has a phone that refreshes often. That is no storm. Not tested here: grants that lapse
// before the next refresh may go (resilient_leave_test.cpp).
#include <gtest/gtest.h>

#include <string>

#include "registration/resilient_world.h"

namespace holdfast::registration {
namespace {

using namespace std::chrono_literals;
using Sent = ResilientWorld::Sent;
using Reply = ResilientWorld::Reply;

// Grants so many seconds; with one_shot, each nonce is good for one request.
std::function<std::optional<Reply>(const Sent&)> granting(int seconds, bool one_shot) {
    return [seconds, one_shot, count = 0,
            used = true](const Sent& one) mutable -> std::optional<Reply> {
        if (one.request.method() != sip::Method::register_) return std::nullopt;
        if (one_shot && std::exchange(used, !used))
            return Reply{401, "WWW-Authenticate: Digest realm=\"r\", qop=\"auth\", nonce=\"n" +
                                  std::to_string(++count) + "\"\r\n"};
        return Reply{200, "Contact: <" + one.contacts.front().first +
                              ">;expires=" + std::to_string(seconds) + "\r\n"};
    };
}

class ShortGrants : public testing::TestWithParam<std::tuple<int, bool>> {};

TEST_P(ShortGrants, KeepTheBindingForHalfAnHourAndFindTheNextServer) {
    const auto [seconds, one_shot] = GetParam();
    ResilientWorld world;
    for (auto& [index, server] : world.servers) server.script = granting(seconds, one_shot);
    ASSERT_TRUE(world.registers()) << world.story();
    world.run_for(30min);
    EXPECT_EQ(world.count(EventKind::unregistered), 0u);
    EXPECT_EQ(world.count(EventKind::waiting), 0u);
    // Its server dies: found by the next refresh and left by F3, as ever.
    const int dead = world.at();
    world.servers[dead].silent = true;
    EXPECT_TRUE(world.run_until([&] { return world.registered() && world.at() != dead; },
                                std::chrono::seconds{seconds} + 3s))
        << "left within the refresh and 3 s";
}

INSTANTIATE_TEST_SUITE_P(Seconds, ShortGrants,
                         testing::Combine(testing::Values(10, 15, 20, 27), testing::Bool()),
                         [](const auto& test) {
                             return std::to_string(std::get<0>(test.param)) +
                                    (std::get<1>(test.param) ? "_one_shot_nonces" : "");
                         });

}  // namespace
}  // namespace holdfast::registration
