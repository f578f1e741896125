#include "registration/proof.h"

namespace holdfast::registration {

using namespace std::chrono_literals;

namespace {
constexpr Duration verdict_after = 4s;  // a copy that takes longer is of no use to a caller either
constexpr Duration again_after = 1s;    // R3: twice in 10 s
}  // namespace

void Proof::start(Instant now) {
    if (stage_ == Stage::usual || stage_ == Stage::repeated) stage_ = Stage::usual;
    timers_.stop_all();
    timers_.arm(Timer::send, now);
}

void Proof::sent(Instant now, std::string call_id) {
    call_id_ = std::move(call_id);
    sent_at_ = now;
    status_ = 0;
    timers_.arm(Timer::verdict, now + verdict_after);
}

void Proof::again_later(Instant now, Random& random) {
    stage_ = Stage::usual;
    call_id_.clear();
    timers_.stop_all();
    // R1: with other devices listed it rings them too: only after a move or in doubt.
    if (others_) return;
    timers_.arm(Timer::send, now + random.between(scaled(interval_, 0.8), scaled(interval_, 1.2)));
}

Proof::Do Proof::on_returned(Instant now, std::string_view call_id, bool ours_by_from,
                             Random& random) {
    const bool ours = !call_id_.empty() &&
                      (call_id == call_id_ || (ours_by_from && now - sent_at_ <= verdict_after));
    if (!ours) return Do::nothing;
    const bool news = !proven_;
    proven_ = true;
    ever_ = true;
    again_later(now, random);
    return news ? Do::reachable : Do::nothing;
}

void Proof::on_answer(std::string_view call_id, int status) {
    if (call_id == call_id_) status_ = status;
}

Proof::Do Proof::on_time(Instant now, Random& random) {
    while (const auto timer = timers_.take_due(now)) {
        switch (*timer) {
        case Timer::send: return Do::send;
        case Timer::verdict: return judge(now, random);
        case Timer::count: break;
        }
    }
    return Do::nothing;
}

Proof::Do Proof::judge(Instant now, Random& random) {
    call_id_.clear();
    if (!ever_) {  // R2: Asterisk and FreeSWITCH answer it themselves
        again_later(now, random);
        const bool news = !told_unprovable_;
        told_unprovable_ = true;
        return news ? Do::unprovable : Do::nothing;
    }
    switch (stage_) {
    case Stage::usual:
        stage_ = Stage::repeated;
        timers_.arm(Timer::send, now + again_after);
        return Do::nothing;
    case Stage::repeated: stage_ = Stage::refreshed; return Do::refresh;  // its 200 starts us again
    case Stage::refreshed:
        if (others_ && status_ >= 200 && status_ < 300) {
            again_later(now, random);
            return Do::other_device;
        }
        stage_ = Stage::fresh_contact;
        return Do::fresh_contact;
    case Stage::fresh_contact: {
        const bool news = proven_;
        proven_ = false;
        again_later(now, random);
        return news ? Do::unreachable : Do::nothing;
    }
    }
    return Do::nothing;
}

}  // namespace holdfast::registration
