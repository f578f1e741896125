#include "registration/credentials.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>

namespace holdfast::registration {
namespace {

using namespace std::chrono_literals;
using Outcome = Credentials::Outcome;
using Refusal = Credentials::Refusal;

Target target(int host) {
    return {Transport::udp, {IpAddress::v4(203, 0, 113, static_cast<std::uint8_t>(host)), 5060}};
}

sip::Message challenge(std::string_view lines, int status = 401) {
    auto message = sip::Message::parse("SIP/2.0 " + std::to_string(status) +
                                       " Unauthorized\r\n"
                                       "Via: SIP/2.0/UDP 10.0.0.2:40000;branch=z9hG4bKx;rport\r\n"
                                       "From: <sip:alice@example.test>;tag=a\r\n"
                                       "To: <sip:alice@example.test>;tag=b\r\n"
                                       "Call-ID: c\r\nCSeq: 1 REGISTER\r\n" +
                                       std::string(lines) + "\r\n");
    EXPECT_TRUE(message.has_value()) << lines;
    return message ? std::move(*message) : sip::Message{};
}
std::string digest(const std::string& nonce, const std::string& realm = "example.test",
                   const std::string& more = ", qop=\"auth\"") {
    return "WWW-Authenticate: Digest realm=\"" + realm + "\", nonce=\"" + nonce + "\"" + more +
           "\r\n";
}

// One account's credentials, and what they say in a REGISTER.
struct Account {
    explicit Account(Credentials::Settings settings = usual()) : credentials(std::move(settings)) {}
    static Credentials::Settings usual() {
        return {.user = "alice",
                .password = Redacted<std::string>("secret"),
                .realms = {},
                .minimum = sip::DigestAlgorithm::md5};
    }
    Credentials::Judgement told(const Target& from, const sip::Message& response,
                                const Credentials::Sent& sent = {}, bool learn = true) {
        return credentials.on_challenge(from, response, sent, learn);
    }
    // By realm; the lines of the last request stay in `last`.
    std::map<std::string, sip::DigestCredentials> said(const Target& to) {
        last = credentials.authorize(to, "REGISTER", "sip:example.test", random);
        std::map<std::string, sip::DigestCredentials> by_realm;
        const auto message = sip::Message::parse(
            "REGISTER sip:example.test SIP/2.0\r\n"
            "Via: SIP/2.0/UDP 10.0.0.2:40000;branch=z9hG4bKx;rport\r\n"
            "From: <sip:alice@example.test>;tag=a\r\nTo: <sip:alice@example.test>\r\n"
            "Call-ID: c\r\nCSeq: 1 REGISTER\r\n" +
            last.lines + "\r\n");
        EXPECT_TRUE(message.has_value()) << last.lines;
        if (!message) return by_realm;
        for (const auto& one : message->authorizations())
            if (const auto known = sip::digest_credentials_of(one)) by_realm[known->realm] = *known;
        return by_realm;
    }
    [[nodiscard]] bool right(const sip::DigestCredentials& said_before,
                             const std::string& password = "secret") const {
        return sip::verify(
            said_before,
            {.username = "alice", .password = Redacted<std::string>(password), .ha1 = {}},
            "REGISTER", "");
    }

