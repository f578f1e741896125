// SRTP's suites and the identifier of a key.
#include "media/srtp.h"

#include <gtest/gtest.h>

namespace holdfast::media {
namespace {

using Bytes = std::vector<std::uint8_t>;

// RFC 4568 §6.1: value and length, in network order; the lifetime before it is another thing.
TEST(Srtp, KeyIdentifierIsRead) {
    EXPECT_EQ(mki_of(""), Bytes{});
    EXPECT_EQ(mki_of("2^20"), Bytes{});
    EXPECT_EQ(mki_of("1:4"), (Bytes{0, 0, 0, 1}));
    EXPECT_EQ(mki_of("2^20|258:2"), (Bytes{1, 2}));
    EXPECT_EQ(mki_of("2^20|1:128").size(), 128U);
    EXPECT_EQ(mki_of("2^20|1:129"), Bytes{}) << "longer than the RFC allows";
    EXPECT_EQ(mki_of("2^20|x:4"), Bytes{});
}

// What every phone has comes first (RFC 4568 §6.2); a name that is not known is said.
TEST(Srtp, SuitesAreOfferedInOrder) {
    const auto ours = offered_suites({});
    ASSERT_FALSE(ours.suites.empty());
    EXPECT_EQ(ours.suites[0]->name, "AES_CM_128_HMAC_SHA1_80");
    const auto asked = offered_suites({"aead_aes_256_gcm", "ROT13", "AEAD_AES_256_GCM"});
    ASSERT_EQ(asked.suites.size(), 1U);
    EXPECT_EQ(asked.suites[0]->key_bytes, 44U) << "RFC 7714 §12: 32 of key, 12 of salt";
    ASSERT_EQ(asked.missing.size(), 1U);
    EXPECT_NE(asked.missing[0].find("ROT13"), std::string::npos);
}

// RFC 4568 §6.2.2, RFC 6188 §2: a short tag is for RTP only.
TEST(Srtp, RtcpIsNeverAuthenticatedWithAShortTag) {
    for (const auto& suite : all_suites()) EXPECT_NE(suite.rtcp_auth, "hmac-sha1-32") << suite.name;
}

}  // namespace
}  // namespace holdfast::media
