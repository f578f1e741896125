// Values of policy fields as people write them: durations, numbers, booleans; and the nearest known
// word to one that is not known.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"

namespace holdfast::registration {

// "1.5s", "500ms", "250us", "2min", "1h"; a bare number is seconds. Nothing: not a duration,
// negative, or too long to count in microseconds.
std::optional<Duration> parse_duration(std::string_view text);
// The shortest way that parse_duration reads back exactly: "1.5s", "300s", "10min", "24h".
std::string print_duration(Duration duration);

std::optional<bool> parse_flag(
    std::string_view text);  // on, off, true, false, yes, no, 1, 0; any case
std::optional<double> parse_share(std::string_view text);
std::string print_share(double share);

// Words for one thing are spelled in many ways: "new-requests", "NewRequests", "new_requests".
std::string plain_word(std::string_view text);
// plain_word(text) == plain, without making it: each account's settings are looked for among all.
bool is_plain_word_of(std::string_view plain, std::string_view text);
// The one with the fewest edits between; "" if none is near.
std::string_view nearest_word(std::string_view text, std::span<const std::string_view> known);

}  // namespace holdfast::registration
