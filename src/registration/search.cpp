#include "registration/search.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace holdfast::registration {

Search::Search(const Settings& settings, std::vector<Entry> entries) : settings_(settings) {
    CHECK(!entries.empty());
    for (auto& entry : entries) tries_.push_back({.entry = std::move(entry)});
}

void Search::start(Instant now, Steps& steps) { open_next(now, steps); }

Search::Try* Search::find(const Target& target) {
    const auto found = std::ranges::find_if(
        tries_, [&](const Try& t) { return t.entry.candidate.target == target; });
    return found == tries_.end() ? nullptr : &*found;
}

const Search::Try* Search::find(const Target& target) const {
    const auto found = std::ranges::find_if(
        tries_, [&](const Try& t) { return t.entry.candidate.target == target; });
    return found == tries_.end() ? nullptr : &*found;
}

const location::Candidate* Search::candidate(const Target& target) const {
    const auto* found = find(target);
    return found != nullptr ? &found->entry.candidate : nullptr;
}

bool Search::may_insert(const Target& target) const {
    const auto* known = find(target);
    return known == nullptr || known->state == State::untouched;
}

bool Search::pursues(const IpAddress& address) const {
    return std::ranges::any_of(tries_, [&](const Try& t) {
        return (t.state == State::opening || t.state == State::registering) &&
               t.entry.candidate.target.endpoint.address == address;
    });
}

std::optional<Target> Search::chosen() const {
    if (chosen_ == none) return std::nullopt;
    return tries_[chosen_].entry.candidate.target;
}

std::vector<Target> Search::unreachable_targets() const {
    auto unreachable = silent_targets();
    for (const auto& t : tries_)
        if (t.refused) unreachable.push_back(t.entry.candidate.target);
    return unreachable;
}

std::vector<Target> Search::silent_targets() const {
    std::vector<Target> silent;
    for (const auto& t : tries_)
        if (!t.alive && (t.state == State::unanswered || t.silent || t.state == State::opening))
            silent.push_back(t.entry.candidate.target);
    return silent;
}

// F4: the next connection of the race. The spacing matters for reliable transports only: UDP
// answers at once.
void Search::open_next(Instant now, Steps& steps) {
    const auto next = std::ranges::find(tries_, State::untouched, &Try::state);
    if (next == tries_.end()) return;
    next->state = State::opening;
    steps.push_back({Do::open, next->entry.candidate.target});
    const bool more = std::ranges::find(tries_, State::untouched, &Try::state) != tries_.end();
    const auto spacing = std::max(settings_.connect_spacing, 2 * next->entry.rtt);
    if (more && is_reliable(next->entry.candidate.target.transport))
        timers_.arm(Timer::race, now + spacing);
}

void Search::on_open(Instant now, const Target& target, Steps& steps) {
    auto* opened = find(target);
    if (opened == nullptr || opened->state != State::opening) return;
    opened->state = State::ready;
    switch (phase_) {
    case Phase::racing: {
        const bool better_is_coming = std::any_of<const Try*>(
            tries_.data(), opened, [](const Try& t) { return t.state == State::opening; });
        // F4: a better rank within 100 ms is preferred.
        if (!better_is_coming) return choose_ready(now, steps);
        if (!timers_.is_armed(Timer::preference))
            timers_.arm(Timer::preference, now + settings_.connect_preference);
        return;
    }
    case Phase::sweeping:
        if (sweeping_ != none && &tries_[sweeping_] == opened) choose(now, *opened, steps);
        return;
    case Phase::registering:
    case Phase::probing:
        if (opened->alive && chosen_ == none) choose(now, *opened, steps);
        return;
    case Phase::exhausted: return;
    }
}

void Search::choose_ready(Instant now, Steps& steps) {
    const auto ready = std::ranges::find(tries_, State::ready, &Try::state);
    if (ready != tries_.end()) choose(now, *ready, steps);
}

// The REGISTER goes here. Whoever had it before is abandoned (F3), unless this is a sweep's next
// step.
void Search::choose(Instant now, Try& chosen, Steps& steps) {
    for (auto& other : tries_) {
        if (&other == &chosen) continue;
        const bool sweeping_first =
            phase_ == Phase::sweeping && !chosen.alive && &other == &tries_.front();
        if ((other.state == State::registering || other.state == State::unanswered) &&
            !sweeping_first && !std::exchange(other.abandoned, true))
            steps.push_back({Do::abandon, other.entry.candidate.target});
        if (other.state == State::registering) other.state = State::unanswered;
    }
    chosen.state = State::registering;
    chosen.abandoned = false;
    chosen_ = static_cast<std::size_t>(&chosen - tries_.data());
    const auto patience = first_attempt_ ? settings_.patience : chosen.entry.patience;
    first_attempt_ = false;
    if (phase_ != Phase::sweeping || chosen.alive) {
        timers_.stop_all();
        phase_ = Phase::registering;
    }
    timers_.arm(phase_ == Phase::sweeping ? Timer::sweep_step : Timer::patience, now + patience);
    steps.push_back({Do::register_, chosen.entry.candidate.target});
}

