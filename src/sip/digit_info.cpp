#include "sip/digit_info.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace holdfast::sip {

namespace {

constexpr std::string_view alphabet = "0123456789*#ABCD";  // by the events' numbers

bool is_key(char c) { return alphabet.find(c) != std::string_view::npos || (c >= 'a' && c <= 'd'); }

std::optional<char> digit_of(std::string_view value) {
    if (value.size() == 1 && is_key(value[0]))
        return value[0] >= 'a' ? static_cast<char>(value[0] - 'a' + 'A') : value[0];
    const auto number = parse_number<std::uint8_t>(value);
    if (value.size() == 2 && number && *number >= 10 && *number < alphabet.size())
        return alphabet[*number];
    return std::nullopt;
}

// A line without its end; moves past it.
std::string_view take_line(std::string_view& rest) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return line;
}

// What stands behind "Signal="; without it `data` is null.
std::string_view signal_in(std::string_view line) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos ||
        !equals_ignoring_case(trimmed(line.substr(0, equals)), "Signal"))
        return {};
    return trimmed(line.substr(equals + 1));
}

void mask(char* value, std::size_t size) {
    const bool is_digit = digit_of({value, size}).has_value();
    for (std::size_t n = 0; n < size; ++n) {
        if (is_key(value[n])) value[n] = 'A';
        if (is_digit && n > 0) value[n] = ' ';
    }
}

}  // namespace

std::string_view media_type_of(DigitForm form) {
    return form == DigitForm::relay ? "application/dtmf-relay" : "application/dtmf";
}

std::optional<DigitForm> digit_form(std::string_view media_type) {
    for (const auto form : {DigitForm::relay, DigitForm::plain})
        if (equals_ignoring_case(media_type, media_type_of(form))) return form;
    return std::nullopt;
}

std::optional<char> digit_in(DigitForm form, std::string_view body) {
    if (body.size() > digit_body_most) return std::nullopt;
    if (form == DigitForm::plain) return digit_of(trimmed(body));
    while (!body.empty())
        if (const auto signal = signal_in(take_line(body)); signal.data() != nullptr)
            return digit_of(signal);
    return std::nullopt;
}

bool are_keys(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c == ',' || is_key(c); });
}

std::string digit_body(DigitForm form, char digit, Duration length) {
    if (form == DigitForm::plain) return std::string(1, digit);
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
    return std::string("Signal=") + digit + "\r\nDuration=" + std::to_string(ms) + "\r\n";
}

std::string masked_digits(DigitForm form, std::string_view body) {
    std::string masked(body);
    const auto mask_at = [&](std::string_view value) {
        if (!value.empty()) mask(masked.data() + (value.data() - body.data()), value.size());
    };
    if (form == DigitForm::plain) {
        mask_at(trimmed(body));
        return masked;
    }
    for (auto rest = body; !rest.empty();) mask_at(signal_in(take_line(rest)));
    return masked;
}

std::string masked_digits(std::string_view digits) {
    std::string masked(digits);
    std::ranges::replace_if(masked, is_key, 'A');
    return masked;
}

void DigitHider::end_field() {
    const std::string_view field = field_;
    const auto colon = std::min(field.find(':'), field.size());
    const auto name = trimmed(field.substr(0, colon));
    const auto value = trimmed(field.substr(std::min(colon + 1, field.size())));
    if (equals_ignoring_case(name, "Content-Type") || equals_ignoring_case(name, "c"))
        form_ = digit_form(trimmed(value.substr(0, value.find(';'))));
    if (equals_ignoring_case(name, "Content-Length") || equals_ignoring_case(name, "l"))
        length_ = parse_number<std::size_t>(value);
    field_.clear();
}

void DigitHider::end_line() {
    if (!std::exchange(line_is_empty_, true)) return;  // a field may go on in the next line
    end_field();
    const auto form = std::exchange(form_, std::nullopt);
    const auto length = std::exchange(length_, std::nullopt);
    if (!form) return;
    form_ = form;
    left_ = std::min(length.value_or(digit_body_most), digit_body_most);
    if (left_ == 0) form_.reset();
}

void DigitHider::end_body(std::string& shown) {
    shown += masked_digits(*form_, body_);
    body_.clear();
    form_.reset();
    left_ = 0;
}

std::string DigitHider::feed(std::string_view piece) {
    constexpr std::size_t field_most = 256;
    std::string shown;
    shown.reserve(piece.size());
    for (const char c : piece) {
        if (left_ > 0) {
            body_ += c;
            if (--left_ == 0) end_body(shown);
            continue;
        }
        shown += c;
        if (c == '\n') {
            end_line();
        } else if (c != '\r') {
            const bool is_blank = c == ' ' || c == '\t';  // goes on: RFC 3261 §7.3.1
            if (std::exchange(line_is_empty_, false) && !is_blank) end_field();
            // One blank stands for many: nobody pushes a media type out of sight with them.
            if (is_blank && field_.ends_with(' ')) continue;
            if (field_.size() < field_most) field_ += is_blank ? ' ' : c;
        }
    }
    return shown;
}

std::string DigitHider::finish() {
    std::string shown;
    if (left_ > 0) end_body(shown);
    *this = {};
    return shown;
}

}  // namespace holdfast::sip
