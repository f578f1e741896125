// The E-model against numbers of ITU-T G.107 (from memory): R = 93.2 at all defaults, and the
// opinion scores of its table of R values (Annex B).
#include "media/quality.h"

#include <gtest/gtest.h>

namespace holdfast::media {
namespace {

using namespace std::chrono_literals;

TEST(Quality, BestRatingIsThatOfAllDefaults) {
    EXPECT_DOUBLE_EQ(rating_of({}), 93.2);
    EXPECT_NEAR(mos_of(93.2), 4.41, 0.005);
}

TEST(Quality, OpinionScoresOfAnnexB) {
    EXPECT_NEAR(mos_of(90), 4.34, 0.01);
    EXPECT_NEAR(mos_of(80), 4.03, 0.01);
    EXPECT_NEAR(mos_of(70), 3.60, 0.01);
    EXPECT_NEAR(mos_of(60), 3.10, 0.01);
    EXPECT_NEAR(mos_of(50), 2.58, 0.01);
    EXPECT_EQ(mos_of(-3), 1);
    EXPECT_EQ(mos_of(120), 4.5);
}

TEST(Quality, DelayCostsBeyondATenthOfASecond) {
    EXPECT_DOUBLE_EQ(rating_of({.mouth_to_ear = 100ms}), 93.2);
    EXPECT_GT(rating_of({.mouth_to_ear = 150ms}), 90);
    EXPECT_LT(rating_of({.mouth_to_ear = 400ms}), 75);
}

// G.113 Appendix I: G.711 bears loss badly without concealment (Bpl 4.3), better with it (25.1).
TEST(Quality, LossCostsAsTheCodecBearsIt) {
    const PathQuality bare{.loss = 0.05, .codec = {.equipment = 0, .robustness = 4.3}};
    const PathQuality concealed{.loss = 0.05, .codec = {.equipment = 0, .robustness = 25.1}};
    EXPECT_NEAR(93.2 - rating_of(bare), 95 * 5 / 9.3, 0.01);
    EXPECT_NEAR(93.2 - rating_of(concealed), 95 * 5 / 30.1, 0.01);
    EXPECT_GE(rating_of({.loss = 7}), 93.2 - 95) << "a share past 1 is 1";
}

}  // namespace
}  // namespace holdfast::media
