#include "registration/probe_budget.h"

#include <algorithm>

namespace holdfast::registration {

using namespace std::chrono_literals;

namespace {

constexpr Duration window = 10min;
constexpr std::size_t often_most = 280;  // S1's first 5 min: 50 rounds of 4, and its REGISTERs
constexpr Duration seldom = 20s;         // S1: what is usual after them
constexpr std::size_t remembered_most = 1024;

}  // namespace

void ProbeBudget::forget_old(Instant now) {
    const auto is_recent = [&](Instant at) { return at + window > now; };
    spent_.erase(spent_.begin(), std::ranges::find_if(spent_, is_recent));
}

void ProbeBudget::spent(Instant now) {
    forget_old(now);
    if (spent_.size() == remembered_most) spent_.erase(spent_.begin());
    spent_.push_back(now);
}

bool ProbeBudget::runs_short(Instant now) {
    forget_old(now);
    return spent_.size() >= often_most;
}

Instant ProbeBudget::next_round() const { return last_round_ + seldom; }

bool ProbeBudget::take_round(Instant now) {
    if (runs_short(now) && now < last_round_ + seldom) return false;
    last_round_ = now;
    return true;
}

}  // namespace holdfast::registration
