#include "call/call.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "call/limits.h"
#include "call/words.h"

namespace holdfast::call {

using sip::Method;

std::string_view name_of(State state) {
    switch (state) {
    case State::idle: return "idle";
    case State::calling: return "calling";
    case State::ringing: return "ringing";
    case State::answered: return "answered";
    case State::established: return "established";
    case State::ending: return "ending";
    case State::over: return "over";
    }
    return "?";
}

Call::Call(Identity identity)
    : self_(std::move(identity)),
      session_timer_(options_.session_interval, options_.least_interval) {}

void Call::handle(const Told& told, const Context& context) {
    if (state_ == State::over) return;
    std::visit([&](const auto& what) { on(what, context); }, told);
    change_if_possible(context);
    work_on_referrals(context);
    send_next_digit(context);
    settle(context);
}

void Call::on(const told::Time&, const Context& context) {
    const Instant now = context.now;
    while (const auto timer = timers_.take_due(now)) {
        switch (*timer) {
        case Timer::ring: refuse(status_when_over_, {}, "not answered", context); break;
        case Timer::ring_again: ring(context); break;
        case Timer::no_answer: give_up_calling(480, "no answer", context); break;
        case Timer::glare: send_what_waits(context); break;
        case Timer::refresh_again:  // change_if_possible
        case Timer::digit: break;   // send_next_digit
        case Timer::unanswered: cancel_change(context); break;
        case Timer::linger:  // nothing more can come
        case Timer::count: break;
        }
    }
    if (provisional_) switch (provisional_->repeater.on_time(now)) {
        case Repeater::Do::send_again: context.act(act::Respond(provisional_->response)); break;
        case Repeater::Do::give_up:  // RFC 3262 §3
            refuse(504, {}, "the caller does not acknowledge that it rings", context);
            break;
        case Repeater::Do::nothing: break;
        }
    if (ours_) switch (ours_->repeater.on_time(now)) {
        case Repeater::Do::send_again: context.act(act::Respond(ours_->response)); break;
        case Repeater::Do::give_up:  // RFC 3261 §13.3.1.4, §14.2
            ours_.reset();
            if (auto* const leg = chosen()) say_bye(*leg, {}, context);
            bye_wanted_ = false;
            end(408, "the other side did not acknowledge our answer", context);
            break;
        case Repeater::Do::nothing: break;
        }
    switch (session_timer_.on_time(now)) {
    case SessionTimer::Do::refresh: refresh_wanted_ = true; break;
    case SessionTimer::Do::expire:  // RFC 4028 §10
        if (auto* const leg = chosen()) say_bye(*leg, reason_line(408, "session expired"), context);
        end(408, "nobody refreshed the session: the other side is not there any more", context);
        break;
    case SessionTimer::Do::nothing: break;
    }
}

Deadline Call::next_deadline() const {
    Deadline next;
    if (const auto at = timers_.next(); at != never) {
        next = {at, "a call rings"};
        if (at == timers_.at(Timer::no_answer)) next.reason = "an outgoing call is not answered";
        if (at == timers_.at(Timer::glare)) next.reason = "a change of a call goes out again";
        if (at == timers_.at(Timer::refresh_again)) next.reason = "a refused refresh goes again";
        if (at == timers_.at(Timer::linger)) next.reason = "late answers of a call";
        if (at == timers_.at(Timer::unanswered)) next.reason = "a change without a final answer";
        if (at == timers_.at(Timer::digit)) next.reason = "a digit goes, or is heard there";
    }
    if (provisional_)
        next = sooner(next, {provisional_->repeater.next(), "a provisional answer without PRACK"});
    if (ours_) next = sooner(next, {ours_->repeater.next(), "an answer without ACK"});
    if (transfer_) next = sooner(next, {transfer_->next(), "a transfer"});
    if (referral_) next = sooner(next, {referral_->next(), "a transfer that is followed"});
    return sooner(next, {session_timer_.next(), "a session timer"});
}

Call::Leg* Call::chosen() {
    const auto found = std::ranges::find(legs_, Leg::Fate::chosen, &Leg::fate);
    return found == legs_.end() ? nullptr : &*found;
}

Call::Leg* Call::leg_of(std::string_view remote_tag) {
    const auto found = std::ranges::find_if(
        legs_, [&](const Leg& leg) { return leg.dialog.has(self_.tag, remote_tag); });
    return found == legs_.end() ? nullptr : &*found;
}

void Call::on(const told::HangUp& hang_up, const Context& context) {
    switch (state_) {
    case State::calling: return give_up_calling(hang_up.unanswered, hang_up.words, context);
    case State::ringing: return refuse(486, {}, hang_up.words, context);
    case State::answered:  // RFC 3261 §15: the callee's BYE waits for the ACK
        bye_wanted_ = true;
        return end(200, hang_up.words, context);
    case State::established:
        ours_.reset();  // the BYE ends what their re-INVITE began
        say_bye(*chosen(), {}, context);
        return end(200, hang_up.words, context);
    case State::idle:
    case State::ending:
    case State::over: return;
    }
}

RequestId Call::send(Pending pending, const Context& context) {
    pending.id = RequestId{++last_request_};
    context.act(act::Send{pending.id, pending.request});
    pending_.push_back(std::move(pending));
    return pending_.back().id;
}

Call::Pending* Call::find_pending(RequestId id) {
    const auto found = std::ranges::find(pending_, id, &Pending::id);
    return found == pending_.end() ? nullptr : &*found;
}

std::optional<Call::Pending> Call::take_pending(RequestId id) {
    auto* const found = find_pending(id);
    if (found == nullptr) return std::nullopt;
    auto taken = std::move(*found);
    std::erase_if(pending_, [&](const Pending& pending) { return pending.id == id; });
    if (taken.purpose == Purpose::change) timers_.stop(Timer::unanswered);
    return taken;
}

void Call::on(const told::Response& response, const Context& context) {
    const auto& message = *response.message;
    const bool success = message.status() >= 200 && message.status() < 300;
    const auto* const known = find_pending(response.id);
    if (response.id == invite_id_) {
        if (message.status() < 200) return on_provisional(response, context);
        if (success) return on_success(message, context);
    }
    if (known == nullptr) {
        if (on_late_answer(response, context)) return;
        // A copy of the 2xx of a re-INVITE (RFC 3261 §13.2.2.4).
        if (auto* const leg = chosen(); success && leg && response.id == last_change_.id)
            context.act(act::Acknowledge{response.id, leg->dialog.ack(last_change_.cseq)});
        return;
    }
    if (message.status() < 200) return on_change_proceeds(*known, context);
    const auto pending = *take_pending(response.id);
    if (response.challenge == Challenge::can_answer &&
        send_again_with_credentials(pending, response, context))
        return;
    switch (pending.purpose) {
    case Purpose::invite: return on_refusal(response, context);
    case Purpose::change:
    case Purpose::refresh: return on_change_answer(pending, response, context);
    case Purpose::refer: return on_refer_answer(response, context);
    case Purpose::notify: return on_notify_answer(success);
    case Purpose::info: return on_digit_answer(pending, response, context);
    case Purpose::prack:  // refused: the peer will say so in its own way
    case Purpose::bye: return;
    }
}

// RFC 3261 §22.2: the same request with the next CSeq; the engine adds the credentials.
bool Call::send_again_with_credentials(const Pending& pending, const told::Response& response,
                                       const Context& context) {
    if (pending.challenges >= limits::challenges) return false;
    const bool changes = pending.purpose == Purpose::change || pending.purpose == Purpose::refresh;
    if ((changes || pending.purpose == Purpose::info) && state_ != State::established)
        return false;  // it ended meanwhile
    auto again = pending;
    ++again.challenges;
    again.cancelled = false;
    if (pending.purpose == Purpose::invite) {
        if (cancel_wanted_) return false;
        legs_.clear();
        ++invite_.cseq;
        again.request = invite_;
        had_provisional_ = false;
        invite_id_ = send(std::move(again), context);
        return true;
    }
    auto* const leg = leg_of(pending.remote_tag);
    if (leg == nullptr) return false;
    auto request = leg->dialog.request(response.message->method());
    request.has_contact = pending.request.has_contact;
    request.headers = pending.request.headers;
    request.content_type = pending.request.content_type;
    request.body = pending.request.body;
    if (pending.purpose == Purpose::refer && transfer_) transfer_->sent_as(request.cseq);
    again.request = std::move(request);
    send(std::move(again), context);
    return true;
}

void Call::on(const told::Failed& failed, const Context& context) {
    if (on_unreadable_success(failed, context)) return;
    const auto pending = take_pending(failed.id);
    if (!pending) {  // its time is over
        std::erase_if(abandoned_, [&](const Abandoned& invite) { return invite.id == failed.id; });
        return;
    }
    if (failed.lost == told::Lost::left && pending->request.method == Method::invite)
        abandon(*pending);
    switch (pending->purpose) {
    case Purpose::invite: return on_invite_failed(failed, context);
    case Purpose::change:
    case Purpose::refresh: return on_change_failed(*pending, failed, context);
    case Purpose::refer: return on_refer_lost(failed, context);
    case Purpose::notify: return on_notify_lost(failed, context);
    case Purpose::info: return on_digit_lost(*pending, failed, context);
    case Purpose::prack: return;
    case Purpose::bye:
        if (failed.lost != told::Lost::answer && failed.lost != told::Lost::unreadable)
            owe(*pending, context);
        return;
    }
}

void Call::say_bye(Leg& leg, std::string headers, const Context& context) {
    auto bye = leg.dialog.request(Method::bye);
    bye.headers = std::move(headers);
    send({.id = {},
          .purpose = Purpose::bye,
          .remote_tag = leg.dialog.remote_tag(),
          .request = std::move(bye)},
         context);
}

void Call::tell(EventKind kind, int status, std::string words, const Context& context) const {
    Event event;
    event.kind = kind;
    event.status = status;
    event.reason = std::move(words);
    context.act(std::move(event));
}

void Call::tell_media(const std::optional<sdp::Agreement>& agreement, const Context& context) {
    told_media_ = true;
    context.act(out::Media{.call = {},
                           .agreed = std::make_shared<const sdp::Agreement>(*agreement),
                           .takes_info = peer_takes_info_});
}

void Call::end(int status, std::string words, const Context& context) {
    if (std::exchange(told_end_, true)) return;
    state_ = State::ending;
    for (const auto timer : {Timer::ring, Timer::ring_again, Timer::no_answer, Timer::glare,
                             Timer::refresh_again, Timer::digit})
        timers_.stop(timer);
    session_timer_.stop();
    provisional_.reset();
    invite_waits_ = waits_for_way_ = false;
    if (!byes_owed_.empty()) wait_for_way(context);
    if (transfer_)
        transfer_failed(0, "the call ended before it was said what became of it", context);
    if (std::exchange(told_media_, false)) context.act(out::Media{});
    tell(EventKind::call_ended, status, std::move(words), context);
}

// Whether anything is still owed, or can still come: a re-INVITE that crossed a BYE may have been
// accepted, and its 2xx wants its ACK (RFC 3261 §13.2.2.4); an INVITE that was given up may ring
// somewhere, or be answered there.
void Call::settle(const Context&) {
    if (state_ != State::ending) return;
    if (pending_.empty() && !has_abandoned_out() && !ours_ && !referral_ && byes_owed_.empty() &&
        !timers_.is_armed(Timer::linger))
        state_ = State::over;
}

}  // namespace holdfast::call
