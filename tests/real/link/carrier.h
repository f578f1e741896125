// The lab's link between two TUN devices, on the host's clock: what one device sends arrives at the
// other late, twice, out of order or never.
//
//   host ─ TUN ─► carrier: lab::Link says when ─► lab::Internet's queue ─► TUN ─ host
//
// Each direction draws from a source of its own: which packets of it are lost depends on the seed
// and on their number alone, not on what goes the other way.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/random.h"
#include "lab/internet.h"
#include "lab/link.h"
#include "live/real_time.h"
#include "runtime/descriptor.h"
#include "runtime/loop.h"

namespace holdfast::real {

struct Counts {  // packets since the start, both directions together
    std::uint64_t taken = 0;
    std::uint64_t lost = 0;
    std::uint64_t doubled = 0;
    std::uint64_t overflowed = 0;  // more than `most_on_the_way` would have been on the way
    std::uint64_t delivered = 0;
    std::uint64_t undelivered = 0;  // the kernel did not take it: the device is down
};

class Carrier {
public:
    struct Options {
        lab::LinkOptions link;
        std::size_t most_on_the_way = 10'000;
    };

    // `on_failure` is told once for each device that is gone, with the system's error.
    Carrier(runtime::Loop& loop, std::array<runtime::Descriptor, 2> devices, const Seed& seed,
            const Options& options, std::function<void(int error)> on_failure);

    [[nodiscard]] const Counts& counts() const { return counts_; }

private:
    void on_readable(std::size_t from);
    void carry(std::size_t from, const std::string& packet);
    void deliver_at(Instant when, std::size_t to, const std::string& packet);

    std::array<runtime::Descriptor, 2> devices_;
    Options options_;
    std::function<void(int)> on_failure_;
    lab::Internet internet_;  // its queue alone
    std::array<lab::Link, 2> links_;
    live::RealTime time_;
    std::size_t on_the_way_ = 0;
    Counts counts_;
    std::array<char, 65536> buffer_{};
    std::array<runtime::Watch, 2> watches_;
};

}  // namespace holdfast::real
