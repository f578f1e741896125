// What happens to a packet on its way between two hosts: delay, jitter, loss, duplication,
// reordering.
#pragma once

#include <map>
#include <optional>
#include <utility>

#include "base/random.h"
#include "base/time.h"
#include "lab/packet.h"

namespace holdfast::lab {

struct LinkOptions {
    Duration one_way_delay = std::chrono::milliseconds(10);
    Duration jitter{};       // 0 … jitter more, drawn for each packet; order is kept
    double loss = 0;         // share of packets that never arrive
    double duplication = 0;  // share that arrives twice
    double reorder = 0;      // share that is overtaken: late by up to two more one-way delays
};

class Link {
public:
    Link(LinkOptions options, Random random) : options_(options), random_(std::move(random)) {}

    [[nodiscard]] const LinkOptions& options() const { return options_; }
    void set(LinkOptions options) { options_ = options; }

    // When the packet arrives; nothing: it is lost.
    std::optional<Instant> arrival(Instant now, const Packet& packet);
    bool duplicates();

private:
    bool happens(double share);

    LinkOptions options_;
    Random random_;
    std::map<std::pair<IpAddress, IpAddress>, Instant>
        latest_;  // of each direction: keeps the order
};

}  // namespace holdfast::lab
