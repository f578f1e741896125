#include "media/jitter_control.h"

#include <algorithm>
#include <utility>

namespace holdfast::media {

bool JitterControl::look(const Seen& seen, Instant now) {
    if (is_fixed_) return false;
    const bool is_late = seen.late > std::exchange(late_, seen.late);
    if (seen.packets == std::exchange(packets_, seen.packets)) {
        calm_since_.reset();  // nothing comes, and nothing is learned
        return false;
    }
    if (is_late) {
        if (has_lowered_) wanted_calm_ = std::min(wanted_calm_ * 2, calm_most);
        has_lowered_ = false;
        calm_since_.reset();
        return std::exchange(held_, std::min(held_ + step, most)) != held_;
    }
    if (!calm_since_) {
        calm_since_ = now;
        worst_ = {};
    }
    worst_ = std::max(worst_, seen.jitter);
    if (now - *calm_since_ < wanted_calm_) return false;
    calm_since_.reset();
    // RFC 3550's jitter is a mean: the odd packet is some times as late.
    const auto enough = std::clamp(worst_ * 4 + Duration{10'000}, least, most);
    if (enough + Duration{10'000} > held_) return false;  // not worth the gap
    has_lowered_ = true;
    held_ = enough;
    return true;
}

}  // namespace holdfast::media
