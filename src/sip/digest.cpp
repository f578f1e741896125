#include "sip/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <memory>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace holdfast::sip {

namespace {

struct Freed {
    void operator()(EVP_MD* hash) const { EVP_MD_free(hash); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Hash = std::unique_ptr<EVP_MD, Freed>;

constexpr std::size_t usual_authorization = 384;  // octets: most fit, and it costs one allocation

constexpr bool is_sess(DigestAlgorithm algorithm) {
    return algorithm == DigestAlgorithm::md5_sess || algorithm == DigestAlgorithm::sha256_sess ||
           algorithm == DigestAlgorithm::sha512_256_sess;
}

constexpr DigestAlgorithm without_sess(DigestAlgorithm algorithm) {
    switch (algorithm) {
    case DigestAlgorithm::md5:
    case DigestAlgorithm::md5_sess: return DigestAlgorithm::md5;
    case DigestAlgorithm::sha256:
    case DigestAlgorithm::sha256_sess: return DigestAlgorithm::sha256;
    case DigestAlgorithm::sha512_256:
    case DigestAlgorithm::sha512_256_sess: return DigestAlgorithm::sha512_256;
    }
    return algorithm;
}

// "-fips": a host whose OpenSSL prefers its FIPS provider still finds MD5 in the default one, if
// that is loaded.
Hash fetch(const char* name) { return Hash{EVP_MD_fetch(nullptr, name, "-fips")}; }

// nullptr: this system has it not. Each is fetched once, when it is first wanted, and never
// changes: a fetch costs nearly as much as a hash.
const EVP_MD* function_of(DigestAlgorithm algorithm) {
    switch (without_sess(algorithm)) {
    case DigestAlgorithm::sha256:
    case DigestAlgorithm::sha256_sess: {
        static const Hash sha256 = fetch("SHA2-256");
        return sha256.get();
    }
    case DigestAlgorithm::sha512_256:
    case DigestAlgorithm::sha512_256_sess: {
        static const Hash sha512_256 = fetch("SHA2-512/256");
        return sha512_256.get();
    }
    case DigestAlgorithm::md5:
    case DigestAlgorithm::md5_sess: break;
    }
    static const Hash md5 = fetch("MD5");
    return md5.get();
}

// H(), for all the hashes of one answer.
class Hasher {
public:
    explicit Hasher(DigestAlgorithm algorithm)
        : function_(function_of(algorithm)), context_(EVP_MD_CTX_new()) {
        CHECK(function_ != nullptr && context_);
    }

    // The hash of the parts joined by colons, as lower-case hex. In parts, so that no password is
    // copied.
    std::string operator()(std::initializer_list<std::string_view> parts) {
        CHECK(EVP_DigestInit_ex2(context_.get(), function_, nullptr) == 1);
        bool first = true;
        for (const auto part : parts) {
            if (!first) CHECK(EVP_DigestUpdate(context_.get(), ":", 1) == 1);
            first = false;
            CHECK(EVP_DigestUpdate(context_.get(), part.data(), part.size()) == 1);
        }
        std::array<char, EVP_MAX_MD_SIZE> bytes{};
        unsigned size = 0;
        CHECK(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(bytes.data()),
                                 &size) == 1);
        return hex({bytes.data(), size});
    }

private:
    const EVP_MD* function_;
    std::unique_ptr<EVP_MD_CTX, Freed> context_;
};

bool ha1_fits(const DigestIdentity& identity, DigestAlgorithm algorithm) {
    return identity.ha1 && without_sess(identity.ha1_algorithm) == without_sess(algorithm);
}

// H(A1), RFC 7616 §3.4.2. Inside the -sess form the inner hash is hex too (as every peer does; RFC
// 2617's sample code used bytes and was corrected by its errata).
std::string hashed_a1(Hasher& hash_of, const DigestChallenge& challenge,
                      const DigestIdentity& identity, const DigestRequest& request) {
    CHECK(ha1_fits(identity, challenge.algorithm) || identity.password);
    auto secret = ha1_fits(identity, challenge.algorithm)
                      ? identity.ha1->reveal()
                      : hash_of({identity.username, challenge.realm, identity.password->reveal()});
    if (!is_sess(challenge.algorithm)) return secret;
    const auto first_cnonce =
        request.session_cnonce.empty() ? request.cnonce : request.session_cnonce;
    return hash_of({secret, challenge.nonce, first_cnonce});
}

// H(A2), RFC 7616 §3.4.3. Without a body the hash of nothing counts (RFC 3261 §22.4, 7).
std::string hashed_a2(Hasher& hash_of, const DigestChallenge& challenge,
                      const DigestRequest& request) {
    if (qop_of(challenge) != DigestQop::auth_int) return hash_of({request.method, request.uri});
    return hash_of({request.method, request.uri, hash_of({request.body})});
}

std::string_view name_of(DigestQop qop) {
    switch (qop) {
    case DigestQop::none: return "";
    case DigestQop::auth: return "auth";
    case DigestQop::auth_int: return "auth-int";
    }
    return "";
}

// nc-value = 8LHEX (RFC 3261 §25.1).
std::string eight_digits(std::uint32_t count) {
    std::array<char, 4> bytes{};
    for (auto& byte : bytes) {
        byte = static_cast<char>(count >> 24U);
        count <<= 8U;
    }
    return hex({bytes.data(), bytes.size()});
}

// Text that came from between quotes, quoted again as it was. What a quoted-string cannot hold (RFC
// 3261 §25.1) becomes a blank, and a quote or last backslash without its pair gets one: nothing in
// it can end the value early or begin a header field of its own.
std::string quoted_as_it_was(std::string_view text) {
    const auto needs_care = [](char c) {
        return c == '\r' || c == '\n' || c == '\0' || c == '\\' || c == '"';
    };
    if (std::ranges::none_of(text, needs_care)) return joined({"\"", text, "\""});
    std::string result = "\"";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\r' || c == '\n' || c == '\0') {
            result += ' ';
        } else if (c == '\\' && i + 1 < text.size() &&
                   (text[i + 1] == '"' || text[i + 1] == '\\')) {
            result += c;
            result += text[++i];
        } else {
            if (c == '"' || (c == '\\' && i + 1 == text.size())) result += '\\';
            result += c;
        }
    }
    return result += '"';
}

