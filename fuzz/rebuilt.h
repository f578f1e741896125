// Values put together again from their parts alone: if a part was read wrongly, the text that comes
// out does not read the same.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>

#include "base/check.h"
#include "sip/address.h"
#include "sip/limits.h"
#include "sip/uri.h"

namespace holdfast::fuzz {

// Whether the part lies in the text, not only looks as if.
inline bool within(std::string_view part, std::string_view text) {
    if (part.empty()) return true;
    const std::less_equal<const char*> before;
    return before(text.data(), part.data()) &&
           before(part.data() + part.size(), text.data() + text.size());
}

inline bool same(const sip::Parameter& a, const sip::Parameter& b) {
    return a.name == b.name && a.value == b.value && a.has_value == b.has_value &&
           a.was_quoted == b.was_quoted;
}
inline bool same(const sip::Parameters& a, const sip::Parameters& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const auto& x, const auto& y) { return same(x, y); });
}
inline bool same(const sip::Uri& a, const sip::Uri& b) {
    return a.scheme == b.scheme && a.scheme_text == b.scheme_text && a.user == b.user &&
           a.password == b.password && a.has_user == b.has_user && a.host == b.host &&
           a.port == b.port && a.headers == b.headers && same(a.parameters, b.parameters);
}

inline void append(std::string& text, const sip::Parameters& parameters) {
    for (const auto& parameter : parameters) {
        text.append(";").append(parameter.name);
        if (!parameter.has_value) continue;
        const std::string_view quote = parameter.was_quoted ? "\"" : "";
        text.append("=").append(quote).append(parameter.value).append(quote);
    }
}

inline std::string rebuilt(const sip::Uri& uri) {
    if (uri.scheme == sip::Scheme::other) return std::string(uri.text);
    auto text = std::string(uri.scheme_text) + ":" + std::string(uri.user);
    if (uri.is_sip()) {
        if (!uri.password.empty()) text.append(":").append(uri.password);
        if (uri.has_user) text.append("@");
        text.append(uri.host);
        if (uri.port != 0) text.append(":").append(std::to_string(uri.port));
    }
    append(text, uri.parameters);
    if (!uri.headers.empty()) text.append("?").append(uri.headers);
    return text;
}

inline void check_parts(const sip::Uri& uri) {
    for (const auto part : {uri.scheme_text, uri.user, uri.password, uri.host, uri.headers})
        CHECK(within(part, uri.text));
    for (const auto& parameter : uri.parameters)
        CHECK(within(parameter.name, uri.text) && within(parameter.value, uri.text));
    if (uri.text.size() > sip::limits::uri_bytes) return;
    const auto again = sip::OwnedUri::parse(rebuilt(uri));
    CHECK(again && same(again->get(), uri));
    CHECK(sip::equal(again->get(), uri));
}

// RFC 3261 §20.10: in brackets, so that the URI's parameters and the header's stay apart.
inline void check_parts(const sip::NameAddr& address) {
    CHECK(within(address.display_name, address.text) && within(address.uri.text, address.text));
    for (const auto& parameter : address.parameters)
        CHECK(within(parameter.name, address.text) && within(parameter.value, address.text));
    check_parts(address.uri);
    auto text =
        "\"" + std::string(address.display_name) + "\" <" + std::string(address.uri.text) + ">";
    append(text, address.parameters);
    if (text.size() > sip::limits::uri_bytes) return;  // a header may be longer than one to keep
    const auto again = sip::OwnedNameAddr::parse(text);
    CHECK(again && again->get().display_name == address.display_name);
    CHECK(same(again->get().uri, address.uri) && same(again->get().parameters, address.parameters));
}

}  // namespace holdfast::fuzz
