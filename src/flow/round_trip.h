// Round-trip time of a flow: what F3's patience and F9's repetition are measured by.
#pragma once

#include <algorithm>
#include <optional>

#include "base/time.h"

namespace holdfast::flow {

class RoundTrip {
public:
    // Only of exchanges without repetition: the answer to a repeated request does not say which
    // copy it answers.
    void add(Duration sample) {
        sample = std::max(sample, Duration{0});
        smoothed_ = smoothed_ ? *smoothed_ + (sample - *smoothed_) / 8
                              : sample;  // as TCP does, RFC 6298 §2.3
        least_ = least_ ? std::min(*least_, sample) : sample;
    }
    [[nodiscard]] std::optional<Duration> smoothed() const { return smoothed_; }
    [[nodiscard]] std::optional<Duration> least() const { return least_; }

private:
    std::optional<Duration> smoothed_;
    std::optional<Duration> least_;
};

}  // namespace holdfast::flow
