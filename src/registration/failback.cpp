#include "registration/failback.h"

#include <algorithm>

namespace holdfast::registration {

using namespace std::chrono_literals;

namespace {
constexpr Duration probe_least = 8s;
constexpr Duration probe_most = 12s;
constexpr Duration rank_probe_least = 50s;  // a better rank is in no hurry
constexpr Duration rank_probe_most = 70s;
constexpr Duration good_least = 45s;
constexpr Duration good_most = 60s;
constexpr Duration rank_good = 10min;
constexpr Duration rank_spread = 1h;
constexpr Duration undone_within = 10min;
constexpr Duration wait_most = 1h;
constexpr std::uint32_t factor_most = 128;  // good_least times this is more than wait_most
}  // namespace

void FailbackWatch::stop() {
    current_.reset();
    watched_.clear();
    order_.clear();
    next_probe_ = never;
}

void FailbackWatch::settle(Instant now, const Target& current,
                           const std::vector<location::Candidate>& ranked, Random& random) {
    const auto here =
        std::ranges::find_if(ranked, [&](const auto& c) { return c.target == current; });
    std::map<Target, Watched> watched;
    order_.clear();
    bool priority = false;
    if (here != ranked.end()) {
        for (auto better = ranked.begin(); better != here; ++better) {
            const auto known = watched_.find(better->target);
            Watched entry{.better_priority = better->tier < here->tier};
            if (known != watched_.end() && known->second.better_priority == entry.better_priority) {
                entry = known->second;
            } else if (entry.better_priority) {
                entry.needed =
                    std::min<Duration>(random.between(good_least, good_most) * factor_, wait_most);
            } else {
                entry.needed = rank_good + random.between(0s, rank_spread);
            }
            priority = priority || entry.better_priority;
            watched.emplace(better->target, entry);
            order_.push_back(better->target);
        }
    }
    watched_ = std::move(watched);
    current_ = current;
    if (watched_.empty()) {
        next_probe_ = never;
        return;
    }
    const auto soon = priority ? random.between(probe_least, probe_most)
                               : random.between(rank_probe_least, rank_probe_most);
    next_probe_ = std::min(next_probe_, now + soon);
}

std::vector<Target> FailbackWatch::take_probes(Instant now, Random& random) {
    std::vector<Target> targets;
    if (next_probe_ > now) return targets;
    const bool priority =
        std::ranges::any_of(watched_, [](const auto& w) { return w.second.better_priority; });
    next_probe_ = now + (priority ? random.between(probe_least, probe_most)
                                  : random.between(rank_probe_least, rank_probe_most));
    // The best priority's targets only: three at most, so that probing a large domain stays cheap.
    for (const auto& target : order_) {
        if (targets.size() == 3) break;
        if (!priority || watched_.at(target).better_priority) targets.push_back(target);
    }
    return targets;
}

void FailbackWatch::on_probed(Instant now, const Target& target, ProbeResult result, Random&) {
    const auto watched = watched_.find(target);
    if (watched == watched_.end()) return;
    switch (result) {
    case ProbeResult::alive:
        if (watched->second.good_since == never) watched->second.good_since = now;
        return;
    case ProbeResult::busy:
    case ProbeResult::silent:
    case ProbeResult::failed: watched->second.good_since = never; return;
    }
}

std::optional<Target> FailbackWatch::ready(Instant now, bool priority) const {
    for (const auto& target : order_) {
        const auto& watched = watched_.at(target);
        if (watched.better_priority == priority && watched.good_since != never &&
            watched.good_since + watched.needed <= now)
            return target;
    }
    return std::nullopt;
}

std::optional<Target> FailbackWatch::better_priority(Instant now) const { return ready(now, true); }
std::optional<Target> FailbackWatch::better_rank(Instant now) const { return ready(now, false); }

void FailbackWatch::made(Instant now, const Target& to) {
    made_at_ = now;
    made_to_ = to;
}

void FailbackWatch::left(Instant now, const Target& target) {
    if (made_to_ != target) return;
    factor_ = now < made_at_ + undone_within ? std::min(factor_ * 2, factor_most) : 1;
    made_to_.reset();
}

}  // namespace holdfast::registration
