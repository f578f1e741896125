// Encryption as it is negotiated: SDES (RFC 4568 §7.1) and DTLS-SRTP (RFC 5763 §5), off, optional
// and required on either side. A secret never goes where nobody asked for it, and "required" never
// ends in plain RTP.
#include "sdp/security.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sdp/attributes.h"
#include "sdp/testing.h"

namespace holdfast::sdp {
namespace {

using testing_sdp::audio;
using testing_sdp::Pair;

const Codec pcma{.name = "PCMA", .clock_rate = 8000};

enum class Keys : std::uint8_t { none, sdes, dtls, both };

LocalStream stream(std::string_view address, Srtp srtp, Keys keys, std::string_view name) {
    auto made = audio(address, 4000, {pcma});
    made.srtp = srtp;
    if (keys == Keys::sdes || keys == Keys::both)
        made.crypto = {{1, "AES_CM_128_HMAC_SHA1_80", Redacted("80" + std::string(name)), {}, {}},
                       {1, "AES_CM_128_HMAC_SHA1_32", Redacted("32" + std::string(name)), {}, {}}};
    if (keys == Keys::dtls || keys == Keys::both)
        made.fingerprint = Fingerprint{"sha-256", "AA:" + std::string(name)};
    return made;
}

struct Case {
    Srtp alice;
    Keys alices;
    Srtp bob;
    Keys bobs;
    std::string_view outcome;  // "plain", "sdes", "dtls", or the beginning of the refusal
};
class Encryption : public testing::TestWithParam<Case> {};

TEST_P(Encryption, ComesOutTheSameOnBothSides) {
    const auto& c = GetParam();
    Pair pair;
    pair.alice = {stream("192.0.2.1", c.alice, c.alices, "a")};
    pair.bob = {stream("192.0.2.2", c.bob, c.bobs, "b")};
    const auto problem = pair.call();
    if (!problem.empty()) {
        EXPECT_TRUE(problem.starts_with(c.outcome)) << problem;
        return;
    }
    const auto& a = pair.of_alice();
    const auto& b = pair.of_bob();
    ASSERT_EQ(a.crypto.has_value(), c.outcome == "sdes");
    ASSERT_EQ(a.dtls.has_value(), c.outcome == "dtls");
    if (a.crypto) {
        EXPECT_EQ(a.crypto->local, b.crypto->remote);
        EXPECT_EQ(a.crypto->remote, b.crypto->local);
    }
    if (a.dtls) {
        EXPECT_EQ(a.dtls->fingerprints, std::vector{*pair.bob.front().fingerprint});
        EXPECT_EQ(b.dtls->fingerprints, std::vector{*pair.alice.front().fingerprint});
        EXPECT_NE(a.dtls->we_are_active, b.dtls->we_are_active);
    }
}

INSTANTIATE_TEST_SUITE_P(
    Modes, Encryption,
    testing::Values(Case{Srtp::off, Keys::both, Srtp::off, Keys::both, "plain"},
                    Case{Srtp::off, Keys::none, Srtp::optional, Keys::both, "plain"},
                    Case{Srtp::optional, Keys::both, Srtp::off, Keys::both, "plain"},
                    Case{Srtp::optional, Keys::sdes, Srtp::optional, Keys::sdes, "sdes"},
                    Case{Srtp::optional, Keys::sdes, Srtp::optional, Keys::dtls, "plain"},
                    Case{Srtp::optional, Keys::both, Srtp::required, Keys::dtls, "dtls"},
                    Case{Srtp::optional, Keys::dtls, Srtp::required, Keys::both, "dtls"},
                    Case{Srtp::required, Keys::sdes, Srtp::optional, Keys::both, "sdes"},
                    Case{Srtp::required, Keys::dtls, Srtp::optional, Keys::both, "dtls"},
                    Case{Srtp::required, Keys::both, Srtp::required, Keys::sdes, "sdes"},
                    Case{Srtp::required, Keys::both, Srtp::required, Keys::dtls, "dtls"},
                    Case{Srtp::required, Keys::sdes, Srtp::off, Keys::both,
                         "488 the other side demands encryption (RTP/SAVP)"},
                    Case{Srtp::required, Keys::dtls, Srtp::optional, Keys::sdes,
                         "488 the other side's encryption (UDP/TLS/RTP/SAVP) is of a kind"},
                    Case{Srtp::off, Keys::none, Srtp::required, Keys::both,
                         "488 encryption is required here, and the other side offers none"}));

// A switched-off side says nothing of keys, whatever it has.
TEST(Encryption, OffSaysNoKey) {
    Negotiation ours{{.session_id = "1"}};
    const std::vector streams{stream("192.0.2.1", Srtp::off, Keys::both, "a")};
    const auto offer = ours.make_offer(streams);
    EXPECT_EQ(offer.find("crypto"), std::string::npos);
    EXPECT_EQ(offer.find("fingerprint"), std::string::npos);
}

TEST(Encryption, RequiredRefusesAPlainAnswer) {
    Negotiation ours{{.session_id = "1"}};
    const std::vector streams{stream("192.0.2.1", Srtp::required, Keys::sdes, "a")};
    (void)ours.make_offer(streams);
    EXPECT_EQ(
        ours.on_answer("v=0\r\nc=IN IP4 192.0.2.2\r\nm=audio 5000 RTP/AVP 8\r\n").error().words,
        "encryption is required here, and the answer has none");
    // A key under a tag that we never offered is none (RFC 4568 §7.1.3).
    EXPECT_FALSE(
        ours.on_answer("v=0\r\nc=IN IP4 192.0.2.2\r\nm=audio 5000 RTP/SAVP 8\r\n"
                       "a=crypto:9 AES_CM_128_HMAC_SHA1_80 inline:x\r\n"));
    EXPECT_TRUE(
        ours.on_answer("v=0\r\nc=IN IP4 192.0.2.2\r\nm=audio 5000 RTP/SAVP 8\r\n"
                       "a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:x\r\n"));
    EXPECT_EQ(ours.agreement()->streams.front().crypto->local.key.reveal(), "32a");
}

// RFC 4568 §6.3: session parameters that we cannot obey are not agreed to.
TEST(Encryption, AKeyWithParametersWeDoNotKnowIsPassedOver) {
    Negotiation ours{{.session_id = "1"}};
    const std::vector streams{stream("192.0.2.1", Srtp::required, Keys::sdes, "a")};
    const auto answer = ours.on_offer(
        "v=0\r\nc=IN IP4 192.0.2.2\r\nm=audio 5000 RTP/SAVP 8\r\n"
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x UNENCRYPTED_SRTP\r\n"
        "a=crypto:7 AES_CM_128_HMAC_SHA1_32 inline:y\r\n",
        streams);
    ASSERT_TRUE(answer);
    EXPECT_EQ(ours.agreement()->streams.front().crypto->local.tag, 7U);
}

struct Role {
    std::string_view offered;
    bool accepted;
    bool active;
};
class DtlsRoles : public testing::TestWithParam<Role> {};

TEST_P(DtlsRoles, AnswerTheOffer) {  // RFC 4145 §4.1, RFC 5763 §5
    Negotiation ours{{.session_id = "1"}};
    const std::vector streams{stream("192.0.2.1", Srtp::required, Keys::dtls, "a")};
    const std::string setup =
        GetParam().offered.empty() ? "" : "a=setup:" + std::string(GetParam().offered) + "\r\n";
    const auto answer = ours.on_offer(
        "v=0\r\nc=IN IP4 192.0.2.2\r\nm=audio 5000 UDP/TLS/RTP/SAVPF 8\r\n"
        "a=fingerprint:sha-256 BB\r\n" +
            setup,
        streams);
    ASSERT_EQ(answer.has_value(), GetParam().accepted);
    if (!answer) return;
    EXPECT_EQ(ours.agreement()->streams.front().dtls->we_are_active, GetParam().active);
    EXPECT_NE(answer->find(GetParam().active ? "a=setup:active" : "a=setup:passive"),
              std::string::npos);
    EXPECT_NE(answer->find("UDP/TLS/RTP/SAVPF"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Setups, DtlsRoles,
                         testing::Values(Role{"actpass", true, true}, Role{"passive", true, true},
                                         Role{"active", true, false}, Role{"", true, false},
                                         Role{"holdconn", false, false}));

// An association that exists is kept: who was passive stays so when actpass is offered again. With
// another certificate it is a new one, whose ClientHello leaves at once.
//   RFC 8842 §5.3. Not tested here: that media keeps it.
TEST(DtlsReoffer, KeepsTheRoleOfTheAssociation) {
    Negotiation ours{{.session_id = "1"}};
    const std::vector streams{stream("192.0.2.1", Srtp::required, Keys::dtls, "a")};
    const auto is_active_after = [&](const std::string& setup, const std::string& fingerprint) {
        const auto answer = ours.on_offer(
            "v=0\r\nc=IN IP4 192.0.2.2\r\nm=audio 5000 UDP/TLS/RTP/SAVPF 8\r\n"
            "a=fingerprint:sha-256 " +
                fingerprint + "\r\na=setup:" + setup + "\r\n",
            streams);
        EXPECT_TRUE(answer);
        const bool active = ours.agreement()->streams.front().dtls->we_are_active;
        EXPECT_EQ(answer && answer->find("a=setup:active") != std::string::npos, active);
        return active;
    };
    EXPECT_FALSE(is_active_after("active", "BB"));
    EXPECT_FALSE(is_active_after("actpass", "BB")) << "the association is there already";
    EXPECT_TRUE(is_active_after("actpass", "CC")) << "another one";
    EXPECT_TRUE(is_active_after("actpass", "CC"));
    EXPECT_FALSE(is_active_after("active", "CC")) << "it wants another role: a new one";
}

}  // namespace
}  // namespace holdfast::sdp
