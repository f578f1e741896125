#include "sip/uri.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/text.h"
#include "sip/limits.h"
#include "sip/owned_text.h"
#include "sip/value_parser.h"

namespace holdfast::sip {

std::optional<IpAddress> Uri::host_address() const {
    if (host.starts_with('[') && host.ends_with(']'))
        return IpAddress::parse(host.substr(1, host.size() - 2));
    return IpAddress::parse(host);
}

namespace {

int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    return to_lower(c) - 'a' + 10;
}

// The next octet. An escaped octet is the octet itself, unless it belongs to the reserved set (RFC
// 3261 §19.1.4: "Characters other than those in the reserved set are equivalent to their
// encoding").
constexpr int escaped_reserved = 256;

int next_octet(std::string_view& text) {
    const char c = text.front();
    if (c != '%' || text.size() < 3) {
        text.remove_prefix(1);
        return static_cast<unsigned char>(c);
    }
    const int octet = hex_value(text[1]) * 16 + hex_value(text[2]);
    text.remove_prefix(3);
    const bool reserved = octet > 0 && std::strchr(";/?:@&=+$,", octet) != nullptr;
    return reserved ? escaped_reserved + octet : octet;
}

int folded(int octet) { return octet >= 'A' && octet <= 'Z' ? octet - 'A' + 'a' : octet; }

bool same_text(std::string_view a, std::string_view b, bool ignoring_case) {
    while (!a.empty() && !b.empty()) {
        const int x = next_octet(a);
        const int y = next_octet(b);
        if (ignoring_case ? folded(x) != folded(y) : x != y) return false;
    }
    return a.empty() && b.empty();
}

bool same_host(const Uri& a, const Uri& b) {
    if (equals_ignoring_case(a.host, b.host)) return true;
    const auto x = a.host_address();
    return x && x == b.host_address();
}

// A name may not appear twice (RFC 3261 §19.1.1); where it does, any of its values will do, so that
// a URI always equals itself.
template <class SameValue>
bool has_match(const Parameters& parameters, std::string_view name, SameValue same_value) {
    return std::ranges::any_of(parameters, [&](const Parameter& parameter) {
        return same_text(parameter.name, name, true) && same_value(parameter.value);
    });
}

// RFC 3261 §19.1.4: these never match when only one URI has them (transport by its examples: it
// changes where the URI leads); every other is ignored then.
bool must_be_in_both(std::string_view name) {
    return std::ranges::any_of(
        std::initializer_list<std::string_view>{"transport", "user", "ttl", "method", "maddr"},
        [name](std::string_view known) { return same_text(name, known, true); });
}

bool parameters_match(const Parameters& a, const Parameters& b) {
    return std::ranges::all_of(a, [&b](const Parameter& parameter) {
        if (has_match(b, parameter.name, [](std::string_view) { return true; }))
            return has_match(b, parameter.name, [&](std::string_view value) {
                return same_text(parameter.value, value, true);
            });
        return !must_be_in_both(parameter.name);
    });
}

// Every header of a, name=value, is one of b's. Both ways round that is equality whatever the
// order.
bool headers_within(std::string_view a, std::string_view b) {
    auto take = [](std::string_view& rest) {
        const auto end = rest.find('&');
        const auto part = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        return part;
    };
    while (!a.empty()) {
        const auto wanted = take(a);
        const auto equals = wanted.find('=');
        bool found = false;
        for (auto rest = b; !rest.empty() && !found;) {
            const auto offered = take(rest);
            const auto other_equals = offered.find('=');
            if ((equals == std::string_view::npos) != (other_equals == std::string_view::npos))
                continue;
            found = same_text(wanted.substr(0, equals), offered.substr(0, other_equals), true) &&
                    (equals == std::string_view::npos ||
                     same_text(wanted.substr(equals + 1), offered.substr(other_equals + 1), false));
        }
        if (!found) return false;
    }
    return true;
}

bool equal_sip(const Uri& a, const Uri& b) {
    return a.has_user == b.has_user && same_text(a.user, b.user, false) &&
           same_text(a.password, b.password, false) && a.port == b.port && same_host(a, b) &&
           parameters_match(a.parameters, b.parameters) &&
           parameters_match(b.parameters, a.parameters) && headers_within(a.headers, b.headers) &&
           headers_within(b.headers, a.headers);
}

std::string digits_of(
    std::string_view number) {  // RFC 3966 §4: without visual separators, any case
    std::string digits;
    for (const char c : number)
        if (c != '-' && c != '.' && c != '(' && c != ')') digits.push_back(to_lower(c));
    return digits;
}

// RFC 3966 §4: each parameter must be in both; phone-context and ext may be written with
// separators.
bool equal_tel(const Uri& a, const Uri& b) {
    if (digits_of(a.user) != digits_of(b.user) || a.parameters.size() != b.parameters.size())
        return false;
    return std::ranges::all_of(a.parameters, [&b](const Parameter& parameter) {
        const bool is_number =
            same_text(parameter.name, "ext", true) ||
            (same_text(parameter.name, "phone-context", true) && parameter.value.starts_with('+'));
        return has_match(b.parameters, parameter.name, [&](std::string_view value) {
            return is_number ? digits_of(parameter.value) == digits_of(value)
                             : same_text(parameter.value, value, true);
        });
    });
}

}  // namespace

bool equal(const Uri& a, const Uri& b) {
    if (a.scheme != b.scheme) return false;
    switch (a.scheme) {
    case Scheme::sip:
    case Scheme::sips: return equal_sip(a, b);
    case Scheme::tel: return equal_tel(a, b);
    case Scheme::other: return a.text == b.text;
    }
    return false;
}

std::expected<OwnedUri, ParseError> OwnedUri::parse(std::string_view text) {
    OwnedUri result;
    const auto failed = parse_owned(
        text, result.buffer_, result.parameters_, [&](ValueParser& values, const char* p) {
            result.uri_ = {};
            return values.uri(p, ValueParser::Form::bracketed, result.uri_);
        });
    if (failed) return std::unexpected(*failed);
    return result;
}

OwnedUri OwnedUri::copy_of(const Uri& uri) {
    auto copy = parse(uri.text);
    CHECK(copy.has_value());  // a Uri is parsed text; bare URIs are a subset of bracketed ones
    return std::move(*copy);
}

OwnedUri::OwnedUri(const OwnedUri& other) { *this = copy_of(other.uri_); }

OwnedUri& OwnedUri::operator=(const OwnedUri& other) {
    if (this != &other) *this = copy_of(other.uri_);
    return *this;
}

}  // namespace holdfast::sip
