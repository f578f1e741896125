// What the phone does by itself with a call that comes: the rules' verdicts, carried out.
#include <utility>

#include "apps/phone/phone.h"

namespace holdfast::phone {

Done<IncomingRules> Phone::change_rules(const RulesChange& change) {
    auto rules = changed(settings_.incoming, change);
    if (rules) settings_.incoming = *rules;
    return rules;
}

Verdict Phone::verdict_on_ring(const Event& ring) const {
    constexpr int not_available = 480;
    if (leaving_) return Refuse{not_available, "the phone is ending"};
    return verdict_on(settings_.incoming, {.caller = ring.reason});
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

}  // namespace holdfast::phone
