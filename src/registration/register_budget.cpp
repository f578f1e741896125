#include "registration/register_budget.h"

namespace holdfast::registration {

using namespace std::chrono_literals;

namespace {

constexpr Duration short_window = 10s;
constexpr Duration long_window = 10min;
constexpr std::size_t kept_back = 3;        // of 2n + 8
constexpr std::size_t kept_back_long = 12;  // of 6n + 60
constexpr std::size_t per_target_most = 7;  // of 10
constexpr std::size_t remembered_most = 512;

}  // namespace

void RegisterBudget::spent(Instant now, const Target& target) {
    while (!spent_.empty() && spent_.front().at + long_window <= now) spent_.pop_front();
    if (spent_.size() == remembered_most) spent_.pop_front();
    spent_.push_back({now, target});
}

std::optional<Instant> RegisterBudget::exhausted_until(Instant now, const Target& target,
                                                       std::size_t targets) const {
    std::optional<Instant> until;
    const auto later = [&](Instant at) { until = until ? std::max(*until, at) : at; };
    std::size_t recent = 0;
    std::size_t at_target = 0;
    std::size_t all = 0;
    for (auto entry = spent_.rbegin(); entry != spent_.rend() && entry->at + long_window > now;
         ++entry) {
        if (++all == 6 * targets + 60 - kept_back_long) later(entry->at + long_window);
        if (entry->at + short_window <= now) continue;
        if (++recent == 2 * targets + 8 - kept_back) later(entry->at + short_window);
        if (entry->target == target && ++at_target == per_target_most)
            later(entry->at + short_window);
    }
    return until;
}

}  // namespace holdfast::registration
