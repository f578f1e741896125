// RFC 3261 §17.1.1.2, Figure 5, corrected by RFC 6026 §7.2.
#include "transaction/invite_client.h"

#include <utility>

#include "transaction/ack.h"

namespace holdfast::transaction {

InviteClient::InviteClient(Instant now, Outgoing invite, const TimerValues& values, Outbox& outbox)
    : invite_(std::move(invite)), values_(values), interval_(values.t1) {
    timers_.arm(Timer::b, now + values_.give_up());
    if (!invite_.reliable) timers_.arm(Timer::a, now + interval_);
    outbox.push(out::Send{invite_.flow, invite_.bytes});
}

ClientResult InviteClient::on_response(Instant now, const sip::Message& response, Outbox& outbox) {
    const int status = response.status();
    switch (state_) {
    case State::calling:
    case State::proceeding:
        if (status >= 200) return on_final(now, response, outbox);
        if (state_ == State::calling)
            timers_.stop_all();  // a call may ring for as long as it likes
        state_ = State::proceeding;
        provisional_ = true;
        return ClientResult::provisional;
    case State::completed:
        // The ACK again for each copy, the response itself not again (RFC 3261 §17.1.1.2).
        if (status >= 300) outbox.push(out::Send{invite_.flow, ack_});
        return ClientResult::absorbed;
    case State::accepted:  // RFC 6026 §7.2: any 2xx is the user's; it may be another branch's
        return status >= 200 && status < 300 ? ClientResult::success : ClientResult::absorbed;
    case State::terminated: return ClientResult::absorbed;
    }
    return ClientResult::absorbed;
}

ClientResult InviteClient::on_final(Instant now, const sip::Message& response, Outbox& outbox) {
    timers_.stop_all();
    if (response.status() < 300) {
        state_ = State::accepted;
        timers_.arm(Timer::m, now + values_.give_up());  // RFC 6026 §7.2, all transports
        return ClientResult::success;
    }
    ack_ = ack_for(invite_.bytes, response);
    outbox.push(out::Send{invite_.flow, ack_});  // where the INVITE went (RFC 3261 §17.1.1.2)
    state_ = State::completed;
    if (invite_.reliable)
        terminate(ClientResult::done);  // Timer D is 0
    else
        timers_.arm(Timer::d, now + values_.d);
    return ClientResult::final_response;
}

ClientResult InviteClient::on_transport_error() {
    switch (state_) {
    case State::calling:
    case State::proceeding:
    case State::completed: return terminate(ClientResult::transport_error);
    case State::accepted:  // the ACK is not ours
    case State::terminated: return ClientResult::pending;
    }
    return ClientResult::pending;
}

ClientResult InviteClient::on_time(Instant now, Outbox& outbox) {
    // After a long sleep the end counts, not the copy that should have gone out before it.
    if (timers_.at(Timer::b) <= now) return terminate(ClientResult::timed_out);
    while (const auto timer = timers_.take_due(now)) {
        switch (*timer) {
        case Timer::a:  // T1, 2·T1, 4·T1, … without a ceiling
            outbox.push(out::Send{invite_.flow, invite_.bytes});
            retransmitted_ = true;
            interval_ = 2 * interval_;
            timers_.arm(Timer::a, now + interval_);  // from now: a late wake-up sends one, not ten
            break;
        case Timer::b: return terminate(ClientResult::timed_out);
        case Timer::d:
        case Timer::m: return terminate(ClientResult::done);
        case Timer::count: break;
        }
    }
    return ClientResult::pending;
}

void InviteClient::cancelled(Instant now) {
    // RFC 3261 §9.1: servers of RFC 2543 do not answer a cancelled INVITE.
    if (state_ == State::calling || state_ == State::proceeding)
        timers_.arm(Timer::b, now + values_.give_up());
}

void InviteClient::stop_retransmitting() { timers_.stop(Timer::a); }

Deadline InviteClient::next_deadline() const {
    const auto at = timers_.next();
    if (at == never) return {};
    if (at == timers_.at(Timer::a)) return {at, "Timer A: send the INVITE again"};
    if (at == timers_.at(Timer::b)) return {at, "Timer B: no final response"};
    if (at == timers_.at(Timer::d)) return {at, "Timer D: copies are acknowledged until then"};
    return {at, "Timer M: further 2xx are reported until then"};
}

ClientResult InviteClient::terminate(ClientResult result) {
    timers_.stop_all();
    state_ = State::terminated;
    return result;
}

}  // namespace holdfast::transaction
