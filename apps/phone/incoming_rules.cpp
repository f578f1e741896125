#include "apps/phone/incoming_rules.h"

namespace holdfast::phone {

namespace {

// RFC 3261 §21.4.18 names this very case. Other phones of the user ring on, which a 603 would end
// (§21.6.2).
constexpr int temporarily_unavailable = 480;

}  // namespace

Verdict verdict_on(const IncomingRules& rules, const IncomingCall&) {
    if (rules.do_not_disturb) return Refuse{temporarily_unavailable, "do not disturb"};
    return LetRing{};
}

std::expected<IncomingRules, std::string> changed(IncomingRules rules, const RulesChange& change) {
    rules.do_not_disturb = change.do_not_disturb.value_or(rules.do_not_disturb);
    return rules;
}

}  // namespace holdfast::phone
