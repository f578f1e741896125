#include "call/session_timer.h"

#include <algorithm>

#include "base/text.h"
#include "call/limits.h"

namespace holdfast::call {

namespace {

using sip::HeaderName;

// The delta-seconds in front of the parameters (RFC 4028 §4, §5).
std::optional<std::uint32_t> seconds_in(const sip::Message& message, HeaderName name) {
    const auto value = message.header(name);
    if (!value) return std::nullopt;
    return parse_number<std::uint32_t>(trimmed(value->substr(0, value->find(';'))));
}

enum class Side : std::uint8_t { none, uac, uas };

Side refresher_in(const sip::Message& message) {
    const auto value = lower_case(message.header(HeaderName::session_expires).value_or(""));
    const auto at = value.find("refresher=");
    if (at == std::string::npos) return Side::none;
    const auto who = std::string_view(value).substr(at + 10, 3);
    return who == "uac" ? Side::uac : who == "uas" ? Side::uas : Side::none;
}

std::string line(std::string_view name, std::uint32_t seconds, std::string_view parameters = {}) {
    return std::string(name)
        .append(": ")
        .append(std::to_string(seconds))
        .append(parameters)
        .append("\r\n");
}

}  // namespace

SessionTimer::SessionTimer(std::uint32_t interval, std::uint32_t least)
    : wanted_(interval), least_(std::max(least, limits::least_interval)) {
    if (wanted_ != 0) wanted_ = std::max(wanted_, least_);
}

std::string SessionTimer::offer() const {
    const auto seconds = std::max(agreed_ != 0 ? agreed_ : wanted_, min_se_);
    if (seconds == 0) return {};
    // §7.4: a refresh keeps the roles; the first request leaves them to the callee.
    const std::string_view refresher =
        agreed_ == 0 ? "" : (we_refresh_ ? ";refresher=uac" : ";refresher=uas");
    return line("Session-Expires", seconds, refresher) + line("Min-SE", std::max(least_, min_se_));
}

void SessionTimer::on_success(Instant now, const sip::Message& response) {
    const auto seconds = seconds_in(response, HeaderName::session_expires);
    if (!seconds) {  // §7.2: the session does not expire
        agreed_ = 0;
        return stop();
    }
    // Deviates: RFC 4028 §7.2: a callee that answers below the 90 s of §4 is held to 90 s, for it
    // would have us refresh without end.
    run(now, std::max(*seconds, limits::least_interval), refresher_in(response) != Side::uas);
}

bool SessionTimer::on_too_small(const sip::Message& response) {
    const auto least = seconds_in(response, HeaderName::min_se);
    if (!least || *least <= std::max({min_se_, agreed_, wanted_})) return false;
    min_se_ = *least;
    return true;
}

std::optional<std::string> SessionTimer::refusal_of(const sip::Message& request) const {
    const auto seconds = seconds_in(request, HeaderName::session_expires);
    // Only who knows the extension understands a 422 (§9); a proxy that asked too little for a
    // caller that does not is overruled by our answer.
    if (!seconds || *seconds >= least_ || !request.supports("timer")) return std::nullopt;
    return line("Min-SE", least_);
}

std::string SessionTimer::on_answer(Instant now, const sip::Message& request) {
    const bool caller_knows = request.supports("timer");
    const auto asked = seconds_in(request, HeaderName::session_expires);
    const auto at_least =
        std::max(least_, seconds_in(request, HeaderName::min_se).value_or(limits::least_interval));
    if (!asked && wanted_ == 0) {
        agreed_ = 0;
        stop();
        return {};
    }
    // §9: it may be made shorter, not below the request's Min-SE, and never longer.
    auto seconds = asked ? std::max(*asked, least_) : std::max(wanted_, at_least);
    if (asked && wanted_ != 0) seconds = std::min(seconds, std::max(wanted_, at_least));
    // Table 2: who was named; without a name, or a caller that does not know the timer, we do it.
    const auto named = refresher_in(request);
    const bool we_refresh = !caller_knows || named != Side::uac;
    run(now, seconds, we_refresh);
    auto headers =
        line("Session-Expires", seconds, we_refresh ? ";refresher=uas" : ";refresher=uac");
    if (!we_refresh) headers += "Require: timer\r\n";
    return headers;
}

void SessionTimer::run(Instant now, std::uint32_t interval, bool we_refresh) {
    agreed_ = interval;
    we_refresh_ = we_refresh;
    const Duration whole = std::chrono::seconds{interval};
    refresh_at_ = we_refresh ? now + whole / 2 : never;
    // §10: BYE before the end, by the smaller of 32 s and a third.
    ends_at_ = now + whole - std::min<Duration>(std::chrono::seconds{32}, whole / 3);
}

SessionTimer::Do SessionTimer::on_time(Instant now) {
    if (ends_at_ <= now) {
        stop();
        return Do::expire;
    }
    if (refresh_at_ <= now) {
        refresh_at_ = never;  // its 2xx starts the next interval
        return Do::refresh;
    }
    return Do::nothing;
}

}  // namespace holdfast::call
