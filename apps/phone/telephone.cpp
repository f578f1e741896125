#include "apps/phone/telephone.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "apps/phone/typed_number.h"
#include "base/text.h"
#include "sip/parameters.h"

namespace holdfast::phone {

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_letter_or_digit(char c) { return is_letter(c) || is_digit(c); }

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
    if (value.starts_with('+')) return number_problem(bare_number(value)).empty();
    return !value.empty() && is_letter_or_digit(value.front()) &&
           std::ranges::all_of(
               value, [](char c) { return is_letter_or_digit(c) || c == '-' || c == '.'; });
}

// RFC 3966 §3: paramchar, and what an escape stands for (RFC 3261 §25.1 has the same for a user
// part, but for the brackets); isdn-subaddress, of uric, may hold more.
std::string value_problem(std::string_view name, std::string_view text) {
    const auto value = sip::percent_decode(text);
    const auto has_only = [&](std::string_view legal) {
        return value.find_first_not_of(legal) == std::string::npos;
    };
    if (value.empty()) return "one of its parameters has no value behind the =";
    if (name == "phone-context")
        return is_context(value) ? ""
                                 : "its phone-context is neither a domain nor a number with a +";
    if (name == "ext") return has_only("0123456789-.()") ? "" : "its ext is no number";
    if (name == "postd")  // RFC 2806
        return has_only("0123456789-.()*#ABCDabcdPpWw") ? "" : "its postd is no digits to press";
    for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1))
        if (at + 2 >= text.size() || !from_hex(text.substr(at + 1, 2)))
            return "one of its parameters has a % that escapes nothing";
    const std::string_view more = name == "isub" ? "?@=" : "";
    const bool is_legal = std::ranges::all_of(text, [&](char c) {
        return is_letter_or_digit(c) || std::string_view("[]/:&+$-_.!~*'()%").contains(c) ||
               more.contains(c);
    });
    const bool is_visible = std::ranges::all_of(
        value, [](char c) { return static_cast<unsigned char>(c) > ' ' && c != '\x7f'; });
    return is_legal && is_visible ? "" : "one of its parameters has a value that none can have";
}

// "name=value" as it stands in the user part. RFC 3261 §19.1.6: all but what is unknown is compared
// without regard to case, and so it is written in lower case.
std::expected<std::string, std::string> parameter_of(std::string_view text) {
    const auto equals = text.find('=');
    auto name = lower_case(text.substr(0, equals));
    if (name.empty() ||
        !std::ranges::all_of(name, [](char c) { return is_letter_or_digit(c) || c == '-'; }))
        return std::unexpected("one of its parameters has no name");
    const bool is_known =
        name == "ext" || name == "isub" || name == "postd" || name == "phone-context";
    if (equals == std::string_view::npos) {
        if (is_known) return std::unexpected("its " + name + " has no value");
        return name;
    }
    if (auto problem = value_problem(name, text.substr(equals + 1)); !problem.empty())
        return std::unexpected(std::move(problem));
    auto value = sip::percent_decode(text.substr(equals + 1));
    if (name == "ext") value = bare_number(value);
    if (name == "ext" && value.empty()) return std::unexpected("its ext is no number");
    if (is_known) value = lower_case(value);
    // A ; or = of the value would begin another parameter.
    std::string legal;
    for (const char c : value)
        legal += c == ';' ? "%3B" : c == '=' ? "%3D" : escaped_user(std::string_view(&c, 1));
    return name + "=" + legal;
}

std::string_view key_of(std::string_view parameter) {
    return parameter.substr(0, parameter.find('='));
}

// RFC 3966 §3: isub or ext first, then phone-context, the others by name. RFC 3261 §19.1.6 has the
// postd of RFC 2806 right behind isub.
int rank_of(std::string_view parameter) {
    constexpr std::array<std::string_view, 4> first{"isub", "ext", "postd", "phone-context"};
    return static_cast<int>(std::ranges::find(first, key_of(parameter)) - first.begin());
}

// In the order in which two such URIs are compared; each is there once (RFC 3966 §3).
std::expected<std::vector<std::string>, std::string> parameters_of(std::string_view text) {
    std::vector<std::string> parameters;
    while (!text.empty()) {
        text.remove_prefix(1);
        const auto end = std::min(text.size(), text.find(';'));
        auto parameter = parameter_of(text.substr(0, end));
        if (!parameter) return std::unexpected(parameter.error());
        for (const auto& other : parameters)
            if (key_of(other) == key_of(*parameter))
                return std::unexpected("its " + std::string(key_of(other)) + " is there twice");
        parameters.push_back(*std::move(parameter));
        text.remove_prefix(end);
    }
    std::ranges::sort(parameters, [](const std::string& a, const std::string& b) {
        return std::pair(rank_of(a), std::string_view(a)) <
               std::pair(rank_of(b), std::string_view(b));
    });
    return parameters;
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
    const auto semicolon = std::min(text.find(';'), text.size());
    const auto number = bare_number(sip::percent_decode(text.substr(0, semicolon)));
    if (auto problem = number_problem(number); !problem.empty())
        return std::unexpected(std::move(problem));
    const auto parameters = parameters_of(text.substr(semicolon));
    if (!parameters) return std::unexpected(parameters.error());
    auto user = escaped_user(lower_case(number));
    for (const auto& parameter : *parameters) user += ";" + parameter;
    return user;
}

}  // namespace holdfast::phone
