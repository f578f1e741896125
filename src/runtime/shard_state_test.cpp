// Accounts and their state among shards: an account has one home, and keeps what it knows when the
// number of shards changes (B3).
#include "runtime/shard_state.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>

#include "runtime/state_file.h"
#include "runtime/test_support.h"

namespace holdfast::runtime {
namespace {

std::string aor_of(int number) { return "sip:" + std::to_string(1000 + number) + "@example.test"; }
std::string key_of(int number) { return "account/" + aor_of(number) + "/binding-1"; }
constexpr int accounts = 60;

class ShardState : public testing::Test {
protected:
    void write(std::size_t shards) const {
        for (int number = 0; number < accounts; ++number)
            write_at(shard_of(aor_of(number), shards), number, "b" + std::to_string(number));
    }
    void write_at(std::size_t shard, int number, const std::string& value) const {
        auto file = StateFile::open(shard_directory(scratch.path(), shard));
        ASSERT_TRUE(file) << file.error().sentence;
        ASSERT_TRUE(file->commit({{key_of(number), value}, {"device/udp-port-v4", "5070"}}));
    }
    // Each account's state is at its home, once, and whole.
    void expect_all_at_home(std::size_t shards) const {
        std::set<std::string> seen;
        for (std::size_t shard = 0; shard < 5; ++shard) {
            const auto state = StateFile::peek(shard_directory(scratch.path(), shard));
            ASSERT_TRUE(state) << state.error().sentence;
            for (const auto& [key, value] : *state) {
                if (!key.starts_with("account/")) continue;
                EXPECT_TRUE(seen.insert(key).second) << key << " is at two places";
                const auto aor = key.substr(8, key.rfind('/') - 8);
                EXPECT_EQ(shard_of(aor, shards), shard) << key;
                const auto number = std::stoi(aor.substr(4)) - 1000;
                EXPECT_EQ(value, "b" + std::to_string(number)) << key;
            }
        }
        EXPECT_EQ(seen.size(), static_cast<std::size_t>(accounts));
    }
    test::TemporaryDirectory scratch;
};

TEST_F(ShardState, AHomeIsTheSameForEver) {
    // FNV-1a's own test vectors: "" and "foobar".
    EXPECT_EQ(shard_of("", 1000), 0xcbf29ce484222325U % 1000);
    EXPECT_EQ(shard_of("foobar", 1000), 0x85944171f73967e8U % 1000);
    std::set<std::size_t> used;
    for (int number = 0; number < accounts; ++number) used.insert(shard_of(aor_of(number), 4));
    EXPECT_EQ(used.size(), 4U);
}

TEST_F(ShardState, MovesWithTheNumberOfShards) {
    write(1);
    for (const std::size_t shards : {1U, 2U, 5U, 3U, 1U}) {
        const auto arranged = arrange_shards(scratch.path(), shards);
        ASSERT_TRUE(arranged) << arranged.error().sentence;
        expect_all_at_home(shards);
    }
}

// Killed after the first half: what is there twice is taken from its home, and nothing is lost.
TEST_F(ShardState, AMoveThatWasCutShortIsEnded) {
    write(1);
    for (int number = 0; number < accounts; number += 2)
        if (const auto home = shard_of(aor_of(number), 2); home == 1)
            write_at(home, number, "b" + std::to_string(number));
    ASSERT_TRUE(arrange_shards(scratch.path(), 2));
    expect_all_at_home(2);
}

// A damaged file is set aside by the first who opens it: who sees to the shards must name it.
TEST_F(ShardState, WhatIsSetAsideIsNamed) {
    write(2);
    const auto damaged = shard_directory(scratch.path(), 1);
    std::ofstream{damaged / state_file_name, std::ios::trunc} << std::string(8192, 'x');
    const auto arranged = arrange_shards(scratch.path(), 2);
    ASSERT_TRUE(arranged) << arranged.error().sentence;
    ASSERT_EQ(arranged->size(), 1U);
    EXPECT_NE(arranged->front().find((damaged / "state.db.damaged-").string()), std::string::npos);
    EXPECT_TRUE(arrange_shards(scratch.path(), 2)->empty()) << "once";
    // Though another shard cannot be used then.
    std::ofstream{damaged / state_file_name, std::ios::trunc} << std::string(8192, 'x');
    const auto held = StateFile::open(shard_directory(scratch.path(), 2));
    ASSERT_TRUE(held);
    const auto refused = arrange_shards(scratch.path(), 3);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().sentence.find("It is kept as " + damaged.string()), std::string::npos)
        << refused.error().sentence;
}

TEST_F(ShardState, AnotherProcessIsTold) {
    write(1);
    const auto held = StateFile::open(shard_directory(scratch.path(), 0));
    ASSERT_TRUE(held);
    const auto arranged = arrange_shards(scratch.path(), 2);
    ASSERT_FALSE(arranged);
    EXPECT_EQ(arranged.error().kind, FailureKind::state_in_use);
}

}  // namespace
}  // namespace holdfast::runtime
