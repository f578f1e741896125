// What the phone does by itself with a call that comes: the rules' verdicts, carried out.
#include <algorithm>
#include <utility>

#include "apps/phone/phone.h"
#include "runtime/clock.h"

namespace holdfast::phone {

Done<IncomingRules> Phone::change_rules(const RulesChange& change) {
    auto rules = changed(settings_.incoming, change);
    if (!rules) return rules;
    if (rules->auto_answer != settings_.incoming.auto_answer) answering_.clear();
    settings_.incoming = *rules;
    return rules;
}

// One that was refused a moment ago makes nobody busy.
bool Phone::is_in_a_call_beside(CallRef ref) const {
    return std::ranges::any_of(calls_.all(), [&](const auto& each) {
        const auto line = lines_.find(each.first);
        const bool is_refused = line != lines_.end() && !line->second.refused_because.empty();
        return each.first != ref && each.second.stage != Stage::ending && !is_refused;
    });
}

Verdict Phone::verdict_on_ring(const Event& ring) const {
    constexpr int not_available = 480;
    if (leaving_) return Refuse{not_available, "the phone is ending"};
    return verdict_on(settings_.incoming, {.caller = ring.reason,
                                           .asks_answer_after = ring.expires,
                                           .is_only_call = !is_in_a_call_beside(ring.call)});
}

// Nobody is told that it rings: a hook would ring a bell.
Event Phone::refused_event(const Event& ring, const Refuse& refuse) {
    Event event{.kind = EventKind::notice, .account = ring.account, .call = ring.call};
    event.reason = "refused with " + std::to_string(refuse.status) + " (" + refuse.because +
                   "): " + ring.reason;
    return event;
}

void Phone::refuse(CallRef ref, const Refuse& refuse) {
    lines_[ref].refused_because = refuse.because;
    calls_.reject(ref, refuse.status);
}

void Phone::answer_later(CallRef ref, const AnswerItself& how) {
    const auto [timer, is_new] = answering_.try_emplace(
        ref, loop_, [this, ref, because = how.because] { answer_itself(ref, because); });
    timer->second.arm(runtime::boot_time() + how.after);
}

// Much may have happened since it began to ring. That a microphone opens is said.
void Phone::answer_itself(CallRef ref, const std::string& because) {
    const auto call = calls_.all().find(ref);
    if (leaving_ || call == calls_.all().end() || call->second.stage != Stage::ringing) return;
    if (is_in_a_call_beside(ref) || settings_.incoming.do_not_disturb) return;
    Event event{.kind = EventKind::notice, .account = call->second.account, .call = ref};
    event.reason = "answered by itself (" + because + ")";
    tell(runtime::boot_time(), event);
    calls_.answer(ref, settings_.calls);
}

}  // namespace holdfast::phone
