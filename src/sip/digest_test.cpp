// Digest against the RFCs' own numbers, and against numbers computed by another implementation
// (Python's hashlib) where the RFCs have none: -sess, auth-int, escapes, no qop.
//   RFC 7616 §3.4, §3.9; RFC 2617 §3.5; RFC 3261 §22.4.
// Not tested here: who keeps nonces and counts them, what a refusal means, parsing (the
// parser's own tests).
#include "sip/digest.h"

#include <gtest/gtest.h>

#include <utility>

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

DigestRequest register_request() {
    return {.method = "REGISTER",
            .uri = "sip:example.test",
            .body = "",
            .nonce_count = 1,
            .cnonce = "c0"};
}

// The text of one parameter in a header value that we wrote, without its quotes.
std::string_view parameter(std::string_view value, std::string_view name) {
    const auto at = value.find(std::string(name) + "=");
    if (at == std::string_view::npos) return "(absent)";
    value.remove_prefix(at + name.size() + 1);
    if (!value.starts_with('"')) return value.substr(0, value.find(','));
    for (std::size_t i = 1; i < value.size(); ++i) {
        if (value[i] == '\\')
            ++i;
        else if (value[i] == '"')
            return value.substr(1, i - 1);
    }
    return "(unclosed)";
}

// What the message parser makes of such a value.
Credentials read(std::string_view value) {
    const auto get = [&](std::string_view name) {
        const auto text = parameter(value, name);
        return text == "(absent)" ? std::string_view{} : text;
    };
    Credentials c;
    c.scheme = value.substr(0, value.find(' '));
    c.username = get("username");
    c.realm = get("realm");
    c.nonce = get(" nonce");
    c.uri = get("uri");
    c.response = get("response");
    c.algorithm = get("algorithm");
    c.cnonce = get("cnonce");
    c.qop = get("qop");
    c.nc = get(" nc");
    c.opaque = get("opaque");
    c.userhash = get("userhash") == "true";
    return c;
}

