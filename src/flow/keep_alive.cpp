#include "flow/keep_alive.h"

#include <algorithm>
#include <utility>

namespace holdfast::flow {

std::string_view name_of(Ping ping) {
    switch (ping) {
    case Ping::none: return "none";
    case Ping::options: return "OPTIONS";
    case Ping::stun: return "STUN";
    case Ping::double_crlf: return "CRLF ping";
    case Ping::crlf_hold: return "CRLF";
    }
    return "?";
}

std::string_view name_of(KeepAliveOutcome outcome) {
    switch (outcome) {
    case KeepAliveOutcome::quiet: return "quiet";
    case KeepAliveOutcome::send: return "send";
    case KeepAliveOutcome::suspect: return "suspect";
    case KeepAliveOutcome::lost: return "lost";
    case KeepAliveOutcome::hold_only: return "hold only";
    }
    return "?";
}

KeepAlive::KeepAlive(Transport transport, const KeepAliveSettings& settings)
    : transport_(transport), settings_(settings) {}

void KeepAlive::start(Instant now, Random& random) {
    if (running_ && timers_.is_armed(Timer::interval)) return;
    running_ = true;
    arm_interval(now, random);
}

void KeepAlive::stop() {
    running_ = false;
    verifying_ = false;
    sent_ = 0;
    timers_.stop_all();
}

KeepAliveOutcome KeepAlive::on_time(Instant now, Random& random) {
    while (const auto timer = timers_.take_due(now)) {
        auto outcome = KeepAliveOutcome::quiet;
        switch (*timer) {
        case Timer::answer: outcome = no_answer_yet(now, random); break;
        case Timer::verify: outcome = begin_verification(now, random); break;
        case Timer::interval:
            // Only a late wake-up finds one ping still waiting: it is judged first.
            outcome = is_waiting() ? KeepAliveOutcome::quiet : begin_ping(now, random);
            if (!timers_.is_armed(Timer::interval)) arm_interval(now, random);
            break;
        case Timer::count: break;
        }
        if (outcome != KeepAliveOutcome::quiet) return outcome;
    }
    return KeepAliveOutcome::quiet;
}

void KeepAlive::verify_now(Instant now, Random& random) {
    if (!running_) return;
    timers_.arm(Timer::verify, now + random.between(Duration{0}, verify_within));
}

std::optional<Duration> KeepAlive::answered(Instant now, Ping kind) {
    switch (kind) {
    case Ping::options:
        facts_.options_answered = true;
        options_silent_until_ = {};
        break;
    case Ping::stun:
        facts_.stun_answered = true;
        stun_silent_until_ = {};
        break;
    case Ping::double_crlf: facts_.pong_seen = true; break;
    case Ping::crlf_hold:
    case Ping::none: return std::nullopt;
    }
    misses_ = 0;
    heard();
    if (holds_only_ && !proves_nothing(now)) holds_only_ = false;
    if (!is_waiting() || kind != ping_) return std::nullopt;
    timers_.stop(Timer::answer);
    verifying_ = false;
    if (sent_ != 1) return std::nullopt;
    return now - sent_at_;
}

void KeepAlive::heard() {
    heard_since_ping_ = true;
    heard_since_miss_ = true;
}

void KeepAlive::agree(Instant now, const Agreement& agreement, Random& random) {
    facts_.agreed.outbound |= agreement.outbound;
    facts_.agreed.keep |= agreement.keep;
    if (agreement.flow_timer) facts_.agreed.flow_timer = agreement.flow_timer;
    if (holds_only_ && !proves_nothing(now)) holds_only_ = false;
    shorten(now, random);
}

void KeepAlive::force_interval(Instant now, std::optional<Duration> longest, Random& random) {
    longest_ = longest;
    shorten(now, random);
}

Deadline KeepAlive::next_deadline() const {
    return sooner({.at = timers_.at(Timer::answer), .reason = "keep-alive answer"},
                  sooner({.at = timers_.at(Timer::verify), .reason = "verify flow"},
                         {.at = timers_.at(Timer::interval), .reason = "keep-alive"}));
}

// K1, the choice.

Ping KeepAlive::choose(Instant now) const {
    if (settings_.kind == KeepAliveKind::none) return Ping::none;
    return is_stream() ? choose_for_stream(now) : choose_for_datagrams(now);
}

Ping KeepAlive::choose_for_datagrams(Instant now) const {
    const auto options = now < options_silent_until_ ? Ping::crlf_hold : Ping::options;
    const bool stun_speaks = stun_silent_until_ <= now;
    switch (settings_.kind) {
    case KeepAliveKind::none: return Ping::none;
    case KeepAliveKind::crlf: return Ping::crlf_hold;
    case KeepAliveKind::options: return options;
    case KeepAliveKind::stun: return stun_speaks ? Ping::stun : Ping::crlf_hold;
    case KeepAliveKind::automatic:
        // RFC 5626 §4.4, RFC 6223 §4: STUN to the SIP port only where the server agreed; others
        // take it for noise.
        return facts_.agreed.any() && stun_speaks ? Ping::stun : options;
    }
    return Ping::none;
}

Ping KeepAlive::choose_for_stream(Instant now) const {
    const auto options = now < options_silent_until_ ? Ping::double_crlf : Ping::options;
    switch (settings_.kind) {
    case KeepAliveKind::none: return Ping::none;
    case KeepAliveKind::crlf: return Ping::double_crlf;
    case KeepAliveKind::options: return options;
    case KeepAliveKind::stun:  // for datagrams only (RFC 5626 §3.5.2)
    case KeepAliveKind::automatic:
        return owes_pong() || would_try_pong() ? Ping::double_crlf : options;
    }
    return Ping::none;
}

bool KeepAlive::owes_pong() const {
    return is_stream() && settings_.demand_pong && (facts_.agreed.any() || facts_.pong_seen);
}

// Whether this server pongs can only be seen by asking once.
bool KeepAlive::would_try_pong() const {
    const bool open_choice =
        settings_.kind == KeepAliveKind::automatic || settings_.kind == KeepAliveKind::stun;
    return is_stream() && settings_.demand_pong && open_choice && !pong_tried_;
}

bool KeepAlive::expects_answer(Ping kind) const {
    switch (kind) {
    case Ping::options:
    case Ping::stun: return true;
    case Ping::double_crlf: return owes_pong() || would_try_pong();
    case Ping::crlf_hold:
    case Ping::none: return false;
    }
    return false;
}

bool KeepAlive::was_answered(Ping kind) const {
    switch (kind) {
    case Ping::options: return facts_.options_answered;
    case Ping::stun: return facts_.stun_answered;
    case Ping::double_crlf: return facts_.pong_seen;
    case Ping::crlf_hold:
    case Ping::none: return false;
    }
    return false;
}

// K1, the interval.

KeepAlive::Range KeepAlive::interval() const {
    const auto share = [](Duration longest) {
        return Range{.low = longest * 4 / 5, .high = longest};
    };
    Range range = is_stream() ? Range{.low = settings_.stream_min, .high = settings_.stream_max}
                              : Range{.low = settings_.udp_min, .high = settings_.udp_max};
    const auto flow_timer = facts_.agreed.any() ? facts_.agreed.flow_timer : std::nullopt;
    if (longest_ && flow_timer) {
        range = share(std::min(*longest_, *flow_timer));
    } else if (longest_ || flow_timer) {
        range =
            share(longest_ ? *longest_ : *flow_timer);  // RFC 5626 §4.4.1, RFC 6223 §5: 80–100 %
    }
    const Duration least = is_stream() ? shortest_stream_interval : shortest_udp_interval;
    range.low = std::max(range.low, least);
    range.high = std::max(range.high, range.low);
    return range;
}

void KeepAlive::arm_interval(Instant now, Random& random) {
    if (settings_.kind == KeepAliveKind::none) return;
    const auto [low, high] = interval();
    timers_.arm(Timer::interval, now + random.between(low, high));
}

// A shorter interval takes effect now, not after one more of the old length.
void KeepAlive::shorten(Instant now, Random& random) {
    if (!timers_.is_armed(Timer::interval)) return;
    if (timers_.at(Timer::interval) > now + interval().high) arm_interval(now, random);
}

// K2, the round.

KeepAliveOutcome KeepAlive::begin_ping(Instant now, Random& random) {
    ping_ = choose(now);
    if (ping_ == Ping::none) {
        verifying_ = false;
        timers_.stop(Timer::interval);
        return KeepAliveOutcome::quiet;
    }
    sent_ = 1;
    sent_at_ = now;
    heard_since_ping_ = false;
    arm_interval(now, random);
    if (expects_answer(ping_)) {
        const auto stream_wait = ping_ == Ping::double_crlf ? pong_wait : stream_answer_wait;
        timers_.arm(Timer::answer, now + (is_stream() ? stream_wait : first_repetition));
    } else {
        verifying_ = false;
    }
    return KeepAliveOutcome::send;
}

KeepAliveOutcome KeepAlive::begin_verification(Instant now, Random& random) {
    timers_.stop(Timer::answer);  // what was asked before the network changed proves nothing now
    if (holds_only_ && proves_nothing(now)) return KeepAliveOutcome::suspect;
    verifying_ = true;
    return begin_ping(now, random);
}

KeepAliveOutcome KeepAlive::no_answer_yet(Instant now, Random& random) {
    if (ping_ == Ping::double_crlf) return pong_missing(now, random);
    if (!is_stream() && sent_ < 3) {
        ++sent_;
        // Each from the last, so that a late wake-up still sends all before the verdict.
        timers_.arm(Timer::answer, now + (sent_ == 2 ? second_repetition : last_wait));
        return KeepAliveOutcome::send;
    }
    return was_answered(ping_) ? known_kind_missing() : silent_kind(now, random);
}

KeepAliveOutcome KeepAlive::pong_missing(Instant now, Random& random) {
    if (owes_pong()) {  // RFC 5626 §4.4.1: the flow MUST be treated as failed
        stop();
        return KeepAliveOutcome::lost;
    }
    pong_tried_ = true;
    if (!proves_nothing(now)) return begin_ping(now, random);
    holds_only_ = true;
    return std::exchange(verifying_, false) ? KeepAliveOutcome::suspect
                                            : KeepAliveOutcome::hold_only;
}

KeepAliveOutcome KeepAlive::known_kind_missing() {
    verifying_ = false;
    ++misses_;
    const bool alive_otherwise = std::exchange(heard_since_miss_, false);
    if (misses_ > misses_before_doubt && alive_otherwise) {
        // It has stopped answering this kind, but it lives: what was known of the kind is out of
        // date.
        (ping_ == Ping::options ? facts_.options_answered : facts_.stun_answered) = false;
        misses_ = 0;
    }
    return heard_since_ping_ ? KeepAliveOutcome::quiet : KeepAliveOutcome::suspect;
}

KeepAliveOutcome KeepAlive::silent_kind(Instant now, Random& random) {
    (ping_ == Ping::options ? options_silent_until_ : stun_silent_until_) = now + retry_silent_kind;
    if (!proves_nothing(now)) return begin_ping(now, random);  // agreed STUN is silent: OPTIONS
    const bool known = std::exchange(holds_only_, true);
    if (std::exchange(verifying_, false) && !heard_since_ping_) return KeepAliveOutcome::suspect;
    return known ? KeepAliveOutcome::quiet : KeepAliveOutcome::hold_only;
}

}  // namespace holdfast::flow
