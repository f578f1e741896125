// RFC 3261 §17.2.2, Figure 8.
#include "transaction/non_invite_server.h"

#include <utility>

namespace holdfast::transaction {

NonInviteServer::NonInviteServer(const Outgoing& path, const TimerValues& values)
    : last_{path.flow, path.reliable, {}}, values_(values) {}

void NonInviteServer::respond(Instant now, int status, std::string bytes, Outbox& outbox) {
    if (state_ == State::completed || state_ == State::terminated) return;
    last_.bytes = std::move(bytes);
    outbox.push(out::Send{last_.flow, last_.bytes});
    if (status < 200) {
        state_ = State::proceeding;
        return;
    }
    if (last_.reliable) {  // Timer J is 0
        state_ = State::terminated;
        return;
    }
    state_ = State::completed;
    timers_.arm(Timer::j, now + values_.give_up());
}

void NonInviteServer::on_request(Outbox& outbox) {
    switch (state_) {
    case State::trying:
    case State::terminated: return;
    case State::proceeding:
    case State::completed: outbox.push(out::Send{last_.flow, last_.bytes}); return;
    }
}

ServerResult NonInviteServer::on_transport_error() {
    switch (state_) {
    case State::trying: return ServerResult::pending;  // nothing was sent: not this transaction's
    case State::proceeding:
    case State::completed:
        timers_.stop_all();
        state_ = State::terminated;
        return ServerResult::transport_error;
    case State::terminated: return ServerResult::pending;
    }
    return ServerResult::pending;
}

ServerResult NonInviteServer::on_time(Instant now) {
    if (!timers_.take_due(now)) return ServerResult::pending;
    state_ = State::terminated;
    return ServerResult::done;
}

Deadline NonInviteServer::next_deadline() const {
    if (!timers_.is_armed(Timer::j)) return {};
    return {timers_.at(Timer::j), "Timer J: copies of the request are answered until then"};
}

}  // namespace holdfast::transaction
