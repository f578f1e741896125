#include "registration/register_budget.h"

#include <algorithm>

#include "base/broken_rule.h"

namespace holdfast::registration {

using namespace std::chrono_literals;

namespace {

constexpr Duration short_window = 10s;
constexpr Duration long_window = 10min;
constexpr std::size_t per_target_most = 10;
constexpr std::size_t remembered_most = 512;

// I5, with n targets.
std::size_t short_most(std::size_t n) { return 2 * n + 8; }
std::size_t long_most(std::size_t n) { return 6 * n + 60; }

// Kept back for what belongs to an attempt that has begun: challenges, Min-Expires, a step down.
std::size_t kept_back(RegisterBudget::For what) {
    switch (what) {
    case RegisterBudget::For::search:
    case RegisterBudget::For::settle: return 3;
    case RegisterBudget::For::attempt:
    case RegisterBudget::For::refresh: return 2;
    case RegisterBudget::For::answer:
    case RegisterBudget::For::refresh_answer: break;
    }
    return 0;
}

bool is_due(RegisterBudget::For what) {
    return what == RegisterBudget::For::refresh || what == RegisterBudget::For::refresh_answer;
}

}  // namespace

void RegisterBudget::spent(Instant now, const Target& target, For what) {
    const auto is_recent = [&](const Spent& spent) { return spent.at + long_window > now; };
    auto oldest = std::ranges::find_if(spent_, is_recent);
    if (oldest == spent_.begin() && spent_.size() == remembered_most) ++oldest;
    spent_.erase(spent_.begin(), oldest);
    spent_.push_back({now, target, is_due(what)});
}

std::optional<Instant> RegisterBudget::exhausted_until(Instant now, const Target& target,
                                                       std::size_t targets, For what) const {
    if (is_broken(BrokenRule::rates)) return std::nullopt;
    std::optional<Instant> until;
    const auto later = [&](Instant at) { until = until ? std::max(*until, at) : at; };
    const auto kept = kept_back(what);
    std::size_t recent = 0;
    std::size_t at_target = 0;
    std::size_t all = 0;
    for (auto entry = spent_.rbegin(); entry != spent_.rend() && entry->at + long_window > now;
         ++entry) {
        if (!is_due(what) && !entry->due && ++all == long_most(targets) - kept)
            later(entry->at + long_window);
        if (entry->at + short_window <= now) continue;
        if (++recent == short_most(targets) - kept) later(entry->at + short_window);
        if (entry->target == target && ++at_target == per_target_most - kept)
            later(entry->at + short_window);
    }
    if (what == For::search || what == For::settle)
        if (const auto spread = spread_until(now, targets, what)) later(*spread);
    return until;
}

// A bucket that fills evenly: what a storm has used up comes back bit by bit, not all at once when
// it is 10 min old. Whoever is cut off by a storm of faults tries again soon after they end (I1).
std::optional<Instant> RegisterBudget::spread_until(Instant now, std::size_t targets,
                                                    For what) const {
    const auto most = static_cast<double>(long_most(targets) - targets - 6);
    const double full = most / 4;
    const double each = static_cast<double>(long_window.count()) / (most - full);  // µs for one
    double level = full;
    Instant last = now - long_window;
    for (const auto& entry : spent_) {
        if (entry.due) continue;
        if (entry.at <= last) {
            if (last > now - long_window) --level;  // of the same moment
            continue;
        }
        level = std::min(full, level + static_cast<double>((entry.at - last).count()) / each) - 1;
        last = entry.at;
    }
    level = std::min(full, level + static_cast<double>((now - last).count()) / each);
    const double needed = what == For::settle ? full / 2 : 1;
    if (level >= needed) return std::nullopt;
    return now + Duration{static_cast<std::int64_t>((needed - level) * each) + 1};
}

}  // namespace holdfast::registration
