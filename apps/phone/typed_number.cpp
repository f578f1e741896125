#include "apps/phone/typed_number.h"

#include <algorithm>
#include <array>

#include "base/signs.h"
#include "base/text.h"

namespace holdfast::phone {

namespace {

constexpr auto nowhere = std::string_view::npos;

struct Signs {  // of Unicode, both among them
    char32_t first;
    char32_t last;
};
constexpr std::array blanks_and_marks{
    Signs{0x09, 0x0A},     Signs{0x0D, 0x0D},     Signs{0x20, 0x20},
    Signs{0xA0, 0xA0},     Signs{0xAD, 0xAD},     Signs{0x061C, 0x061C},
    Signs{0x180E, 0x180E}, Signs{0x2000, 0x200F},  // spaces, zero width, marks of direction
    Signs{0x2028, 0x202F}, Signs{0x205F, 0x2064}, Signs{0x2066, 0x2069},
    Signs{0x3000, 0x3000}, Signs{0xFEFF, 0xFEFF},
};
constexpr std::array between_digits{
    Signs{'(', ')'},
    Signs{'-', '/'},
    Signs{0x2010, 0x2015},
    Signs{0x2212, 0x2212},
};

bool is_among(char32_t code, const auto& ranges) {
    return std::ranges::any_of(
        ranges, [&](const Signs& signs) { return code >= signs.first && code <= signs.last; });
}

std::size_t mark_size(std::string_view text) {
    if (text.empty()) return 0;
    const auto sign = first_sign(text);
    return is_among(sign.code, blanks_and_marks) ? sign.size : 0;
}

bool is_key(char c) { return is_digit(c) || c == '*' || c == '#'; }
bool is_letter_of_pause(char c) { return std::string_view("pPwW").contains(c); }

// The longest begin that a number could be.
std::size_t number_size(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const auto size = is_key(text[at]) || text[at] == '+' ? 1 : separator_size(text.substr(at));
        if (size == 0) break;
        at += size;
    }
    return at;
}

// Of a link a key may be escaped: %23 is a #.
bool key_follows(std::string_view text) {
    while (!text.empty()) {
        const auto sign = pause_sign(text).size;
        const auto size = sign > 0 ? sign : separator_size(text);
        if (size == 0) return is_key(text.front()) || text.front() == '%';
        text.remove_prefix(size);
    }
    return false;
}

// Behind a ; of this size: no parameter's name is digits.
bool key_follows_at_once(std::string_view text, std::size_t semicolon) {
    text.remove_prefix(semicolon);
    while (const auto size = separator_size(text)) text.remove_prefix(size);
    return !text.empty() && (is_key(text.front()) || text.front() == '%');
}

std::size_t pause_after_number(std::string_view text) {
    const auto end = number_size(text);
    if (std::ranges::none_of(text.substr(0, end), is_key)) return nowhere;
    const auto rest = text.substr(end);
    if (pause_sign(rest).size == 0) return nowhere;
    return is_letter_of_pause(rest.front()) && !key_follows(rest) ? nowhere : end;
}

// Whose numbers keep their 0 when they are called from abroad: Italy's, San Marino's.
bool keeps_its_zero(std::string_view country) { return country == "39" || country == "378"; }

// "+49" or "0049": a country code and no more.
bool is_country_alone(std::string_view number) {
    const auto code = number.substr(number.starts_with('+') ? 1 : number.starts_with("00") ? 2 : 0);
    constexpr std::size_t code_most = 3;  // ITU-T E.164 §6.2.1
    return code.size() < number.size() && !code.empty() && code.size() <= code_most &&
           std::ranges::all_of(code, is_digit) && !keeps_its_zero(code);
}

}  // namespace

std::size_t separator_size(std::string_view text) {
    if (text.empty()) return 0;
    const auto sign = first_sign(text);
    return is_among(sign.code, blanks_and_marks) || is_among(sign.code, between_digits) ? sign.size
                                                                                        : 0;
}

std::string_view without_marks(std::string_view text) {
    while (const auto size = mark_size(text)) text.remove_prefix(size);
    std::size_t end = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto mark = mark_size(text.substr(at));
        at += std::max<std::size_t>(mark, 1);
        if (mark == 0) end = at;
    }
    return text.substr(0, end);
}

