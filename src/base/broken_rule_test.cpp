// What is shipped cannot break a rule: that is decided when it is compiled. Of the command that was
// built: tools/check-hardening.
#include "base/broken_rule.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

#ifndef HOLDFAST_BREAKABLE
static_assert(!is_broken(BrokenRule::affinity));
static_assert(!is_broken(BrokenRule::rates));
#endif

TEST(BrokenRules, NoneIsUnlessSomebodyBreaksIt) {
    for (auto rule = BrokenRule::affinity; rule <= BrokenRule::rates;
         rule = static_cast<BrokenRule>(static_cast<int>(rule) + 1))
        EXPECT_FALSE(is_broken(rule)) << static_cast<int>(rule);
}

}  // namespace
}  // namespace holdfast
