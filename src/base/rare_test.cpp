#include "base/rare.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace holdfast {
namespace {

// What is only read, erased or copied while it is the default value is not held.
TEST(Rare, IsHeldFromItsFirstChangeOn) {
    Rare<std::set<int>> rare;
    EXPECT_TRUE(rare->empty());
    const Rare<std::set<int>> copy_of_none = rare;
    EXPECT_FALSE(rare.is_held());
    EXPECT_FALSE(copy_of_none.is_held());
    rare.change().insert(1);
    EXPECT_TRUE(rare.is_held());
    EXPECT_EQ(*rare, std::set<int>{1});
    rare.reset();
    EXPECT_FALSE(rare.is_held());
    EXPECT_TRUE(rare->empty());
}

TEST(Rare, CopiesAreTheirOwn) {
    Rare<std::string> one{"one"};
    Rare<std::string> other = one;
    other.change() += " more";
    EXPECT_EQ(*one, "one");
    EXPECT_EQ(*other, "one more");
    one = other;
    EXPECT_EQ(*one, "one more");
    one = std::string{"two"};
    EXPECT_EQ(*one, "two");
    EXPECT_EQ(*other, "one more");
}

}  // namespace
}  // namespace holdfast
