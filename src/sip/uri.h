// URIs of SIP messages (RFC 3261 §19.1) and telephone numbers (RFC 3966).
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "sip/error.h"
#include "sip/parameters.h"

namespace holdfast::sip {

enum class Scheme : std::uint8_t { sip, sips, tel, other };

// Views as written: escapes are not resolved, case is kept.
struct Uri {
    std::string_view text;         // the whole URI
    std::string_view scheme_text;  // "sip"
    std::string_view user;         // sip: before '@' and ':'; tel: the number
    std::string_view password;
    std::string_view host;     // IPv6 with its brackets; "" for tel and other schemes
    std::string_view headers;  // after '?'
    Parameters parameters;
    Scheme scheme = Scheme::other;
    bool has_user = false;   // an '@' was there, even if nothing stood before it
    std::uint16_t port = 0;  // 0: none

    [[nodiscard]] bool is_sip() const { return scheme == Scheme::sip || scheme == Scheme::sips; }
    [[nodiscard]] std::optional<std::string_view> transport() const {
        return parameters.find("transport");
    }
    [[nodiscard]] bool lr() const { return parameters.has("lr"); }
    [[nodiscard]] std::optional<IpAddress> host_address() const;  // nothing for a host name
};

// RFC 3261 §19.1.4 for sip and sips; RFC 3966 §4 for tel; other schemes octet by octet.
[[nodiscard]] bool equal(const Uri& a, const Uri& b);

// A URI that owns its text: configuration, state, dialog targets. Copies parse again.
class OwnedUri {
public:
    // Errors: malformed, too_large (limits::uri_bytes). The text is the URI alone, no spaces or
    // brackets.
    static std::expected<OwnedUri, ParseError> parse(std::string_view text);
    static OwnedUri copy_of(const Uri& uri);  // of a URI that was parsed before

    OwnedUri(const OwnedUri& other);
    OwnedUri& operator=(const OwnedUri& other);
    OwnedUri(OwnedUri&&) noexcept = default;
    OwnedUri& operator=(OwnedUri&&) noexcept = default;
    ~OwnedUri() = default;

    [[nodiscard]] const Uri& get() const { return uri_; }
    const Uri* operator->() const { return &uri_; }
    const Uri& operator*() const { return uri_; }
    [[nodiscard]] std::string_view text() const { return uri_.text; }
    friend bool operator==(const OwnedUri& a, const OwnedUri& b) { return equal(a.uri_, b.uri_); }

private:
    OwnedUri() = default;
    std::unique_ptr<char[]> buffer_;  // not std::string: a short one would move its octets with it
    std::vector<Parameter> parameters_;
    Uri uri_;
};

}  // namespace holdfast::sip
