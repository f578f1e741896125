#include "media/dtmf_tones.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/check.h"
#include "media/dtmf.h"
#include "media/limits.h"

namespace holdfast::media {

namespace {

using namespace std::chrono_literals;

constexpr std::array keys{"123A", "456B", "789C", "*0#D"};
constexpr std::array<double, 4> low{697, 770, 852, 941};
constexpr std::array<double, 4> high{1209, 1336, 1477, 1633};
constexpr double peak = 0.3 * 32767;       // of each tone: -10 dB, and no clipping of the two
constexpr Duration between_digits = 60ms;  // at least 40 ms are told apart (ITU-T Q.24)
constexpr Duration comma = 1s;

std::uint64_t samples_of(Duration duration, std::uint32_t rate) {
    return static_cast<std::uint64_t>(duration.count()) * rate / 1'000'000;
}

}  // namespace

std::optional<std::array<double, 2>> tones_of_digit(char digit) {
    const char upper = digit >= 'a' && digit <= 'd' ? static_cast<char>(digit - 'a' + 'A') : digit;
    for (std::size_t row = 0; row < keys.size(); ++row) {
        const auto column = std::string_view{keys[row]}.find(upper);
        if (column != std::string_view::npos) return std::array{low[row], high[column]};
    }
    return std::nullopt;
}

bool DtmfTones::queue(std::string_view digits, Duration length) {
    if (!are_digits(digits) || digits.size() > limits::dtmf_digits - waiting_.size()) return false;
    for (const char digit : digits)
        waiting_.push_back({.digit = digit, .length = digit_length(length)});
    return true;
}

void DtmfTones::begin(std::uint32_t rate) {
    at_ = 0;
    hertz_ = {};
    voice_ = false;
    if (pause_follows_) {
        pause_follows_ = false;
        left_ = samples_of(between_digits, rate);
        return;
    }
    const Waiting next = waiting_.front();
    waiting_.pop_front();
    const auto tones = tones_of_digit(next.digit);
    voice_ = !tones;
    pause_follows_ = tones.has_value();
    hertz_ = tones.value_or(std::array<double, 2>{});
    left_ = samples_of(tones ? next.length : comma, rate);
}

bool DtmfTones::write(std::span<std::int16_t> frame, std::uint32_t rate) {
    CHECK(rate > 0);
    for (auto& sample : frame) {
        while (left_ == 0) {
            if (!pause_follows_ && waiting_.empty()) return false;  // there was nothing to do
            begin(rate);
        }
        if (!voice_) {
            double value = 0;
            for (const double hertz : hertz_)
                value += std::sin(2 * std::numbers::pi * hertz * static_cast<double>(at_) / rate);
            sample = static_cast<std::int16_t>(value * peak);
        }
        ++at_;
        --left_;
        if (left_ == 0 && !pause_follows_ && waiting_.empty()) return true;
    }
    return false;
}

}  // namespace holdfast::media
