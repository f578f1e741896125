// A response to an INVITE that is sent again until the other side has it: a 2xx until its ACK (RFC
// 3261 §13.3.1.4), a reliable provisional one until its PRACK (RFC 3262 §3).
#pragma once

#include <cstdint>

#include "base/time.h"

namespace holdfast::call {

class Repeater {
public:
    enum class Ceiling : std::uint8_t {
        none,  // RFC 3262 §3: T1, 2·T1, 4·T1, … without T2
        t2,    // RFC 3261 §13.3.1.4: over every transport, for it is end to end
    };
    enum class Do : std::uint8_t {
        nothing,
        send_again,
        give_up,  // 64·T1 after the first
    };
    void start(Instant now, Ceiling ceiling);
    void stop() { again_ = end_ = never; }
    Do on_time(Instant now);
    [[nodiscard]] bool is_running() const { return end_ != never; }
    [[nodiscard]] Instant next() const { return again_ < end_ ? again_ : end_; }

private:
    Instant again_ = never;
    Instant end_ = never;
    Duration interval_{};
    Ceiling ceiling_ = Ceiling::t2;
};

}  // namespace holdfast::call
