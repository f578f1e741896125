#include "lab/scenario_figures.h"

#include <algorithm>
#include <iterator>

namespace holdfast::lab::scenario {

using namespace std::chrono_literals;

namespace {

constexpr Duration late = 1s;  // who hears nothing for longer hangs up

struct Stretch {
    Instant from;
    Instant to;
    const Moment* moment;
};

// The moments as stretches of time, cut to the window.
std::vector<Stretch> stretches_of(const std::vector<TimedMoment>& moments, const Window& window) {
    std::vector<Stretch> stretches;
    for (std::size_t i = 0; i < moments.size(); ++i) {
        const auto from = std::max(moments[i].at, window.from);
        const auto to = std::min(i + 1 < moments.size() ? moments[i + 1].at : window.to, window.to);
        if (from < to) stretches.push_back({from, to, &moments[i].moment});
    }
    return stretches;
}

void add_times(Figures& figures, const std::vector<Stretch>& stretches) {
    for (const auto& [from, to, moment] : stretches) {
        const auto seconds = seconds_of(to - from);
        if (moment->is_there) figures.there += seconds;
        if (moment->reachable) figures.reachable += seconds;
        if (moment->all_answer) figures.all_answer += seconds;
        if (moment->is_there && moment->is_mapping) figures.is_mapping += seconds;
        if (moment->stale > 0) figures.stale_for += seconds;
        figures.stale_most = std::max<std::size_t>(figures.stale_most, moment->stale);
        figures.bindings_most = std::max<std::size_t>(figures.bindings_most, moment->bindings);
    }
    if (!stretches.empty()) figures.node = stretches.back().moment->node;
}

// A gap is one, however often the rest of the moment changed in it.
void add_gaps(Figures& figures, const std::vector<Stretch>& stretches) {
    double gap = 0;
    for (const auto& [from, to, moment] : stretches) {
        const bool is_gap = moment->is_there && !moment->reachable;
        gap = is_gap ? gap + seconds_of(to - from) : 0;
        figures.worst_gap = std::max(figures.worst_gap, gap);
    }
    figures.gap_lasts = gap > 0;
    figures.worst_lasts = figures.gap_lasts && gap >= figures.worst_gap;
}

// Who leaves has not come back.
void add_recoveries(Figures& figures, const std::vector<TimedMoment>& moments,
                    const std::vector<Instant>& events) {
    for (const auto event : events) {
        auto at = std::ranges::upper_bound(moments, event, {}, &TimedMoment::at);
        if (at != moments.begin()) --at;
        const auto back = std::find_if(at, moments.end(),
                                       [](const TimedMoment& m) { return m.moment.reachable; });
        figures.recovery.push_back(back == moments.end() ? Figures::not_yet
                                   : back->at <= event   ? 0
                                                         : seconds_of(back->at - event));
    }
}

// A binding that has lapsed is told as unregistered too, and no un-REGISTER was sent.
bool is_unregister(const Event& event) {
    return event.kind == EventKind::unregistered &&
           !event.reason.starts_with("the binding has lapsed");
}

bool is_in(const Window& window, Instant at) { return at >= window.from && at < window.to; }

void add_calls(Figures& figures, const Stage::Actor& actor, const Window& window, Instant end) {
    for (const auto* caller : actor.callers)
        for (const auto& call : caller->calls()) {
            if (!is_in(window, call.at)) continue;
            if (!call.reached && call.at + caller->options().patience > end) continue;
            ++figures.calls;
            if (!call.reached)
                ++figures.lost;
            else if (*call.reached > late)
                ++figures.late;
            if (call.rang_at > 1) ++figures.twice;
        }
}

// From the window's beginning on, if the phone was on by then: 0 if it was registered, too.
double registered_after(const Stage::Actor& actor, const std::vector<TimedMoment>& moments,
                        const Window& window) {
    const auto on = std::max(Internet::start + actor.on_at, window.from);
    const auto next = std::ranges::upper_bound(moments, on, {}, &TimedMoment::at);
    if (next != moments.begin() && !std::prev(next)->moment.node.empty()) return 0;
    const auto registered = actor.phone->first(EventKind::registered, on);
    return registered && *registered < window.to ? seconds_of(*registered - on) : Figures::not_yet;
}

void add_messages(Figures& figures, const Stage::Actor& actor, const Window& window) {
    for (const auto& request : actor.phone->sent()) {
        if (!is_in(window, request.at)) continue;
        ++figures.requests;
        if (request.method == "REGISTER") ++figures.registers;
    }
    for (const auto& [at, event] : actor.phone->events()) {
        if (!is_in(window, at)) continue;
        if (event.kind == EventKind::moved) ++figures.moves;
        if (is_unregister(event)) ++figures.unregisters;
    }
}

}  // namespace

Figures figures_of(const Stage::Actor& actor, const std::vector<TimedMoment>& moments,
                   const Window& window, const RunTimes& times) {
    Figures figures;
    figures.registered_after = registered_after(actor, moments, window);
    const auto stretches = stretches_of(moments, window);
    add_times(figures, stretches);
    add_gaps(figures, stretches);
    add_recoveries(figures, moments, times.events);
    add_calls(figures, actor, window, times.end);
    add_messages(figures, actor, window);
    return figures;
}

Figures together(const std::vector<Figures>& all) {
    Figures sum;
    if (all.empty()) return sum;
    sum.registered_after = 0;
    sum.node = all.front().node;
    sum.recovery.assign(all.front().recovery.size(), 0);
    for (const auto& one : all) {
        sum.registered_after = std::max(sum.registered_after, one.registered_after);
        sum.there += one.there;
        sum.reachable += one.reachable;
        sum.all_answer += one.all_answer;
        sum.is_mapping += one.is_mapping;
        if (one.worst_gap > sum.worst_gap) sum.worst_lasts = false;
        if (one.worst_gap >= sum.worst_gap) sum.worst_lasts = sum.worst_lasts || one.worst_lasts;
        sum.worst_gap = std::max(sum.worst_gap, one.worst_gap);
        sum.gap_lasts = sum.gap_lasts || one.gap_lasts;
        sum.calls += one.calls;
        sum.lost += one.lost;
        sum.late += one.late;
        sum.twice += one.twice;
        sum.moves += one.moves;
        sum.unregisters += one.unregisters;
        sum.stale_most = std::max(sum.stale_most, one.stale_most);
        sum.stale_for += one.stale_for;
        sum.bindings_most = std::max(sum.bindings_most, one.bindings_most);
        sum.registers += one.registers;
        sum.requests += one.requests;
        for (std::size_t i = 0; i < sum.recovery.size(); ++i)
            sum.recovery[i] = std::max(sum.recovery[i], one.recovery[i]);
    }
    return sum;
}

}  // namespace holdfast::lab::scenario