std::string bare_number(std::string_view text) {
    constexpr std::string_view zero_within = "(0)";  // as users of ITU-T E.123 write it
    std::string number;
    while (!text.empty()) {
        const bool is_left_out = text.starts_with(zero_within) && is_country_alone(number);
        const auto size = is_left_out ? zero_within.size() : separator_size(text);
        if (size == 0) number += text.front();
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return number;
}

bool looks_like_a_number(std::string_view text) { return number_size(text) == text.size(); }

PauseSign pause_sign(std::string_view text) {
    if (text.empty()) return {};
    const char c = to_lower(text.front());
    if (c == ',' || c == 'p') return {.size = 1, .waits = false};
    if (c == ';' || c == 'w') return {.size = 1, .waits = true};
    constexpr std::size_t escape = 3;
    if (equals_ignoring_case(text.substr(0, escape), "%2c")) return {.size = escape};
    if (equals_ignoring_case(text.substr(0, escape), "%3b")) return {.size = escape, .waits = true};
    return {};
}

std::size_t pause_in_bare(std::string_view text) {
    if (const auto at = pause_after_number(text); at != nowhere) return at;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto rest = text.substr(at);
        const auto sign = pause_sign(rest);
        if (sign.size == 0 || is_letter_of_pause(rest.front())) continue;
        if (!sign.waits || key_follows_at_once(rest, sign.size)) return at;
    }
    return nowhere;
}

// RFC 3966 §3: neither p nor w is of a number, no comma of a parameter, and no parameter's name is
// digits.
std::size_t pause_in_telephone(std::string_view text) {
    constexpr std::size_t begin = std::string_view("tel:").size();
    const auto parameters = std::min(text.find(';'), text.size());
    for (auto at = begin; at < parameters; ++at) {
        const auto rest = text.substr(at);
        const bool is_sign = pause_sign(rest).size > 0;
        if (is_sign && (!is_letter_of_pause(rest.front()) || key_follows(rest))) return at;
    }
    for (auto at = parameters; at < text.size(); ++at)
        if (text[at] == ',' || (text[at] == ';' && key_follows_at_once(text.substr(at), 1)))
            return at;
    return nowhere;
}

// RFC 3261 §25.1: a user part may hold both, what comes after it no comma.
std::size_t pause_in_uri(std::string_view text) {
    const auto host = text.find('@');
    for (auto at = host == nowhere ? 0 : host; at < text.size(); ++at)
        if (text[at] == ',' || (text[at] == ';' && key_follows_at_once(text.substr(at), 1)))
            return at;
    return nowhere;
}

bool goes_on(std::string_view before, std::string_view word) {
    if (before.empty() || word.empty()) return false;
    const auto is_punctuation = [](char c) { return c == ',' || c == ';'; };
    if (is_punctuation(before.back()) || is_punctuation(word.front())) return true;
    const auto end = number_size(before);
    const bool is_number = std::ranges::any_of(before.substr(0, end), is_key) &&
                           std::ranges::all_of(before.substr(end), is_letter_of_pause);
    if (!is_number) return false;
    if (std::ranges::all_of(word, is_letter_of_pause)) return true;
    const bool begins_with_letter = is_letter_of_pause(word.front()) && key_follows(word);
    return begins_with_letter || (end < before.size() && is_key(word.front()));
}

std::size_t secret_at(std::string_view text) {
    bool behind_a_key = false;
    for (std::size_t at = 0; at < text.size();) {
        const auto rest = text.substr(at);
        const auto sign = pause_sign(rest);
        const bool is_letter = is_letter_of_pause(rest.front());
        if (sign.size > 0 && rest.front() != ';' && !is_letter) return at;
        if (sign.size > 0 && (!is_letter || behind_a_key) && key_follows(rest)) return at;
        const auto separator = separator_size(rest);
        if (separator == 0) behind_a_key = is_key(rest.front());
        at += std::max<std::size_t>(separator, 1);
    }
    return nowhere;
}

std::string in_quotes(std::string_view text) {
    const auto end = secret_at(text);
    return "\"" + std::string(text.substr(0, end)) + (end == nowhere ? "\"" : "…\"");
}

bool may_be_pin(std::string_view word) {
    return !word.empty() &&
           word.find_first_not_of("0123456789*#ABCDabcd,") == std::string_view::npos;
}

}  // namespace holdfast::phone
