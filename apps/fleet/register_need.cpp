#include "apps/fleet/register_need.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace holdfast::fleet {

namespace {

using Seconds = std::chrono::duration<double>;

double requests_per_second(const registration::Policy& policy) {
    const Seconds granted = policy.expires;
    const Seconds wait = policy.refresh_before > Duration{0}
                             ? granted - Seconds{policy.refresh_before}
                             : granted * (policy.refresh_from + policy.refresh_to) / 2;
    const double proofs =
        policy.prove_reachable ? 1 / Seconds{policy.prove_interval}.count() : 0;  // R1
    return proofs + std::max<std::uint32_t>(policy.flows, 1) / std::max(wait, Seconds{1}).count();
}

}  // namespace

double registers_needed(const Accounts& accounts) {
    double needed = 0;
    for (const auto& [aor, account] : accounts) needed += requests_per_second(account.policy);
    return needed;
}

std::string problem_of_rate(const Accounts& accounts, std::uint32_t registers_per_second) {
    const double needed = registers_needed(accounts);
    if (registers_per_second == 0 || needed <= registers_per_second) return {};
    return std::to_string(accounts.size()) + " accounts need " +
           std::to_string(static_cast<std::uint64_t>(std::ceil(needed))) +
           " REGISTERs and own OPTIONS a second, and registers-per-second allows " +
           std::to_string(registers_per_second) +
           ": bindings will lapse. Raise it to twice the need, or raise policy.expires";
}

}  // namespace holdfast::fleet
