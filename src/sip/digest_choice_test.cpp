// Which challenge of a 401 or 407 is answered, and which are refused.
//   RFC 8760 §2.4; RFC 7616 §3.3; RFC 3261 §22.4. Not tested here: which realms an account trusts.
#include <gtest/gtest.h>

#include <utility>

#include "sip/digest.h"

namespace holdfast::sip {
namespace {

Redacted<std::string> secret(std::string text) { return Redacted{std::move(text)}; }

DigestIdentity alice() {
    return {.username = "alice", .password = secret("wonderland"), .ha1 = {}};
}

DigestChallenge challenge(DigestAlgorithm algorithm, DigestQop qop = DigestQop::auth) {
    DigestChallenge c;
    c.realm = "example.test";
    c.nonce = "n0nce";
    c.algorithm = algorithm;
    c.has_qop = qop != DigestQop::none;
    c.qop_auth = qop == DigestQop::auth;
    c.qop_auth_int = qop == DigestQop::auth_int;
    return c;
}

// RFC 8760 §2.4: the first as listed, not the strongest; min_digest refuses weaker ones (design:
// Security).
TEST(DigestChoice, FirstUsableOfEachRealm) {
    std::vector<DigestChallenge> listed{
        challenge(DigestAlgorithm::md5), challenge(DigestAlgorithm::sha256),
        challenge(DigestAlgorithm::sha512_256), challenge(DigestAlgorithm::md5)};
    listed[3].realm = "proxy.test";
    using Indices = std::vector<std::size_t>;
    EXPECT_EQ(choose_challenges(listed, alice(), DigestAlgorithm::md5), (Indices{0, 3}));
    EXPECT_EQ(choose_challenges(listed, alice(), DigestAlgorithm::sha256), (Indices{1}));
    EXPECT_EQ(choose_challenges({}, alice(), DigestAlgorithm::md5), Indices{});
}

TEST(DigestChoice, WhatCannotBeAnsweredIsRefused) {
    const auto can = [](const DigestChallenge& c, const DigestIdentity& who) {
        return can_answer(c, who, DigestAlgorithm::md5);
    };
    EXPECT_TRUE(can(challenge(DigestAlgorithm::md5), alice()));
    EXPECT_FALSE(
        can_answer(challenge(DigestAlgorithm::md5_sess), alice(), DigestAlgorithm::sha256));
    EXPECT_FALSE(can(challenge(DigestAlgorithm::md5_sess, DigestQop::none), alice()));  // no cnonce
    auto unknown_qop = challenge(DigestAlgorithm::md5, DigestQop::none);
    unknown_qop.has_qop = true;
    EXPECT_FALSE(can(unknown_qop, alice()));
    EXPECT_FALSE(
        can(challenge(DigestAlgorithm::md5), {.username = "alice", .password = {}, .ha1 = {}}));
}

Challenge parsed(std::string_view algorithm, std::string_view qop) {
    Challenge c;
    c.scheme = "digest";
    c.realm = "example.test";
    c.has_realm = true;
    c.nonce = "n0nce";
    c.algorithm = algorithm;
    c.qop = qop;
    return c;
}

// RFC 7616 §3.3: an unknown algorithm or scheme is ignored, an unknown qop option too.
TEST(DigestChallengeOf, KeepsWhatWeKnow) {
    const auto both = digest_challenge_of(parsed("SHA-256", "auth-conf , AUTH-int,auth"));
    ASSERT_TRUE(both);
    EXPECT_TRUE(both->has_qop && both->qop_auth && both->qop_auth_int);
    EXPECT_EQ(both->algorithm, DigestAlgorithm::sha256);
    const auto other = digest_challenge_of(parsed("", "authentic"));
    ASSERT_TRUE(other);
    EXPECT_TRUE(other->has_qop);
    EXPECT_FALSE(other->qop_auth || other->qop_auth_int);
    EXPECT_FALSE(digest_challenge_of(parsed("AKAv1-MD5", "auth")));
    auto basic = parsed("", "");
    basic.scheme = "Basic";
    EXPECT_FALSE(digest_challenge_of(basic));
    auto bare = parsed("", "");
    bare.nonce = "";
    EXPECT_FALSE(digest_challenge_of(bare));
}

}  // namespace
}  // namespace holdfast::sip
