// Their INVITE and our answer (RFC 3261 §13.3), reliable provisional answers (RFC 3262).
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "call/call.h"
#include "call/diversion.h"
#include "call/limits.h"
#include "call/words.h"
#include "sdp/description.h"

namespace holdfast::call {

using sip::HeaderName;
using sip::Method;

namespace {

// RFC 3262 §7.2: "776656 1 INVITE".
struct RAck {
    std::uint32_t rseq = 0;
    std::uint32_t cseq = 0;
    std::string_view method;
};
std::optional<RAck> rack_of(const sip::Message& prack) {
    auto rest = trimmed(prack.header(HeaderName::rack).value_or(""));
    std::array<std::string_view, 3> parts;
    for (auto& part : parts) {
        part = rest.substr(0, rest.find_first_of(" \t"));
        rest = trimmed(rest.substr(part.size()));
    }
    const auto rseq = parse_number<std::uint32_t>(parts[0]);
    const auto cseq = parse_number<std::uint32_t>(parts[1]);
    if (!rseq || !cseq || !rest.empty()) return std::nullopt;
    return RAck{*rseq, *cseq, parts[2]};
}

}  // namespace

void Call::on(const told::Invited& invited, const Context& context) {
    if (state_ != State::idle) return;
    const auto& invite = *invited.invite;
    const auto refuse_silently = [&](int status, std::string headers, std::string reason) {
        context.act(act::Respond{.to = invited.server,
                                 .status = status,
                                 .reason = std::move(reason),
                                 .headers = std::move(headers)});
        told_end_ = true;  // nobody was told of a call
        state_ = State::ending;
    };
    auto made = dialog::Dialog::of_callee(invite, self_.tag);
    if (!made) return refuse_silently(400, {}, "No Contact That Can Be Called");
    if (auto headers = session_timer_.refusal_of(invite))
        return refuse_silently(422, std::move(*headers), {});
    if (!invite.body().empty() && !has_sdp(invite))  // RFC 3261 §21.4.13
        return refuse_silently(415, std::string(accept_line), {});
    if (!invite.body().empty() && !sdp::parse(invite.body()))
        return refuse_silently(400, {}, "Session Description Cannot Be Read");
    state_ = State::ringing;
    invited_ = invited.server;
    their_invite_ = invite.clone();
    legs_.push_back({.dialog = std::move(*made)});
    learn_what_peer_takes(invite);
    // RFC 3261 §13.3.1: an invitation that has expired is answered with 487.
    Duration patience = limits::ring_time;
    if (const auto expires = invite.expires();
        expires && std::chrono::seconds{*expires} < patience) {
        patience = std::chrono::seconds{*expires};
        status_when_over_ = 487;
    }
    timers_.arm(Timer::ring, context.now + patience);
    ring(context);
    Event event;
    event.kind = EventKind::ring;
    event.status = 180;
    event.contact = std::string(invite.request_uri().text);
    const auto caller = caller_of(invite, invited.source);
    event.reason = caller.words;
    event.expires = caller.answer_after;
    event.diverted_by = diverters_of(invite);
    context.act(std::move(event));
}

void Call::ring(const Context& context) {
    if (state_ != State::ringing) return;
    timers_.arm(Timer::ring_again, context.now + limits::ringing_again);
    act::Respond response{
        .to = invited_, .status = 180, .headers = std::string(allow_line), .has_contact = true};
    if (!their_invite_.demands("100rel")) return context.act(std::move(response));
    // RFC 3262 §5: the first reliable answer to an INVITE without an offer must hold one, and there
    // is no media before the user answers; one without PRACK is out already.
    if (their_invite_.body().empty() || provisional_) return;
    Provisional reliable{.response = std::move(response)};
    reliable.rseq = static_cast<std::uint32_t>(context.random.below(0x7fff'fffe)) + 1;
    reliable.response.headers +=
        "Require: 100rel\r\nRSeq: " + std::to_string(reliable.rseq) + "\r\n";
    reliable.repeater.start(context.now, Repeater::Ceiling::none);
    context.act(act::Respond(reliable.response));
    provisional_ = std::move(reliable);
    timers_.stop(Timer::ring_again);  // the PRACK says that it was heard
}

void Call::on_prack(const told::Request& request, const Context& context) {
    const auto rack = rack_of(*request.message);
    const bool fits = rack && provisional_ && rack->rseq == provisional_->rseq &&
                      rack->cseq == their_invite_.cseq().number && rack->method == "INVITE";
    if (!fits) return context.act(act::Respond{.to = request.server, .status = 481});
    provisional_.reset();
    // RFC 3262 §5: an offer in a PRACK has its answer in the 2xx; there is no media to answer with
    // before the user has answered.
    const bool offers = !request.message->body().empty();
    context.act(act::Respond{.to = request.server, .status = offers ? 488 : 200});
}

void Call::on(const told::Answer& answer, const Context& context) {
    if (state_ != State::ringing) return;
    if (answer.streams.empty()) return refuse(480, {}, "there is no media to answer with", context);
    begin_session(answer.streams, context.random);
    const bool late_offer = their_invite_.body().empty();
    std::string body;
    if (late_offer) {
        body = session_.make_offer(wanted_streams());
    } else if (auto made = session_.on_offer(their_invite_.body(), wanted_streams())) {
        body = std::move(*made);
    } else {
        const auto& problem = made.error();
        return refuse(problem.status, warning_line(problem), problem.words, context);
    }
    // RFC 3262 §3: it held no session description, so the 2xx need not wait; its PRACK may come
    // yet.
    if (provisional_) provisional_->repeater.stop();
    timers_.stop(Timer::ring);
    timers_.stop(Timer::ring_again);
    auto& leg = legs_.front();
    leg.fate = Leg::Fate::chosen;
    leg.dialog.confirm();
    state_ = State::answered;
    act::Respond response{.to = std::exchange(invited_, ServerId{}),
                          .status = 200,
                          .headers = std::string(allow_line).append(supported_line),
                          .has_contact = true,
                          .body = std::move(body)};
    response.headers += session_timer_.on_answer(context.now, their_invite_);
    send_success(std::move(response), their_invite_.cseq().number, late_offer, context);
    tell(EventKind::answered, 200, {}, context);
    if (!late_offer) {
        tell_media(session_.agreement(), context);
        tell_holding(context);
    }
}

void Call::send_success(act::Respond response, std::uint32_t cseq, bool has_offer,
                        const Context& context) {
    ours_ = Ours{.response = response, .cseq = cseq, .has_offer = has_offer};
    ours_->repeater.start(context.now, Repeater::Ceiling::t2);
    context.act(std::move(response));
}

void Call::on(const told::Acknowledged& acknowledged, const Context& context) {
    const auto& ack = *acknowledged.message;
    auto* const leg = chosen();
    if (!ours_ || ack.cseq().number != ours_->cseq || leg == nullptr ||
        leg_of(ack.from().tag()) != leg)
        return;
    const bool brings_answer = ours_->has_offer;
    ours_.reset();
    if (state_ == State::answered) state_ = State::established;
    if (std::exchange(bye_wanted_, false)) return say_bye(*leg, {}, context);
    if (!brings_answer || state_ != State::established) return;
    const auto agreed = session_.on_answer(ack.body());
    if (agreed) {
        tell_media(session_.agreement(), context);
        return tell_holding(context);
    }
    if (session_.agreement()) return session_.withdraw();  // a re-INVITE: as it was before
    say_bye(*leg, reason_line(488, agreed.error().words), context);
    end(488, agreed.error().words, context);
}

void Call::on(const told::Reject& reject, const Context& context) {
    if (state_ != State::ringing) return;
    const bool refuses = reject.status >= 300 && reject.status <= 699;
    refuse(refuses ? reject.status : 480, reject.headers, reject.words, context);
}

void Call::on(const told::Cancelled& cancelled, const Context& context) {
    if (state_ != State::ringing) return;  // RFC 3261 §9.2: an answer that is given stays
    refuse(487, {}, why_cancelled(*cancelled.message), context);
}

void Call::refuse(int status, std::string headers, std::string words, const Context& context) {
    if (state_ != State::ringing) return;
    context.act(act::Respond{.to = std::exchange(invited_, ServerId{}),
                             .status = status,
                             .headers = std::move(headers)});
    end(status, std::move(words), context);
}

}  // namespace holdfast::call