    Random random{seed_from_number(5)};
    Credentials credentials;
    Credentials::Authorized last;
};

// Nothing is known before a challenge, and nothing is said (L9).
TEST(Credentials, SayNothingUnasked) {
    Account account;
    EXPECT_TRUE(account.said(target(11)).empty());
    EXPECT_EQ(account.last.lines, "");
}

// An answer to a challenge goes to the target that asked; nonces are kept per target (L9).
TEST(Credentials, ANonceBelongsToTheTargetThatAsked) {
    Account account;
    EXPECT_EQ(account.told(target(11), challenge(digest("n11"))).outcome, Outcome::answer);
    EXPECT_TRUE(account.said(target(12)).empty());
    EXPECT_EQ(account.told(target(12), challenge(digest("n12"))).outcome, Outcome::answer);
    EXPECT_EQ(account.said(target(11)).at("example.test").nonce, "n11");
    EXPECT_EQ(account.said(target(12)).at("example.test").nonce, "n12");
    // The same address over another transport is another target.
    EXPECT_TRUE(account.said({Transport::tcp, target(11).endpoint}).empty());
}

// nc rises with each use of a nonce and starts at 1 with a new one (L9; RFC 7616 §3.4). A request
// that timed out has used its number: authorize() is not told what became of it, and never repeats.
TEST(Credentials, TheNonceCountRisesWithEachUse) {
    Account account;
    account.told(target(11), challenge(digest("one")));
    account.told(target(12), challenge(digest("other")));
    for (std::uint32_t use = 1; use <= 5; ++use) {
        const auto said = account.said(target(11)).at("example.test");
        EXPECT_EQ(said.nonce_count, use);
        EXPECT_TRUE(account.right(said));
    }
    EXPECT_EQ(account.said(target(12)).at("example.test").nonce_count, 1u);
    account.told(target(11), challenge(digest("two")));
    EXPECT_EQ(account.said(target(11)).at("example.test").nonce_count, 1u);
}

// Every challenge of the answer, each realm, is answered in one request (F5; RFC 3261 §22.3).
TEST(Credentials, SeveralRealmsAreAnsweredTogether) {
    Account account;
    EXPECT_EQ(account
                  .told(target(11),
                        challenge("Proxy-Authenticate: Digest realm=\"proxy.test\", nonce=\"p\", "
                                  "qop=\"auth\"\r\n" +
                                      digest("r"),
                                  407))
                  .outcome,
              Outcome::answer);
    const auto said = account.said(target(11));
    ASSERT_EQ(said.size(), 2u) << account.last.lines;
    EXPECT_EQ(said.at("proxy.test").nonce, "p");
    EXPECT_EQ(said.at("example.test").nonce, "r");
    EXPECT_NE(account.last.lines.find("Proxy-Authorization: Digest"), std::string::npos);
    EXPECT_TRUE(account.last.lines.starts_with("Authorization: Digest") ||
                account.last.lines.find("\r\nAuthorization: Digest") != std::string::npos);
}

// A second realm's challenge while the first one's nonce is in use is a new question, no refusal
// (F5).
TEST(Credentials, AnotherRealmsQuestionIsNoRefusal) {
    Account account;
    account.told(target(11), challenge(digest("p", "proxy.test"), 407));
    account.said(target(11));
    EXPECT_EQ(account.told(target(11), challenge(digest("r")), account.last.sent).outcome,
              Outcome::answer);
    EXPECT_EQ(account.said(target(11)).size(), 2u);
}

// A server whose realm changes with every challenge does not make requests grow without bound (I8).
TEST(Credentials, RealmsOfATargetHaveALimit) {
    Account account;
    for (int i = 0; i < 100; ++i) {
        const auto realm = "realm" + std::to_string(i);
        account.told(target(11), challenge(digest("n", realm)));
        EXPECT_LE(account.said(target(11)).size(), 8U);
        EXPECT_TRUE(account.said(target(11)).contains(realm)) << "the newest is always answered";
    }
}

// … nor does one whose answer names many at once, in whatever order they come: the first 8 as
// listed are answered, and what was known of the others before does not add to them (I8).
TEST(Credentials, RealmsOfOneAnswerHaveALimit) {
    Account account;
    for (const int first : {30, 0}) {
        std::string lines;
        for (int i = first; i < first + 20; ++i) lines += digest("n", "realm" + std::to_string(i));
        EXPECT_EQ(account.told(target(11), challenge(lines)).outcome, Outcome::answer);
        const auto said = account.said(target(11));
        EXPECT_EQ(said.size(), 8U);
        for (int i = first; i < first + 8; ++i)
            EXPECT_TRUE(said.contains("realm" + std::to_string(i))) << i;
    }
}

// A target whose realms are as many as there may be keeps them when one of them asks again (I8,
// L9).
TEST(Credentials, AKnownRealmPushesNoOtherOut) {
    Account account;
    std::string lines;
    for (int i = 0; i < 8; ++i) lines += digest("n", "realm" + std::to_string(i));
    account.told(target(11), challenge(lines));
    account.said(target(11));
    account.told(target(11), challenge(digest("m", "realm3")));
    EXPECT_EQ(account.said(target(11)).size(), 8U);
}

// Nor do targets that DNS names anew every minute, each with realms of its own (I8).
TEST(Credentials, NoncesOfAllTargetsHaveALimit) {
    Account account;
    std::size_t most = 0;
    for (int i = 0; i < 1000; ++i) {
        const Target one{Transport::udp,
                         {IpAddress::v4(203, 0, static_cast<std::uint8_t>(i / 256),
                                        static_cast<std::uint8_t>(i % 256)),
                          5060}};
        account.told(one, challenge(digest("n", "realm")));
        most = std::max(most, account.credentials.nonces());
        EXPECT_TRUE(account.said(one).contains("realm")) << "the newest is always answered";
    }
    EXPECT_EQ(most, 256U);
}

// The answer to a nonce just received was refused: the password is in doubt (F5).
TEST(Credentials, RefusalOfAFreshNonce) {
    Account account;
    account.told(target(11), challenge(digest("one")));
    account.said(target(11));
    EXPECT_TRUE(account.last.sent.fresh);
    EXPECT_EQ(account.told(target(11), challenge(digest("two")), account.last.sent).outcome,
              Outcome::refused_fresh);
}

// The same to a request that was repeated proves nothing: its first copy may have used the nonce up
// (F5; RFC 7616 §3.3). The same nonce again says that it is not used up.
TEST(Credentials, RefusalOfARepetition) {
    Account account;
    account.told(target(11), challenge(digest("one")));
    account.said(target(11));
    account.last.sent.repeated = true;
    const auto judged = account.told(target(11), challenge(digest("two")), account.last.sent);
    EXPECT_EQ(judged.outcome, Outcome::refused_repetition);
    EXPECT_NE(judged.words.find("repeated"), std::string::npos) << judged.words;
    EXPECT_EQ(account.said(target(11)).at("example.test").nonce, "two");
    account.last.sent.repeated = true;
    EXPECT_EQ(account.told(target(11), challenge(digest("two")), account.last.sent).outcome,
              Outcome::refused_fresh);
}

// A cached nonce is refused because it is old: once more with the new one, no wrong password (F5).
TEST(Credentials, RefusalOfACachedNonce) {
    Account account;
    account.told(target(11), challenge(digest("one")));
    account.said(target(11));
    account.said(target(11));  // a refresh
    EXPECT_FALSE(account.last.sent.fresh);
    EXPECT_EQ(account.told(target(11), challenge(digest("two")), account.last.sent).outcome,
              Outcome::refused_cached);
    EXPECT_EQ(account.said(target(11)).at("example.test").nonce, "two");
}

// stale=true says that the password was right, however fresh the nonce (F5; RFC 7616 §3.3).
TEST(Credentials, StaleIsNoWrongPassword) {
    Account account;
    account.told(target(11), challenge(digest("one")));
    account.said(target(11));
    EXPECT_EQ(account
                  .told(target(11),
                        challenge(digest("two", "example.test", ", qop=\"auth\", stale=true")),
                        account.last.sent)
                  .outcome,
              Outcome::refused_cached);
}

// Configured realms are the only ones (§11).
TEST(Credentials, OnlyConfiguredRealmsGetThePassword) {
    auto settings = Account::usual();
    settings.realms = {"example.test"};
    Account account(settings);
    const auto judgement = account.told(target(11), challenge(digest("n", "elsewhere.test")));
    EXPECT_EQ(judgement.outcome, Outcome::unusable);
    EXPECT_NE(judgement.words.find("elsewhere.test"), std::string::npos) << judgement.words;
    EXPECT_TRUE(account.said(target(11)).empty());
    EXPECT_EQ(account.told(target(11), challenge(digest("n"))).outcome, Outcome::answer);
}

// None configured: a realm is learned from a challenge to our own REGISTER only; other requests are
// answered for learned realms only (§11).
TEST(Credentials, ARealmIsLearnedFromOurRegisterOnly) {
    Account account;
    EXPECT_EQ(account.told(target(11), challenge(digest("n")), {}, false).outcome,
              Outcome::unusable);
    EXPECT_TRUE(account.said(target(11)).empty());
    EXPECT_EQ(account.told(target(11), challenge(digest("n")), {}, true).outcome, Outcome::answer);
    EXPECT_EQ(account.told(target(12), challenge(digest("m")), {}, false).outcome, Outcome::answer);
    EXPECT_EQ(account.told(target(12), challenge(digest("m", "foreign.test")), {}, false).outcome,
              Outcome::unusable);
}

// A foreign realm beside our own does not stop the answer to our own (§11, F5).
TEST(Credentials, AForeignRealmBesideOursIsLeftOut) {
    auto settings = Account::usual();
    settings.realms = {"example.test"};
    Account account(settings);
    EXPECT_EQ(
        account.told(target(11), challenge(digest("f", "foreign.test") + digest("n"))).outcome,
        Outcome::answer);
    const auto said = account.said(target(11));
    EXPECT_EQ(said.size(), 1u);
    EXPECT_TRUE(said.contains("example.test"));
}

// min_digest refuses weaker algorithms, and says so (§11).
TEST(Credentials, MinDigestRefusesWeakerOnes) {
    auto settings = Account::usual();
    settings.minimum = sip::DigestAlgorithm::sha256;
    Account account(settings);
    const auto judgement = account.told(target(11), challenge(digest("weak")));
    EXPECT_EQ(judgement.outcome, Outcome::unusable);
    EXPECT_NE(judgement.words.find("min_digest"), std::string::npos) << judgement.words;
    const auto both =
        digest("weak") + digest("strong", "example.test", ", qop=\"auth\", algorithm=SHA-256");
    EXPECT_EQ(account.told(target(11), challenge(both)).outcome, Outcome::answer);
    const auto said = account.said(target(11)).at("example.test");
    EXPECT_EQ(said.nonce, "strong");
    EXPECT_EQ(said.algorithm, sip::DigestAlgorithm::sha256);
}

// Of one realm the first supported challenge as listed (§11; RFC 8760 §2.4); what we do not know is
// skipped.
TEST(Credentials, TheFirstSupportedChallengeOfARealm) {
    Account account;
    account.told(target(11),
                 challenge(digest("x", "example.test", ", qop=\"auth\", algorithm=WHIRL-1") +
                           digest("s", "example.test", ", qop=\"auth\", algorithm=SHA-512-256") +
                           digest("m")));
    const auto said = account.said(target(11)).at("example.test");
    EXPECT_EQ(said.nonce, "s");
    EXPECT_TRUE(account.right(said));
}

// -sess: the key is made with the cnonce of the nonce's first use (RFC 7616 §3.4.2), so that later
// uses verify only with that one.
TEST(Credentials, SessionKeysAreOfTheFirstUse) {
    Account account;
    account.told(target(11),
                 challenge(digest("n", "example.test", ", qop=\"auth\", algorithm=MD5-sess")));
    const auto first = account.said(target(11)).at("example.test");
    EXPECT_EQ(first.algorithm, sip::DigestAlgorithm::md5_sess);
    EXPECT_TRUE(account.right(first));
    const auto second = account.said(target(11)).at("example.test");
    const sip::DigestChallenge asked{.realm = "example.test",
                                     .nonce = "n",
                                     .opaque = {},
                                     .algorithm = sip::DigestAlgorithm::md5_sess,
                                     .has_qop = true,
                                     .qop_auth = true};
    const sip::DigestIdentity alice{
        .username = "alice", .password = Redacted<std::string>("secret"), .ha1 = {}};
    EXPECT_EQ(second.response, sip::digest_response(asked, alice,
                                                    {.method = "REGISTER",
                                                     .uri = "sip:example.test",
                                                     .body = {},
                                                     .nonce_count = 2,
                                                     .cnonce = second.cnonce,
                                                     .session_cnonce = first.cnonce}));
}

TEST(Credentials, WithoutAPasswordNothingIsSaid) {
    auto settings = Account::usual();
    settings.password = {};
    Account account(settings);
    EXPECT_EQ(account.told(target(11), challenge(digest("n"))).outcome, Outcome::no_password);
    EXPECT_TRUE(account.said(target(11)).empty());
}

TEST(Credentials, AnUnknownSchemeIsUnusable) {
    Account account;
    const auto judgement =
        account.told(target(11), challenge("WWW-Authenticate: Bearer realm=\"example.test\"\r\n"));
    EXPECT_EQ(judgement.outcome, Outcome::unusable);
    EXPECT_NE(judgement.words.find("Bearer"), std::string::npos) << judgement.words;
}

// A changed password answers no old nonce, and wipes the refusals (F5).
TEST(Credentials, AChangedPasswordStartsAfresh) {
    Account account;
    account.told(target(11), challenge(digest("n")));
    account.credentials.note_refusal(Instant{1000s}, Refusal::of_the_password);
    account.credentials.change_password(Redacted<std::string>("new"));
    EXPECT_TRUE(account.said(target(11)).empty());
    EXPECT_EQ(account.credentials.wrong_passwords(Instant{1000s}), 0u);
    account.told(target(11), challenge(digest("m")));
    EXPECT_TRUE(account.right(account.said(target(11)).at("example.test"), "new"));
}

// Refusals count for 10 min, to the microsecond (F5: never more than 3 in 10 min).
TEST(Credentials, RefusalsCountForTenMinutes) {
    Account account;
    for (const auto at : {1000s, 1100s, 1200s})
        account.credentials.note_refusal(Instant{at}, Refusal::of_the_password);
    EXPECT_EQ(account.credentials.wrong_passwords(Instant{1600s} - 1us), 3u);
    EXPECT_EQ(account.credentials.refusals_rest_until(), Instant{1600s});
    EXPECT_EQ(account.credentials.wrong_passwords(Instant{1600s}), 2u);
    account.credentials.note_success();
    EXPECT_EQ(account.credentials.wrong_passwords(Instant{1600s}), 0u);
}

// F5: a refusal in doubt counts for the limit, and not against the password.
TEST(Credentials, DoubtsAreNoWrongPasswords) {
    Account account;
    account.credentials.note_refusal(Instant{1000s}, Refusal::in_doubt);
    account.credentials.note_refusal(Instant{1001s}, Refusal::of_the_password);
    EXPECT_EQ(account.credentials.refusals(Instant{1001s}), 2u);
    EXPECT_EQ(account.credentials.wrong_passwords(Instant{1001s}), 1u);
    EXPECT_EQ(account.credentials.refusals(Instant{1600s}), 1u);
}

}  // namespace
}  // namespace holdfast::registration
