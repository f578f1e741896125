// The way to the peer is another one, or what was sent did not get there: what waits for a way, and
// what the peer must learn of ours (RFC 3261 §8.1.3.1, §12.2.1.1, §12.2.1.2).
#include <algorithm>
#include <utility>

#include "call/call.h"
#include "call/limits.h"
#include "call/words.h"

namespace holdfast::call {

using sip::Method;
using told::Lost;

std::optional<std::string> Call::next_hop() const {
    const auto found = std::ranges::find(legs_, Leg::Fate::chosen, &Leg::fate);
    if (found == legs_.end()) return std::nullopt;
    return found->dialog.ack(0).next_hop;
}

void Call::on(const told::WayChanged&, const Context&) {
    if (state_ == State::answered || state_ == State::established) target_refresh_wanted_ = true;
}

// It need not wait for its time, but it waits for a glare (RFC 3261 §14.1), whatever the way.
void Call::on(const told::WayFound&, const Context& context) {
    if (transfer_) transfer_->on_way_found(context.now);
    if (referral_) referral_->on_way_found(context.now);
    if (std::exchange(digits_.waits_for_way, false)) timers_.stop(Timer::digit);
    if (!waits_for_way_) return;
    timers_.stop(Timer::glare);
    send_what_waits(context);
}

void Call::wait_for_way(const Context& context) {
    waits_for_way_ = true;
    timers_.arm(Timer::glare, context.now + limits::way_again);
}

// The peer would go on for as long as its session lasts, alone.
void Call::owe(Pending bye, const Context& context) {
    if (bye.ways++ >= limits::ways)
        return tell(EventKind::notice, 0, std::string(bye_lost), context);
    byes_owed_.push_back(std::move(bye));
    wait_for_way(context);
}

// A change that waits goes by itself as soon as no timer holds it (change_if_possible).
void Call::send_what_waits(const Context& context) {
    waits_for_way_ = false;
    if (std::exchange(invite_waits_, false) && state_ == State::calling) send_invite(context);
    for (auto& owed : std::exchange(byes_owed_, {})) {
        auto* const leg = leg_of(owed.remote_tag);
        if (leg == nullptr) continue;
        auto bye = leg->dialog.request(Method::bye);
        bye.headers = std::move(owed.request.headers);
        owed.request = std::move(bye);
        send(std::move(owed), context);
    }
}

// RFC 3263 §4.3, F1: as long as nobody has answered, the INVITE goes another way with the same
// Call-ID, From tag and CSeq: whoever has it already recognises it (RFC 3261 §8.2.2.2). Once
// somebody has, it may ring there, and a second one would ring elsewhere, or twice: the call ends.
void Call::on_invite_failed(const told::Failed& failed, const Context& context) {
    const bool unavailable = failed.lost == Lost::unavailable;
    const bool unheard = failed.lost == Lost::unheard || failed.lost == Lost::left || unavailable;
    const bool lost_way = unheard || failed.lost == Lost::way;
    const bool goes_again = unheard || ways_tried_ > 0;
    const bool tried_all = ways_tried_ >= self_.ways || ways_missed_ >= limits::ways;
    if (state_ == State::calling && lost_way && goes_again && (!had_provisional_ || unavailable) &&
        !tried_all) {
        ++ways_tried_;
        if (!unheard) ++ways_missed_;
        invite_waits_ = true;
        return wait_for_way(context);
    }
    if (failed.lost != Lost::unreadable && try_next_target(context)) return;
    const int unanswered = unavailable ? 503 : 408;
    end(failed.lost == Lost::unreadable ? failed.status : unanswered, failed.words, context);
}

void Call::abandon(const Pending& invite) {
    if (invite.id == invite_id_) invite_id_ = {};
    // Of those that were accepted only copies can come, and the oldest are past their time.
    if (abandoned_.size() >= limits::abandoned)
        std::erase_if(abandoned_, [](const Abandoned& other) { return other.accepted; });
    abandoned_.push_back(
        {.id = invite.id, .cseq = invite.request.cseq, .remote_tag = invite.remote_tag});
}

bool Call::has_abandoned_out() const {
    return !std::ranges::all_of(abandoned_, &Abandoned::accepted);
}

// F1: a late 1xx is cancelled, a late 2xx gets its ACK. false: not of an INVITE that was given up.
bool Call::on_late_answer(const told::Response& response, const Context& context) {
    const auto invite = std::ranges::find(abandoned_, response.id, &Abandoned::id);
    if (invite == abandoned_.end()) return false;
    const int status = response.message->status();
    if (status < 200) {
        if (!std::exchange(invite->cancelled, true)) context.act(act::Cancel{response.id});
    } else if (status < 300) {
        invite->accepted = true;
        on_late_success(*invite, response, context);
    } else {
        abandoned_.erase(invite);
    }
    return true;
}

// Nobody talks to who has answered the first INVITE: ACK and BYE.
void Call::on_late_success(const Abandoned& invite, const told::Response& response,
                           const Context& context) {
    const auto& message = *response.message;
    const bool is_change = !invite.remote_tag.empty();
    auto* const leg = is_change ? leg_of(invite.remote_tag) : leg_for(message);
    if (leg == nullptr) return;
    const bool is_first = !is_change && leg->fate == Leg::Fate::early;
    if (is_first) leg->dialog.confirm(message);
    context.act(act::Acknowledge{response.id, leg->dialog.ack(invite.cseq)});
    if (!is_first) return;  // a copy, or the call itself
    timers_.arm(Timer::linger, context.now + limits::give_up);
    leg->fate = Leg::Fate::unwanted;
    say_bye(*leg, {}, context);
}

// RFC 3261 §17.1.1.2 sets no limit once there is a 1xx, for a call may ring. Nothing rings in one.
void Call::on_change_proceeds(const Pending& pending, const Context& context) {
    const bool is_change =
        pending.purpose == Purpose::change && pending.request.method == Method::invite;
    if (is_change && !pending.cancelled && state_ == State::established)
        timers_.arm(Timer::unanswered, context.now + limits::give_up);
}

// §9.1: its final answer comes now, or its transaction ends without one.
void Call::cancel_change(const Context& context) {
    const auto change = std::ranges::find(pending_, Purpose::change, &Pending::purpose);
    if (change == pending_.end() || std::exchange(change->cancelled, true)) return;
    context.act(act::Cancel{change->id});
}

void Call::on_change_failed(const Pending& pending, const told::Failed& failed,
                            const Context& context) {
    if (failed.lost == Lost::unreadable) return on_unreadable_change(pending, failed, context);
    if (state_ != State::established) return;
    if (failed.lost == Lost::answer)  // RFC 3261 §12.2.1.2, RFC 4028 §10: no answer is a 408
        return dialog_is_gone(408, "the other side cannot be reached any more: " + failed.words,
                              context);
    // RFC 3261 §8.1.3.1: it did not get there, which says nothing of the dialog. There is a way
    // again when the account is registered again; a session that nobody refreshes ends by itself.
    const bool offers = pending.purpose == Purpose::change;
    if (offers) session_.withdraw();
    (offers ? offer_wanted_ : refresh_wanted_) = true;
    if (pending.moves) target_refresh_wanted_ = true;
    if (failed.lost != Lost::way && pending.request.method == Method::invite)
        lost_change_ = Acknowledged{pending.id, pending.request.cseq};
    wait_for_way(context);
}

// Deviates: RFC 3261 §13.2.2.4, where an ACK follows a 2xx that was seen. The peer may have
// accepted our re-INVITE, and its 2xx went where we are not any more: until it has its ACK it takes
// no other change (491), and after 64·T1 it ends the call (§13.3.1.4). An ACK for nothing does no
// harm.
void Call::acknowledge_lost_change(const Context& context) {
    auto* const leg = chosen();
    if (!lost_change_ || leg == nullptr) return;
    context.act(act::Acknowledge{lost_change_->id, leg->dialog.ack(lost_change_->cseq)});
}

// I8: whoever has accepted an INVITE gets its ACK, and where a call would begin a BYE, for nobody
// would hear it (RFC 3261 §13.2.2.4). false: nobody has, or the head was not read as far as a
// dialog needs it (§12.1.2), or a change waits for it.
bool Call::on_unreadable_success(const told::Failed& failed, const Context& context) {
    const auto* const head = failed.head;
    if (head == nullptr || head->method() != Method::invite || head->to().tag().empty())
        return false;
    if (failed.status < 200 || failed.status >= 300) return false;
    if (failed.id != invite_id_ && find_pending(failed.id) != nullptr) return false;
    if (state_ == State::calling && failed.id == invite_id_)
        end(failed.status, failed.words, context);
    on(told::Response{.id = failed.id, .message = head}, context);
    return true;
}

// I8: what the peer said was too long to be read, so nothing is known of it but its status; what
// was agreed before stands. A 2xx of an INVITE gets its ACK all the same, or the peer would end the
// call (RFC 3261 §13.3.1.4).
void Call::on_unreadable_change(const Pending& pending, const told::Failed& failed,
                                const Context& context) {
    const bool accepted = failed.status >= 200 && failed.status < 300;
    auto* const leg = leg_of(pending.remote_tag);
    if (accepted && pending.request.method == Method::invite && leg != nullptr) {
        last_change_ = {pending.id, pending.request.cseq};
        context.act(act::Acknowledge{pending.id, leg->dialog.ack(pending.request.cseq)});
    }
    if (pending.purpose == Purpose::change) session_.withdraw();
    if (state_ != State::established) return;
    if (failed.status == 481 || failed.status == 408)
        return dialog_is_gone(failed.status, not_known(failed.words), context);
    if (pending.purpose == Purpose::change) change_failed();
    if (pending.moves && !accepted)
        tell_contact_again(std::nullopt, context);
    else if (pending.purpose == Purpose::refresh)
        want_refresh_again(context, std::nullopt);
    tell(EventKind::notice, failed.status,
         "the answer to a change was not read, and the call stays as it was: " + failed.words,
         context);
}

// RFC 3261 §12.2.1.2: a 481, a 408 or no answer at all ends the dialog. Who may still be there gets
// a BYE.
void Call::dialog_is_gone(int status, std::string words, const Context& context) {
    if (status == 408) say_bye(*chosen(), {}, context);
    end(status, std::move(words), context);
}

// The peer, or who is in between, would not take our new Contact: the call goes on, and is asked
// again, more and more rarely.
void Call::tell_contact_again(std::optional<std::uint32_t> after, const Context& context) {
    target_refresh_wanted_ = true;
    Duration wait = limits::refresh_again * (1 << std::min<std::size_t>(contact_refused_++, 5));
    if (after) wait = std::max<Duration>(wait, std::chrono::seconds{*after});
    timers_.arm(Timer::refresh_again, context.now + std::min(wait, limits::longest_wait));
}

}  // namespace holdfast::call
