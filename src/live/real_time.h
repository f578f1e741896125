// A simulated internet on the host's clock: the same machines, the same queue, but what is due at
// an instant is performed when that instant has come.
#pragma once

#include <functional>

#include "lab/internet.h"
#include "runtime/loop.h"

namespace holdfast::live {

class RealTime {
public:
    RealTime(runtime::Loop& loop, lab::Internet& internet);

    // Whatever reaches the simulated internet from outside: what was due before goes first, then
    // the action, then what it leads to at once. Inside an action it may be called again: that is
    // performed in its turn.
    void happen(const std::function<void()>& action);
    // The host's time for an instant of the simulated internet.
    [[nodiscard]] Instant boot_time_of(Instant simulated) const { return simulated + offset_; }

private:
    void catch_up();

    lab::Internet& internet_;
    Duration offset_{};  // what the host's clock is ahead
    bool busy_ = false;
    runtime::Timer timer_;
};

}  // namespace holdfast::live
