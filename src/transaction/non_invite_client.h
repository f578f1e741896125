// RFC 3261 §17.1.2, Figure 6: the client side of every request but INVITE (and ACK).
//
//     NonInviteClient transaction{now, {.flow = flow, .reliable = false, .bytes = wire},
//     timer_values, outbox};  // sends switch (transaction.on_response(now, message.status())) … //
//     matched by branch: matching.h switch (transaction.on_time(now, outbox)) … if
//     (transaction.is_done()) forget it
#pragma once

#include <cstdint>
#include <string>

#include "base/outbox.h"
#include "base/time.h"
#include "base/timers.h"
#include "transaction/result.h"
#include "transaction/timer_values.h"

namespace holdfast::transaction {

class NonInviteClient {
public:
    NonInviteClient(Instant now, Outgoing request, const TimerValues& values, Outbox& outbox);

    // provisional, final_response (the first), else absorbed. Over a reliable transport the final
    // response ends the transaction (Timer K is 0): is_done() then.
    ClientResult on_response(Instant now, int status);
    ClientResult on_transport_error();  // the flow failed under a request not yet answered
    ClientResult on_time(Instant now, Outbox& outbox);  // pending, timed_out or done
    // The attempt is abandoned (F3), answers and Timer F still count.
    void stop_retransmitting();

    [[nodiscard]] Deadline next_deadline() const;
    [[nodiscard]] bool is_done() const { return state_ == State::terminated; }
    [[nodiscard]] bool has_final_response() const { return answered_; }
    [[nodiscard]] bool was_retransmitted() const {
        return retransmitted_;
    }  // then an answer tells no RTT (Karn)
    [[nodiscard]] Instant sent_at() const { return sent_at_; }
    [[nodiscard]] FlowId flow() const { return request_.flow; }

private:
    enum class State : std::uint8_t { trying, proceeding, completed, terminated };
    enum class Timer : std::uint8_t { e, f, k, count };
    ClientResult terminate(ClientResult result);

    Outgoing request_;
    TimerValues values_;
    Timers<Timer> timers_;
    Duration interval_;
    Instant sent_at_;
    State state_ = State::trying;
    bool answered_ = false;
    bool retransmitted_ = false;
};

}  // namespace holdfast::transaction
