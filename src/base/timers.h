// A table of timers indexed by an enum: one slot each, re-armed from now, taken when due. A fired
// timer is already stopped; a spurious call takes nothing.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "base/time.h"

namespace holdfast {

// TimerName is an enum class whose last enumerator is `count`.
template <class TimerName>
class Timers {
public:
    void arm(TimerName timer, Instant at) { slots_[index(timer)] = at; }
    void stop(TimerName timer) { slots_[index(timer)] = never; }
    void stop_all() { slots_.fill(never); }
    [[nodiscard]] bool is_armed(TimerName timer) const { return slots_[index(timer)] != never; }
    [[nodiscard]] Instant at(TimerName timer) const { return slots_[index(timer)]; }

    // The earliest timer that is due, stopped; enum order breaks a tie.
    std::optional<TimerName> take_due(Instant now) {
        std::size_t earliest = size;
        for (std::size_t i = 0; i < size; ++i)
            if (slots_[i] != never &&
                slots_[i] <= now &&  // stopped is not due, not even at `never`
                (earliest == size || slots_[i] < slots_[earliest]))
                earliest = i;
        if (earliest == size) return std::nullopt;
        slots_[earliest] = never;
        return static_cast<TimerName>(earliest);
    }

    [[nodiscard]] Instant next() const {
        Instant earliest = never;
        for (const auto at : slots_) earliest = at < earliest ? at : earliest;
        return earliest;
    }

private:
    static constexpr std::size_t size = static_cast<std::size_t>(TimerName::count);
    static constexpr std::size_t index(TimerName timer) { return static_cast<std::size_t>(timer); }
    static constexpr std::array<Instant, size> all_stopped() {
        std::array<Instant, size> slots{};
        slots.fill(never);
        return slots;
    }
    std::array<Instant, size> slots_ = all_stopped();
};

}  // namespace holdfast
