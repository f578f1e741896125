// What a running phone does by itself with a call that comes, before anybody hears it ring: values
// in, a verdict out. Who carries it out is the phone (phone_rules.cpp).
//
//   const auto verdict = verdict_on(rules, {.caller = "Bob <sip:bob@example.test>"});
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace holdfast::phone {

struct IncomingRules {
    bool do_not_disturb = false;
    friend bool operator==(const IncomingRules&, const IncomingRules&) = default;
};

struct IncomingCall {
    std::string_view caller;  // whole, as the Event `ring` says it
};

struct LetRing {
    friend bool operator==(const LetRing&, const LetRing&) = default;
};
struct Refuse {
    int status = 0;       // RFC 3261 §21
    std::string because;  // in words, for the history: "do not disturb"
    friend bool operator==(const Refuse&, const Refuse&) = default;
};
using Verdict = std::variant<LetRing, Refuse>;

Verdict verdict_on(const IncomingRules& rules, const IncomingCall& call);

// What a person changes while the phone runs. What is absent stays as it is.
struct RulesChange {
    std::optional<bool> do_not_disturb{};
};
// The rules after it; the error is a sentence, and nothing changes then.
std::expected<IncomingRules, std::string> changed(IncomingRules rules, const RulesChange& change);

}  // namespace holdfast::phone
