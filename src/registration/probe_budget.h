// I5: all requests of an account ≤ 400 + 6n in 10 min. One outage stays below that; where several
// follow each other, S1's rounds of probes become as rare as they are in an old outage (decision
// 0006).
#pragma once

#include <cstddef>
#include <vector>

#include "base/time.h"

namespace holdfast::registration {

class ProbeBudget {
public:
    void spent(Instant now);  // a REGISTER or a probe was asked for
    // Whether rounds are seldom now.
    bool runs_short(Instant now);
    // Whether a round of probes may be made now; if so, it is the last one made.
    bool take_round(Instant now);
    [[nodiscard]] Instant next_round() const;  // when one may be made that could not be taken

private:
    void forget_old(Instant now);

    std::vector<Instant> spent_;  // of the last 10 min
    Instant last_round_{};
};

}  // namespace holdfast::registration
