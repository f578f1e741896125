// What a running phone does by itself with a call that comes, before anybody hears it ring: values
// in, a verdict out. Who carries it out is the phone (phone_rules.cpp).
//
//   const auto verdict = verdict_on(rules, {.caller = "Bob <sip:bob@example.test>"});
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/time.h"
#include "call/options.h"

namespace holdfast::phone {

constexpr Duration answer_after_most = std::chrono::minutes{2};
constexpr Duration forward_after_most = std::chrono::minutes{2};
constexpr std::size_t deny_most = 1000;         // patterns
constexpr std::size_t deny_pattern_most = 256;  // octets of one

// "off"; "asked": only if the account's own server asks for it (answer-after), as late as it says;
// "2s": every call, so late.
struct AutoAnswer {
    enum class When : std::uint8_t { off, asked, always };
    When when = When::off;
    Duration after{};  // of always: 0 to answer_after_most

    static std::optional<AutoAnswer> parse(std::string_view text);
    [[nodiscard]] std::string text() const;
    friend bool operator==(const AutoAnswer&, const AutoAnswer&) = default;
};

// Whom callers are sent to instead (302), as it is typed: a number, a name or a URI; "": nobody.
struct Forwarding {
    std::string always{};
    std::string busy{};                         // while there is another call
    std::string no_answer{};                    // which nobody has answered for `after`
    Duration after = std::chrono::seconds{20};  // 1 s to forward_after_most
    friend bool operator==(const Forwarding&, const Forwarding&) = default;
};

struct IncomingRules {
    bool do_not_disturb = false;
    bool one_call = false;
    AutoAnswer auto_answer{};
    Forwarding forward{};
    std::vector<std::string> deny{};  // is_denied
    friend bool operator==(const IncomingRules&, const IncomingRules&) = default;
};

struct IncomingCall {
    std::string_view caller;  // whole, as the Event `ring` says it
    std::optional<Duration> asks_answer_after{};
    bool is_only_call = true;  // no other one rings, is dialled or talks
};

struct LetRing {
    friend bool operator==(const LetRing&, const LetRing&) = default;
};
struct Refuse {
    int status = 0;       // RFC 3261 §21
    std::string because;  // in words, for the history: "do not disturb"
    friend bool operator==(const Refuse&, const Refuse&) = default;
};
struct Forward {
    std::string whom;
    call::Diverted why = call::Diverted::unconditional;
    std::string because;
    friend bool operator==(const Forward&, const Forward&) = default;
};
struct AnswerItself {
    Duration after{};
    std::string because;
    friend bool operator==(const AnswerItself&, const AnswerItself&) = default;
};
using Verdict = std::variant<LetRing, Refuse, Forward, AnswerItself>;

// A pattern is a number, a user, or user@host, whole, where * ? and [a-z] stand for others
// (fnmatch); upper case is as good as lower case, and +49 30-12 as +493012.
bool is_denied(const std::vector<std::string>& patterns, std::string_view caller);

Verdict verdict_on(const IncomingRules& rules, const IncomingCall& call);
// RFC 5806: not who has been sent on by this account before, or by too many (limits::diversions of
// a call). Behind a server that makes a new call of each 302 he would go round for ever.
// `diverted_by`: as the Event `ring` says it.
bool may_be_forwarded(const std::vector<std::string>& diverted_by, std::string_view aor);
// The same rules, if this one is none because nobody can dial whom it names.
IncomingRules without_forwarding(IncomingRules rules, call::Diverted why);
// The same, if this caller is not forwarded at all.
IncomingRules without_forwarding(IncomingRules rules);

// What a person changes while the phone runs. What is absent stays as it is.
struct RulesChange {
    std::optional<bool> do_not_disturb{};
    std::optional<bool> one_call{};
    std::optional<std::string> auto_answer{};     // as AutoAnswer::parse has it
    std::optional<std::string> forward_always{};  // "off": to nobody; so the next two
    std::optional<std::string> forward_busy{};
    std::optional<std::string> forward_no_answer{};
    std::optional<std::string> forward_after{};  // "20s"
    std::optional<std::string> deny{};           // one pattern more
    std::optional<std::string> allow{};          // one of the patterns: taken out
};
// The rules after it; the error is a sentence, and nothing changes then.
std::expected<IncomingRules, std::string> changed(IncomingRules rules, const RulesChange& change);

}  // namespace holdfast::phone