void Search::on_open_failed(Instant now, const Target& target, Steps& steps) {
    auto* lost = find(target);
    if (lost == nullptr || lost->state == State::failed) return;
    if (lost->state == State::registering || lost->state == State::unanswered)
        return on_failed(now, target, steps, true);
    lost->refused = true;
    lost->state = State::failed;
    go_on(now, steps);
}

void Search::on_provisional(Instant now, const Target& target) {
    auto* who = find(target);
    if (who == nullptr || who->extended || who->state != State::registering) return;
    who->extended = true;
    const auto timer = phase_ == Phase::sweeping ? Timer::sweep_step : Timer::patience;
    timers_.arm(timer, now + settings_.extended);
}

void Search::on_resent(Instant now, const Target& target) {
    auto* who = find(target);
    if (who == nullptr) return;
    who->extended = false;
    who->alive = true;  // it answered a REGISTER: better than any probe
    who->state = State::registering;
    chosen_ = static_cast<std::size_t>(who - tries_.data());
    phase_ = Phase::registering;
    timers_.stop_all();
    timers_.arm(Timer::patience, now + who->entry.patience);
}

void Search::on_failed(Instant now, const Target& target, Steps& steps, bool hard) {
    auto* failed = find(target);
    if (failed == nullptr || failed->state == State::failed) return;
    const bool asked = failed->state == State::registering || failed->state == State::unanswered;
    if (!asked && !hard) return;  // the end of an attempt of an earlier search
    const bool counted = chosen_ != none && failed == &tries_[chosen_];
    failed->state = State::failed;
    failed->refused = hard;
    if (counted) chosen_ = none;
    if (counted || phase_ == Phase::probing || phase_ == Phase::racing) go_on(now, steps);
}

// Somebody dropped out: who is next?
void Search::go_on(Instant now, Steps& steps) {
    if (phase_ == Phase::exhausted) return;
    if (phase_ == Phase::sweeping) {
        if (chosen_ == none) sweep_next(now, steps);
        return;
    }
    if (chosen_ != none && tries_[chosen_].state == State::registering) return;  // patience decides
    const auto alive = std::ranges::find_if(tries_, [](const Try& t) {
        return t.alive && (t.state == State::ready || t.state == State::untouched);
    });
    if (alive != tries_.end()) {
        if (alive->state == State::ready || !is_reliable(alive->entry.candidate.target.transport))
            return choose(now, *alive, steps);
        alive->state = State::opening;
        steps.push_back({Do::open, alive->entry.candidate.target});
        return;
    }
    if (phase_ == Phase::probing) {
        if (!probes_outstanding() && !timers_.is_armed(Timer::next_probe)) begin_sweep(now, steps);
        return;
    }
    timers_.stop(Timer::patience);
    phase_ = Phase::racing;
    if (std::ranges::find(tries_, State::ready, &Try::state) != tries_.end())
        return choose_ready(now, steps);
    const bool opening = std::ranges::find(tries_, State::opening, &Try::state) != tries_.end();
    const bool untouched = std::ranges::find(tries_, State::untouched, &Try::state) != tries_.end();
    if (untouched) return open_next(now, steps);
    if (!opening) exhaust(steps);
}

void Search::begin_probing(Instant now, Steps& steps) {
    phase_ = Phase::probing;
    timers_.stop_all();
    timers_.arm(Timer::probes_over, now + settings_.probe_timeout);
    probe_next(now, steps);
}

// F3: in rank order, 100 ms apart, a lower SRV priority 500 ms later.
void Search::probe_next(Instant now, Steps& steps) {
    const auto can_be_probed = [](const Try& t) {
        return !t.probed && !t.alive && t.state != State::failed && t.state != State::registering &&
               t.state != State::unanswered;
    };
    const auto next = std::ranges::find_if(tries_, can_be_probed);
    if (next == tries_.end()) {
        if (!probes_outstanding()) go_on(now, steps);
        return;
    }
    next->probed = true;
    const auto tier = next->entry.candidate.tier;
    steps.push_back({Do::probe, next->entry.candidate.target});
    timers_.arm(Timer::probes_over, now + settings_.probe_timeout);
    const auto after = std::ranges::find_if(tries_, can_be_probed);
    if (after == tries_.end()) return;
    const bool lower = after->entry.candidate.tier > tier;
    timers_.arm(Timer::next_probe,
                now + (lower ? settings_.probe_priority_delay : settings_.probe_spacing));
}

bool Search::probes_outstanding() const {
    return std::ranges::any_of(tries_, [](const Try& t) {
        return t.probed && !t.alive && !t.silent && t.state != State::failed;
    });
}

