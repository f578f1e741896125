// The constants of RFC 3261 §17.1.1.1 and Table 4 (appendix A). A preset may have others.
#pragma once

#include "base/time.h"

namespace holdfast::transaction {

struct TimerValues {
    Duration t1 = std::chrono::milliseconds{500};  // estimate of the round-trip time
    Duration t2 =
        std::chrono::seconds{4};  // longest interval of non-INVITE requests and INVITE responses
    Duration t4 = std::chrono::seconds{5};  // longest life of a message in the network
    Duration d = std::chrono::seconds{32};  // Timer D: at least 32 s over unreliable transports
    Duration trying =
        std::chrono::milliseconds{200};  // §17.2.1: 100 Trying unless the user answers sooner

    [[nodiscard]] constexpr Duration give_up() const {
        return 64 * t1;
    }  // Timers B, F, H, J, L and M
    friend bool operator==(const TimerValues&, const TimerValues&) = default;
};

}  // namespace holdfast::transaction
