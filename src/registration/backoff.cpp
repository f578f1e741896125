#include "registration/backoff.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/broken_rule.h"

namespace holdfast::registration {

using namespace std::chrono_literals;

namespace {
constexpr Duration young_outage = 5min;
constexpr Duration round_young_least = 4s;
constexpr Duration round_young_most = 8s;
constexpr Duration round_old_least = 20s;
constexpr Duration round_old_most = 30s;
constexpr std::size_t round_targets = 4;
}  // namespace

void Backoff::begin(Instant now, bool other_flow_works, std::set<Target> unreachable,
                    Random& random) {
    if (outage_began_ == never) outage_began_ = now;
    const auto base = other_flow_works ? settings_.base_other_flow : settings_.base;
    const auto longest = scaled(base, std::exp2(std::min(failures_, 20U)));
    const auto wait = is_broken(BrokenRule::rates) ? 100ms : std::min(settings_.most, longest);
    if (!std::exchange(round_, false)) ++failures_;
    unreachable_ = std::move(unreachable);
    if (ended_by_) unreachable_.erase(*ended_by_);
    if (ended_by_ && !refused_ && !std::exchange(only_options_, true)) only_options_since_ = now;
    unreachable_.insert(last_probe_failed_.begin(), last_probe_failed_.end());
    ended_early_ = false;
    timers_.arm(Timer::wait, std::max(now + random.between(wait / 2, wait), not_before_));
    if (!timers_.is_armed(Timer::probe_round))
        timers_.arm(Timer::probe_round, now + random.between(round_young_least, round_young_most));
    const bool rounds = outage_is_young(now) || registers_probe(now, true);
    if (!timers_.is_armed(Timer::register_round) && rounds)
        timers_.arm(Timer::register_round, now + random.between(round_old_least, round_old_most));
}

void Backoff::hold(Instant now, Instant until, Random& random) {
    if (outage_began_ == never) outage_began_ = now;
    ended_early_ = true;
    timers_.arm(Timer::wait, std::max(until, not_before_));
    if (!timers_.is_armed(Timer::probe_round))
        timers_.arm(Timer::probe_round, now + random.between(round_young_least, round_young_most));
}

void Backoff::stop() { timers_.stop_all(); }

void Backoff::reset() {
    timers_.stop_all();
    failures_ = 0;
    outage_began_ = never;
    not_before_ = Instant{};
    ended_by_.reset();
    only_options_ = false;
    last_probe_failed_.clear();
    probe_rounds_ = 0;
}

void Backoff::not_before(Instant at) { not_before_ = std::max(not_before_, at); }

bool Backoff::outage_is_young(Instant now) const {
    return outage_began_ != never && now < outage_began_ + young_outage;
}

// S1: where OPTIONS was never answered, or proves nothing, a REGISTER is the only probe there is.
bool Backoff::registers_probe(Instant now, bool options_answered) const {
    if (only_options_) return now < only_options_since_ + young_outage;
    return !options_answered && outage_is_young(now);
}

void Backoff::on_refused(const Target& target) {
    // Where the last probe failed too, one that is answered says that something has changed.
    if (!last_probe_failed_.contains(target)) unreachable_.erase(target);
    if (ended_by_ != target) return;
    refused_ = true;
    only_options_ = false;
}

bool Backoff::on_alive(const Target& target) {
    last_probe_failed_.erase(target);
    if (!is_waiting() || ended_early_ || !unreachable_.contains(target)) return false;
    ended_early_ = true;
    ended_by_ = target;
    refused_ = false;
    return true;
}

void Backoff::on_dead(const Target& target) {
    if (ended_by_ == target) {
        ended_by_.reset();
        only_options_ = false;
    }
    last_probe_failed_.insert(target);
    if (is_waiting()) unreachable_.insert(target);
}

std::vector<Backoff::Due> Backoff::take_due(Instant now, Random& random, bool options_answered) {
    std::vector<Due> due;
    while (const auto timer = timers_.take_due(now)) {
        switch (*timer) {
        case Timer::wait: due.push_back(Due::search); break;
        case Timer::probe_round:
            due.push_back(Due::probe_round);
            timers_.arm(
                Timer::probe_round,
                now + (outage_is_young(now) ? random.between(round_young_least, round_young_most)
                                            : random.between(round_old_least, round_old_most)));
            break;
        case Timer::register_round:
            round_ = registers_probe(now, options_answered);
            if (round_) due.push_back(Due::register_round);
            if (outage_is_young(now) || registers_probe(now, options_answered))
                timers_.arm(Timer::register_round,
                            now + random.between(round_old_least, round_old_most));
            break;
        case Timer::count: break;
        }
    }
    return due;
}

std::vector<Target> Backoff::round(const std::vector<Target>& ranked) {
    std::vector<Target> targets;
    if (ranked.empty()) return targets;
    const std::size_t rounds = (ranked.size() + round_targets - 1) / round_targets;
    const std::size_t first = (probe_rounds_++ % rounds) * round_targets;
    for (std::size_t i = first; i < std::min(first + round_targets, ranked.size()); ++i)
        targets.push_back(ranked[i]);
    return targets;
}

}  // namespace holdfast::registration
