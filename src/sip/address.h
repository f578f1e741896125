// name-addr and addr-spec values: From, To, Contact, Route and their kin (RFC 3261 §20.10).
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "sip/error.h"
#include "sip/parameters.h"
#include "sip/uri.h"

namespace holdfast::sip {

struct NameAddr {
    std::string_view text;          // the whole value as written, parameters included
    std::string_view display_name;  // without quotes; unescape() for what it means
    Uri uri;
    Parameters parameters;  // of the header, outside the brackets
    [[nodiscard]] std::string_view tag() const {
        return parameters.find("tag").value_or(std::string_view{});
    }
};

struct Contact : NameAddr {
    // In a request a value that is no number, or too large, reads as 3600 (RFC 3261 §20.10 and
    // §20.19: "should be treated as equivalent to 3600"). Nothing: not given. Deviates: in a
    // response it reads as not given, for then the registrar may well keep less than an hour.
    std::optional<std::uint32_t> expires;
    std::optional<std::uint16_t> q_thousandths;  // 0–1000; nothing: not given or malformed
    // RFC 5626 §4.1, RFC 5627 §4.3: "" when absent. The instance without its angle brackets.
    [[nodiscard]] std::string_view instance() const;
    [[nodiscard]] std::optional<std::uint32_t> reg_id() const;
    [[nodiscard]] std::string_view pub_gruu() const;
    [[nodiscard]] std::string_view temp_gruu() const;
};

// One address value that owns its text: Refer-To, configuration, a stored Service-Route.
class OwnedNameAddr {
public:
    // "Alice" <sip:a@b>;x=y or sip:a@b;x=y, one value.
    static std::expected<OwnedNameAddr, ParseError> parse(std::string_view text);

    OwnedNameAddr(const OwnedNameAddr& other);
    OwnedNameAddr& operator=(const OwnedNameAddr& other);
    OwnedNameAddr(OwnedNameAddr&&) noexcept = default;
    OwnedNameAddr& operator=(OwnedNameAddr&&) noexcept = default;
    ~OwnedNameAddr() = default;

    [[nodiscard]] const NameAddr& get() const { return value_; }
    const NameAddr* operator->() const { return &value_; }
    const NameAddr& operator*() const { return value_; }
    [[nodiscard]] std::string_view text() const { return value_.text; }

private:
    OwnedNameAddr() = default;
    std::unique_ptr<char[]> buffer_;
    std::vector<Parameter> parameters_;
    NameAddr value_;
};

}  // namespace holdfast::sip