void Search::on_probed(Instant now, const Target& target, ProbeResult result, Steps& steps) {
    auto* who = find(target);
    if (who == nullptr || who->state == State::failed) return;
    const bool wanted = phase_ == Phase::probing || phase_ == Phase::sweeping;
    // A probe that somebody else asked for decides nothing here; that it lives is good to know.
    if (!wanted) {
        who->alive = who->alive || result == ProbeResult::alive;
        return;
    }
    switch (result) {
    case ProbeResult::alive:
        who->alive = true;
        who->silent = false;
        break;
    case ProbeResult::busy:
    case ProbeResult::failed:
        if (who->state == State::registering || who->state == State::unanswered)
            return;  // its REGISTER decides
        who->state = State::failed;
        break;
    case ProbeResult::silent: who->silent = true; break;
    }
    const bool asked_already = who->state == State::registering || who->state == State::unanswered;
    if (result == ProbeResult::alive && !asked_already) {
        if (who->state == State::ready || !is_reliable(target.transport))
            return choose(now, *who, steps);
        who->state = State::opening;  // the probe's connection is there: this is answered at once
        chosen_ = none;
        steps.push_back({Do::open, target});
        return;
    }
    if (phase_ == Phase::probing) go_on(now, steps);
}

// F3, last resort: some servers answer REGISTER and not OPTIONS. The first attempt still lives; the
// others get theirs, patience apart.
void Search::begin_sweep(Instant now, Steps& steps) {
    phase_ = Phase::sweeping;
    timers_.stop_all();
    sweeping_ = none;
    sweep_next(now, steps);
}

void Search::sweep_next(Instant now, Steps& steps) {
    for (std::size_t i = sweeping_ == none ? 0 : sweeping_ + 1; i < tries_.size(); ++i) {
        auto& next = tries_[i];
        if (next.state == State::failed || next.state == State::unanswered ||
            next.state == State::registering)
            continue;
        sweeping_ = i;
        if (next.state == State::ready) return choose(now, next, steps);
        next.state = State::opening;
        timers_.arm(Timer::sweep_step, now + next.entry.patience);
        steps.push_back({Do::open, next.entry.candidate.target});
        return;
    }
    exhaust(steps);
}

void Search::exhaust(Steps& steps) {
    phase_ = Phase::exhausted;
    timers_.stop_all();
    steps.push_back({Do::exhausted, tries_.front().entry.candidate.target});
}

void Search::on_time(Instant now, Steps& steps) {
    while (const auto timer = timers_.take_due(now)) {
        switch (*timer) {
        case Timer::race: open_next(now, steps); break;
        case Timer::preference: choose_ready(now, steps); break;
        case Timer::patience:
            if (chosen_ == none) break;
            tries_[chosen_].state = State::unanswered;
            chosen_ = none;
            if (settings_.probe)
                begin_probing(now, steps);
            else
                begin_sweep(now, steps);
            break;
        case Timer::next_probe: probe_next(now, steps); break;
        case Timer::probes_over:
            for (auto& t : tries_)
                if (t.probed && !t.alive) t.silent = true;
            go_on(now, steps);
            break;
        case Timer::sweep_step:
            if (chosen_ != none && tries_[chosen_].state == State::registering) {
                tries_[chosen_].state = State::unanswered;
                chosen_ = none;
            }
            sweep_next(now, steps);
            break;
        case Timer::count: break;
        }
        if (phase_ == Phase::exhausted) return;
    }
}

void Search::insert_next(Instant now, Entry entry, Steps& steps) {
    if (const auto* known = find(entry.candidate.target)) {
        if (known->state != State::untouched) return go_on(now, steps);
        // Its turn comes now.
        const auto first = std::ranges::find(tries_, State::untouched, &Try::state);
        const auto place = tries_.begin() + (known - tries_.data());
        const auto from = static_cast<std::size_t>(first - tries_.begin());
        const auto to = static_cast<std::size_t>(place - tries_.begin());
        for (auto* index : {&chosen_, &sweeping_})
            if (*index >= from && *index < to) ++*index;
        std::rotate(first, place, place + 1);
        return;
    }
    const bool idle = chosen_ == none;
    const auto at = std::ranges::find(tries_, State::untouched, &Try::state);
    const auto index = at - tries_.begin();
    tries_.insert(at, {.entry = std::move(entry)});
    if (chosen_ != none && static_cast<std::ptrdiff_t>(chosen_) >= index) ++chosen_;
    if (sweeping_ != none && static_cast<std::ptrdiff_t>(sweeping_) >= index) ++sweeping_;
    if (idle && phase_ != Phase::sweeping) {
        phase_ = Phase::racing;
        open_next(now, steps);
    }
}

}  // namespace holdfast::registration