// The options of a qop list, "auth,auth-int" (RFC 7616 §3.3).
bool lists(std::string_view list, std::string_view option) {
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        if (equals_ignoring_case(trimmed(list.substr(0, comma)), option)) return true;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

// nc-value = 8LHEX; upper case is read as well, but then the response cannot match what we hash.
std::optional<std::uint32_t> nonce_count_of(std::string_view text) {
    std::uint32_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count, 16);
    if (text.size() != 8 || error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return count;
}

}  // namespace

std::optional<DigestAlgorithm> digest_algorithm_of(std::string_view text) {
    if (text.empty()) return DigestAlgorithm::md5;
    for (const auto algorithm : {DigestAlgorithm::md5, DigestAlgorithm::md5_sess,
                                 DigestAlgorithm::sha256, DigestAlgorithm::sha256_sess,
                                 DigestAlgorithm::sha512_256, DigestAlgorithm::sha512_256_sess})
        if (equals_ignoring_case(text, name_of(algorithm))) return algorithm;
    return std::nullopt;
}

std::string_view name_of(DigestAlgorithm algorithm) {
    switch (algorithm) {
    case DigestAlgorithm::md5: return "MD5";
    case DigestAlgorithm::md5_sess: return "MD5-sess";
    case DigestAlgorithm::sha256: return "SHA-256";
    case DigestAlgorithm::sha256_sess: return "SHA-256-sess";
    case DigestAlgorithm::sha512_256: return "SHA-512-256";
    case DigestAlgorithm::sha512_256_sess: return "SHA-512-256-sess";
    }
    return "?";
}

