// L7: from a target that works back to a better one. To a better priority: after 45–60 s of good
// probes, one every 8–12 s. To a better rank inside a priority: at a refresh drawn from the hour
// after 10 min of health.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/random.h"
#include "base/time.h"
#include "location/lookup.h"
#include "registration/machine.h"

namespace holdfast::registration {

class FailbackWatch {
public:
    // We are (now) at `current`; ranked is the order without penalties. Called after each
    // registration and lookup.
    void settle(Instant now, const Target& current, const std::vector<location::Candidate>& ranked,
                Random& random);
    void stop();
    void on_probed(Instant now, const Target& target, ProbeResult result, Random& random);
    // What to probe now.
    std::vector<Target> take_probes(Instant now, Random& random);
    // A better priority that has been good for long enough; asked after take_probes and on_probed.
    [[nodiscard]] std::optional<Target> better_priority(Instant now) const;
    // At a refresh: a better rank of the same priority whose hour has come.
    [[nodiscard]] std::optional<Target> better_rank(Instant now) const;
    // A failback was made, and undone when we leave its target soon after: then the next waits
    // twice as long.
    void made(Instant now, const Target& to);
    void left(Instant now, const Target& target);
    [[nodiscard]] Deadline next_deadline() const { return {next_probe_, "failback (L7)"}; }

private:
    struct Watched {
        bool better_priority = false;
        Instant good_since = never;
        Duration needed{};  // 45–60 s, or 10–70 min
    };
    [[nodiscard]] std::optional<Target> ready(Instant now, bool priority) const;

    std::optional<Target> current_;
    std::vector<Target> order_;
    std::map<Target, Watched> watched_;
    Instant next_probe_ = never;
    std::uint32_t factor_ = 1;
    Instant made_at_{};
    std::optional<Target> made_to_;
};

}  // namespace holdfast::registration
