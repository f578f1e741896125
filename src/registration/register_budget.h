// I5: however many reasons there are to REGISTER, an account never storms. What the rules ask for
// stays far below these numbers; they hold where several faults come together.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "base/address.h"
#include "base/time.h"

namespace holdfast::registration {

class RegisterBudget {
public:
    void spent(Instant now, const Target& target);
    // Until when no new attempt may begin at this target; nothing: now. targets: n, how many there
    // are. A little is kept back for the answers to challenges, which are not counted here first.
    [[nodiscard]] std::optional<Instant> exhausted_until(Instant now, const Target& target,
                                                         std::size_t targets) const;

private:
    struct Spent {
        Instant at;
        Target target;
    };
    std::deque<Spent> spent_;  // of the last 10 min
};

}  // namespace holdfast::registration
