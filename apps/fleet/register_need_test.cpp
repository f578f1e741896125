#include "apps/fleet/register_need.h"

#include <gtest/gtest.h>

namespace holdfast::fleet {
namespace {

using namespace std::chrono_literals;

Accounts accounts_of(int count, registration::Policy policy) {
    Accounts accounts;
    for (int number = 0; number < count; ++number) {
        const auto aor = "sip:" + std::to_string(number) + "@example.test";
        accounts[aor].aor = aor;
        accounts[aor].policy = policy;
    }
    return accounts;
}

// B4: a refresh between 0.75 and 0.9 of the expiry: of 300 s, one in 247.5 s. R1: a proof in 10
// min.
TEST(RegisterNeed, IsOneARefreshAndOneAProof) {
    EXPECT_NEAR(registers_needed(accounts_of(4950, {})), 20 + 8.25, 0.01);
    registration::Policy fixed;
    fixed.prove_reachable = false;
    fixed.expires = 65s;
    fixed.refresh_before = 5s;
    EXPECT_NEAR(registers_needed(accounts_of(600, fixed)), 10, 0.01);
    fixed.flows = 2;
    EXPECT_NEAR(registers_needed(accounts_of(600, fixed)), 20, 0.01);
}

// S3: a rate below it is said, with what to do; one that suffices, and no limit, are not.
TEST(RegisterNeed, ARateThatIsTooLowIsSaid) {
    const auto accounts = accounts_of(4950, {});
    EXPECT_EQ(problem_of_rate(accounts, 0), "");
    EXPECT_EQ(problem_of_rate(accounts, 29), "");
    EXPECT_EQ(
        problem_of_rate(accounts, 28),
        "4950 accounts need 29 REGISTERs and own OPTIONS a second, and registers-per-second "
        "allows 28: bindings will lapse. Raise it to twice the need, or raise policy.expires");
}

}  // namespace
}  // namespace holdfast::fleet