// RFC 7616 §3.9.1: one user, the same nonce, MD5 and SHA-256. The password has a small "of"
// (erratum 4495).
TEST(Digest, ExampleOfRfc7616WithMd5AndSha256) {
    DigestChallenge c = challenge(DigestAlgorithm::md5);
    c.realm = "http-auth@example.org";
    c.nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
    c.opaque = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS";
    c.has_opaque = true;
    const DigestIdentity mufasa{
        .username = "Mufasa", .password = secret("Circle of Life"), .ha1 = {}};
    const DigestRequest get{.method = "GET",
                            .uri = "/dir/index.html",
                            .body = "",
                            .cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"};

    EXPECT_EQ(digest_response(c, mufasa, get), "8ca523f5e9506fed4657c9700eebdbec");
    c.algorithm = DigestAlgorithm::sha256;
    EXPECT_EQ(digest_response(c, mufasa, get),
              "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
    EXPECT_EQ(digest_authorization(c, mufasa, get),
              "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "
              "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", uri=\"/dir/index.html\", "
              "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\", "
              "algorithm=SHA-256, opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", "
              "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, nc=00000001");
}

// RFC 7616 §3.9.2 as corrected by erratum 4897 (reported): the numbers printed there are not
// SHA-512/256 of FIPS 180-4, but SHA-512 cut short.
TEST(Digest, ExampleOfRfc7616WithSha512AndUserhash) {
    DigestChallenge c = challenge(DigestAlgorithm::sha512_256);
    c.realm = "api@example.org";
    c.nonce = "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK";
    c.opaque = "HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS";
    c.has_opaque = true;
    c.userhash = true;
    const DigestIdentity jason{
        .username = "J\xc3\xa4s\xc3\xb8n Doe", .password = secret("Secret, or not?"), .ha1 = {}};
    const DigestRequest get{.method = "GET",
                            .uri = "/doe.json",
                            .body = "",
                            .cnonce = "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"};

    const auto value = digest_authorization(c, jason, get);

    EXPECT_EQ(parameter(value, "username"),
              "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b");
    EXPECT_EQ(parameter(value, "response"),
              "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5");
    EXPECT_EQ(parameter(value, "userhash"), "true");
    EXPECT_EQ(parameter(value, "opaque"), "HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS");
    const auto credentials = digest_credentials_of(read(value));
    ASSERT_TRUE(credentials);
    EXPECT_TRUE(verify(*credentials, jason, "GET", ""));
}

// RFC 2617 §3.5; and without qop RFC 2069 §2.4 as corrected by its erratum 749.
TEST(Digest, ExamplesOfRfc2617AndRfc2069) {
    DigestChallenge c = challenge(DigestAlgorithm::md5);
    c.realm = "testrealm@host.com";
    c.nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
    const DigestRequest get{
        .method = "GET", .uri = "/dir/index.html", .body = "", .cnonce = "0a4f113b"};
    EXPECT_EQ(digest_response(
                  c, {.username = "Mufasa", .password = secret("Circle Of Life"), .ha1 = {}}, get),
              "6629fae49393a05397450978507c4ef1");
    c.has_qop = c.qop_auth = false;
    EXPECT_EQ(digest_response(
                  c, {.username = "Mufasa", .password = secret("CircleOfLife"), .ha1 = {}}, get),
              "1949323746fe6a43ef61f9606e7febea");
}

// draft-smith-sipping-auth-examples-01 §3: SIP's own worked examples, the same INVITE with each qop
// and algorithm. They settle that the -sess form hashes hex and not bytes.
TEST(Digest, ExamplesOfTheSipAuthenticationDraft) {
    DigestChallenge c = challenge(DigestAlgorithm::md5, DigestQop::none);
    c.realm = "biloxi.com";
    c.nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
    const DigestIdentity bob{.username = "bob", .password = secret("zanzibar"), .ha1 = {}};
    const DigestRequest invite{.method = "INVITE",
                               .uri = "sip:bob@biloxi.com",
                               .body =
                                   "v=0\r\n"
                                   "o=bob 2890844526 2890844526 IN IP4 media.biloxi.com\r\n"
                                   "s=-\r\n"
                                   "c=IN IP4 media.biloxi.com\r\n"
                                   "t=0 0\r\n"
                                   "m=audio 49170 RTP/AVP 0\r\n"
                                   "a=rtpmap:0 PCMU/8000\r\n"
                                   "m=video 51372 RTP/AVP 31\r\n"
                                   "a=rtpmap:31 H261/90000\r\n"
                                   "m=video 53000 RTP/AVP 32\r\n"
                                   "a=rtpmap:32 MPV/90000\r\n",
                               .cnonce = "0a4f113b"};
    EXPECT_EQ(digest_response(c, bob, invite), "bf57e4e0d0bffc0fbaedce64d59add5e");  // §3.1
    c.has_qop = c.qop_auth = true;
    EXPECT_EQ(digest_response(c, bob, invite), "89eb0059246c02b2f6ee02c7961d5ea3");  // §3.3
    c.algorithm = DigestAlgorithm::md5_sess;
    EXPECT_EQ(digest_response(c, bob, invite), "e4e4ea61d186d07a92c9e1f6919902e9");  // §3.4
    c.qop_auth = false;
    c.qop_auth_int = true;
    EXPECT_EQ(digest_response(c, bob, invite), "91984da2d8663716e91554859c22ca70");  // §3.6
    c.algorithm = DigestAlgorithm::md5;
    EXPECT_EQ(digest_response(c, bob, invite), "bdbeebb2da6adb6bca02599c2239e192");  // §3.5
}

struct Known {
    DigestAlgorithm plain;
    DigestAlgorithm sess;
    const char* no_qop;
    const char* auth_tenth;
    const char* auth_int_empty;
    const char* auth_int_body;
    const char* sess_first;
    const char* sess_second;
};

constexpr Known known[] = {
    {DigestAlgorithm::md5, DigestAlgorithm::md5_sess, "419c385e8cb5a7c937da1e3a06dc8b1f",
     "164c2281436b22989c6c67147ff13677", "6e8a5fbe695529bd6cc87e9dc700ba50",
     "b53782c58bb1049b89d0bcf4df2be3a1", "92cdbac65c70eabf6e1e0db37a637240",
     "83b7ce47281fc92ea826ef5b6c87cd22"},
    {DigestAlgorithm::sha256, DigestAlgorithm::sha256_sess,
     "86a16d2a2995bdb3de3855e440970aadd5c3c948e51a0b7c6fcaeaeecb13ab95",
     "42c4345ec35d279ac6cb70298562e39b3e6d5d11d276a92aff8d4117691e9951",
     "63e4ebfc6964ff983c45c150d9a37c5e924ff686248a3fa3df63548813c95023",
     "439c8252ad6a14982b8e685253a2568e8321fd3f55573926432d2818cd141000",
     "b25ad5ce2ee00c1cf58a3252452699d5e0d849dcd66998fc4adf76d2dc3e7bbf",
     "61b01f98f4abf914d0b7d763690a117f88a1b06738d162a759335721d22629f0"},
    {DigestAlgorithm::sha512_256, DigestAlgorithm::sha512_256_sess,
     "2eaca16890c63ed5709416a507af6d7969d0bf6c70dcefa2430cc1e74ba4361f",
     "32a9252f29350653dd00af75a0cb6e6dd3b9df247ec8e2f14cdab28fc6f39ca7",
     "8cc6096fa20fbe7a3c65ed75ae4e4333947760763a2565972835aa82364ce3e9",
     "815c03aec8c196e158e3a7395ef9ba4a716af30025807689e0d344cf10841ee6",
     "4483589f47fd0fa06d416cfe9f396a451ceccc583951608974fe29fd005a4912",
     "59de5ace0eb2c8f659713152dbb280f30f5c6c9d9273344a38e55b180e39cf87"},
};

TEST(Digest, EveryAlgorithmWithEveryQop) {
    for (const auto& expected : known) {
        SCOPED_TRACE(name_of(expected.plain));
        auto request = register_request();
        EXPECT_EQ(digest_response(challenge(expected.plain, DigestQop::none), alice(), request),
                  expected.no_qop);
        const auto auth_int = challenge(expected.plain, DigestQop::auth_int);
        EXPECT_EQ(digest_response(auth_int, alice(), request), expected.auth_int_empty);
        request.body = "v=0\r\n";
        EXPECT_EQ(digest_response(auth_int, alice(), request), expected.auth_int_body);
        request.nonce_count = 10;  // hexadecimal on the wire
        const auto value = digest_authorization(challenge(expected.plain), alice(), request);
        EXPECT_EQ(parameter(value, "response"), expected.auth_tenth);
        EXPECT_EQ(parameter(value, " nc"), "0000000a");
    }
}

// RFC 7616 §3.4.2: the session key is made of the first cnonce and stays while the nonce does.
TEST(Digest, SessionKeepsTheFirstCnonce) {
    for (const auto& expected : known) {
        SCOPED_TRACE(name_of(expected.sess));
        auto request = register_request();
        EXPECT_EQ(digest_response(challenge(expected.sess), alice(), request), expected.sess_first);
        request.nonce_count = 2;
        request.cnonce = "c1";
        request.session_cnonce = "c0";
        EXPECT_EQ(digest_response(challenge(expected.sess), alice(), request),
                  expected.sess_second);
    }
}

TEST(Digest, StoredHashReplacesThePassword) {
    const auto c = challenge(DigestAlgorithm::sha256);
    DigestIdentity hashed{.username = "alice", .password = {}, .ha1 = {}};
    hashed.ha1 = digest_ha1(DigestAlgorithm::sha256, "alice", "example.test", secret("wonderland"));
    hashed.ha1_algorithm = DigestAlgorithm::sha256;
    EXPECT_EQ(hashed.ha1->reveal(),
              "77cae796a8cc52f5c46ded35aad6f46bea0804eea0c135b3fe8e30dc61956fb2");
    EXPECT_EQ(digest_response(c, hashed, register_request()),
              digest_response(c, alice(), register_request()));
    EXPECT_TRUE(can_answer(challenge(DigestAlgorithm::sha256_sess), hashed, DigestAlgorithm::md5));
    // As long as SHA-256's, but another hash.
    EXPECT_FALSE(can_answer(challenge(DigestAlgorithm::sha512_256), hashed, DigestAlgorithm::md5));
}

// RFC 3261 §25.1: a name's quotes and backslashes are escaped and hashed as they mean; a realm's
// text goes back as it came.
TEST(Digest, QuotesAndBackslashesAreEscaped) {
    DigestChallenge c = challenge(DigestAlgorithm::md5, DigestQop::none);
    c.realm = R"(re\"alm)";
    const DigestIdentity odd{.username = R"(al"i\ce)", .password = secret("pw"), .ha1 = {}};

    const auto value = digest_authorization(c, odd, register_request());

    EXPECT_EQ(
        value,
        R"(Digest username="al\"i\\ce", realm="re\"alm", nonce="n0nce", uri="sip:example.test", )"
        R"(response="d8b19539980eb0d029ddb70e49693900", algorithm=MD5)");
    const auto credentials = digest_credentials_of(read(value));
    ASSERT_TRUE(credentials);
    EXPECT_EQ(credentials->username, odd.username);
    EXPECT_TRUE(verify(*credentials, odd, "REGISTER", ""));
}

TEST(Digest, NothingInAValueCanEndItEarly) {
    DigestChallenge c = challenge(DigestAlgorithm::md5, DigestQop::none);
    c.realm = "a\"b\r\nX: y";
    c.nonce = "ends in a backslash\\";
    const DigestIdentity odd{.username = "alice\r\nX: y", .password = secret("pw"), .ha1 = {}};
    const auto value = digest_authorization(c, odd, register_request());
    EXPECT_EQ(value.find_first_of("\r\n"), std::string::npos);
    EXPECT_EQ(parameter(value, "realm"), "a\\\"b  X: y");
    EXPECT_EQ(parameter(value, " nonce"), "ends in a backslash\\\\");
}

// RFC 3261 §22.4, 8: no cnonce and no nc without qop; an empty opaque is echoed, a missing one is
// not.
TEST(Digest, OnlyWhatTheChallengeAskedFor) {
    auto c = challenge(DigestAlgorithm::md5, DigestQop::none);
    auto value = digest_authorization(c, alice(), register_request());
    for (const auto* absent : {"cnonce", " nc", "qop", "opaque", "userhash"})
        EXPECT_EQ(parameter(value, absent), "(absent)") << absent;
    c = challenge(DigestAlgorithm::md5);
    c.has_opaque = true;
    c.qop_auth_int = true;  // both offered: the body stays unsigned
    value = digest_authorization(c, alice(), register_request());
    EXPECT_EQ(parameter(value, "opaque"), "");
    EXPECT_EQ(parameter(value, "qop"), "auth");
}

TEST(Digest, AlgorithmNames) {
    EXPECT_EQ(digest_algorithm_of(""), DigestAlgorithm::md5);
    for (const auto& entry : known)
        for (const auto algorithm : {entry.plain, entry.sess})
            EXPECT_EQ(digest_algorithm_of(name_of(algorithm)), algorithm);
    EXPECT_EQ(digest_algorithm_of("sha-512-256-SESS"), DigestAlgorithm::sha512_256_sess);
    EXPECT_EQ(digest_algorithm_of("AKAv1-MD5"), std::nullopt);
    EXPECT_LT(strength_of(DigestAlgorithm::md5_sess), strength_of(DigestAlgorithm::sha256));
    EXPECT_EQ(strength_of(DigestAlgorithm::sha256), strength_of(DigestAlgorithm::sha512_256_sess));
}

// The registrar's side: everything that was signed counts.
TEST(DigestVerify, AnyChangeIsNoticed) {
    auto request = register_request();
    request.body = "v=0\r\n";
    const auto value = digest_authorization(
        challenge(DigestAlgorithm::sha256_sess, DigestQop::auth_int), alice(), request);
    const auto good = digest_credentials_of(read(value));
    ASSERT_TRUE(good);
    EXPECT_TRUE(verify(*good, alice(), "REGISTER", "v=0\r\n"));
    EXPECT_FALSE(verify(*good, alice(), "INVITE", "v=0\r\n"));
    EXPECT_FALSE(verify(*good, alice(), "REGISTER", "v=1\r\n"));
    auto other = alice();
    other.password = secret("looking-glass");
    EXPECT_FALSE(verify(*good, other, "REGISTER", "v=0\r\n"));
    other = alice();
    other.username = "bob";
    EXPECT_FALSE(verify(*good, other, "REGISTER", "v=0\r\n"));
    auto changed = *good;
    changed.nonce_count = 2;
    EXPECT_FALSE(verify(changed, alice(), "REGISTER", "v=0\r\n"));
    changed = *good;
    changed.uri = "sip:elsewhere.test";
    EXPECT_FALSE(verify(changed, alice(), "REGISTER", "v=0\r\n"));
}

TEST(DigestVerify, IncompleteCredentialsAreNone) {
    const auto value =
        digest_authorization(challenge(DigestAlgorithm::md5), alice(), register_request());
    const auto whole = read(value);
    ASSERT_TRUE(digest_credentials_of(whole));
    for (const auto part :
         {&Credentials::scheme, &Credentials::username, &Credentials::nonce, &Credentials::uri,
          &Credentials::response, &Credentials::cnonce, &Credentials::nc}) {
        auto c = whole;
        c.*part = "";
        EXPECT_FALSE(digest_credentials_of(c));
    }
    for (const auto* count : {"1", "0000000g", "000000001", "+0000001"}) {
        auto c = whole;
        c.nc = count;
        EXPECT_FALSE(digest_credentials_of(c)) << count;
    }
}

}  // namespace
}  // namespace holdfast::sip
