// Digits of ours that go by INFO, one after the other: each waits for the answer to the one before
// and for its sound there, so that none overtakes another. An INFO is a request of the dialog like
// any other (RFC 6086 §2, RFC 3261 §12.2); a refused one leaves the call as it is, unless it says
// that there is no call (§12.2.1.2, RFC 5057 §5.1). Of a PIN the rest is worth nothing once a digit
// is missing: it is not sent.
#include <algorithm>
#include <utility>

#include "call/call.h"
#include "call/limits.h"
#include "call/words.h"
#include "sip/digit_info.h"

namespace holdfast::call {

using sip::Method;
using told::Lost;

// Those that were taken before go on, whatever becomes of these. Of a call whose end has been told
// nothing more is.
void Call::on(const told::Press& press, const Context& context) {
    if (state_ == State::ending || state_ == State::over) return;
    const auto refuse = [&](std::string words) {
        tell(EventKind::digits_failed, 0, std::move(words), context);
    };
    if (state_ != State::answered && state_ != State::established)
        return refuse("the call is not answered");
    if (!sip::are_keys(press.digits)) return refuse("digits are 0-9 * # A-D, a comma is a pause");
    if (digits_.waiting.size() + press.digits.size() > limits::digits)
        return refuse("too many wait");
    const auto length = std::clamp(press.length, limits::shortest_digit, limits::longest_digit);
    for (const char typed : press.digits) {
        const char key =
            typed >= 'a' && typed <= 'd' ? static_cast<char>(typed - 'a' + 'A') : typed;
        digits_.waiting.push_back({.key = key, .form = press.form, .length = length});
    }
    digits_.are_under_way = true;
}

void Call::send_next_digit(const Context& context) {
    if (state_ != State::established || !digits_.are_under_way) return;
    if (std::ranges::find(pending_, Purpose::info, &Pending::purpose) != pending_.end()) return;
    if (digits_.waiting.empty()) {
        digits_.are_under_way = false;
        return tell(EventKind::digits_sent, 0, {}, context);
    }
    if (timers_.is_armed(Timer::digit)) return;
    digits_.waits_for_way = false;
    const auto digit = digits_.waiting.front();
    digits_.waiting.erase(digits_.waiting.begin());
    if (digit.key == ',') return timers_.arm(Timer::digit, context.now + limits::digit_pause);
    auto& leg = *chosen();
    auto info = leg.dialog.request(Method::info);
    info.content_type = sip::media_type_of(digit.form);
    info.body = sip::digit_body(digit.form, digit.key, digit.length);
    timers_.arm(Timer::digit, context.now + digit.length + limits::between_digits);
    send({.id = {},
          .purpose = Purpose::info,
          .remote_tag = leg.dialog.remote_tag(),
          .request = std::move(info),
          .digit = digit},
         context);
}

void Call::on_digit_answer(const Pending&, const told::Response& response, const Context& context) {
    const auto& message = *response.message;
    const int status = message.status();
    digits_.ways = 0;
    if (status < 300 || state_ != State::established) return;
    const auto words = response.words.empty() ? words_of(message) : response.words;
    digits_failed(status, words, context);
    if (status == 481 || status == 408) dialog_is_gone(status, not_known(words), context);
}

void Call::on_digit_lost(const Pending& pending, const told::Failed& failed,
                         const Context& context) {
    if (state_ != State::established) return;
    switch (failed.lost) {
    case Lost::answer:  // RFC 3261 §12.2.1.2: no answer is a 408
        digits_failed(408, failed.words, context);
        return dialog_is_gone(408, "the other side cannot be reached any more: " + failed.words,
                              context);
    case Lost::way:          // it has not been sent, and goes when there is a way
    case Lost::unavailable:  // of an INVITE alone
        if (digits_.ways++ >= limits::ways) return digits_failed(503, failed.words, context);
        digits_.waiting.insert(digits_.waiting.begin(), pending.digit);
        digits_.waits_for_way = true;
        return timers_.arm(Timer::digit, context.now + limits::way_again);
    case Lost::unheard:
    case Lost::left:
    case Lost::underway:  // sent again it might be pressed twice
        return digits_failed(0, "nobody knows whether one has arrived: " + failed.words, context);
    case Lost::unreadable:
        if (failed.status < 300) return;
        digits_failed(failed.status, failed.words, context);
        if (failed.status == 481 || failed.status == 408)
            dialog_is_gone(failed.status, not_known(failed.words), context);
        return;
    }
}

void Call::digits_failed(int status, std::string words, const Context& context) {
    digits_.waiting.clear();
    digits_.ways = 0;
    if (std::exchange(digits_.are_under_way, false))
        tell(EventKind::digits_failed, status, std::move(words), context);
}

}  // namespace holdfast::call
