#include "dialog/replaces.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace holdfast::dialog {

namespace {

// It may come escaped in a URI: what it holds must not become lines or values of its own.
bool is_one_word(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return c > 0x20 && c < 0x7f && c != ';' && c != ',';
    });
}

// A name that is given twice leaves it open which is meant.
bool take(std::string& value, std::string_view given) {
    if (!value.empty() || !is_one_word(given)) return false;
    value = given;
    return true;
}

}  // namespace

std::optional<Replaces> parse_replaces(std::string_view value) {
    Replaces replaces;
    auto next = value.find(';');
    if (!take(replaces.call_id, trimmed(value.substr(0, next)))) return std::nullopt;
    while (next != std::string_view::npos) {
        value.remove_prefix(next + 1);
        next = value.find(';');
        const auto parameter = value.substr(0, next);
        const auto equals = parameter.find('=');
        const auto name = trimmed(parameter.substr(0, equals));
        const auto given = equals == std::string_view::npos ? std::string_view{}
                                                            : trimmed(parameter.substr(equals + 1));
        if (equals_ignoring_case(name, "to-tag")) {
            if (!take(replaces.to_tag, given)) return std::nullopt;
        } else if (equals_ignoring_case(name, "from-tag")) {
            if (!take(replaces.from_tag, given)) return std::nullopt;
        } else if (equals_ignoring_case(name, "early-only")) {
            replaces.early_only = true;
        }
    }
    if (replaces.to_tag.empty() || replaces.from_tag.empty()) return std::nullopt;
    return replaces;
}

std::string to_text(const Replaces& replaces) {
    return replaces.call_id + ";to-tag=" + replaces.to_tag + ";from-tag=" + replaces.from_tag +
           (replaces.early_only ? ";early-only" : "");
}

std::expected<std::optional<Replaces>, std::string_view> replaces_of(const sip::Message& invite) {
    std::optional<Replaces> found;
    for (const auto& header : invite.headers()) {
        if (header.name != sip::HeaderName::replaces) continue;
        if (found) return std::unexpected("More Than One Replaces");
        found = parse_replaces(header.value);
        if (!found) return std::unexpected("Replaces Cannot Be Read");
    }
    return found;
}

std::string as_uri_header(const Replaces& replaces) {
    constexpr std::string_view plain = "-_.!~*'()";
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out = "?Replaces=";
    for (const char c : to_text(replaces)) {
        const char lower = to_lower(c);
        if (is_digit(c) || (lower >= 'a' && lower <= 'z') || plain.contains(c)) {
            out += c;
            continue;
        }
        const auto octet = static_cast<unsigned char>(c);
        out += '%';
        out += digits[octet >> 4U];
        out += digits[octet & 0xfU];
    }
    return out;
}

}  // namespace holdfast::dialog
