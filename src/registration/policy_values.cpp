#include "registration/policy_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "base/text.h"

namespace holdfast::registration {

namespace {

using namespace std::chrono_literals;

struct Unit {
    std::string_view word;
    Duration length;
};
constexpr std::array units{Unit{"us", 1us},   Unit{"ms", 1ms}, Unit{"s", 1s}, Unit{"", 1s},
                           Unit{"min", 1min}, Unit{"m", 1min}, Unit{"h", 1h}};
constexpr double longest_in_microseconds =
    1e15;  // 31 years: further on, a double counts no single microseconds

std::size_t edits_between(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        auto diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const auto replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

bool joins_words(char c) { return c == '-' || c == '_' || c == ' '; }

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
    text = trimmed(text);
    if (text.empty() || (!is_digit(text.front()) && text.front() != '.')) return std::nullopt;
    double number = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc{}) return std::nullopt;
    const auto word =
        lower_case(trimmed({end, static_cast<std::size_t>(text.data() + text.size() - end)}));
    const auto unit = std::ranges::find(units, word, &Unit::word);
    if (unit == units.end()) return std::nullopt;
    const auto ticks = std::round(number * static_cast<double>(unit->length.count()));
    if (ticks > longest_in_microseconds) return std::nullopt;
    return Duration{static_cast<std::int64_t>(ticks)};
}

std::string print_duration(Duration duration) {
    if (duration >= 1h && duration % 1h == 0us) return std::to_string(duration / 1h) + "h";
    if (duration >= 10min && duration % 1min == 0us) return std::to_string(duration / 1min) + "min";
    if (duration % 1s == 0us) return std::to_string(duration / 1s) + "s";
    if (duration < 1s && duration % 1ms == 0us) return std::to_string(duration / 1ms) + "ms";
    if (duration < 1ms) return std::to_string(duration / 1us) + "us";
    auto fraction = std::to_string(duration % 1s / 1us);
    fraction.insert(0, 6 - fraction.size(), '0');
    fraction.erase(fraction.find_last_not_of('0') + 1);
    return std::to_string(duration / 1s) + "." + fraction + "s";
}

std::optional<bool> parse_flag(std::string_view text) {
    const auto word = lower_case(trimmed(text));
    for (const auto* yes : {"on", "true", "yes", "1"})
        if (word == yes) return true;
    for (const auto* no : {"off", "false", "no", "0"})
        if (word == no) return false;
    return std::nullopt;
}

std::optional<double> parse_share(std::string_view text) {
    text = trimmed(text);
    double number = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::string print_share(double share) {
    std::array<char, 32> text{};
    const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), share);
    return error == std::errc{} ? std::string(text.data(), end) : std::string("?");
}

std::string plain_word(std::string_view text) {
    auto word = lower_case(trimmed(text));
    std::erase_if(word, joins_words);
    return word;
}

bool is_plain_word_of(std::string_view plain, std::string_view text) {
    for (const char c : trimmed(text)) {
        if (joins_words(c)) continue;
        if (plain.empty() || plain.front() != to_lower(c)) return false;
        plain.remove_prefix(1);
    }
    return plain.empty();
}

std::string_view nearest_word(std::string_view text, std::span<const std::string_view> known) {
    const auto wanted = plain_word(text);
    std::string_view nearest;
    auto fewest =
        std::max<std::size_t>(2, wanted.size() / 2) + 1;  // further away it is another word
    for (const auto candidate : known) {
        const auto edits = edits_between(wanted, plain_word(candidate));
        if (edits >= fewest) continue;
        fewest = edits;
        nearest = candidate;
    }
    return nearest;
}

}  // namespace holdfast::registration
