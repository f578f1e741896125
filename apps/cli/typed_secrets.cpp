#include "apps/cli/typed_secrets.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace holdfast::cli {

namespace {

constexpr std::array<std::string_view, 4> with_calls{"call", "answer", "phone", "ctl"};

void hide(char* text) {
    for (; *text != '\0'; ++text)
        if (*text != ',') *text = 'x';
}

void hide_behind_comma(char* text) {
    const std::string_view all(text);
    const auto at = all.find('@');
    const auto comma = all.find(',', at == std::string_view::npos ? 0 : at);
    if (comma != std::string_view::npos) hide(text + comma + 1);
}

}  // namespace

void hide_typed_digits(std::span<char* const> arguments) {
    constexpr std::string_view option = "--dtmf";
    if (arguments.empty() || std::ranges::find(with_calls, arguments.front()) == with_calls.end())
        return;
    const bool is_ctl = std::string_view(arguments.front()) == "ctl";
    bool presses = false;
    std::string_view before;
    for (char* const argument : arguments.subspan(1)) {
        const std::string_view all(argument);
        if (before == option || (presses && !all.starts_with("--")))
            hide(argument);
        else if (all.starts_with(option) && all.substr(option.size()).starts_with('='))
            hide(argument + option.size() + 1);
        else
            hide_behind_comma(argument);
        presses = presses || (is_ctl && all == "dtmf");
        before = all;
    }
}

}  // namespace holdfast::cli
