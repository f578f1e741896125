#include "engine/own_options.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/limits.h"

namespace holdfast::engine {
namespace {

using namespace std::chrono_literals;

std::string call_id(std::size_t number) { return "call-" + std::to_string(number); }

AccountId account(std::size_t number) { return AccountId{static_cast<std::uint32_t>(number)}; }

// R1: a copy that comes back within limits::own_options_life is known; later it proves nothing.
TEST(OwnOptions, AreForgottenInTime) {
    OwnOptions sent;
    sent.note(Instant{1h}, AccountId{1}, "a");
    EXPECT_EQ(sent.sender(Instant{1h} + limits::own_options_life - 1us, "a"), AccountId{1});
    EXPECT_EQ(sent.sender(Instant{1h} + limits::own_options_life, "a"), AccountId{});
    EXPECT_EQ(sent.sender(Instant{1h}, "b"), AccountId{});
}

// At limits::own_options all are known, one past it the oldest is not.
TEST(OwnOptions, HaveALimit) {
    OwnOptions sent;
    for (std::size_t i = 1; i <= limits::own_options; ++i)
        sent.note(Instant{1h}, account(i), call_id(i));
    EXPECT_EQ(sent.sender(Instant{1h}, call_id(1)), AccountId{1});
    sent.note(Instant{1h}, AccountId{1}, "one more");
    EXPECT_EQ(sent.sender(Instant{1h}, call_id(1)), AccountId{});
    EXPECT_EQ(sent.sender(Instant{1h}, call_id(2)), AccountId{2});
}

// R1: each of many accounts may have one on its way at once; the limit grows with them.
TEST(OwnOptions, TheLimitLeavesRoomForEachAccount) {
    OwnOptions sent;
    const std::size_t accounts = limits::own_options + 10;
    sent.expect(accounts);
    for (std::size_t i = 1; i <= accounts; ++i) sent.note(Instant{1h}, account(i), call_id(i));
    EXPECT_EQ(sent.sender(Instant{1h}, call_id(1)), AccountId{1});
}

}  // namespace
}  // namespace holdfast::engine
