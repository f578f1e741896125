#include "sip/redaction.h"

#include <cstddef>

#include "base/redacted.h"
#include "base/text.h"

namespace holdfast::sip {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_space(char c) { return is_blank(c) || c == '\r' || c == '\n'; }

// One header field with its folded lines (RFC 3261 §7.3.1) and its line end, or any other line.
std::string_view take_field(std::string_view& rest) {
    std::size_t end = 0;
    do {
        const auto newline = rest.find('\n', end);
        end = newline == std::string_view::npos ? rest.size() : newline + 1;
    } while (end < rest.size() && is_blank(rest[end]));
    const auto field = rest.substr(0, end);
    rest.remove_prefix(end);
    return field;
}

// Where the value begins, if this is one of the two headers; else npos. HCOLON allows blanks before
// the colon.
std::size_t authorization_value(std::string_view field) {
    const auto colon = field.find(':');
    if (colon == std::string_view::npos) return std::string_view::npos;
    const auto name = trimmed(field.substr(0, colon));
    const bool hides = equals_ignoring_case(name, "Authorization") ||
                       equals_ignoring_case(name, "Proxy-Authorization");
    return hides ? colon + 1 : std::string_view::npos;
}

// Past the quoted string whose opening quote is at `at`.
std::size_t past_quoted(std::string_view text, std::size_t at) {
    for (++at; at < text.size(); ++at) {
        if (text[at] == '\\')
            ++at;
        else if (text[at] == '"')
            return at + 1;
    }
    return text.size();
}

bool ends_value(char c) { return is_space(c) || c == ','; }

// Stars for the value that begins at `at`, quoted or not; where the walk goes on.
std::size_t mask_value(std::string& text, std::size_t at) {
    if (at < text.size() && text[at] == '"') {
        const auto end = past_quoted(text, at);
        const auto closed = end - at >= 2 && text[end - 1] == '"';
        for (auto i = at + 1; i < end - (closed ? 1 : 0); ++i)
            if (text[i] != '\r' && text[i] != '\n') text[i] = '*';
        return end;
    }
    for (; at < text.size() && !ends_value(text[at]); ++at) text[at] = '*';
    return at;
}

// Walks over names and quoted strings, so that neither xresponse=… nor a user called response="…"
// is taken.
void mask_responses(std::string& text, std::size_t at) {
    const auto skip_space = [&] {
        while (at < text.size() && is_space(text[at])) ++at;
    };
    while (at < text.size()) {
        if (text[at] == '"') {
            at = past_quoted(text, at);
            continue;
        }
        const auto begin = at;
        while (at < text.size() && !ends_value(text[at]) && text[at] != '=' && text[at] != '"')
            ++at;
        const auto name = std::string_view{text}.substr(begin, at - begin);
        const bool is_response = equals_ignoring_case(name, "response");
        skip_space();
        if (at < text.size() && text[at] == '=') {
            ++at;
            skip_space();
            if (is_response) at = mask_value(text, at);
        } else if (at == begin) {
            ++at;
        }
    }
}

}  // namespace

std::string mask_digest_response(std::string_view message_text) {
    std::string result;
    result.reserve(message_text.size());
    while (!message_text.empty()) {
        std::string field{take_field(message_text)};
        const auto value = authorization_value(field);
        if (value != std::string_view::npos) mask_responses(field, value);
        result += field;
    }
    return result;
}

std::string redact_authorization(std::string_view message_text) {
    std::string result;
    result.reserve(message_text.size());
    while (!message_text.empty()) {
        const auto field = take_field(message_text);
        const auto value = authorization_value(field);
        if (value == std::string_view::npos) {
            result += field;
            continue;
        }
        result += field.substr(0, value);
        result += ' ';
        result += Redacted<std::string>::to_string();
        if (field.ends_with("\r\n"))
            result += "\r\n";
        else if (field.ends_with('\n'))
            result += '\n';
    }
    return result;
}

}  // namespace holdfast::sip
