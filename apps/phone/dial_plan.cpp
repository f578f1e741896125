#include "apps/phone/dial_plan.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace holdfast::phone {

namespace {

constexpr std::string_view all_digits = "0123456789";
constexpr std::string_view dialable = "0123456789*#+";

bool is_dialable_sign(char c) { return dialable.find(c) != std::string_view::npos; }

}  // namespace

// From left to right; the first thing that is wrong is the error.
class RuleReader {
public:
    explicit RuleReader(std::string_view text) : whole_(text) {}

    std::expected<DialRule, std::string> read() {
        if (whole_.empty() || whole_.size() > plan_rule_most)
            return std::unexpected("A rule of a dial plan has 1 to " +
                                   std::to_string(plan_rule_most) + " octets");
        const auto mark = whole_.find('!');
        rule_.refuses_ = mark != std::string_view::npos;
        if (rule_.refuses_) rule_.reason_ = trimmed(whole_.substr(mark + 1));
        const auto pattern = trimmed(whole_.substr(0, mark));
        rule_.pattern_ = pattern;
        for (at_ = 0; at_ < pattern.size() && error_.empty();) element(pattern);
        if (error_.empty() && rule_.elements_.empty()) wrong("there is no pattern", 0);
        if (!error_.empty()) return std::unexpected(error_);
        return std::move(rule_);
    }

private:
    void wrong(const std::string& why, std::size_t at) {
        error_ = "\"" + std::string(whole_) + "\" is no rule of a dial plan: " + why +
                 " (character " + std::to_string(at + 1) + ")";
    }
    void element(std::string_view pattern) {
        const char c = pattern[at_];
        if (c == '.') return repetition();
        if (c == '[') return one_of(pattern);
        if (c == '<') return replacement(pattern);
        if (c != 'x' && c != 'X' && !is_dialable_sign(c))
            return wrong("\"" + std::string(1, c) +
                             "\" is neither a digit, * # +, x, [...], . nor <FROM:TO>",
                         at_);
        rule_.elements_.push_back(
            {.any_of = is_dialable_sign(c) ? std::string(1, c) : std::string(all_digits)});
        ++at_;
    }
    void repetition() {
        if (rule_.elements_.empty() || rule_.elements_.back().repeats ||
            !rule_.elements_.back().stays || rule_.elements_.back().any_of.empty())
            return wrong("before a . stands what it repeats: a digit, x or [...]", at_);
        rule_.elements_.back().repeats = true;
        ++at_;
    }
    // "[1-58#]"
    void one_of(std::string_view pattern) {
        const auto end = pattern.find(']', at_);
        if (end == std::string_view::npos) return wrong("this [ has no ]", at_);
        const auto inside = pattern.substr(at_ + 1, end - at_ - 1);
        std::string any_of;
        for (std::size_t i = 0; i < inside.size(); ++i) {
            if (i + 2 < inside.size() && inside[i + 1] == '-') {
                const char last = inside[i + 2];
                if (!is_digit(inside[i]) || !is_digit(last) || inside[i] > last)
                    return wrong("a range goes from a digit up to another, as in [2-9]",
                                 at_ + 1 + i);
                for (char digit = inside[i]; digit <= last; ++digit) any_of += digit;
                i += 2;
            } else if (is_dialable_sign(inside[i])) {
                any_of += inside[i];
            } else {
                return wrong("in [...] stand digits, * # +, and ranges of digits", at_ + 1 + i);
            }
        }
        if (any_of.empty()) return wrong("nothing stands in this [...]", at_);
        rule_.elements_.push_back({.any_of = std::move(any_of)});
        at_ = end + 1;
    }
    // "<0:+49>"
    void replacement(std::string_view pattern) {
        const auto end = pattern.find('>', at_);
        if (end == std::string_view::npos) return wrong("this < has no >", at_);
        const auto inside = pattern.substr(at_ + 1, end - at_ - 1);
        const auto colon = inside.find(':');
        if (colon == std::string_view::npos) return wrong("this <...> has no colon", at_);
        const auto from = inside.substr(0, colon);
        const auto to = inside.substr(colon + 1);
        for (const auto part : {from, to})
            if (!std::ranges::all_of(part, is_dialable_sign))
                return wrong("in <FROM:TO> stand digits and * # + alone", at_);
        for (const char digit : from)
            rule_.elements_.push_back({.any_of = std::string(1, digit), .stays = false});
        rule_.elements_.push_back({.instead = std::string(to)});
        at_ = end + 1;
    }

    std::string_view whole_;
    std::size_t at_ = 0;
    std::string error_;
    DialRule rule_;
};

std::expected<DialRule, std::string> DialRule::parse(std::string_view text) {
    return RuleReader(trimmed(text)).read();
}

// First backwards, from where on the rest fits the rest; then forwards, as much as possible for
// each repetition. Elements times digits, whatever the rule is.
std::optional<std::string> DialRule::applied(std::string_view number) const {
    const auto width = number.size() + 1;
    std::vector<bool> fits((elements_.size() + 1) * width);
    const auto rest_fits = [&](std::size_t element, std::size_t at) {
        return fits[element * width + at];
    };
    const auto takes = [&](std::size_t element, std::size_t at) {
        return at < number.size() && elements_[element].any_of.contains(number[at]);
    };
    fits[elements_.size() * width + number.size()] = true;
    for (std::size_t element = elements_.size(); element-- > 0;)
        for (std::size_t at = number.size() + 1; at-- > 0;) {
            const auto& what = elements_[element];
            const bool without =
                (what.repeats || what.any_of.empty()) && rest_fits(element + 1, at);
            const bool with =
                takes(element, at) && rest_fits(what.repeats ? element : element + 1, at + 1);
            fits[element * width + at] = without || with;
        }
    if (!rest_fits(0, 0)) return std::nullopt;
    std::string result;
    std::size_t at = 0;
    for (std::size_t element = 0; element < elements_.size(); ++element) {
        const auto& what = elements_[element];
        result += what.instead;
        if (what.any_of.empty()) continue;
        while (takes(element, at) && rest_fits(what.repeats ? element : element + 1, at + 1)) {
            if (what.stays) result += number[at];
            ++at;
            if (!what.repeats) break;
        }
    }
    return result;
}

std::expected<std::optional<std::string>, std::string> planned(const DialPlan& plan,
                                                               std::string_view number) {
    for (const auto& rule : plan) {
        auto result = rule.applied(number);
        if (!result) continue;
        const auto by = " (rule \"" + rule.pattern() + "\" of the dial plan)";
        if (rule.refuses())
            return std::unexpected(std::string(number) + " is not dialled" +
                                   (rule.reason().empty() ? std::string{} : ": " + rule.reason()) +
                                   by);
        if (!is_dialable(*result))
            return std::unexpected(std::string(number) + " would become \"" + *result +
                                   "\", which is no number" + by);
        return result;
    }
    return std::optional<std::string>{};
}

bool is_dialable(std::string_view number) {
    if (number.empty() || number == "+" || number.size() > planned_number_most) return false;
    return number.find('+', 1) == std::string_view::npos &&
           std::ranges::all_of(number, is_dialable_sign);
}

}  // namespace holdfast::phone
