// RFC 3261 §17.2.1, Figure 7, with state accepted of RFC 6026 §7.1: the server side of INVITE.
// It repeats 300–699 until the ACK; a 2xx is repeated by the dialog (RFC 3261 §13.3.1.4), through
// respond().
#pragma once

#include <cstdint>
#include <string>

#include "base/outbox.h"
#include "base/time.h"
#include "base/timers.h"
#include "transaction/result.h"
#include "transaction/timer_values.h"

namespace holdfast::transaction {

class InviteServer {
public:
    // trying.bytes: the 100 to send if the user has not answered in 200 ms; "": none.
    InviteServer(Instant now, Outgoing trying, const TimerValues& values);

    // Provisional: sent and repeated for copies of the INVITE. 2xx: sent, also again. 300–699: sent
    // until its ACK. Any other final response after the first is discarded.
    void respond(Instant now, int status, std::string bytes, Outbox& outbox);
    void on_request(Outbox& outbox);  // the INVITE again
    ServerResult on_ack(Instant now);
    ServerResult on_transport_error();
    ServerResult on_time(Instant now, Outbox& outbox);

    [[nodiscard]] Deadline next_deadline() const;
    [[nodiscard]] bool is_done() const { return state_ == State::terminated; }
    [[nodiscard]] bool has_final_response() const { return state_ != State::proceeding; }
    [[nodiscard]] FlowId flow() const { return last_.flow; }

private:
    enum class State : std::uint8_t { proceeding, completed, confirmed, accepted, terminated };
    enum class Timer : std::uint8_t { trying, g, h, i, l, count };
    ServerResult terminate(ServerResult result);

    Outgoing last_;  // the last response, or the 100 that waits for its time
    TimerValues values_;
    Timers<Timer> timers_;
    Duration interval_;
    State state_ = State::proceeding;
    bool responded_ = false;
};

}  // namespace holdfast::transaction
