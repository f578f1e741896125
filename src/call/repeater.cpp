#include "call/repeater.h"

#include <algorithm>

#include "call/limits.h"

namespace holdfast::call {

void Repeater::start(Instant now, Ceiling ceiling) {
    ceiling_ = ceiling;
    interval_ = limits::t1;
    again_ = now + interval_;
    end_ = now + limits::give_up;
}

Repeater::Do Repeater::on_time(Instant now) {
    if (!is_running()) return Do::nothing;
    if (end_ <= now) {  // after a long sleep the end counts
        stop();
        return Do::give_up;
    }
    if (now < again_) return Do::nothing;
    interval_ = ceiling_ == Ceiling::t2 ? std::min(2 * interval_, limits::t2) : 2 * interval_;
    again_ = now + interval_;  // from now: a late wake-up sends one, not ten
    return Do::send_again;
}

}  // namespace holdfast::call
