#include "lab/authenticator.h"

#include <utility>

namespace holdfast::lab {

Verdict Authenticator::check(const sip::Message& request, const Passwords& passwords, Instant now,
                             By by) {
    if (!rules_.required) return Verdict::accepted;
    for (const auto& given : request.authorizations()) {
        if (given.proxy != (by == By::proxy)) continue;
        const auto credentials = sip::digest_credentials_of(given);
        if (!credentials || credentials->realm != rules_.realm) continue;
        const auto password = passwords.find(credentials->username);
        if (password == passwords.end()) return Verdict::wrong;
        const sip::DigestIdentity identity{.username = credentials->username,
                                           .password = Redacted<std::string>(password->second),
                                           .ha1 = {}};
        if (!sip::verify(*credentials, identity, request.method_text(), request.body()))
            return Verdict::wrong;
        const auto nonce = nonces_.find(credentials->nonce);
        if (nonce == nonces_.end() || now - nonce->second.issued > rules_.nonce_lifetime)
            return Verdict::stale;
        const bool counted = credentials->qop != sip::DigestQop::none && rules_.count_must_rise;
        if (counted && credentials->nonce_count <= nonce->second.count) return Verdict::stale;
        nonce->second.count = credentials->nonce_count;
        return Verdict::accepted;
    }
    return Verdict::challenge;
}

std::string Authenticator::challenge_line(bool stale, Instant now, By by) {
    std::erase_if(nonces_, [&](const auto& entry) {
        return now - entry.second.issued > 2 * rules_.nonce_lifetime;
    });
    const auto nonce = random_.token(128);
    nonces_[nonce] = {now, 0};
    std::string line = by == By::proxy ? "Proxy-Authenticate" : "WWW-Authenticate";
    line += ": Digest realm=\"" + rules_.realm + "\", nonce=\"" + nonce + "\"";
    line += ", algorithm=" + std::string(sip::name_of(rules_.algorithm));
    if (rules_.qop_auth) line += ", qop=\"auth\"";
    if (stale && rules_.says_stale) line += ", stale=true";
    return line + "\r\n";
}

}  // namespace holdfast::lab
