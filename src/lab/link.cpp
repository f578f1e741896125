#include "lab/link.h"

#include <algorithm>

namespace holdfast::lab {

bool Link::happens(double share) { return share > 0 && random_.unit() < share; }

std::optional<Instant> Link::arrival(Instant now, const Packet& packet) {
    if (happens(options_.loss)) return std::nullopt;
    auto at = now + options_.one_way_delay;
    if (options_.jitter > Duration{}) at += random_.between(Duration{}, options_.jitter);
    if (happens(options_.reorder))
        return at + random_.between(Duration{}, 2 * options_.one_way_delay);
    auto& latest = latest_[{packet.from.address, packet.to.address}];
    latest = std::max(latest, at);
    return latest;
}

bool Link::duplicates() { return happens(options_.duplication); }

}  // namespace holdfast::lab
