#include "sip/redaction.h"

#include <cstddef>
#include <utility>

#include "base/redacted.h"
#include "base/text.h"

namespace holdfast::sip {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_space(char c) { return is_blank(c) || c == '\r' || c == '\n'; }

constexpr std::size_t longest_name = std::string_view("proxy-authorization").size();

bool is_authorization(std::string_view name) {
    return equals_ignoring_case(name, "Authorization") ||
           equals_ignoring_case(name, "Proxy-Authorization");
}

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
    return is_authorization(trimmed(field.substr(0, colon))) ? colon + 1 : std::string_view::npos;
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

void AuthorizationRedactor::step(char c, std::string& shown) {
    if (where_ == Where::hidden_end) {
        if (is_blank(c)) {
            line_end_.clear();
            where_ = Where::hidden;
            return;
        }
        shown += std::exchange(line_end_, {});
        where_ = Where::name;
    }
    if (where_ == Where::hidden) {
        if (c == '\n') {
            line_end_ += c;
            where_ = Where::hidden_end;
        } else {
            line_end_ = c == '\r' ? "\r" : "";
        }
        return;
    }
    shown += c;
    if (c == '\n') {
        name_.clear();
        where_ = Where::name;
    } else if (where_ == Where::rest) {
        return;
    } else if (c == ':') {
        where_ = is_authorization(name_) ? Where::hidden : Where::rest;
        if (where_ == Where::hidden)
            shown.append(1, ' ').append(Redacted<std::string>::to_string());
        name_.clear();
    } else if (is_blank(c)) {
        where_ = name_.empty() ? Where::name : Where::blank_name;
    } else if (where_ == Where::blank_name || name_.size() == longest_name) {
        where_ = Where::rest;
    } else {
        name_ += to_lower(c);
    }
}

void AuthorizationRedactor::hide_keys(std::string& shown) {
    constexpr std::string_view srtp = "inline:";
    constexpr std::string_view ice = "=ice-pwd:";
    for (char& c : shown) {
        if (in_key_ && c != '|' && c != '\r' && c != '\n' && !is_blank(c)) {
            c = 'A';
            continue;
        }
        in_key_ = false;
        if (before_key_.size() == ice.size()) before_key_.erase(0, 1);
        before_key_ += to_lower(c);
        if (!before_key_.ends_with(srtp) && !before_key_.ends_with(ice)) continue;
        in_key_ = true;
        before_key_.clear();
    }
}

std::string AuthorizationRedactor::feed(std::string_view piece) {
    std::string shown;
    shown.reserve(piece.size());
    for (const char c : piece) step(c, shown);
    hide_keys(shown);
    return digits_.feed(shown);
}

std::string AuthorizationRedactor::finish() {
    where_ = Where::name;
    name_.clear();
    before_key_.clear();
    in_key_ = false;
    auto held = std::exchange(line_end_, {});
    if (held == "\r") held.clear();  // a value's last octet, not a line end
    held = digits_.feed(held);
    return held + digits_.finish();
}

std::string redact_authorization(std::string_view message_text) {
    AuthorizationRedactor redactor;
    auto shown = redactor.feed(message_text);
    shown += redactor.finish();
    return shown;
}

}  // namespace holdfast::sip
