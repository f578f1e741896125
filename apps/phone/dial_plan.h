// A dial plan: what becomes of a number that a person types, in rules as desk phones have them.
// The first rule that fits the whole number decides; a number that no rule fits stays as it is.
//
//   "[1-9]xx"               an extension stays as it is
//   "<0:+49>[1-9]x."        0301234 becomes +49301234
//   "0900x. ! it is dear"   is not dialled, and the words say why
//
//   0-9 * # +    itself
//   x            a digit
//   [1-58#]      one of these
//   .            what stands before it, any number of times, none too
//   <FROM:TO>    the digits FROM, in whose place TO is dialled; each may be empty
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::phone {

constexpr std::size_t plan_rules_most = 100;      // of one account
constexpr std::size_t plan_rule_most = 200;       // octets of one
constexpr std::size_t planned_number_most = 100;  // digits of a number

class DialRule {
public:
    // The error is a sentence that names the place in the rule.
    static std::expected<DialRule, std::string> parse(std::string_view text);

    // The number as it is dialled; nothing: the rule does not fit. A number is of 0-9 * # and +.
    [[nodiscard]] std::optional<std::string> applied(std::string_view number) const;
    [[nodiscard]] bool refuses() const { return refuses_; }
    [[nodiscard]] const std::string& reason() const { return reason_; }  // "": none was given
    [[nodiscard]] const std::string& pattern() const { return pattern_; }
    friend bool operator==(const DialRule&, const DialRule&) = default;

private:
    struct Element {
        std::string any_of{};   // one of these is matched; "": nothing is
        bool repeats = false;   // any number of times
        bool stays = true;      // what was matched is dialled
        std::string instead{};  // dialled at this place
        friend bool operator==(const Element&, const Element&) = default;
    };
    friend class RuleReader;

    std::string pattern_;
    std::string reason_;
    std::vector<Element> elements_;
    bool refuses_ = false;
};

using DialPlan = std::vector<DialRule>;

// What the first rule that fits makes of the number; nothing: none fits. The error is a sentence:
// a rule refuses it, or makes no number of it.
std::expected<std::optional<std::string>, std::string> planned(const DialPlan& plan,
                                                               std::string_view number);

// Whether it is a number in the form in which it is dialled: 0-9 * #, and a + only in front; no
// longer than planned_number_most.
bool is_dialable(std::string_view number);

}  // namespace holdfast::phone
