#include "apps/phone/incoming_rules.h"

#include <fnmatch.h>

#include <algorithm>

#include "apps/phone/dialling.h"
#include "apps/phone/typed_number.h"
#include "base/text.h"
#include "call/limits.h"
#include "registration/policy_values.h"
#include "sip/parameters.h"
#include "sip/uri.h"

namespace holdfast::phone {

namespace {

// RFC 3261 §21.4.18 names this very case. Other phones of the user ring on, which a 603 would end
// (§21.6.2).
constexpr int temporarily_unavailable = 480;
constexpr int busy_here = 486;
// RFC 3261 §21.6.2: nowhere is this caller wanted.
constexpr int decline = 603;

// A display name may hold brackets of its own: the URI is in the last ones.
std::string_view uri_in(std::string_view caller) {
    const auto open = caller.rfind('<');
    if (!caller.ends_with('>') || open == std::string_view::npos) return caller;
    return caller.substr(open + 1, caller.size() - open - 2);
}

// RFC 3966 §5.1.1: what makes a number easier to read is no part of it.
std::string without_separators(std::string text) {
    if (text.find_first_not_of("0123456789+-.() *?") == std::string::npos)
        std::erase_if(text, [](char c) { return std::string_view("-.() ").contains(c); });
    return text;
}

std::string pattern_of(std::string_view text) {
    auto pattern = lower_case(trimmed(text));
    for (const std::string_view scheme : {"sip:", "sips:", "tel:"})
        if (pattern.starts_with(scheme)) {
            pattern.erase(0, scheme.size());
            break;
        }
    return without_separators(std::move(pattern));
}

bool fits(const std::string& pattern, const std::string& text) {
    return ::fnmatch(pattern.c_str(), text.c_str(), FNM_NOESCAPE) == 0;
}

// Who is called cannot be pressed anything by us. What is behind a comma may be a PIN: not
// repeated.
std::expected<std::string, std::string> whom_of(const std::string& typed) {
    auto whom = std::string(trimmed(typed));
    if (whom == "off") return std::string{};
    if (whom.empty() || whom.size() > typed_most)
        return std::unexpected("Whom to forward calls to is a number, a name or a URI, or off");
    if (secret_at(whom) != std::string::npos)
        return std::unexpected(
            "Nobody presses digits where calls are forwarded to: leave out "
            "what is behind the pause");
    return whom;
}

std::expected<Forwarding, std::string> changed(Forwarding forward, const RulesChange& change) {
    for (const auto& [typed, rule] : {std::pair{&change.forward_always, &forward.always},
                                      std::pair{&change.forward_busy, &forward.busy},
                                      std::pair{&change.forward_no_answer, &forward.no_answer}}) {
        if (!*typed) continue;
        auto whom = whom_of(**typed);
        if (!whom) return std::unexpected(whom.error());
        *rule = *std::move(whom);
    }
    if (!change.forward_after) return forward;
    const auto after = registration::parse_duration(*change.forward_after);
    if (!after || *after < std::chrono::seconds{1} || *after > forward_after_most)
        return std::unexpected("\"" + *change.forward_after +
                               "\" is no time from 1s to 2min after which calls are forwarded");
    forward.after = *after;
    return forward;
}

}  // namespace

std::optional<AutoAnswer> AutoAnswer::parse(std::string_view text) {
    if (text == "off") return AutoAnswer{};
    if (text == "asked") return AutoAnswer{.when = When::asked};
    const auto after = registration::parse_duration(text);
    if (!after || *after > answer_after_most) return std::nullopt;
    return AutoAnswer{.when = When::always, .after = *after};
}

std::string AutoAnswer::text() const {
    switch (when) {
    case When::off: return "off";
    case When::asked: return "asked";
    case When::always: return registration::print_duration(after);
    }
    return {};
}

bool is_denied(const std::vector<std::string>& patterns, std::string_view caller) {
    if (patterns.empty()) return false;
    const auto uri = sip::OwnedUri::parse(uri_in(caller));
    std::string user(uri ? uri->get().user : uri_in(caller));
    user.resize(std::min(user.size(), user.find(';')));
    // RFC 3261 §19.1.4: %62ob is bob.
    user = without_separators(lower_case(sip::percent_decode(user)));
    const auto whole = user + "@" + (uri ? lower_case(uri->get().host) : std::string{});
    return std::ranges::any_of(patterns, [&](const std::string& pattern) {
        return fits(pattern, pattern.contains('@') ? whole : user);
    });
}

Verdict verdict_on(const IncomingRules& rules, const IncomingCall& call) {
    using When = AutoAnswer::When;
    if (is_denied(rules.deny, call.caller)) return Refuse{decline, "denied"};
    // Who has sent his callers elsewhere is not disturbed by them.
    if (!rules.forward.always.empty())
        return Forward{rules.forward.always, call::Diverted::unconditional, "every call"};
    if (rules.do_not_disturb) return Refuse{temporarily_unavailable, "do not disturb"};
    if (!call.is_only_call && !rules.forward.busy.empty())
        return Forward{rules.forward.busy, call::Diverted::user_busy, "there is another call"};
    if (call.is_only_call) {
        if (rules.auto_answer.when == When::always)
            return AnswerItself{rules.auto_answer.after, "auto-answer"};
        if (rules.auto_answer.when == When::asked && call.asks_answer_after)
            return AnswerItself{*call.asks_answer_after, "the account's server asks for it"};
    } else if (rules.one_call) {
        return Refuse{busy_here, "one call at a time"};
    }
    return LetRing{};
}

bool may_be_forwarded(const std::vector<std::string>& diverted_by, std::string_view aor) {
    return diverted_by.size() < call::limits::diversions &&
           std::ranges::none_of(
               diverted_by, [&](const auto& by) { return are_same_callee(by, aor); });
}

IncomingRules without_forwarding(IncomingRules rules, call::Diverted why) {
    switch (why) {
    case call::Diverted::unconditional: rules.forward.always.clear(); break;
    case call::Diverted::user_busy: rules.forward.busy.clear(); break;
    case call::Diverted::no_answer: rules.forward.no_answer.clear(); break;
    case call::Diverted::deflection:
    case call::Diverted::do_not_disturb: break;  // no rule of these forwards
    }
    return rules;
}

IncomingRules without_forwarding(IncomingRules rules) {
    rules.forward = {};
    return rules;
}

std::expected<IncomingRules, std::string> changed(IncomingRules rules, const RulesChange& change) {
    rules.do_not_disturb = change.do_not_disturb.value_or(rules.do_not_disturb);
    rules.one_call = change.one_call.value_or(rules.one_call);
    if (change.auto_answer) {
        const auto parsed = AutoAnswer::parse(*change.auto_answer);
        if (!parsed)
            return std::unexpected("\"" + *change.auto_answer +
                                   "\" is neither off, asked nor a time from 0s to 2min");
        rules.auto_answer = *parsed;
    }
    auto forward = changed(rules.forward, change);
    if (!forward) return std::unexpected(forward.error());
    rules.forward = *std::move(forward);
    if (change.deny) {
        auto pattern = pattern_of(*change.deny);
        if (pattern.empty() || pattern.size() > deny_pattern_most)
            return std::unexpected("Whom to deny is a number, a user or USER@HOST of 1 to " +
                                   std::to_string(deny_pattern_most) + " octets");
        if (std::ranges::count(rules.deny, pattern) == 0) rules.deny.push_back(std::move(pattern));
        if (rules.deny.size() > deny_most)
            return std::unexpected("There are " + std::to_string(deny_most) +
                                   " denied already: allow one, or use one pattern for several");
    }
    if (change.allow && std::erase(rules.deny, pattern_of(*change.allow)) == 0)
        return std::unexpected("\"" + *change.allow + "\" is none of those that are denied");
    return rules;
}

}  // namespace holdfast::phone
