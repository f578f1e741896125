// Requests of the peer in our dialogs (RFC 3261 §12.2.2, §14.2, §15.1.2; RFC 3311 §5.2).
#include <utility>

#include "base/text.h"
#include "call/call.h"
#include "call/words.h"
#include "sip/digit_info.h"
#include "sip/verdict.h"

namespace holdfast::call {

using sip::Method;

namespace {

act::Respond come_later(ServerId to, Random& random) {
    // RFC 3261 §14.2, RFC 3311 §5.2: between 0 and 10 s.
    return {.to = to,
            .status = 500,
            .headers = "Retry-After: " + std::to_string(random.below(11)) + "\r\n"};
}

}  // namespace

void Call::on(const told::Request& request, const Context& context) {
    const auto& message = *request.message;
    auto* const leg = leg_of(message.from().tag());
    const bool is_bye = message.method() == Method::bye;
    // What comes from a branch that has our BYE concerns the call no more.
    const bool is_over =
        state_ == State::ending || (leg != nullptr && leg->fate == Leg::Fate::unwanted);
    if (leg == nullptr || (is_over && !is_bye))
        return context.act(act::Respond{.to = request.server, .status = 481});
    if (leg->dialog.admit(message) == dialog::Order::out_of_order)
        return context.act(act::Respond{.to = request.server, .status = 500});
    switch (message.method()) {
    case Method::bye: return on_bye(request, *leg, context);
    case Method::invite:
    case Method::update: return on_change(request, *leg, context);
    case Method::prack: return on_prack(request, context);
    case Method::refer: return on_refer(request, *leg, context);
    case Method::notify: return on_notify(request, context);
    case Method::info: return on_info(request, context);
    case Method::options:
        return context.act(
            act::Respond{.to = request.server, .status = 200, .headers = std::string(allow_line)});
    case Method::register_:
    case Method::ack:
    case Method::cancel:
    case Method::subscribe:
    case Method::message:
    case Method::publish:
    case Method::other: break;
    }
    context.act(
        act::Respond{.to = request.server, .status = 405, .headers = std::string(allow_line)});
}

// RFC 3261 §20.5: without an Allow nothing new is known.
void Call::learn_what_peer_takes(const sip::Message& message) {
    if (!message.has(sip::HeaderName::allow)) return;
    peer_takes_update_ = message.allows(Method::update);
    peer_takes_info_ = message.allows(Method::info);
}

// One without a body asks whether we are there. A key that is no digit (a hook flash) is taken, and
// nobody is told: there is nothing that it could do here.
void Call::on_info(const told::Request& request, const Context& context) {
    const auto& info = *request.message;
    if (info.header("Info-Package"))  // RFC 6086 §4.2.2: we have never asked for one
        return context.act(act::Respond{.to = request.server,
                                        .status = 469,
                                        .reason = "Bad Info Package",
                                        .headers = "Recv-Info:\r\n"});
    const auto form = sip::digit_form(info.media_type());
    if (!info.body().empty() && !form && !sip::may_skip_body(info))
        return context.act(act::Respond{
            .to = request.server, .status = 415, .headers = std::string(accept_digits_line)});
    context.act(
        act::Respond{.to = request.server, .status = 200, .headers = std::string(allow_line)});
    if (!form) return;
    if (const auto digit = sip::digit_in(*form, info.body()))
        tell(EventKind::dtmf, 0, std::string(1, *digit), context);
}

void Call::on_bye(const told::Request& request, Leg& leg, const Context& context) {
    context.act(act::Respond{.to = request.server, .status = 200});
    const auto words = why_hung_up(*request.message);
    // RFC 3261 §15.1.2: what is still pending in the dialog gets a 487.
    if (state_ == State::ringing) return refuse(487, {}, words, context);
    if (leg.fate != Leg::Fate::chosen) return;
    ours_.reset();  // no ACK comes any more
    bye_wanted_ = false;
    end(200, words, context);
}

void Call::on_change(const told::Request& request, Leg& leg, const Context& context) {
    if (auto refusal = refusal_of_change(request, context)) return context.act(std::move(*refusal));
    answer_change(request, leg, context);
}

std::optional<act::Respond> Call::refusal_of_change(const told::Request& request,
                                                    const Context& context) const {
    const auto& message = *request.message;
    const bool is_invite = message.method() == Method::invite;
    const bool negotiates = is_invite || has_sdp(message);
    if (auto headers = session_timer_.refusal_of(message))
        return act::Respond{.to = request.server, .status = 422, .headers = std::move(*headers)};
    if (!negotiates) return std::nullopt;
    // An offer of theirs waits for our answer: RFC 3261 §14.2, RFC 3311 §5.2.
    if (state_ == State::ringing) return come_later(request.server, context.random);
    // One of ours is out (§14.2, §5.2), or our 2xx has not arrived yet (RFC 6337 §4.1).
    const bool early = state_ == State::calling;
    if (early || has_change_out() || session_.is_offering() || (is_invite && ours_))
        return act::Respond{.to = request.server, .status = 491};
    if (!message.body().empty() && !has_sdp(message))
        return act::Respond{
            .to = request.server, .status = 415, .headers = std::string(accept_line)};
    return std::nullopt;
}

void Call::answer_change(const told::Request& request, Leg& leg, const Context& context) {
    const auto& message = *request.message;
    const bool is_invite = message.method() == Method::invite;
    act::Respond response{.to = request.server,
                          .status = 200,
                          .headers = std::string(allow_line),
                          .has_contact = true};
    bool late_offer = false;
    if (has_sdp(message)) {
        auto answer = session_.on_offer(message.body(), wanted_streams());
        if (!answer)  // RFC 3261 §14.2: the session stays as it was
            return context.act(act::Respond{.to = request.server,
                                            .status = answer.error().status,
                                            .headers = warning_line(answer.error())});
        response.body = std::move(*answer);
    } else if (is_invite) {
        response.body = session_.make_offer(wanted_streams());
        late_offer = true;
    }
    leg.dialog.refresh_target(message);
    learn_what_peer_takes(message);
    response.headers += supported_line;
    if (leg.fate == Leg::Fate::chosen)
        response.headers += session_timer_.on_answer(context.now, message);
    if (is_invite) {
        send_success(std::move(response), message.cseq().number, late_offer, context);
    } else {
        context.act(std::move(response));
    }
    if (!has_sdp(message)) return;
    tell_media(session_.agreement(), context);
    tell_holding(context);
}

}  // namespace holdfast::call
