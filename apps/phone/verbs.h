// What a person types to a running phone, at its console or with `holdfast ctl`, as requests of
// control.h, and the answers in words again. nlohmann/json is behind it, in
// verbs.cpp (requests) and answers.cpp alone.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::phone {

struct Verb {
    std::string_view name;
    std::string_view arguments;  // "[CALL] DIGITS"; "": none
    std::string_view meaning;
};
std::span<const Verb> verbs();
bool is_of_rules(
    std::string_view verb);    // its answer is the rules for calls that come  // of both faces
std::string verbs_in_words();  // a line each: what `help` prints

// "dial bob" as a request with the id 1, on one line without its end. The error is a sentence.
std::expected<std::string, std::string> request_of(std::span<const std::string> words);
// A page of the history; before: 0 for the newest.
std::string history_request(std::string_view search, std::int64_t before, std::size_t most);
std::string subscribe_request(std::span<const std::string> events);

// An answer to a request of the verb, in lines without the last one's end.
struct Refused {
    int code = 0;  // ControlError's
    std::string sentence;
};
std::expected<std::string, Refused> in_words(std::string_view verb, std::string_view answer);

// Its "result" alone, as JSON.
std::expected<std::string, Refused> result_of(std::string_view answer);

// A page of the history as CSV (RFC 4180), without its header, and the id of its last row; 0 if it
// has none.
struct CsvPage {
    std::string rows;
    std::int64_t last = 0;
};
constexpr std::string_view csv_header =
    "started,account,direction,peer,outcome,seconds,status,reason\r\n";
std::expected<CsvPage, Refused> csv_of(std::string_view answer);

// A notification of an event: for a person, and the event itself as a line of docs/events.md.
struct Notification {
    std::string words;     // with its account in front; "" if the line is no event
    std::string event;     // JSON
    bool is_last = false;  // the phone has ended
};
Notification notification_of(std::string_view line);

}  // namespace holdfast::phone
