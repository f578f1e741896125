#include "media/waveform.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "base/check.h"

namespace holdfast::media {

Waveform::Waveform(std::uint32_t rate) : rate_(rate) { CHECK(rate > 0); }

void Waveform::silence() {
    tone_ = {};
    clip_.reset();
}

void Waveform::play(const Tone& tone) {
    clip_.reset();
    tone_ = tone;
    tone_at_ = 0;
}

void Waveform::play(std::shared_ptr<const Clip> clip, bool loop) {
    CHECK(clip && clip->rate == rate_);
    tone_ = {};
    clip_ = std::move(clip);
    loop_ = loop;
    clip_at_ = 0;
}

void Waveform::fill_with_tone(std::span<std::int16_t> frame) {
    const auto samples_of = [&](Duration d) {
        return static_cast<std::uint64_t>(d.count()) * rate_ / 1'000'000;
    };
    const std::uint64_t on = samples_of(tone_.on);
    const std::uint64_t period = on + samples_of(tone_.off);
    const double peak = 32767 * std::pow(10.0, tone_.level / 20);
    for (auto& sample : frame) {
        double value = 0;
        if (on == 0 || tone_at_ % period < on) {
            for (const double hertz : tone_.hertz) {
                value +=
                    std::sin(2 * std::numbers::pi * hertz * static_cast<double>(tone_at_) / rate_);
            }
        }
        sample = static_cast<std::int16_t>(std::clamp(value * peak, -32768.0, 32767.0));
        ++tone_at_;
    }
}

bool Waveform::fill(std::span<std::int16_t> frame) {
    if (!clip_) {
        if (tone_.hertz == std::array<double, 2>{}) {
            std::ranges::fill(frame, std::int16_t{0});
        } else {
            fill_with_tone(frame);
        }
        return false;
    }
    const auto& samples = clip_->samples;
    while (!frame.empty() && !samples.empty()) {
        const auto count = std::min(frame.size(), samples.size() - clip_at_);
        std::copy_n(samples.begin() + static_cast<std::ptrdiff_t>(clip_at_), count, frame.begin());
        frame = frame.subspan(count);
        clip_at_ += count;
        if (clip_at_ < samples.size()) continue;
        clip_at_ = 0;
        if (!loop_) break;
    }
    if (!samples.empty() && (loop_ || clip_at_ > 0)) return false;
    std::ranges::fill(frame, std::int16_t{0});
    clip_.reset();
    return true;
}

}  // namespace holdfast::media
