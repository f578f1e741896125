// A device that went away in a call: when it is looked for, and what is told of it.
#pragma once

#include <chrono>
#include <optional>

#include "base/time.h"

namespace holdfast::media {

class LostDevice {
public:
    static constexpr Duration look_every = std::chrono::seconds{2};
    static constexpr Duration settled = std::chrono::seconds{2};  // it is used, and does not fail
    static constexpr Duration longest_wait = std::chrono::seconds{60};

    // It has failed, for the first time or when it was tried. True: that is to be told; not again
    // before it was back.
    bool failed(Instant now);
    // Whether to look for it now; then one of these two is said.
    [[nodiscard]] bool is_due(Instant now) const { return next_look_ && *next_look_ <= now; }
    void not_there(Instant now) { next_look_ = now + look_every; }
    void tried(Instant now);
    // True once, when it has been used for `settled`: that is to be told.
    bool is_back(Instant now);
    // Another device was given in its place.
    void forget() { *this = LostDevice{}; }

private:
    std::optional<Instant> next_look_;  // lost, and not there
    std::optional<Instant> tried_at_;
    Duration wait_ = look_every;  // after a try that failed
    bool is_told_ = false;
};

}  // namespace holdfast::media
