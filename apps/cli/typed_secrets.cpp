#include "apps/cli/typed_secrets.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "apps/phone/typed_number.h"

namespace holdfast::cli {

namespace {

constexpr std::array<std::string_view, 4> with_calls{"call", "answer", "phone", "ctl"};

void hide(char* text) {
    for (; *text != '\0'; ++text)
        if (*text != ',') *text = 'x';
}

// A user part may hold commas (RFC 3261 §25.1): of a URI what stands behind it.
void hide_behind_pause(char* text) {
    const std::string_view all(text);
    const auto host = all.find('@');
    const auto begin = host == std::string_view::npos ? 0 : host;
    const auto secret = phone::secret_at(all.substr(begin));
    if (secret != std::string_view::npos) hide(text + begin + secret);
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
        else if (phone::goes_on(before, all))  // what a blank has parted: 97, 1234#
            hide(argument);
        else
            hide_behind_pause(argument);
        presses = presses || (is_ctl && all == "dtmf");
        before = all;
    }
}

}  // namespace holdfast::cli
