// When a tone is heard in a sound, for tests (Goertzel's filter).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <ostream>
#include <span>
#include <vector>

namespace holdfast::media {

constexpr double to_the_end = std::numeric_limits<double>::infinity();

// Seconds since the sound's begin; equal if they differ by no more than two windows.
struct OnTime {
    double from = 0;
    double to = 0;
    static constexpr double window = 0.02;
    friend bool operator==(const OnTime& a, const OnTime& b) {
        const auto near = [](double x, double y) {
            return x == y || std::abs(x - y) <= 2 * window;
        };
        return near(a.from, b.from) && near(a.to, b.to);
    }
    friend void PrintTo(const OnTime& time, std::ostream* out) {
        *out << time.from << " to " << time.to << " s";
    }
};

// The amplitude of one frequency in the samples; that of full scale is 32767. Hann's window keeps
// what is 100 Hz away out of it, in 20 ms.
inline double amplitude_at(double hertz, std::span<const std::int16_t> samples, double rate) {
    const double step = 2 * std::numbers::pi * hertz / rate;
    double before = 0;
    double last = 0;
    for (std::size_t n = 0; n < samples.size(); ++n) {
        const double place = static_cast<double>(n) / static_cast<double>(samples.size());
        const double hann = 1 - std::cos(2 * std::numbers::pi * place);
        const double next = hann * samples[n] + 2 * std::cos(step) * last - before;
        before = last;
        last = next;
    }
    const double power = last * last + before * before - 2 * std::cos(step) * last * before;
    return 2 * std::sqrt(std::max(power, 0.0)) / static_cast<double>(samples.size());
}

// When `hertz` is there, softly (-34 dB below full scale) or loudly. One that is still on at the
// end is on to_the_end.
inline std::vector<OnTime> times_on(std::span<const std::int16_t> sound, double rate,
                                    double hertz) {
    constexpr double threshold = 650;
    const auto size = static_cast<std::size_t>(OnTime::window * rate);
    std::vector<OnTime> times;
    bool was_on = false;
    for (std::size_t at = 0; at + size <= sound.size(); at += size) {
        const bool is_on = amplitude_at(hertz, sound.subspan(at, size), rate) > threshold;
        const double now = static_cast<double>(at) / rate;
        if (is_on && !was_on) times.push_back({.from = now, .to = to_the_end});
        if (!is_on && was_on) times.back().to = now;
        was_on = is_on;
    }
    return times;
}

}  // namespace holdfast::media
