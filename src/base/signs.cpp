#include "base/signs.h"

#include <algorithm>
#include <limits>

namespace holdfast {

namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

constexpr std::string_view replacement = "\xef\xbf\xbd";
constexpr std::string_view ellipsis = "\xe2\x80\xa6";

}  // namespace

// As UTF-8 has it (RFC 3629): shortest form only, no surrogates, nothing above U+10FFFF.
Sign first_sign(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    if (lead < 0x80U) return {lead, 1};
    const std::size_t size = lead >= 0xf0U ? 4 : lead >= 0xe0U ? 3 : 2;
    if (lead < 0xc2U || lead > 0xf4U || text.size() < size) return {};
    char32_t code = lead & (0x7fU >> size);
    for (const char c : text.substr(1, size - 1)) {
        if (!is_continuation(c)) return {};
        code = code << 6U | (static_cast<unsigned char>(c) & 0x3fU);
    }
    const bool shortest = code >= (size == 4 ? 0x10000U : size == 3 ? 0x800U : 0x80U);
    const bool surrogate = code >= 0xd800U && code <= 0xdfffU;
    return shortest && !surrogate && code <= 0x10ffffU ? Sign{code, size} : Sign{};
}

// C0, DEL and C1; U+2028 and U+2029; the marks of UAX #9: a server's words must not rearrange ours.
bool is_harmless(char32_t code) {
    const bool control = code < 0x20U || (code >= 0x7fU && code < 0xa0U);
    const bool line_end = code == 0x2028U || code == 0x2029U;
    const bool direction = code == 0x061cU || code == 0x200eU || code == 0x200fU ||
                           (code >= 0x202aU && code <= 0x202eU) ||
                           (code >= 0x2066U && code <= 0x2069U);
    return !control && !line_end && !direction;
}

std::string one_line(std::string_view text, std::size_t most) {
    std::string line;
    std::size_t room_for_ellipsis = 0;  // where the last character ends that leaves it
    while (!text.empty()) {
        const auto sign = first_sign(text);
        const auto shown =
            sign.size > 0 && is_harmless(sign.code) ? text.substr(0, sign.size) : replacement;
        if (line.size() + shown.size() > most)
            return line.substr(0, room_for_ellipsis).append(ellipsis);
        line += shown;
        if (line.size() + ellipsis.size() <= most) room_for_ellipsis = line.size();
        text.remove_prefix(std::max<std::size_t>(sign.size, 1));
    }
    return line;
}

std::string one_line(std::string_view text) {
    return one_line(text, std::numeric_limits<std::size_t>::max() / 2);
}

}  // namespace holdfast
