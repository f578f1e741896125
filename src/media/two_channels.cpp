#include "media/two_channels.h"

#include <algorithm>
#include <cstdlib>

namespace holdfast::media {

void TwoChannels::add(Side side, std::int64_t at, std::span<const std::int16_t> samples) {
    const auto channel = static_cast<std::size_t>(side);
    std::int64_t& next = next_.at(channel);
    if (std::abs(at - next) <= slack_) at = next;
    for (const std::int16_t sample : samples) {
        const std::int64_t place = at++ - begin_;
        if (place < 0 || place >= furthest) continue;
        const auto index = static_cast<std::size_t>(place);
        if (index >= samples_.size()) samples_.resize(index + 1);
        samples_[index].at(channel) = sample;
    }
    next = at;
}

std::vector<std::int16_t> TwoChannels::take(std::int64_t until) {
    std::vector<std::int16_t> taken;
    if (until <= begin_) return taken;
    const auto count = static_cast<std::size_t>(until - begin_);
    const auto stored = std::min(count, samples_.size());
    taken.reserve(2 * count);
    for (std::size_t n = 0; n < stored; ++n)
        taken.insert(taken.end(), samples_[n].begin(), samples_[n].end());
    taken.resize(2 * count);
    samples_.erase(samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(stored));
    begin_ = until;
    return taken;
}

}  // namespace holdfast::media
