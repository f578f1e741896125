#include "media/srtp_sources.h"

#include <gtest/gtest.h>

namespace holdfast::media {
namespace {

// At the limit and one past it (I8): who is known stays.
TEST(SrtpSources, AreLimitedAndTheKnownOnesStay) {
    SrtpSources sources;
    for (std::uint32_t ssrc = 1; ssrc <= limits::srtp_sources; ++ssrc)
        EXPECT_TRUE(sources.admits(ssrc));
    EXPECT_FALSE(sources.admits(limits::srtp_sources + 1));
    EXPECT_TRUE(sources.admits(1));
    EXPECT_TRUE(sources.admits(limits::srtp_sources));
}

}  // namespace
}  // namespace holdfast::media
