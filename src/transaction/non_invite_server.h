// RFC 3261 §17.2.2, Figure 8: the server side of every request but INVITE and ACK.
#pragma once

#include <cstdint>
#include <string>

#include "base/outbox.h"
#include "base/time.h"
#include "base/timers.h"
#include "transaction/result.h"
#include "transaction/timer_values.h"

namespace holdfast::transaction {

class NonInviteServer {
public:
    // path.bytes is not used: there is nothing to send yet.
    NonInviteServer(const Outgoing& path, const TimerValues& values);

    void respond(Instant now, int status, std::string bytes,
                 Outbox& outbox);     // after a final response: discarded
    void on_request(Outbox& outbox);  // the request again: the last response again
    ServerResult on_transport_error();
    ServerResult on_time(Instant now);

    [[nodiscard]] Deadline next_deadline() const;
    [[nodiscard]] bool is_done() const { return state_ == State::terminated; }
    [[nodiscard]] FlowId flow() const { return last_.flow; }

private:
    enum class State : std::uint8_t { trying, proceeding, completed, terminated };
    enum class Timer : std::uint8_t { j, count };

    Outgoing last_;  // the last response
    TimerValues values_;
    Timers<Timer> timers_;
    State state_ = State::trying;
};

}  // namespace holdfast::transaction
