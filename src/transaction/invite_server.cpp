// RFC 3261 §17.2.1, Figure 7, corrected by RFC 6026 §7.1.
#include "transaction/invite_server.h"

#include <algorithm>
#include <utility>

namespace holdfast::transaction {

InviteServer::InviteServer(Instant now, Outgoing trying, const TimerValues& values)
    : last_(std::move(trying)), values_(values), interval_(values.t1) {
    if (!last_.bytes.empty()) timers_.arm(Timer::trying, now + values_.trying);
}

void InviteServer::respond(Instant now, int status, std::string bytes, Outbox& outbox) {
    const bool success = status >= 200 && status < 300;
    if (state_ == State::accepted && success) {  // RFC 6026 §7.1: the dialog repeats its 2xx
        outbox.push(out::Send{last_.flow, std::move(bytes)});
        return;
    }
    if (state_ != State::proceeding) return;
    timers_.stop(Timer::trying);
    responded_ = true;
    last_.bytes = std::move(bytes);
    outbox.push(out::Send{last_.flow, last_.bytes});
    if (status < 200) return;
    if (success) {
        state_ = State::accepted;
        timers_.arm(Timer::l, now + values_.give_up());  // RFC 6026 §7.1, all transports
        std::string().swap(last_.bytes);                 // never sent again from here
        return;
    }
    state_ = State::completed;
    timers_.arm(Timer::h, now + values_.give_up());
    if (!last_.reliable) timers_.arm(Timer::g, now + interval_);
}

void InviteServer::on_request(Outbox& outbox) {
    switch (state_) {
    case State::proceeding:
        if (responded_) outbox.push(out::Send{last_.flow, last_.bytes});
        return;
    case State::completed: outbox.push(out::Send{last_.flow, last_.bytes}); return;
    case State::confirmed:
    case State::accepted:  // RFC 6026 §7.1: absorbed, so that it does not become a second call
    case State::terminated: return;
    }
}

ServerResult InviteServer::on_ack(Instant now) {
    switch (state_) {
    case State::completed:
        timers_.stop_all();
        state_ = State::confirmed;
        if (last_.reliable)
            terminate(ServerResult::done);  // Timer I is 0
        else
            timers_.arm(Timer::i, now + values_.t4);
        return ServerResult::acknowledged;
    case State::accepted: return ServerResult::ack_for_success;
    case State::proceeding:
    case State::confirmed:
    case State::terminated: return ServerResult::pending;
    }
    return ServerResult::pending;
}

ServerResult InviteServer::on_transport_error() {
    switch (state_) {
    case State::proceeding:  // RFC 6026 §7.1: told, but the caller's copies still find us
    case State::accepted: return ServerResult::transport_error;
    case State::completed: return terminate(ServerResult::transport_error);
    case State::confirmed:
    case State::terminated: return ServerResult::pending;
    }
    return ServerResult::pending;
}

ServerResult InviteServer::on_time(Instant now, Outbox& outbox) {
    // After a long sleep the end counts, not the copy that should have gone out before it.
    if (timers_.at(Timer::h) <= now) return terminate(ServerResult::timed_out);
    while (const auto timer = timers_.take_due(now)) {
        switch (*timer) {
        case Timer::trying:  // RFC 3261 §17.2.1: the user has not answered within 200 ms
            responded_ = true;
            outbox.push(out::Send{last_.flow, last_.bytes});
            break;
        case Timer::g:  // T1, 2·T1, … up to T2
            outbox.push(out::Send{last_.flow, last_.bytes});
            interval_ = std::min(2 * interval_, values_.t2);
            timers_.arm(Timer::g, now + interval_);  // from now: a late wake-up sends one, not ten
            break;
        case Timer::h: return terminate(ServerResult::timed_out);
        case Timer::i:
        case Timer::l: return terminate(ServerResult::done);
        case Timer::count: break;
        }
    }
    return ServerResult::pending;
}

Deadline InviteServer::next_deadline() const {
    const auto at = timers_.next();
    if (at == never) return {};
    if (at == timers_.at(Timer::trying)) return {at, "the user has not answered: 100 Trying"};
    if (at == timers_.at(Timer::g)) return {at, "Timer G: send the response again"};
    if (at == timers_.at(Timer::h)) return {at, "Timer H: no ACK"};
    if (at == timers_.at(Timer::i))
        return {at, "Timer I: copies of the ACK are absorbed until then"};
    return {at, "Timer L: copies of the INVITE are absorbed until then"};
}

ServerResult InviteServer::terminate(ServerResult result) {
    timers_.stop_all();
    state_ = State::terminated;
    return result;
}

}  // namespace holdfast::transaction
