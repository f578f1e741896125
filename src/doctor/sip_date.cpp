#include "doctor/sip_date.h"

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "base/text.h"

namespace holdfast::doctor {

namespace {

constexpr std::array<std::string_view, 12> months{"jan", "feb", "mar", "apr", "may", "jun",
                                                  "jul", "aug", "sep", "oct", "nov", "dec"};

std::vector<std::string_view> words_in(std::string_view text) {
    std::vector<std::string_view> words;
    while (!text.empty() && words.size() < 8) {
        const auto end = std::min(text.find_first_of(" :,"), text.size());
        if (end > 0) words.push_back(text.substr(0, end));
        text.remove_prefix(std::min(text.size(), end + 1));
    }
    return words;
}

std::optional<unsigned> month_of(std::string_view text) {
    for (unsigned i = 0; i < months.size(); ++i)
        if (equals_ignoring_case(text, months[i])) return i + 1;
    return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> parse_sip_date(std::string_view text) {
    const auto words = words_in(trimmed(text));
    if (words.size() != 8 || !equals_ignoring_case(words[7], "GMT")) return std::nullopt;
    const auto day = parse_number<std::uint32_t>(words[1]);
    const auto month = month_of(words[2]);
    const auto year = parse_number<std::uint16_t>(words[3]);
    const auto hour = parse_number<std::uint32_t>(words[4]);
    const auto minute = parse_number<std::uint32_t>(words[5]);
    const auto second = parse_number<std::uint32_t>(words[6]);
    if (!day || !month || !year || !hour || !minute || !second) return std::nullopt;
    if (*hour > 23 || *minute > 59 || *second > 60 || *year < 1970) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{*month},
                                           std::chrono::day{*day}};
    if (!date.ok()) return std::nullopt;
    const auto days = std::chrono::sys_days{date}.time_since_epoch();
    return std::chrono::duration_cast<std::chrono::seconds>(days).count() + *hour * 3600 +
           *minute * 60 + *second;
}

}  // namespace holdfast::doctor
