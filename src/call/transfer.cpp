// Calls that are handed on: REFER of ours and of theirs (RFC 3515), and calls that another comes in
// the place of (RFC 3891).
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "call/call.h"
#include "call/limits.h"
#include "call/words.h"

namespace holdfast::call {

using sip::Method;
using told::Lost;

const Referral* Call::awaited_referral() const {
    return referral_ && referral_->is_awaited() ? &referral_->referral() : nullptr;
}

const dialog::Dialog* Call::dialog() const {
    const auto found = std::ranges::find(legs_, Leg::Fate::chosen, &Leg::fate);
    return found == legs_.end() ? nullptr : &found->dialog;
}

Call::Standing Call::standing_of(std::string_view remote_tag) const {
    // RFC 3891 §6.1: a tag of zero stands for none (RFC 2543) too.
    const auto found = std::ranges::find_if(legs_, [&](const Leg& leg) {
        return leg.dialog.has(self_.tag, remote_tag) ||
               (remote_tag == "0" && leg.dialog.has(self_.tag, {}));
    });
    if (found == legs_.end()) return Standing::unknown;
    switch (state_) {
    case State::calling:
        return found->fate == Leg::Fate::early ? Standing::early_of_ours : Standing::ended;
    case State::ringing: return Standing::early_of_theirs;
    case State::answered:
    case State::established:
        return found->fate == Leg::Fate::chosen ? Standing::confirmed : Standing::ended;
    case State::idle:
    case State::ending:
    case State::over: break;
    }
    return Standing::ended;
}

// We ask.

void Call::on(const told::Transfer& transfer, const Context& context) {
    if (state_ == State::ending || state_ == State::idle) return;
    if (transfer_) return tell(EventKind::notice, 0, "a transfer is under way already", context);
    if (state_ != State::established)
        return transfer_failed(0, "only a call that is answered can be transferred", context);
    transfer_.emplace(transfer.target, transfer.reports);
    send_refer(context);
}

void Call::send_refer(const Context& context) {
    auto& leg = *chosen();
    auto refer = leg.dialog.request(Method::refer);
    refer.has_contact = true;  // RFC 3515 §2.2
    refer.headers = "Refer-To: <" + transfer_->target() + ">\r\n";
    if (options_.number == Number::shown) refer.headers += "Referred-By: <" + self_.aor + ">\r\n";
    if (transfer_->reports() == Reports::unwanted)  // RFC 4488 §4
        refer.headers += "Refer-Sub: false\r\n";
    refer.headers += supported_line;
    transfer_->sent_as(refer.cseq);
    send({.id = {},
          .purpose = Purpose::refer,
          .remote_tag = leg.dialog.remote_tag(),
          .request = std::move(refer)},
         context);
}

void Call::on_refer_answer(const told::Response& response, const Context& context) {
    const auto& message = *response.message;
    if (!transfer_) return;  // decided by a NOTIFY, or the call has ended
    if (message.status() < 300)
        return on_news(transfer_->on_accepted(context.now, message), context);
    on_refer_failed(message.status(), response.words.empty() ? words_of(message) : response.words,
                    context);
}

void Call::on_refer_failed(int status, const std::string& words, const Context& context) {
    if (!transfer_) return;
    transfer_failed(status, words, context);
    if ((status == 481 || status == 408) && state_ == State::established)
        dialog_is_gone(status, not_known(words), context);
}

void Call::on_refer_lost(const told::Failed& failed, const Context& context) {
    if (!transfer_) return;
    switch (failed.lost) {
    case Lost::answer: return on_refer_failed(408, failed.words, context);
    case Lost::way:
    case Lost::unavailable:  // of an INVITE alone
        if (transfer_->wait_for_way(context.now)) return;
        return on_refer_failed(503, failed.words, context);
    case Lost::unheard:
    case Lost::left:
    case Lost::underway: return on_news(transfer_->on_lost(context.now, failed.words), context);
    case Lost::unreadable:
        if (failed.status < 300) return on_news(transfer_->on_unread_answer(context.now), context);
        return on_refer_failed(failed.status, failed.words, context);
    }
}

void Call::on_notify(const told::Request& request, const Context& context) {
    // RFC 3515 §2.4.4: of no REFER of ours, or of one that is decided.
    if (!transfer_) return context.act(act::Respond{.to = request.server, .status = 481});
    const auto news = transfer_->on_notify(context.now, *request.message);
    if (!news)
        return context.act(
            act::Respond{.to = request.server,
                         .status = news.error(),
                         .headers = news.error() == 489 ? "Allow-Events: refer\r\n" : ""});
    context.act(act::Respond{.to = request.server, .status = 200});
    on_news(*news, context);
}

void Call::on_news(const News& news, const Context& context) {
    switch (news.what) {
    case News::What::nothing: return;
    case News::What::progress:
        return tell(EventKind::transferring, news.status, news.words, context);
    case News::What::failure: return transfer_failed(news.status, news.words, context);
    case News::What::success: break;
    }
    transfer_.reset();
    tell(EventKind::transferred, news.status, news.words, context);
    if (state_ != State::established) return;
    ours_.reset();
    say_bye(*chosen(), {}, context);
    end(200, "transferred", context);
}

void Call::transfer_failed(int status, std::string words, const Context& context) {
    transfer_.reset();
    tell(EventKind::transfer_failed, status, std::move(words), context);
}

// We are asked.

std::optional<Refusal> Call::refusal_of_referral(const Leg& leg) const {
    if (!self_.follows_transfers) return Refusal{603, {}};
    if (leg.fate != Leg::Fate::chosen) return Refusal{403, "Not Before the Call Is Answered"};
    if (referral_) return Refusal{491, "One Transfer after the Other"};
    if (referrals_ >= limits::referrals) return Refusal{403, "Too Many Transfers in One Call"};
    return std::nullopt;
}

void Call::on_refer(const told::Request& request, const Leg& leg, const Context& context) {
    const auto refuse = [&](Refusal refusal) {
        context.act(act::Respond{
            .to = request.server, .status = refusal.status, .reason = std::move(refusal.reason)});
    };
    const auto& refer = *request.message;
    if (auto refusal = refusal_of_referral(leg)) return refuse(*std::move(refusal));
    auto referral = referral_in(refer, leg.dialog.is_secure());
    if (!referral) return refuse(std::move(referral.error()));
    const bool silent = referral->reports == Reports::unwanted;
    context.act(act::Respond{.to = request.server,
                             .status = 202,
                             .headers = silent ? "Refer-Sub: false\r\n" : "",  // RFC 4488 §4
                             .has_contact = true});
    Event event;
    event.kind = EventKind::referred;
    event.contact = referral->uri;
    event.reason = referral->by;
    // RFC 3515 §2.4.6: the first may go without a number.
    referral_.emplace(*std::move(referral), context.now, refer.cseq().number, referrals_++ == 0);
    context.act(std::move(event));
}

void Call::on(const told::ReferredCall& call, const Context& context) {
    if (referral_) referral_->learn(context.now, call.status);
}

void Call::on_notify_answer(bool success) {
    if (!referral_) return;
    referral_->answered();
    if (!success) referral_->stop_reports();
}

// A NOTIFY says how it stands, so a second one does no harm.
void Call::on_notify_lost(const told::Failed& failed, const Context& context) {
    if (!referral_) return;
    switch (failed.lost) {
    case Lost::answer: return on_notify_answer(false);
    case Lost::way:
    case Lost::unavailable:
    case Lost::unheard:
    case Lost::left:
    case Lost::underway: return referral_->lost(context.now);
    case Lost::unreadable: return on_notify_answer(failed.status < 300);
    }
}

// The NOTIFYs outlive the call (RFC 3515 §2.4.4, RFC 3261 §15): its BYE ends no subscription.
void Call::work_on_referrals(const Context& context) {
    if (transfer_ && transfer_->goes_again(context.now)) send_refer(context);
    if (transfer_) on_news(transfer_->on_time(context.now), context);
    if (!referral_) return;
    if (auto report = referral_->on_time(context.now)) {
        auto& leg = *chosen();
        auto notify = leg.dialog.request(Method::notify);
        notify.has_contact = true;
        notify.headers = std::move(report->headers);
        notify.content_type = "message/sipfrag;version=2.0";
        notify.body = std::move(report->body);
        send({.id = {},
              .purpose = Purpose::notify,
              .remote_tag = leg.dialog.remote_tag(),
              .request = std::move(notify)},
             context);
    }
    if (referral_->is_over()) referral_.reset();
}

// Replaced.

void Call::on(const told::Replaced& replaced, const Context& context) {
    if (state_ == State::calling) return give_up_calling(487, replaced.words, context);
    if (state_ == State::answered) {  // RFC 3261 §15: the callee's BYE waits for the ACK
        bye_wanted_ = true;
        return end(200, replaced.words, context);
    }
    if (state_ != State::established) return;
    ours_.reset();
    say_bye(*chosen(), {}, context);
    end(200, replaced.words, context);
}

}  // namespace holdfast::call
