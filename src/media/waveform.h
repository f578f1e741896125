// Sound that needs no device: silence, tones with a cadence, a clip in memory. 16-bit mono, made
// frame by frame.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/time.h"

namespace holdfast::media {

struct Clip {
    std::uint32_t rate = 0;  // samples per second
    std::vector<std::int16_t> samples;
};

struct Tone {
    std::array<double, 2> hertz{};  // 0: none
    double level = -10;             // of each, dB below full scale
    Duration on{};                  // 0: all the time
    Duration off{};
};

class Waveform {
public:
    explicit Waveform(std::uint32_t rate);  // of what fill() makes, > 0

    void silence();
    void play(const Tone& tone);
    // `clip` has this waveform's rate.
    void play(std::shared_ptr<const Clip> clip, bool loop);
    // True: a clip that does not loop has ended within this frame; told once.
    bool fill(std::span<std::int16_t> frame);
    [[nodiscard]] std::uint32_t rate() const { return rate_; }

private:
    void fill_with_tone(std::span<std::int16_t> frame);

    std::uint32_t rate_;
    Tone tone_{};
    std::uint64_t tone_at_ = 0;  // samples since the tone's begin
    std::shared_ptr<const Clip> clip_;
    bool loop_ = false;
    std::size_t clip_at_ = 0;
};

}  // namespace holdfast::media
