#include "doctor/words.h"

#include <array>
#include <chrono>
#include <cstdio>

#include "base/text.h"

namespace holdfast::doctor {

namespace {

std::string with_one_digit(double number, std::string_view unit) {
    std::array<char, 32> text{};
    const bool whole = number >= 10 || number == static_cast<double>(static_cast<int>(number));
    const int size = std::snprintf(text.data(), text.size(), whole ? "%.0f" : "%.1f", number);
    return std::string(text.data(), static_cast<std::size_t>(size)) + " " + std::string(unit);
}

// The value of the parameter from `at` on becomes an ellipsis.
void hide(std::string& text, std::size_t at) {
    const auto end = std::min(text.find_first_of(";?>&", at), text.size());
    text.replace(at, end - at, "…");
}

}  // namespace

std::string milliseconds(Duration duration) {
    return with_one_digit(static_cast<double>(duration.count()) / 1000, "ms");
}

std::string seconds(Duration duration) { return with_one_digit(seconds_of(duration), "s"); }

std::string date_of(std::int64_t unixtime) {
    const auto day = std::chrono::floor<std::chrono::days>(
        std::chrono::sys_seconds{std::chrono::seconds{unixtime}});
    const std::chrono::year_month_day date{day};
    std::array<char, 32> text{};
    const int size =
        std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    return {text.data(), static_cast<std::size_t>(size)};
}

std::string count_of(std::size_t number, std::string_view one, std::string_view many) {
    return std::to_string(number) + " " + std::string(number == 1 ? one : many);
}

std::string list_of(std::span<const std::string> words) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
        text += words[i];
    }
    return text;
}

std::string without_secrets(std::string_view uri) {
    std::string text(uri);
    const auto lower = lower_case(text);
    if (const auto token = lower.find(";hf="); token != std::string::npos) hide(text, token + 4);
    const auto host = text.find('@');
    const auto scheme = text.find(':');
    if (host == std::string::npos || scheme == std::string::npos || scheme > host) return text;
    const auto password = text.find(':', scheme + 1);
    if (password != std::string::npos && password < host)
        text.replace(password + 1, host - password - 1, "…");
    return text;
}

std::string name_of(const ServerSeen& server) { return server.candidate.target.to_string(); }

std::string answer_in_words(int status, std::string_view phrase) {
    return std::to_string(status) + (phrase.empty() ? "" : " ") + std::string(phrase);
}

}  // namespace holdfast::doctor
