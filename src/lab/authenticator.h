// The registrar's side of digest authentication (RFC 3261 §22, RFC 7616): nonces of this node,
// their age and count.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/time.h"
#include "sip/digest.h"
#include "sip/message.h"

namespace holdfast::lab {

struct DigestRules {
    bool required = true;
    std::string realm = "example.test";
    sip::DigestAlgorithm algorithm = sip::DigestAlgorithm::md5;
    bool qop_auth = true;
    Duration nonce_lifetime = std::chrono::minutes(5);
    bool count_must_rise = true;  // a nonce count seen before is stale
    bool says_stale = true;       // false: an old nonce is challenged without a word (Kamailio)
    bool wrong_is_forbidden =
        false;  // 403 to a wrong answer (FreeSWITCH), instead of a new challenge
};

enum class Verdict : std::uint8_t { accepted, challenge, stale, wrong };

class Authenticator {
public:
    Authenticator(DigestRules rules, Random random)
        : rules_(std::move(rules)), random_(std::move(random)) {}

    // password: of the user that the request claims; nothing: there is no such user.
    using Passwords = std::map<std::string, std::string>;
    // by: a proxy asks with Proxy-Authenticate (RFC 3261 §22.3).
    enum class By : std::uint8_t { registrar, proxy };
    Verdict check(const sip::Message& request, const Passwords& passwords, Instant now,
                  By by = By::registrar);
    // A header line with a new nonce.
    std::string challenge_line(bool stale, Instant now, By by = By::registrar);
    void forget_nonces() { nonces_.clear(); }
    [[nodiscard]] DigestRules& rules() { return rules_; }

private:
    struct Nonce {
        Instant issued;
        std::uint32_t count = 0;
    };
    DigestRules rules_;
    Random random_;
    std::map<std::string, Nonce, std::less<>> nonces_;
};

}  // namespace holdfast::lab
