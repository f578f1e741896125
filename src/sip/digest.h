// Digest authentication (RFC 7616, RFC 8760, RFC 3261 §22.4): a challenge, who we are and one
// request become the value of an Authorization header; and the other way round, for a registrar
// that checks it.
//
//   std::vector<DigestChallenge> challenges;        // of a 401 or 407, as listed, without those we
//   cannot use for (const auto& challenge : response.challenges())
//       if (auto digest = digest_challenge_of(challenge)) challenges.push_back(std::move(*digest));
//   for (const auto index : choose_challenges(challenges, alice, DigestAlgorithm::md5))   // one
//   per realm
//       add_header("Authorization", digest_authorization(challenges[index], alice, {...}));
//
// Of realm, nonce, opaque, uri and cnonce we keep, hash and echo the text between the quotes as it
// is, escapes included: that is what RFC 7616 §3.4 calls unq(). A user's name is hashed as it means
// and escaped when written, because a registrar's stored hash was made from the name. Left out on
// purpose: username* (RFC 7616 §3.4; a SIP quoted-string carries UTF-8 as it is, RFC 3261 §25.1),
// charset, domain, Authentication-Info.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/redacted.h"
#include "sip/challenge.h"

namespace holdfast::sip {

enum class DigestAlgorithm : std::uint8_t {
    md5,
    md5_sess,
    sha256,
    sha256_sess,
    sha512_256,
    sha512_256_sess
};

// Any case; "" is MD5, because a challenge without algorithm means it (RFC 7616 §3.3). Else
// nothing: such a challenge is to be ignored.
std::optional<DigestAlgorithm> digest_algorithm_of(std::string_view text);
std::string_view name_of(DigestAlgorithm algorithm);  // "SHA-512-256-sess"
// For the policy min_digest: MD5 is 1, both SHA-2 are 2. The -sess forms are no stronger.
int strength_of(DigestAlgorithm algorithm);

enum class DigestQop : std::uint8_t { none, auth, auth_int };

// What a WWW-Authenticate or Proxy-Authenticate header asks. The last line is from the qop list:
// has_qop says that there was one, even if it named nothing we know.
struct DigestChallenge {
    std::string realm;
    std::string nonce;
    std::string opaque;
    DigestAlgorithm algorithm = DigestAlgorithm::md5;
    bool has_opaque = false;  // opaque="" is echoed, a missing one is not
    bool stale = false;       // the password was right, only the nonce is old (RFC 7616 §3.3)
    bool userhash = false;    // the user's name is to be hashed (RFC 7616 §3.4.4)
    bool has_qop = false;
    bool qop_auth = false;
    bool qop_auth_int = false;
};

// Nothing unless it is Digest, with realm and nonce, and an algorithm that we know (RFC 7616 §3.3).
std::optional<DigestChallenge> digest_challenge_of(const Challenge& challenge);

// A user, with a password or with H(username:realm:password) in lower-case hex (RFC 7616 §3.4.2).
// An ha1 that fits the challenge's hash is preferred; it holds for one realm only, and which one is
// the caller's care.
struct DigestIdentity {
    std::string username;
    std::optional<Redacted<std::string>> password;
    std::optional<Redacted<std::string>> ha1;
    DigestAlgorithm ha1_algorithm =
        DigestAlgorithm::md5;  // the -sess form or not makes no difference
};

struct DigestRequest {
    std::string_view method;
    std::string_view uri;   // the Request-URI, as it stands in the request (RFC 3261 §22.4, 3)
    std::string_view body;  // auth-int signs it
    std::uint32_t nonce_count = 1;  // requests sent with this nonce, this one included (L9)
    std::string_view cnonce;        // not empty if the challenge has qop
    std::string_view
        session_cnonce{};  // -sess: the cnonce of this nonce's first use; empty: this cnonce
};

// auth if offered, else auth-int, else none. With both offered the body stays unsigned: servers in
// the path rewrite SDP, and a signed body would fail there.
DigestQop qop_of(const DigestChallenge& challenge);

// Whether the challenge can be answered: its hash exists on this system and is no weaker than
// `minimum`, a qop list names one we know, -sess comes with qop (RFC 3261 §22.4, 8), and the
// identity has a secret that fits.
bool can_answer(const DigestChallenge& challenge, const DigestIdentity& identity,
                DigestAlgorithm minimum);

// For each realm the first challenge as listed that can be answered (RFC 8760 §2.4), as indices in
// rising order. Realms differ by case. Empty: none can.
std::vector<std::size_t> choose_challenges(std::span<const DigestChallenge> challenges,
                                           const DigestIdentity& identity, DigestAlgorithm minimum);

// The header's value, "Digest username=…", on one line. can_answer() must hold.
std::string digest_authorization(const DigestChallenge& challenge, const DigestIdentity& identity,
                                 const DigestRequest& request);
// The bare response in lower-case hex, 32 or 64 digits. can_answer() must hold.
std::string digest_response(const DigestChallenge& challenge, const DigestIdentity& identity,
                            const DigestRequest& request);

// H(username:realm:password), for those who keep it instead of the password.
Redacted<std::string> digest_ha1(DigestAlgorithm algorithm, std::string_view username,
                                 std::string_view realm, const Redacted<std::string>& password);

// The server's side: what an Authorization or Proxy-Authorization header says.
struct DigestCredentials {
    std::string username;  // escapes resolved; a hash, if userhash
    std::string realm;
    std::string nonce;
    std::string uri;
    std::string response;
    std::string opaque;
    std::string cnonce;
    DigestAlgorithm algorithm = DigestAlgorithm::md5;
    DigestQop qop = DigestQop::none;
    std::uint32_t nonce_count = 0;
    bool userhash = false;
};

// Nothing unless it is Digest, with all that its qop demands, and an algorithm and a qop that we
// know.
std::optional<DigestCredentials> digest_credentials_of(const Credentials& credentials);

// Whether this user has signed this request. The caller checks realm, nonce, nonce_count and uri
// against what it issued and received. A -sess response is checked as the nonce's first use.
bool verify(const DigestCredentials& credentials, const DigestIdentity& identity,
            std::string_view method, std::string_view body);

}  // namespace holdfast::sip
