// Challenges and credentials as they stand in a message (RFC 3261 §20.7, §20.27, §20.28, §20.44;
// RFC 7616). Quoted values come without quotes, escapes kept: digest input is the text between the
// quotes (RFC 7616 §3.4).
#pragma once

#include <string_view>

#include "sip/parameters.h"

namespace holdfast::sip {

struct Challenge {
    std::string_view scheme;  // "Digest", any case
    std::string_view realm;   // "" if absent, like all that follow
    std::string_view nonce;
    std::string_view opaque;
    std::string_view algorithm;
    std::string_view qop;  // the raw list: "auth,auth-int"
    std::string_view domain;
    Parameters parameters;  // all of them
    bool stale = false;     // stale=true, any case
    bool userhash = false;
    bool has_realm = false;
    bool has_opaque = false;
    bool proxy = false;  // Proxy-Authenticate
};

struct Credentials {
    std::string_view scheme;
    std::string_view username;
    std::string_view realm;
    std::string_view nonce;
    std::string_view uri;
    std::string_view response;
    std::string_view algorithm;
    std::string_view cnonce;
    std::string_view qop;
    std::string_view nc;
    std::string_view opaque;
    Parameters parameters;
    bool userhash = false;
    bool proxy = false;  // Proxy-Authorization
};

}  // namespace holdfast::sip
