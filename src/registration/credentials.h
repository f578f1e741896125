// Answers to challenges (L9, F5, §11): nonces kept per (target, realm), never on disk; which realms
// may have the password; when a refusal means that the password is wrong.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/random.h"
#include "base/redacted.h"
#include "base/time.h"
#include "sip/challenge.h"
#include "sip/digest.h"
#include "sip/message.h"

namespace holdfast::registration {

class Credentials {
public:
    struct Settings {
        std::string user;
        Redacted<std::string> password;
        std::vector<std::string> realms;  // empty: learned from challenges to our REGISTER
        sip::DigestAlgorithm minimum = sip::DigestAlgorithm::md5;
    };
    explicit Credentials(Settings settings);

    enum class Outcome : std::uint8_t {
        answer,          // new challenges are known: ask again with authorize()
        refused_cached,  // a cached nonce, or a stale one, was refused: ask again, this is no wrong
                         // password
        refused_fresh,   // the answer to a nonce just received was refused
        refused_repetition,  // so it was, with another nonce, and the request had been repeated:
                             // its first copy may have used the nonce up (RFC 7616 §3.3)
        no_password,
        unusable,  // nothing we can or may answer: words say why
    };
    struct Judgement {
        Outcome outcome = Outcome::unusable;
        std::string words;
        // What stands for no refusal of the password: the same request may be tried with new ones.
        [[nodiscard]] bool is_a_question() const {
            return outcome == Outcome::answer || outcome == Outcome::refused_cached ||
                   outcome == Outcome::refused_repetition;
        }
    };
    // A 401 or 407. sent: what authorize() gave for the refused request. learn_realm: the challenge
    // is to our own REGISTER from the account's own target (§11).
    struct Sent {
        std::set<std::pair<std::string, std::string>>
            nonces;                          // (realm, nonce) that the request answered
        std::set<std::string> fresh_realms;  // those whose nonce came in the challenge just before
        bool fresh = false;                  // they came in the challenge just before
        bool repeated = false;  // the request went out more than once before it was answered
    };
    Judgement on_challenge(const Target& target, const sip::Message& response, const Sent& sent,
                           bool learn_realm);

    // Header lines (with CRLF) for a request to the target, from what is known of its nonces; "" if
    // nothing is. nc rises with each use, so that a timed-out request's is never used again.
    struct Authorized {
        std::string lines;
        Sent sent;
    };
    Authorized authorize(const Target& target, std::string_view method, std::string_view uri,
                         Random& random);

    // Others' requests of the same account (calls): the same secret and realms, nonces of their
    // own, for a proxy's challenge is not its registrar's.
    [[nodiscard]] Credentials for_other_requests() const;
    // The realms that `registration` has learned since (§11).
    void learn_realms_of(const Credentials& registration) {
        learned_realms_ = registration.learned_realms_;
    }

    void change_password(Redacted<std::string> password);
    // F5: refusals of fresh answers in the last 10 min; at 3 nothing more is sent. Those that prove
    // nothing about the password count as well: whoever counts failed logins cannot tell them
    // apart.
    enum class Refusal : std::uint8_t { of_the_password, in_doubt };
    void note_refusal(Instant now, Refusal what);
    void note_success() { refusals_.clear(); }
    [[nodiscard]] std::size_t refusals(Instant now) const;
    [[nodiscard]] std::size_t wrong_passwords(Instant now) const;  // without those in doubt
    [[nodiscard]] Instant refusals_rest_until() const;
    [[nodiscard]] std::size_t nonces() const { return nonces_.size(); }  // remembered now

private:
    struct Known {
        sip::DigestChallenge challenge;
        bool proxy = false;
        bool used = false;
        std::uint32_t count = 0;
        std::string session_cnonce;
    };
    [[nodiscard]] bool may_answer(const std::string& realm, bool learn) const;

    Settings settings_;
    std::set<std::string> learned_realms_;
    std::map<std::pair<Target, std::string>, Known> nonces_;
    struct Refused {
        Instant at;
        Refusal what{};
    };
    std::vector<Refused> refusals_;
};

}  // namespace holdfast::registration
