#include "flow/keepalive_learn.h"

#include "base/check.h"
#include "flow/keep_alive.h"

namespace holdfast::flow {

std::string_view name_of(LearnStep step) {
    switch (step) {
    case LearnStep::quiet: return "quiet";
    case LearnStep::open_flow: return "open flow";
    case LearnStep::send: return "send";
    case LearnStep::learned: return "learned";
    case LearnStep::gave_up: return "gave up";
    }
    return "?";
}

LearnStep KeepAliveLearn::start() {
    CHECK(state_ == State::idle);
    state_ = State::opening;
    reason_ = "learning";
    return LearnStep::open_flow;
}

LearnStep KeepAliveLearn::opened(Instant now, const Endpoint& local) {
    if (state_ != State::opening) return LearnStep::quiet;
    local_ = local;
    return ask(now);
}

LearnStep KeepAliveLearn::failed() {
    if (state_ == State::idle || state_ == State::done) return LearnStep::quiet;
    return give_up("the spare flow could not be used");
}

LearnStep KeepAliveLearn::answered(Instant now, const Endpoint& mapping) {
    if (state_ != State::asking) return LearnStep::quiet;
    silences_ = 0;
    if (!mapping_) {
        if (mapping == local_) return give_up("no NAT is seen");
        if (mapping.port == local_.port)
            return give_up("the NAT keeps the port number: a lost mapping looks the same");
        mapping_ = mapping;
        return wait(now);
    }
    const bool survived = mapping == *mapping_;
    mapping_ = mapping;
    return judge(now, survived);
}

LearnStep KeepAliveLearn::on_time(Instant now) {
    if (now < wake_) return LearnStep::quiet;
    switch (state_) {
    case State::waiting: return ask(now);
    case State::asking:
        if (sent_ < 3) {
            ++sent_;
            wake_ = now + (sent_ == 2 ? second_repetition : last_wait);
            return LearnStep::send;
        }
        if (++silences_ == learn_silences) return give_up("the server does not answer");
        // The packets sent so far may have refreshed the mapping: this trial begins again.
        return wait(now);
    case State::idle:
    case State::opening:
    case State::done: break;
    }
    wake_ = never;
    return LearnStep::quiet;
}

std::optional<Duration> KeepAliveLearn::interval() const {
    if (!learned_) return std::nullopt;
    return good_;
}

Deadline KeepAliveLearn::next_deadline() const {
    if (wake_ == never) return {};
    return {.at = wake_,
            .reason = state_ == State::asking ? "keep-alive trial answer" : "keep-alive trial"};
}

LearnStep KeepAliveLearn::ask(Instant now) {
    state_ = State::asking;
    sent_ = 1;
    wake_ = now + first_repetition;
    return LearnStep::send;
}

LearnStep KeepAliveLearn::wait(Instant now) {
    state_ = State::waiting;
    wake_ = now + (mapping_ ? trial_ : learn_shortest);
    return LearnStep::quiet;
}

LearnStep KeepAliveLearn::judge(Instant now, bool survived) {
    if (survived) {
        good_ = trial_;
    } else {
        too_long_ = trial_;
    }
    if (!too_long_ || *too_long_ - good_ <= learn_precision) {
        state_ = State::done;
        wake_ = never;
        learned_ = true;
        reason_ = "learned";
        return LearnStep::learned;
    }
    trial_ = (good_ + *too_long_) / 2;
    return wait(now);
}

LearnStep KeepAliveLearn::give_up(std::string_view reason) {
    state_ = State::done;
    wake_ = never;
    reason_ = reason;
    return LearnStep::gave_up;
}

}  // namespace holdfast::flow
