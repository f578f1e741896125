#include "registration/extensions.h"

#include <gtest/gtest.h>

namespace holdfast::registration {
namespace {

// RFC 3261 §8.1.3.5, §21.4.15, §21.4.16: what a 420 or 421 names is dropped or added, if it is
// ours.
TEST(Extensions, OnlyOursComeAndGo) {
    auto supported = Extensions::all();
    EXPECT_EQ(supported.list(), "gruu, outbound, path");
    EXPECT_TRUE(supported.erase("outbound"));
    EXPECT_FALSE(supported.erase("outbound"));
    EXPECT_FALSE(supported.erase("timer"));
    EXPECT_FALSE(supported.contains("outbound"));
    EXPECT_FALSE(supported.contains("timer"));
    EXPECT_EQ(supported.list(), "gruu, path");

    auto required = Extensions::none();
    EXPECT_EQ(required.list(), "");
    EXPECT_TRUE(required.insert("path"));
    EXPECT_FALSE(required.insert("path"));
    EXPECT_FALSE(required.insert("timer"));
    EXPECT_TRUE(required.contains("path"));
    EXPECT_EQ(required.list(), "path");
}

}  // namespace
}  // namespace holdfast::registration
