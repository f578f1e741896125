// Our INVITE and its answers (RFC 3261 §13.2): forking, CANCEL, redirection, challenges.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "call/call.h"
#include "call/limits.h"
#include "call/words.h"

namespace holdfast::call {

using sip::HeaderName;
using sip::Method;

namespace {

// RFC 3323 §4.1.1.3.
constexpr std::string_view anonymous = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";

std::string host_of(std::string_view uri) {
    const auto parsed = sip::OwnedUri::parse(uri);
    return parsed ? lower_case((*parsed)->host) : std::string{};
}

// RFC 3261 §8.1.3.4, §20.10: those with the highest q first; without q it is 1.
std::vector<std::string> targets_in_order(const sip::Message& response) {
    std::vector<std::pair<int, std::string>> by_q;
    for (const auto& contact : response.contacts())
        by_q.emplace_back(contact.q_thousandths.value_or(1000),
                          dialog::as_request_uri(contact.uri));
    std::ranges::stable_sort(by_q, std::ranges::greater{}, &std::pair<int, std::string>::first);
    std::vector<std::string> targets;
    targets.reserve(by_q.size());
    for (auto& [q, uri] : by_q) targets.push_back(std::move(uri));
    return targets;
}

}  // namespace

void Call::on(const told::Dial& dial, const Context& context) {
    if (state_ != State::idle) return;
    dialled_ = true;
    options_ = dial.options;
    session_timer_ = SessionTimer(options_.session_interval, options_.least_interval);
    if (dial.streams.empty()) return end(0, "there is no media to call with", context);
    begin_session(dial.streams, context.random);
    const bool withheld = options_.number == Number::withheld;
    std::string from = self_.display_name.empty() ? "" : sip::quoted(self_.display_name) + " ";
    from += "<" + self_.aor + ">";
    if (withheld) from = anonymous;
    invite_ = {.method = Method::invite,
               .request_uri = dial.uri,
               .from = from + ";tag=" + self_.tag,
               .to = "<" + dial.uri + ">",
               .call_id = self_.call_id,
               .has_contact = true,
               .content_type = "application/sdp",
               .body = session_.make_offer(wanted_streams())};
    state_ = State::calling;
    timers_.arm(Timer::no_answer, context.now + options_.no_answer);
    Event event;
    event.kind = EventKind::dialling;
    event.contact = dial.uri;
    context.act(std::move(event));
    send_invite(context);
}

void Call::send_invite(const Context& context) {
    legs_.clear();
    had_provisional_ = false;
    invite_.headers = std::string(allow_line);
    invite_.headers += options_.reliable == Reliable::off
                           ? std::string_view("Supported: timer, replaces, norefersub\r\n")
                           : supported_line;
    if (options_.reliable == Reliable::required) invite_.headers += "Require: 100rel\r\n";
    invite_.headers += session_timer_.offer();
    // RFC 3325 §9.2: the account's server, which the INVITE goes to, takes it out.
    if (options_.number == Number::withheld)
        invite_.headers += "Privacy: id\r\nP-Preferred-Identity: <" + self_.aor + ">\r\n";
    invite_.headers += options_.headers;
    invite_id_ = send({.id = {}, .purpose = Purpose::invite, .request = invite_}, context);
}

Call::Leg* Call::leg_for(const sip::Message& response) {
    if (auto* const known = leg_of(response.to().tag())) return known;
    const bool success = response.status() >= 200;
    if (legs_.size() >= limits::early_dialogs + (success ? limits::unwanted_answers : 0))
        return nullptr;
    legs_.push_back({.dialog = dialog::Dialog::of_caller(invite_, response)});
    return &legs_.back();
}

void Call::on_provisional(const told::Response& response, const Context& context) {
    const auto& message = *response.message;
    if (find_pending(invite_id_) == nullptr) return;  // it came after the final one
    had_provisional_ = true;
    if (cancel_wanted_ && !std::exchange(cancel_sent_, true))  // RFC 3261 §9.1: not before a 1xx
        context.act(act::Cancel{invite_id_});
    if (message.status() == 100) return;
    // Without a tag there is no early dialog (§12.1), but it rings all the same.
    auto* const leg = message.to().tag().empty() ? nullptr : leg_for(message);
    if (leg != nullptr && message.demands("100rel") && message.rseq() &&
        !acknowledge_provisional(*leg, message, context))
        return;
    if (state_ != State::calling) return;
    const bool rings = message.status() != 183;
    if (rings && (leg == nullptr || !std::exchange(leg->rings, true)))
        tell(EventKind::ringing, message.status(), words_of(message), context);
    if (leg != nullptr && has_sdp(message)) on_early_media(*leg, message, context);
}

// RFC 3262 §4: false: a copy, or one that came before its time; it means nothing. Nor does one too
// many: each PRACK goes to an address that the peer has named.
bool Call::acknowledge_provisional(Leg& leg, const sip::Message& response, const Context& context) {
    const auto rseq = *response.rseq();
    if (leg.last_rseq && rseq != *leg.last_rseq + 1) return false;
    const bool has_one_out = std::ranges::any_of(pending_, [&](const Pending& pending) {
        return pending.purpose == Purpose::prack && pending.remote_tag == leg.dialog.remote_tag();
    });
    if (has_one_out || pending_.size() >= limits::pending_requests) return false;
    leg.last_rseq = rseq;
    auto prack = leg.dialog.request(Method::prack);
    prack.headers = "RAck: " + std::to_string(rseq) + " " + std::to_string(response.cseq().number) +
                    " INVITE\r\n";
    send({.id = {},
          .purpose = Purpose::prack,
          .remote_tag = leg.dialog.remote_tag(),
          .request = std::move(prack)},
         context);
    return true;
}

// RFC 3261 §13.2.1: an answer in a provisional response; what is heard is the branch that spoke
// last.
void Call::on_early_media(Leg& leg, const sip::Message& response, const Context& context) {
    if (leg.session) return;
    auto session = session_;  // each dialog of a fork has its own answer to the one offer
    if (!session.on_answer(response.body())) return;  // the final answer decides
    tell_media(session.agreement(), context);
    leg.session = std::move(session);
    tell(EventKind::early_media, response.status(), words_of(response), context);
}

// Every 2xx gets its ACK; the first is the call, unless it was given up; all others get a BYE
// (RFC 3261 §13.2.2.4).
void Call::on_success(const sip::Message& response, const Context& context) {
    auto* const leg = leg_for(response);
    if (leg == nullptr) {  // more answers than anybody has phones
        const auto stray = dialog::Dialog::of_caller(invite_, response);
        context.act(act::Acknowledge{invite_id_, stray.ack(invite_.cseq)});
        return;
    }
    const bool is_first = take_pending(invite_id_).has_value();
    if (leg->fate == Leg::Fate::early) leg->dialog.confirm(response);
    context.act(act::Acknowledge{invite_id_, leg->dialog.ack(invite_.cseq)});
    if (leg->fate != Leg::Fate::early) return;  // a copy
    if (is_first) timers_.arm(Timer::linger, context.now + limits::give_up);
    if (state_ == State::calling && is_first) return choose(*leg, response, context);
    leg->fate = Leg::Fate::unwanted;
    say_bye(*leg, {}, context);
}

void Call::choose(Leg& leg, const sip::Message& response, const Context& context) {
    leg.fate = Leg::Fate::chosen;
    auto early = std::move(leg.session);
    std::erase_if(legs_, [](const Leg& other) { return other.fate == Leg::Fate::early; });
    timers_.stop(Timer::no_answer);
    peer_takes_update_ = peer_takes_info_ = false;  // of another branch
    learn_what_peer_takes(response);
    std::string problem;
    if (has_sdp(response)) {
        // Some servers answer in the 2xx otherwise than in the 183 before; what was said last
        // counts.
        if (const auto agreed = session_.on_answer(response.body()); !agreed)
            problem = agreed.error().words;
    } else if (early) {
        session_ = *std::move(early);
    } else {
        problem = "the answer has no session description";
    }
    if (!problem.empty()) {
        say_bye(*chosen(), reason_line(488, problem), context);
        return end(488, problem, context);
    }
    state_ = State::established;
    session_timer_.on_success(context.now, response);
    tell(EventKind::answered, response.status(), words_of(response), context);
    tell_media(session_.agreement(), context);
    tell_holding(context);
}

void Call::on_refusal(const told::Response& response, const Context& context) {
    const auto& message = *response.message;
    const int status = message.status();
    legs_.clear();
    if (state_ != State::calling) return;  // given up: the end was told
    if (status / 100 == 3 && redirect(message, context)) return;
    if (status == 422 && interval_rounds_++ < limits::interval_rounds &&
        session_timer_.on_too_small(message)) {
        ++invite_.cseq;  // RFC 4028 §7.4
        return send_invite(context);
    }
    // RFC 3261 §8.1.3.4: one after the other; 6xx says that nobody else will answer either.
    if (status < 600 && try_next_target(context)) return;
    auto words = response.words.empty() ? words_of(message) : response.words;
    if (status / 100 == 3 && !message.contacts().empty())
        words += ": to " + std::string(message.contacts().front().uri.text);
    end(status, std::move(words), context);
}

bool Call::redirect(const sip::Message& response, const Context& context) {
    if (options_.redirects == Redirects::refuse) return false;
    const auto called = host_of(invite_.request_uri);
    const bool secure = invite_.request_uri.starts_with("sips:");
    auto targets = targets_in_order(response);
    std::erase_if(targets, [&](const std::string& uri) {
        const bool elsewhere =
            options_.redirects == Redirects::same_domain && host_of(uri) != called;
        // §8.1.3.4: who called a sips URI is not sent on in clear text.
        const bool known_scheme = uri.starts_with("sips:") ||
                                  (!secure && (uri.starts_with("sip:") || uri.starts_with("tel:")));
        return elsewhere || !known_scheme || uri == invite_.request_uri;
    });
    targets_.insert(targets_.begin(), targets.begin(), targets.end());
    return try_next_target(context);
}

bool Call::try_next_target(const Context& context) {
    if (targets_.empty() || redirects_ >= limits::redirects || state_ != State::calling)
        return false;
    ++redirects_;
    // §8.1.3.4: To, From and Call-ID stay; a new CSeq and branch.
    invite_.request_uri = targets_.front();
    targets_.erase(targets_.begin());
    ++invite_.cseq;
    Event event;
    event.kind = EventKind::dialling;
    event.contact = invite_.request_uri;
    event.reason = "redirected";
    context.act(std::move(event));
    send_invite(context);
    return true;
}

void Call::give_up_calling(int status, std::string words, const Context& context) {
    cancel_wanted_ = true;
    if (had_provisional_ && !std::exchange(cancel_sent_, true))
        context.act(act::Cancel{invite_id_});
    end(status, std::move(words), context);
}

}  // namespace holdfast::call
