#include "sip/parameters.h"

#include "base/text.h"

namespace holdfast::sip {
namespace {

int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    const char lower = to_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

std::optional<std::string_view> Parameters::find(std::string_view name) const {
    for (const auto& parameter : *this)
        if (equals_ignoring_case(parameter.name, name)) return parameter.value;
    return std::nullopt;
}

std::string unescape(std::string_view quoted_value) {
    std::string plain;
    plain.reserve(quoted_value.size());
    for (std::size_t i = 0; i < quoted_value.size(); ++i) {
        if (quoted_value[i] == '\\' && i + 1 < quoted_value.size()) ++i;
        plain.push_back(quoted_value[i]);
    }
    return plain;
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    out.reserve(text.size() + 2);
    for (const char c : text) {
        if (c == '\r' || c == '\n' || c == '\0') continue;
        if (c == '"' || c == '\\') out.push_back('\\');
        out.push_back(c);
    }
    out.push_back('"');
    return out;
}

std::string percent_decode(std::string_view text) {
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            const int high = hex_value(text[i + 1]);
            const int low = hex_value(text[i + 2]);
            if (high >= 0 && low >= 0) {
                plain.push_back(static_cast<char>(high * 16 + low));
                i += 2;
                continue;
            }
        }
        plain.push_back(text[i]);
    }
    return plain;
}

}  // namespace holdfast::sip
