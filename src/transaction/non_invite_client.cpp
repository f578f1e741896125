// RFC 3261 §17.1.2.2, Figure 6.
#include "transaction/non_invite_client.h"

#include <algorithm>
#include <utility>

namespace holdfast::transaction {

NonInviteClient::NonInviteClient(Instant now, Outgoing request, const TimerValues& values,
                                 Outbox& outbox)
    : request_(std::move(request)), values_(values), interval_(values.t1), sent_at_(now) {
    timers_.arm(Timer::f, now + values_.give_up());
    if (!request_.reliable) timers_.arm(Timer::e, now + interval_);
    outbox.push(out::Send{request_.flow, request_.bytes});
}

ClientResult NonInviteClient::on_response(Instant now, int status) {
    if (state_ == State::completed || state_ == State::terminated) return ClientResult::absorbed;
    if (status < 200) {
        state_ = State::proceeding;
        return ClientResult::provisional;
    }
    answered_ = true;
    timers_.stop_all();
    std::string().swap(request_.bytes);  // never sent again: frees the memory for these 5 s
    state_ = State::completed;
    if (request_.reliable)
        terminate(ClientResult::done);  // Timer K is 0
    else
        timers_.arm(Timer::k, now + values_.t4);
    return ClientResult::final_response;
}

ClientResult NonInviteClient::on_transport_error() {
    switch (state_) {
    case State::trying:
    case State::proceeding: return terminate(ClientResult::transport_error);
    case State::completed:
    case State::terminated: return ClientResult::pending;  // nothing more is sent
    }
    return ClientResult::pending;
}

ClientResult NonInviteClient::on_time(Instant now, Outbox& outbox) {
    // After a long sleep the end counts, not the copy that should have gone out before it.
    if (timers_.at(Timer::f) <= now) return terminate(ClientResult::timed_out);
    while (const auto timer = timers_.take_due(now)) {
        switch (*timer) {
        case Timer::e:  // T1, 2·T1, … up to T2; T2 once a 1xx has come
            outbox.push(out::Send{request_.flow, request_.bytes});
            retransmitted_ = true;
            interval_ =
                state_ == State::proceeding ? values_.t2 : std::min(2 * interval_, values_.t2);
            timers_.arm(Timer::e, now + interval_);  // from now: a late wake-up sends one, not ten
            break;
        case Timer::f: return terminate(ClientResult::timed_out);
        case Timer::k: return terminate(ClientResult::done);
        case Timer::count: break;
        }
    }
    return ClientResult::pending;
}

void NonInviteClient::stop_retransmitting() { timers_.stop(Timer::e); }

Deadline NonInviteClient::next_deadline() const {
    const auto at = timers_.next();
    if (at == never) return {};
    if (at == timers_.at(Timer::e)) return {at, "Timer E: send the request again"};
    if (at == timers_.at(Timer::f)) return {at, "Timer F: no final response"};
    return {at, "Timer K: copies of the response are absorbed until then"};
}

ClientResult NonInviteClient::terminate(ClientResult result) {
    timers_.stop_all();
    state_ = State::terminated;
    return result;
}

}  // namespace holdfast::transaction
