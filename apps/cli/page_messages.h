// Rows of a page's ladder, of the lab and of recordings alike.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/dns.h"
#include "base/time.h"

namespace holdfast::cli {

// A row that a click opens: `first` says what it is in a line, `text` is the whole message, what a
// password answered left out and control characters shown (trace.h).
struct PageMessage {
    double at = 0;  // s
    std::string_view about{};
    std::string from{};
    std::string to{};
    std::string way{};  // endpoints
    std::string fate{};
    std::string first{};  // "": of the message
    std::string_view bytes{};
};
nlohmann::ordered_json json_of(const PageMessage& message);

// "REGISTER sip:example.test · CSeq 2", "401 Unauthorized · 2 REGISTER".
std::string first_line_of(std::string_view message);

// "example.test A: 203.0.113.11, 203.0.113.12 (TTL 60 s)".
std::string in_words(const dns::Question& question, const dns::Answer& answer);

// To a microsecond, as a number that is short in JSON.
double page_seconds(Duration duration);

}  // namespace holdfast::cli
