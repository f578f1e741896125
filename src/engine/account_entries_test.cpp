#include "engine/account_entries.h"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::engine {
namespace {

using registration::AccountState;

// Whatever octets a disk may hold, what was set is what is found, entry by entry.
TEST(AccountEntries, WhatWasSetIsFound) {
    AccountEntries entries;
    EXPECT_TRUE(entries.empty());
    const std::string odd("a\0b\nc", 5);
    entries.set("worked", "1");
    entries.set("binding-1", odd);
    entries.set("worked-longer", std::string(1000, 'x'));
    entries.set("binding-1", "new");
    entries.set("odd", odd);
    EXPECT_EQ(entries.find("worked"), "1");
    EXPECT_EQ(entries.find("binding-1"), "new");
    EXPECT_EQ(entries.find("odd"), odd);
    EXPECT_EQ(entries.find("work"), std::nullopt);
    EXPECT_EQ(entries.all(), (AccountState{{"worked", "1"},
                                           {"binding-1", "new"},
                                           {"worked-longer", std::string(1000, 'x')},
                                           {"odd", odd}}));
}

TEST(AccountEntries, AnEmptyValueRemoves) {
    AccountEntries entries;
    entries.set("never-there", "");
    EXPECT_TRUE(entries.empty());
    entries.set("a", "1");
    entries.set("b", "2");
    entries.set("a", "");
    EXPECT_EQ(entries.all(), (AccountState{{"b", "2"}}));
    entries.set("b", "");
    EXPECT_TRUE(entries.empty());
}

}  // namespace
}  // namespace holdfast::engine
