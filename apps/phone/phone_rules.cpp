// What the phone does by itself with a call that comes: the rules' verdicts, carried out.
#include <algorithm>
#include <utility>

#include "apps/phone/phone.h"
#include "runtime/clock.h"

namespace holdfast::phone {

namespace {
constexpr AccountId first_account{1};
}

Done<IncomingRules> Phone::change_rules(const RulesChange& change) {
    auto rules = changed(settings_.incoming, change);
    if (!rules) return rules;
    // What cannot be dialled is said now, and not when somebody calls; what was there before has
    // been said.
    const auto& before = settings_.incoming.forward;
    for (const auto rule : {&Forwarding::always, &Forwarding::busy, &Forwarding::no_answer}) {
        const auto& whom = rules->forward.*rule;
        if (whom.empty() || whom == before.*rule) continue;
        if (const auto target = forward_target(first_account, whom); !target)
            return std::unexpected(target.error());
    }
    if (rules->auto_answer != settings_.incoming.auto_answer) answering_.clear();
    if (rules->forward != settings_.incoming.forward) forwarding_.clear();
    settings_.incoming = *rules;
    signals_.update(calls_.all());
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
    const IncomingCall call{.caller = ring.reason,
                            .asks_answer_after = ring.expires,
                            .is_only_call = !is_in_a_call_beside(ring.call)};
    auto rules = settings_.incoming;
    if (!may_be_forwarded(ring.diverted_by, aor_of(ring.account)))
        rules = without_forwarding(std::move(rules));
    auto verdict = verdict_on(rules, call);
    // Whom nobody can dial is no reason to forward: the other rules decide.
    while (auto* const forward = std::get_if<Forward>(&verdict)) {
        if (auto target = forward_target(ring.account, forward->whom)) {
            forward->whom = *std::move(target);
            break;
        }
        rules = without_forwarding(std::move(rules), forward->why);
        verdict = verdict_on(rules, call);
    }
    return verdict;
}

// What a configuration says is read before there are accounts.
void Phone::tell_useless_forwarding(Instant now) {
    const auto& forward = settings_.incoming.forward;
    for (const auto* whom : {&forward.always, &forward.busy, &forward.no_answer}) {
        if (whom->empty()) continue;
        const auto target = forward_target(first_account, *whom);
        if (target) continue;
        Event event{.kind = EventKind::notice, .account = first_account};
        event.reason = "calls are not forwarded to \"" + *whom + "\": " + target.error();
        tell(now, event);
    }
}

// Of the account that is called. To send a caller to ourselves would be a loop.
Done<std::string> Phone::forward_target(AccountId account, const std::string& whom) const {
    auto target = target_of(whom, caller_with(account));
    if (target && are_same_callee(*target, aor_of(account)))
        return std::unexpected("it would come back here");
    return target;
}

Event Phone::forwarded_event(const Event& ring, const Forward& forward) {
    Event event{.kind = EventKind::notice, .account = ring.account, .call = ring.call};
    event.reason = "forwarded to " + forward.whom + " (" + forward.because + "): " + ring.reason;
    return event;
}

void Phone::forward(CallRef ref, const Forward& forward) {
    auto& line = lines_[ref];
    line.refused_because = "to " + forward.whom + " (" + forward.because + ")";
    line.forwarded = true;
    calls_.forward(ref, forward.whom, forward.why);
}

void Phone::forward_later(CallRef ref) {
    if (settings_.incoming.forward.no_answer.empty()) return;
    const auto [timer, is_new] =
        forwarding_.try_emplace(ref, loop_, [this, ref] { forward_unanswered(ref); });
    timer->second.arm(runtime::boot_time() + settings_.incoming.forward.after);
}

// Not one that is being answered: its sound is opened then.
void Phone::forward_unanswered(CallRef ref) {
    const auto call = calls_.all().find(ref);
    if (leaving_ || call == calls_.all().end() || call->second.stage != Stage::ringing) return;
    if (calls_.settings(ref) != nullptr) return;
    const auto target = forward_target(call->second.account, settings_.incoming.forward.no_answer);
    if (!target) return;
    const Forward how{*target, call::Diverted::no_answer, "not answered"};
    Event event{.kind = EventKind::notice, .account = call->second.account, .call = ref};
    event.reason = call->second.peer;
    tell(runtime::boot_time(), forwarded_event(event, how));
    forward(ref, how);
    signals_.update(calls_.all());
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
    lines_[ref].answers_at_once = how.after == Duration::zero();
    timer->second.arm(runtime::boot_time() + how.after);
}

// Much may have happened since it began to ring. That a microphone opens is said.
void Phone::answer_itself(CallRef ref, const std::string& because) {
    const auto call = calls_.all().find(ref);
    if (leaving_ || call == calls_.all().end() || call->second.stage != Stage::ringing) return;
    lines_[ref].answers_at_once = false;
    if (is_in_a_call_beside(ref) || settings_.incoming.do_not_disturb)
        return signals_.update(calls_.all());  // it rings on, for a person
    Event event{.kind = EventKind::notice, .account = call->second.account, .call = ref};
    event.reason = "answered by itself (" + because + ")";
    tell(runtime::boot_time(), event);
    calls_.answer(ref, settings_.calls);
    signals_.update(calls_.all());
}

}  // namespace holdfast::phone
