// What a run comes to, for one phone or for all, between two moments of it.
#pragma once

#include <limits>
#include <optional>
#include <vector>

#include "lab/scenario_record.h"

namespace holdfast::lab::scenario {

struct Window {
    Instant from = Internet::start;
    Instant to = never;
};

// Shares are of the time in which the phone was there: switched on, awake, plugged in.
struct Figures {
    static constexpr double not_yet = std::numeric_limits<double>::infinity();

    double registered_after =
        not_yet;               // s from on or the window's beginning; of several the latest
    double there = 0;          // s
    double reachable = 0;      // s of these
    double all_answer = 0;     // s
    double is_mapping = 0;     // s
    double worst_gap = 0;      // s; from the fault or the start on
    bool worst_lasts = false;  // that one had not ended at the end
    bool gap_lasts = false;    // one had not, be it the worst or not
    std::size_t calls = 0;
    std::size_t lost = 0;
    std::size_t late = 0;   // rang, but after more than a second
    std::size_t twice = 0;  // rang at two bindings
    std::size_t moves = 0;
    std::size_t unregisters = 0;
    std::size_t stale_most = 0;
    double stale_for = 0;  // s with one at least
    std::size_t bindings_most = 0;
    std::size_t registers = 0;  // sent, answers to challenges included
    std::size_t requests = 0;   // sent, REGISTERs included
    // One for each event: s from it until reachable, 0 if it stayed so.
    std::vector<double> recovery{};
    std::string node{};  // where it is at the end of the window; of several the first's

    [[nodiscard]] double share(double seconds) const {
        return there > 0 ? 100 * seconds / there : 0;
    }
};

// What the figures of every window are made with.
struct RunTimes {
    std::vector<Instant> events{};  // when each happened
    Instant end = never;            // of the run: a call that waits then is none
};

Figures figures_of(const Stage::Actor& actor, const std::vector<TimedMoment>& moments,
                   const Window& window, const RunTimes& times);
// Of all: sums of what is counted, the worst of what is worst.
Figures together(const std::vector<Figures>& all);

}  // namespace holdfast::lab::scenario
