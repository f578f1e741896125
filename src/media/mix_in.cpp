#include "media/mix_in.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace holdfast::media {

MixIn::MixIn(std::uint32_t rate) : reserve_(rate / 50), most_(rate / 5) { CHECK(rate > 0); }

void MixIn::put(std::span<const std::int16_t> samples) {
    samples_.insert(samples_.end(), samples.begin(), samples.end());
    if (samples_.size() <= most_) return;
    // Whoever takes them has paused: down to the reserve at once, else the delay stays.
    const auto late = static_cast<std::ptrdiff_t>(samples_.size() - reserve_);
    samples_.erase(samples_.begin(), samples_.begin() + late);
}

void MixIn::add_to(std::span<std::int16_t> frame) {
    const std::size_t needed = frame.size() + (flows_ ? 0 : reserve_);
    flows_ = samples_.size() >= needed;
    if (!flows_) return;
    constexpr int lowest = std::numeric_limits<std::int16_t>::min();
    constexpr int highest = std::numeric_limits<std::int16_t>::max();
    for (auto& sample : frame) {
        sample = static_cast<std::int16_t>(std::clamp(sample + samples_.front(), lowest, highest));
        samples_.pop_front();
    }
}

}  // namespace holdfast::media
