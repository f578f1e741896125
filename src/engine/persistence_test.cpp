#include "engine/persistence.h"

#include <gtest/gtest.h>

#include <variant>

namespace holdfast::engine {
namespace {

using namespace std::chrono_literals;
using registration::AccountState;

constexpr std::string_view alice = "sip:alice@example.test";
constexpr std::string_view with_slash = "sip:alice/phone@example.test";

// What is restored is each account's own, also where an AOR has a slash (RFC 3261 §25.1, user).
TEST(Persistence, EachAccountGetsWhatIsItsOwn) {
    const Persistence disk{{{"account/sip:alice@example.test/worked", "1"},
                            {"account/sip:alice/phone@example.test/binding-1", "b"},
                            {"device/health", "h"},
                            {"account/", "damaged"}},
                           Instant{1h},
                           0};
    EXPECT_EQ(disk.account_state(alice), (AccountState{{"worked", "1"}}));
    EXPECT_EQ(disk.account_state(with_slash), (AccountState{{"binding-1", "b"}}));
    EXPECT_EQ(disk.account_state("sip:alice"), AccountState{});
}

// A store goes to the disk under the account's path and is there for the account's next start.
TEST(Persistence, WhatIsStoredIsThereAgain) {
    Persistence disk{{}, Instant{1h}, 0};
    Outbox outbox;
    disk.store_account(alice, "worked", "1", outbox);
    disk.store_account(alice, "binding-1", "old", outbox);
    disk.store_account(alice, "binding-1", "new", outbox);
    EXPECT_EQ(disk.account_state(alice), (AccountState{{"binding-1", "new"}, {"worked", "1"}}));
    disk.store_account(alice, "worked", "", outbox);
    disk.store_account(alice, "never-there", "", outbox);
    EXPECT_EQ(disk.account_state(alice), (AccountState{{"binding-1", "new"}}));
    ASSERT_EQ(outbox.outputs().size(), 5U);
    const auto& last = std::get<out::Store>(outbox.outputs()[3]);
    EXPECT_EQ(last.key, "account/sip:alice@example.test/worked");
    EXPECT_EQ(last.value, "");
}

// RFC 5626 §4.1: an account's instance-id is drawn once; a damaged one is drawn anew.
TEST(Persistence, AnInstanceIdIsDrawnOnce) {
    Random random{seed_from_number(1)};
    Outbox outbox;
    Persistence disk{{{"account/sip:alice@example.test/instance-id", "a\r\nX: b"}}, Instant{1h}, 0};
    const auto drawn = disk.instance_id(alice, random, outbox);
    EXPECT_EQ(drawn.size(), 36U);
    EXPECT_EQ(disk.instance_id(alice, random, outbox), drawn);
    EXPECT_EQ(disk.account_state(alice), (AccountState{{"instance-id", drawn}}));
    EXPECT_EQ(outbox.outputs().size(), 1U);
}

}  // namespace
}  // namespace holdfast::engine