int strength_of(DigestAlgorithm algorithm) {
    return without_sess(algorithm) == DigestAlgorithm::md5 ? 1 : 2;
}

DigestQop qop_of(const DigestChallenge& challenge) {
    if (challenge.qop_auth) return DigestQop::auth;
    return challenge.qop_auth_int ? DigestQop::auth_int : DigestQop::none;
}

bool can_answer(const DigestChallenge& challenge, const DigestIdentity& identity,
                DigestAlgorithm minimum) {
    if (strength_of(challenge.algorithm) < strength_of(minimum)) return false;
    const auto qop = qop_of(challenge);
    if (challenge.has_qop && qop == DigestQop::none)
        return false;  // RFC 7616 §3.3: unknown options are ignored
    if (is_sess(challenge.algorithm) && qop == DigestQop::none)
        return false;  // RFC 3261 §22.4, 8: no cnonce
    if (!identity.password && !ha1_fits(identity, challenge.algorithm)) return false;
    return function_of(challenge.algorithm) != nullptr;
}

std::vector<std::size_t> choose_challenges(std::span<const DigestChallenge> challenges,
                                           const DigestIdentity& identity,
                                           DigestAlgorithm minimum) {
    std::vector<std::size_t> chosen;
    std::set<std::string_view> answered;  // RFC 7616 §3.3 compares realms exactly
    for (std::size_t i = 0; i < challenges.size(); ++i)
        if (!answered.contains(challenges[i].realm) &&
            can_answer(challenges[i], identity, minimum)) {
            chosen.push_back(i);
            answered.insert(challenges[i].realm);
        }
    return chosen;
}

namespace {

// RFC 7616 §3.4.1; without qop as RFC 2069 did it.
std::string response_to(Hasher& hash_of, const DigestChallenge& challenge,
                        const DigestIdentity& identity, const DigestRequest& request) {
    const auto a1 = hashed_a1(hash_of, challenge, identity, request);
    const auto a2 = hashed_a2(hash_of, challenge, request);
    const auto qop = qop_of(challenge);
    if (qop == DigestQop::none) return hash_of({a1, challenge.nonce, a2});
    CHECK(!request.cnonce.empty());
    return hash_of(
        {a1, challenge.nonce, eight_digits(request.nonce_count), request.cnonce, name_of(qop), a2});
}

}  // namespace

std::string digest_response(const DigestChallenge& challenge, const DigestIdentity& identity,
                            const DigestRequest& request) {
    Hasher hash_of(challenge.algorithm);
    return response_to(hash_of, challenge, identity, request);
}

// Which values are quoted and which must not be: RFC 7616 §3.4, RFC 3261 §25.1. The order is RFC
// 3261 §22's.
std::string digest_authorization(const DigestChallenge& challenge, const DigestIdentity& identity,
                                 const DigestRequest& request) {
    Hasher hash_of(challenge.algorithm);
    const auto username = challenge.userhash  // RFC 7616 §3.4.4
                              ? hash_of({identity.username, challenge.realm})
                              : identity.username;
    std::string value;
    value.reserve(usual_authorization);
    append(value,
           {"Digest username=", quoted(username), ", realm=", quoted_as_it_was(challenge.realm),
            ", nonce=", quoted_as_it_was(challenge.nonce), ", uri=", quoted_as_it_was(request.uri),
            ", response=\"", response_to(hash_of, challenge, identity, request),
            "\", algorithm=", name_of(challenge.algorithm)});
    if (challenge.has_opaque) append(value, {", opaque=", quoted_as_it_was(challenge.opaque)});
    if (const auto qop = qop_of(challenge);
        qop != DigestQop::none)  // RFC 3261 §22.4, 8: only then a cnonce
        append(value, {", cnonce=", quoted_as_it_was(request.cnonce), ", qop=", name_of(qop),
                       ", nc=", eight_digits(request.nonce_count)});
    if (challenge.userhash) value += ", userhash=true";
    return value;
}

