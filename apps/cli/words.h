// Events in words, for a person. What comes from a server is made printable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/event.h"
#include "base/time.h"

namespace holdfast::cli {

// The engine's time as the wall's: of one instant we know both.
struct WallClock {
    Instant at{};
    std::int64_t microseconds = 0;                                 // since 1970, at that instant
    [[nodiscard]] std::string time_of_day(Instant instant) const;  // "14:03:22", local
    [[nodiscard]] std::string fine_time_of_day(Instant instant) const;  // "14:03:22.123456"
};

// One line, or more: the first says it, the others (indented) list.
std::vector<std::string> words_of(const Event& event);

// `log = "changes"`: what changes an account's state, or what somebody should know.
bool is_a_change(EventKind kind);

std::string in_words(Duration duration);  // "12 ms", "27.3 s", "5 min"
std::string row_in_words(std::size_t rank,
                         const EventTarget& row);  // "1. udp:203.0.113.11:5060  sip1.…: why"

}  // namespace holdfast::cli
