#include "apps/phone/telephone.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"
#include "sip/parameters.h"

namespace holdfast::phone {

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_letter_or_digit(char c) { return is_letter(c) || is_digit(c); }

// RFC 3966 §3: visual-separator; and the blanks of a link that somebody wrote by hand.
std::string number_alone(std::string_view text) {
    std::string rest(text);
    std::erase_if(rest, [](char c) { return std::string_view("-.() ").contains(c); });
    return rest;
}

// RFC 3966 §3: global-number-digits, with a + and digits; local-number-digits may hold more.
std::string number_problem(std::string_view number) {
    const bool is_global = number.starts_with('+');
    const auto rest = number.substr(is_global ? 1 : 0);
    const std::string_view legal = is_global ? "0123456789" : "0123456789abcdefABCDEF*#";
    if (rest.empty()) return "it has no digit";
    if (rest.find_first_not_of(legal) == std::string_view::npos) return {};
    return is_global ? "after the + stand digits alone"
                     : "a number has digits, * and #, and a + only in front";
}

// RFC 3966 §5.1.5: a domain, or a global number.
bool is_context(std::string_view value) {
    if (value.starts_with('+')) return number_problem(number_alone(value)).empty();
    return !value.empty() && is_letter_or_digit(value.front()) &&
           std::ranges::all_of(
               value, [](char c) { return is_letter_or_digit(c) || c == '-' || c == '.'; });
}

// "name=value" as it stands in the user part. RFC 3261 §19.1.6: all but what is unknown is compared
// without regard to case, and so it is written in lower case.
std::expected<std::string, std::string> parameter_of(std::string_view text) {
    const auto equals = text.find('=');
    auto name = lower_case(text.substr(0, equals));
    if (name.empty() ||
        !std::ranges::all_of(name, [](char c) { return is_letter_or_digit(c) || c == '-'; }))
        return std::unexpected("one of its parameters has no name");
    if (equals == std::string_view::npos) return name;
    auto value = sip::percent_decode(text.substr(equals + 1));
    if (name == "ext") value = number_alone(value);
    if (name == "phone-context" && !is_context(value))
        return std::unexpected("its phone-context is neither a domain nor a number with a +");
    if (name == "ext" || name == "isub" || name == "postd" || name == "phone-context")
        value = lower_case(value);
    // A ; or = of the value would begin another parameter.
    std::string legal;
    for (const char c : value)
        legal += c == ';' ? "%3B" : c == '=' ? "%3D" : escaped_user(std::string_view(&c, 1));
    return name + "=" + legal;
}

// RFC 3261 §19.1.6: isdn-subaddress and post-dial first, in this order, the others by name.
int rank_of(std::string_view parameter) {
    const auto name = parameter.substr(0, parameter.find('='));
    return name == "isub" ? 0 : name == "postd" ? 1 : 2;
}

}  // namespace

std::string escaped_user(std::string_view text) {
    constexpr std::string_view legal = "-_.!~*'()&=+$,;?/";  // mark and user-unreserved
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string user;
    for (const char c : text) {
        if (is_letter_or_digit(c) || legal.find(c) != std::string_view::npos) {
            user += c;
            continue;
        }
        const auto octet = static_cast<unsigned char>(c);
        user.append({'%', hex[octet >> 4U], hex[octet & 15U]});
    }
    return user;
}

// Deviates: RFC 3966 §5.1.5 wants a phone-context for every local number; web pages leave it out,
// and the account's own numbers are meant then.
std::expected<std::string, std::string> user_of_telephone(std::string_view text) {
    const auto semicolon = text.find(';');
    const auto number = number_alone(sip::percent_decode(text.substr(0, semicolon)));
    if (auto problem = number_problem(number); !problem.empty())
        return std::unexpected(std::move(problem));
    std::vector<std::string> parameters;
    for (auto rest = text.substr(std::min(text.size(), semicolon)); !rest.empty();) {
        rest.remove_prefix(1);
        const auto end = std::min(rest.size(), rest.find(';'));
        auto parameter = parameter_of(rest.substr(0, end));
        if (!parameter) return std::unexpected(parameter.error());
        parameters.push_back(*std::move(parameter));
        rest.remove_prefix(end);
    }
    std::ranges::sort(parameters, [](const std::string& a, const std::string& b) {
        return std::pair(rank_of(a), std::string_view(a)) <
               std::pair(rank_of(b), std::string_view(b));
    });
    auto user = escaped_user(lower_case(number));
    for (const auto& parameter : parameters) user += ";" + parameter;
    return user;
}

}  // namespace holdfast::phone