Redacted<std::string> digest_ha1(DigestAlgorithm algorithm, std::string_view username,
                                 std::string_view realm, const Redacted<std::string>& password) {
    return Redacted{Hasher(algorithm)({username, realm, password.reveal()})};
}

std::optional<DigestChallenge> digest_challenge_of(const Challenge& challenge) {
    const auto algorithm = digest_algorithm_of(challenge.algorithm);
    if (!equals_ignoring_case(challenge.scheme, "Digest") || !challenge.has_realm ||
        challenge.nonce.empty() || !algorithm)
        return std::nullopt;
    return DigestChallenge{.realm = std::string(challenge.realm),
                           .nonce = std::string(challenge.nonce),
                           .opaque = std::string(challenge.opaque),
                           .algorithm = *algorithm,
                           .has_opaque = challenge.has_opaque,
                           .stale = challenge.stale,
                           .userhash = challenge.userhash,
                           .has_qop = !challenge.qop.empty(),
                           .qop_auth = lists(challenge.qop, "auth"),
                           .qop_auth_int = lists(challenge.qop, "auth-int")};
}

std::optional<DigestCredentials> digest_credentials_of(const Credentials& credentials) {
    const auto algorithm = digest_algorithm_of(credentials.algorithm);
    if (!equals_ignoring_case(credentials.scheme, "Digest") || credentials.username.empty() ||
        credentials.nonce.empty() || credentials.uri.empty() || credentials.response.empty() ||
        !algorithm)
        return std::nullopt;
    DigestCredentials result{.username = unescape(credentials.username),
                             .realm = std::string(credentials.realm),
                             .nonce = std::string(credentials.nonce),
                             .uri = std::string(credentials.uri),
                             .response = std::string(credentials.response),
                             .opaque = std::string(credentials.opaque),
                             .cnonce = std::string(credentials.cnonce),
                             .algorithm = *algorithm,
                             .userhash = credentials.userhash};
    if (credentials.qop.empty()) return result;
    const auto count = nonce_count_of(credentials.nc);
    if (!count || credentials.cnonce.empty())
        return std::nullopt;  // RFC 7616 §3.4: required with qop
    result.nonce_count = *count;
    if (equals_ignoring_case(credentials.qop, "auth"))
        result.qop = DigestQop::auth;
    else if (equals_ignoring_case(credentials.qop, "auth-int"))
        result.qop = DigestQop::auth_int;
    else
        return std::nullopt;
    return result;
}

bool verify(const DigestCredentials& credentials, const DigestIdentity& identity,
            std::string_view method, std::string_view body) {
    const DigestChallenge challenge{.realm = credentials.realm,
                                    .nonce = credentials.nonce,
                                    .opaque = credentials.opaque,
                                    .algorithm = credentials.algorithm,
                                    .userhash = credentials.userhash,
                                    .has_qop = credentials.qop != DigestQop::none,
                                    .qop_auth = credentials.qop == DigestQop::auth,
                                    .qop_auth_int = credentials.qop == DigestQop::auth_int};
    if (!can_answer(challenge, identity, DigestAlgorithm::md5)) return false;
    if (challenge.has_qop && credentials.cnonce.empty()) return false;
    const auto name = credentials.userhash
                          ? Hasher(credentials.algorithm)({identity.username, credentials.realm})
                          : identity.username;
    if (name != credentials.username) return false;
    return credentials.response == digest_response(challenge, identity,
                                                   {.method = method,
                                                    .uri = credentials.uri,
                                                    .body = body,
                                                    .nonce_count = credentials.nonce_count,
                                                    .cnonce = credentials.cnonce});
}

}  // namespace holdfast::sip
