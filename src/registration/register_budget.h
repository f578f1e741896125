// I5: however many reasons there are to REGISTER, an account never storms. What the rules ask for
// stays far below these numbers; they hold where several faults come together (decisions 0003 and
// 0006). A refresh that is due is no storm, however short the registrar's grants are: it knows the
// limits of 10 s alone, and takes nothing of the others' 10 min.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace holdfast::registration {

class RegisterBudget {
public:
    enum class For : std::uint8_t {
        search,   // a new search begins: over 10 min they are spread, so that there is always one
                  // soon
        attempt,  // the next target of a search
        answer,   // the answer to a challenge or a refusal: up to I5's own numbers
        refresh,  // B4: at the target that has the binding
        refresh_answer,  // to a challenge of a refresh
        settle,          // B7: what is left elsewhere; as a search, and half of that is left to one
    };
    void spent(Instant now, const Target& target, For what);
    // Until when nothing of that kind may be sent to this target; nothing: now. targets: n, how
    // many there are.
    [[nodiscard]] std::optional<Instant> exhausted_until(Instant now, const Target& target,
                                                         std::size_t targets, For what) const;

private:
    struct Spent {
        Instant at;
        Target target;
        bool due = false;  // a refresh, or its answer
    };
    [[nodiscard]] std::optional<Instant> spread_until(Instant now, std::size_t targets,
                                                      For what) const;
    std::vector<Spent> spent_;  // of the last 10 min
};

}  // namespace holdfast::registration
