// The Replaces header (RFC 3891 §6.1): which dialog of its receiver an INVITE takes the place of.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "sip/message.h"

namespace holdfast::dialog {

struct Replaces {
    std::string call_id;
    std::string to_tag;    // the receiver's own
    std::string from_tag;  // of the receiver's peer
    bool early_only = false;
    friend bool operator==(const Replaces&, const Replaces&) = default;
};

// Nothing: not a Call-ID with exactly one to-tag and one from-tag, or octets that no header may
// hold.
std::optional<Replaces> parse_replaces(std::string_view value);
std::string to_text(const Replaces& replaces);

// Of an INVITE. Nothing: it has none. unexpected: two of them, or one that cannot be read; a 400.
std::expected<std::optional<Replaces>, std::string_view> replaces_of(const sip::Message& invite);

// As a header of a URI: "?Replaces=…" (RFC 3261 §19.1.1), for a Refer-To.
std::string as_uri_header(const Replaces& replaces);

}  // namespace holdfast::dialog
