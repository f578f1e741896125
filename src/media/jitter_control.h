// How much sound the jitter buffer holds: what the network needs, and no more, for all of it is
// delay.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace holdfast::media {

class JitterControl {
public:
    static constexpr Duration first = std::chrono::milliseconds{60};
    static constexpr Duration least = std::chrono::milliseconds{20};
    static constexpr Duration most = std::chrono::milliseconds{200};
    static constexpr Duration step = std::chrono::milliseconds{20};
    // Without a packet that came late, before less is tried; twice as long after each time that
    // was a mistake.
    static constexpr Duration calm = std::chrono::seconds{5};
    static constexpr Duration calm_most = std::chrono::minutes{5};

    // `fixed`: it stays so.
    explicit JitterControl(std::optional<Duration> fixed = {})
        : held_(fixed.value_or(first)), is_fixed_(fixed.has_value()) {}

    struct Seen {
        std::uint64_t packets = 0;  // that have come so far
        std::uint64_t late = 0;     // of them, after their turn
        Duration jitter{};          // of what comes (RFC 3550 §6.4.1)
    };
    // A few times a second. True: held() is another.
    bool look(const Seen& seen, Instant now);
    [[nodiscard]] Duration held() const { return held_; }

private:
    Duration held_;
    bool is_fixed_;
    std::uint64_t packets_ = 0;
    std::uint64_t late_ = 0;
    Duration worst_{};  // jitter since all is calm
    std::optional<Instant> calm_since_;
    Duration wanted_calm_ = calm;
    bool has_lowered_ = false;
};

}  // namespace holdfast::media
