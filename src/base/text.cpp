#include "base/text.h"

#include <algorithm>

namespace holdfast {

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (to_lower(a[i]) != to_lower(b[i])) return false;
    return true;
}

std::string lower_case(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), to_lower);
    return result;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view space = " \t\r\n";
    const auto first = text.find_first_not_of(space);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(space) - first + 1);
}

std::string hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text(bytes.size() * 2, '0');
    auto digit = text.begin();
    for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        *digit++ = digits[value >> 4U];
        *digit++ = digits[value & 0xfU];
    }
    return text;
}

std::string joined(std::initializer_list<std::string_view> parts) {
    std::string text;
    append(text, parts);
    return text;
}

void append(std::string& text, std::initializer_list<std::string_view> parts) {
    const std::size_t old = text.size();
    std::size_t size = old;
    for (const auto part : parts) size += part.size();
    text.resize_and_overwrite(size, [&](char* out, std::size_t) {
        out += old;
        for (const auto part : parts) out += part.copy(out, part.size());
        return size;
    });
}

std::optional<std::string> from_hex(std::string_view text) {
    const auto nibble = [](char c) -> int {
        if (is_digit(c)) return c - '0';
        const char lower = to_lower(c);
        return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
    };
    if (text.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = nibble(text[i]);
        const int low = nibble(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

}  // namespace holdfast
