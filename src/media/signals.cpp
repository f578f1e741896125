#include "media/signals.h"

#include <array>
#include <chrono>

namespace holdfast::media {

namespace {

using namespace std::chrono_literals;

// Softly, so that two frequencies together are far from being clipped.
constexpr double tone_level = -18;
constexpr double waiting_level = -24;

Tone in_europe(Signal signal) {
    constexpr std::array<double, 2> hertz{425, 0};
    switch (signal) {
    case Signal::none:
    case Signal::ring: break;
    case Signal::waiting: return {.hertz = hertz, .level = waiting_level, .on = 200ms, .off = 5s};
    case Signal::ring_back: return {.hertz = hertz, .level = tone_level, .on = 1s, .off = 4s};
    case Signal::busy: return {.hertz = hertz, .level = tone_level, .on = 480ms, .off = 480ms};
    case Signal::congestion:
        return {.hertz = hertz, .level = tone_level, .on = 240ms, .off = 240ms};
    }
    return {};
}

Tone in_north_america(Signal signal) {
    switch (signal) {
    case Signal::none:
    case Signal::ring: break;
    case Signal::waiting:
        return {.hertz = {440, 0}, .level = waiting_level, .on = 300ms, .off = 9700ms};
    case Signal::ring_back: return {.hertz = {440, 480}, .level = tone_level, .on = 2s, .off = 4s};
    case Signal::busy: return {.hertz = {480, 620}, .level = tone_level, .on = 500ms, .off = 500ms};
    case Signal::congestion:
        return {.hertz = {480, 620}, .level = tone_level, .on = 250ms, .off = 250ms};
    }
    return {};
}

}  // namespace

Tone tone_of(Signal signal, Tones tones) {
    // Higher than any tone in the ear: small loudspeakers have nothing below.
    if (signal == Signal::ring) return {.hertz = {950, 1200}, .level = -12, .on = 1s, .off = 2s};
    return tones == Tones::europe ? in_europe(signal) : in_north_america(signal);
}

}  // namespace holdfast::media
