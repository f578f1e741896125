#include "base/json_depth.h"

#include <gtest/gtest.h>

#include <string>

namespace holdfast {
namespace {

TEST(JsonDepth, CountsWhatIsOpenAtOnce) {
    EXPECT_EQ(json_depth(""), 0U);
    EXPECT_EQ(json_depth("7"), 0U);
    EXPECT_EQ(json_depth(R"([{"a":[]},[1,2],{}])"), 3U);
    EXPECT_EQ(json_depth("[][][]"), 1U);
    EXPECT_EQ(json_depth("]]][["), 2U) << "no JSON, and no less than is there";
    EXPECT_EQ(json_depth(std::string(60'000, '[')), 60'000U);
}

TEST(JsonDepth, BracketsInStringsAreText) {
    EXPECT_EQ(json_depth(R"(["[[[{{{"])"), 1U);
    EXPECT_EQ(json_depth(R"(["\"[[[", {}])"), 2U) << "the quotation mark is a part of it";
    EXPECT_EQ(json_depth(R"(["\\", [[]]])"), 3U) << "the string ends before the comma";
}

}  // namespace
}  // namespace holdfast
