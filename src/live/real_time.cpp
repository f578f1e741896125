#include "live/real_time.h"

#include "runtime/clock.h"

namespace holdfast::live {

RealTime::RealTime(runtime::Loop& loop, lab::Internet& internet)
    : internet_(internet),
      offset_(runtime::boot_time() - internet.now()),
      timer_(loop, [this] { happen([] {}); }) {}

void RealTime::happen(const std::function<void()>& action) {
    if (busy_) return action();
    busy_ = true;
    catch_up();
    action();
    catch_up();
    busy_ = false;
    const auto next = internet_.next_at();
    timer_.arm(next == never ? never : boot_time_of(next));
}

void RealTime::catch_up() {
    const auto now = runtime::boot_time() - offset_;
    while (internet_.step(now)) {
    }
    internet_.advance_to(now);
}

}  // namespace holdfast::live
