#include "media/lost_device.h"

#include <algorithm>
#include <utility>

namespace holdfast::media {

bool LostDevice::failed(Instant now) {
    // One that is there and cannot be used is left alone for longer each time.
    if (tried_at_) wait_ = std::min(wait_ * 2, longest_wait);
    next_look_ = now + wait_;
    tried_at_.reset();
    return !std::exchange(is_told_, true);
}

void LostDevice::tried(Instant now) {
    next_look_.reset();
    tried_at_ = now;
}

bool LostDevice::is_back(Instant now) {
    if (!tried_at_ || now < *tried_at_ + settled) return false;
    forget();
    return true;
}

}  // namespace holdfast::media
