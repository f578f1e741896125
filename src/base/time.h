// Engine time: a clock that is told the time. Inside the engine nobody can ask what time it is;
// every call is handed the instant (docs/architecture.md, "Told, never asks").
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace holdfast {

// now() does not exist, and steady_clock::time_point does not convert. The runtime feeds
// CLOCK_BOOTTIME.
struct EngineClock {
    using rep = std::int64_t;
    using period = std::micro;
    using duration = std::chrono::duration<rep, period>;
    using time_point = std::chrono::time_point<EngineClock>;
    static constexpr bool is_steady = true;
    static time_point now() = delete;
};

using Duration = EngineClock::duration;
using Instant = EngineClock::time_point;

constexpr Instant never = Instant::max();

// When a machine wants to be called again, and why it does.
struct Deadline {
    Instant at = never;
    std::string_view reason = "idle";
};

// The sooner of two deadlines; the first wins a tie, so that the order of machines decides and a
// run repeats.
constexpr Deadline sooner(Deadline a, Deadline b) { return b.at < a.at ? b : a; }

constexpr double seconds_of(Duration d) { return static_cast<double>(d.count()) / 1e6; }

// Towards zero to a whole microsecond; what does not fit is the longest duration, so that a
// back-off that doubles for ever stays defined until its cap cuts it.
constexpr Duration scaled(Duration d, double factor) {
    const double ticks = static_cast<double>(d.count()) * factor;
    constexpr double past_the_end = 0x1p63;
    if (!(ticks < past_the_end)) return Duration::max();
    if (ticks <= -past_the_end) return Duration::min();
    return Duration{static_cast<std::int64_t>(ticks)};
}

}  // namespace holdfast
