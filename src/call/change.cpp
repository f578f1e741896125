// What we change in a call: hold, resume, other media, another Contact, and the refreshes of the
// session timer (RFC 3261 §14.1, RFC 3311 §5.1, RFC 4028 §7.4, §10).
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "call/call.h"
#include "call/limits.h"
#include "call/words.h"

namespace holdfast::call {

using sip::Method;

void Call::on(const told::Hold&, const Context&) {
    if (state_ != State::answered && state_ != State::established) return;
    if (held_) return;
    held_ = true;
    offer_wanted_ = true;
}

void Call::on(const told::Resume&, const Context&) {
    if (state_ != State::answered && state_ != State::established) return;
    if (!held_) return;
    held_ = false;
    offer_wanted_ = true;
}

void Call::on(const told::MediaChanged& changed, const Context&) {
    if (state_ == State::ringing || state_ == State::idle || state_ == State::ending) return;
    if (changed.streams.empty()) return;
    streams_ = changed.streams;
    offer_wanted_ = true;
}

bool Call::has_change_out() const {
    return std::ranges::any_of(pending_, [](const Pending& pending) {
        return pending.purpose == Purpose::change || pending.purpose == Purpose::refresh;
    });
}

// One after the other (RFC 3261 §14.1): not while one of ours or theirs is open.
void Call::change_if_possible(const Context& context) {
    if (state_ != State::established || has_change_out() || ours_ || timers_.is_armed(Timer::glare))
        return;
    if (offer_wanted_) return send_change(context);
    if (timers_.is_armed(Timer::refresh_again)) return;
    if (refresh_wanted_ || target_refresh_wanted_) {
        if (peer_takes_update_) return send_refresh(context);
        send_change(context);
    }
}

void Call::send_change(const Context& context) {
    acknowledge_lost_change(context);
    auto& leg = *chosen();
    auto request = leg.dialog.request(Method::invite);
    request.has_contact = true;
    // Without 100rel: nothing rings in a call, and a reliable 1xx would want a PRACK (RFC 3262 §4).
    request.headers = std::string(allow_line) + "Supported: timer, replaces, norefersub\r\n" +
                      session_timer_.offer();
    request.content_type = "application/sdp";
    request.body = session_.make_offer(wanted_streams());
    offer_wanted_ = refresh_wanted_ = false;
    timers_.stop(Timer::refresh_again);  // it tells both
    send({.id = {},
          .purpose = Purpose::change,
          .remote_tag = leg.dialog.remote_tag(),
          .request = std::move(request),
          .moves = std::exchange(target_refresh_wanted_, false)},
         context);
}

void Call::send_refresh(const Context& context) {
    auto& leg = *chosen();
    auto request = leg.dialog.request(Method::update);
    request.has_contact = true;
    request.headers =
        std::string(allow_line) + std::string(supported_line) + session_timer_.offer();
    refresh_wanted_ = false;
    send({.id = {},
          .purpose = Purpose::refresh,
          .remote_tag = leg.dialog.remote_tag(),
          .request = std::move(request),
          .moves = std::exchange(target_refresh_wanted_, false)},
         context);
}

void Call::on_change_answer(const Pending& pending, const told::Response& response,
                            const Context& context) {
    const auto& message = *response.message;
    const int status = message.status();
    const bool offers = pending.purpose == Purpose::change;
    if (status < 300) return on_change_success(pending, message, context);
    if (offers) session_.withdraw();
    if (state_ != State::established) return;
    const auto want_again = [&] {
        (offers ? offer_wanted_ : refresh_wanted_) = true;
        if (pending.moves) target_refresh_wanted_ = true;
    };
    if (status == 491) {
        acknowledge_lost_change(context);  // it came too early, or was lost as well
        want_again();
        return wait_for_glare(context);
    }
    if (status == 422 && session_timer_.on_too_small(message)) return want_again();
    if (status == 500 && message.retry_after() && *message.retry_after() <= 10) {
        want_again();  // RFC 3261 §14.2: something of theirs is open
        return timers_.arm(Timer::glare,
                           context.now + std::chrono::seconds{*message.retry_after()});
    }
    if (status == 481 || status == 408)
        return dialog_is_gone(status, not_known(words_of(message)), context);
    if (!offers && peer_takes_update_ && (status == 405 || status == 501)) {
        peer_takes_update_ = false;  // it said that it would
        return want_again();
    }
    // RFC 3261 §14.1: all else leaves the session as it was.
    if (offers) change_failed();
    if (pending.moves)
        tell_contact_again(message.retry_after(), context);
    else if (!offers)
        want_refresh_again(context, message.retry_after());
    tell(EventKind::notice, status, "the other side refused the change: " + words_of(message),
         context);
}

void Call::on_change_success(const Pending& pending, const sip::Message& response,
                             const Context& context) {
    auto* const leg = chosen();
    if (leg == nullptr) return;
    const bool is_invite = pending.request.method == Method::invite;
    if (is_invite) {
        last_change_ = {pending.id, pending.request.cseq};
        context.act(act::Acknowledge{pending.id, leg->dialog.ack(pending.request.cseq)});
    }
    leg->dialog.refresh_target(response);
    if (state_ != State::established) return;
    if (pending.moves) contact_refused_ = 0;
    lost_change_.reset();
    learn_what_peer_takes(response);
    session_timer_.on_success(context.now, response);
    if (!is_invite) return;
    if (const auto agreed = session_.on_answer(response.body()); !agreed) {
        session_.withdraw();
        change_failed();
        return tell(EventKind::notice, response.status(),
                    "the answer to the change cannot be used: " + agreed.error().words, context);
    }
    tell_media(session_.agreement(), context);
    tell_holding(context);
}

// What is wanted by now waits for its own turn: a hold that came while another change was out is
// none of those that failed.
void Call::change_failed() {
    if (!offer_wanted_) held_ = told_held_by_us_;
}

// RFC 4028 §10: until the session's end there is time for another one.
void Call::want_refresh_again(const Context& context, std::optional<std::uint32_t> after) {
    refresh_wanted_ = true;
    const Duration wait = after ? std::chrono::seconds{*after} : limits::refresh_again;
    timers_.arm(Timer::refresh_again, context.now + std::min(wait, limits::longest_wait));
}

// RFC 3261 §14.1: who has made the Call-ID waits longer, in units of 10 ms.
void Call::wait_for_glare(const Context& context) {
    using namespace std::chrono_literals;
    const Duration wait = dialled_ ? 2100ms + 10ms * static_cast<int>(context.random.below(191))
                                   : 10ms * static_cast<int>(context.random.below(201));
    timers_.arm(Timer::glare, context.now + wait);
}

void Call::tell_holding(const Context& context) {
    if (held_ != told_held_by_us_) {
        told_held_by_us_ = held_;
        tell(told_held_by_us_ ? EventKind::held : EventKind::resumed, 0, "by us", context);
    }
    if (is_held_by_peer() != told_held_by_peer_) {
        told_held_by_peer_ = is_held_by_peer();
        tell(told_held_by_peer_ ? EventKind::held : EventKind::resumed, 0, "by the other side",
             context);
    }
}

void Call::begin_session(std::vector<sdp::LocalStream> streams, Random& random) {
    streams_ = std::move(streams);
    // RFC 8866 §5.2: a number unlike that of other calls.
    session_ =
        sdp::Negotiation({.session_id = std::to_string(random.below(std::uint64_t{1} << 62U))});
}

// RFC 3264 §8.4: while we hold, what we have but for receiving.
std::vector<sdp::LocalStream> Call::wanted_streams() const {
    auto wanted = streams_;
    if (held_)
        for (auto& stream : wanted)
            stream.direction = sdp::make_direction(sdp::sends(stream.direction), false);
    return wanted;
}

bool Call::is_held_by_peer() const {
    return session_.agreement() &&
           std::ranges::any_of(session_.agreement()->streams, &sdp::AgreedStream::held_by_peer);
}

}  // namespace holdfast::call
