// RFC 3261 §17.1.1, Figure 5, with state accepted of RFC 6026 §7.2: the client side of INVITE.
// It acknowledges 300–699 itself; the ACK for a 2xx is the dialog's (§13.2.2.4).
#pragma once

#include <cstdint>
#include <string>

#include "base/outbox.h"
#include "base/time.h"
#include "base/timers.h"
#include "sip/message.h"
#include "transaction/result.h"
#include "transaction/timer_values.h"

namespace holdfast::transaction {

class InviteClient {
public:
    InviteClient(Instant now, Outgoing invite, const TimerValues& values, Outbox& outbox);

    // provisional, success (every 2xx, copies too), final_response (the first 300–699), else
    // absorbed.
    ClientResult on_response(Instant now, const sip::Message& response, Outbox& outbox);
    ClientResult on_transport_error();
    ClientResult on_time(Instant now, Outbox& outbox);
    // The user sent CANCEL: without a final response in 64·T1 the transaction is over (RFC 3261
    // §9.1).
    void cancelled(Instant now);
    void stop_retransmitting();

    [[nodiscard]] Deadline next_deadline() const;
    [[nodiscard]] bool is_done() const { return state_ == State::terminated; }
    [[nodiscard]] bool had_provisional() const {
        return provisional_;
    }  // CANCEL only after a 1xx (RFC 3261 §9.1)
    [[nodiscard]] bool was_retransmitted() const { return retransmitted_; }
    [[nodiscard]] const std::string& invite() const { return invite_.bytes; }
    [[nodiscard]] FlowId flow() const { return invite_.flow; }

private:
    enum class State : std::uint8_t { calling, proceeding, completed, accepted, terminated };
    enum class Timer : std::uint8_t { a, b, d, m, count };
    ClientResult on_final(Instant now, const sip::Message& response, Outbox& outbox);
    ClientResult terminate(ClientResult result);

    Outgoing invite_;
    TimerValues values_;
    Timers<Timer> timers_;
    std::string ack_;  // sent again for each copy of the final response
    Duration interval_;
    State state_ = State::calling;
    bool provisional_ = false;
    bool retransmitted_ = false;
};

}  // namespace holdfast::transaction
