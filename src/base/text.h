// Small text helpers that more than one layer needs. ASCII only, no locale (RFC 3261 §7.3.1
// compares so).
#pragma once

#include <charconv>
#include <concepts>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

constexpr char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool equals_ignoring_case(std::string_view a, std::string_view b);
std::string lower_case(std::string_view text);
std::string_view trimmed(std::string_view text);  // without SP, HT, CR, LF at both ends
std::string hex(std::string_view bytes);          // lower case
// The parts one behind the other, in one allocation: a chain of + makes a string a link.
std::string joined(std::initializer_list<std::string_view> parts);
void append(std::string& text, std::initializer_list<std::string_view> parts);
std::optional<std::string> from_hex(std::string_view text);

// The whole text as a decimal number that fits; no sign, no space.
template <std::unsigned_integral Number>
std::optional<Number> parse_number(std::string_view text) {
    Number value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

}  // namespace holdfast
