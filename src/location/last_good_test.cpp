// The last good answer on disk, served stale when DNS is down (L5).
#include "location/last_good.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "location/limits.h"
#include "location/testing.h"

namespace holdfast::location {
namespace {

TEST(LastGood, ComesBackAsItWas) {
    const std::vector<Candidate> candidates{
        {target("tls:[2001:db8::1]:5061"), 0, 10, 60, "s1.example.test",
         "NAPTR order 10 preference 50, SRV priority 10 weight 60"},
        {target("udp:192.0.2.1:5060"), 1, 0, 0, "192.0.2.1", ""}};
    const auto text = encode(candidates);
    EXPECT_EQ(text,
              "candidates 1\n"
              "0 10 60 tls:[2001:db8::1]:5061 s1.example.test NAPTR order 10 preference 50, SRV "
              "priority 10 weight 60\n"
              "1 0 0 udp:192.0.2.1:5060 192.0.2.1 \n");
    EXPECT_EQ(decode_candidates(text), candidates);
    EXPECT_EQ(decode_candidates(encode({})), std::vector<Candidate>{});
}

TEST(LastGood, SaysWhichLineIsWrong) {
    EXPECT_EQ(decode_candidates("").error(), "line 1: not a list of candidates");
    EXPECT_EQ(decode_candidates("candidates 1\n0 0 0 udp:192.0.2.1:5060 a.test\n0 0 x").error(),
              "line 3: a number is wrong");
    EXPECT_EQ(decode_candidates("candidates 1\n0 0 0 udp:a.test:5060 a.test").error(),
              "line 2: the target is wrong");
    EXPECT_EQ(decode_candidates("candidates 1\n0 0 0 udp:192.0.2.1 a.test").error(),
              "line 2: the target is wrong");
    EXPECT_EQ(decode_candidates("candidates 1\n0 0 0 udp:192.0.2.1:5060 a..test").error(),
              "line 2: the host is wrong");
    EXPECT_EQ(
        decode_candidates("candidates 1" + std::string(limits::last_good_bytes, '\n')).error(),
        "too long");
}

// Control characters in words cannot make a line of their own.
TEST(LastGood, WordsStayOnTheirLine) {
    const auto read = decode_candidates(
        encode({{target("udp:192.0.2.1:5060"), 0, 0, 0, "a.test", "x\r\n0 0 0"}}));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->size(), 1U);
}

RC_GTEST_PROP(LastGoodProperty, RubbishIsAnErrorNotACrash, (const std::string& text)) {
    (void)decode_candidates(text);
    (void)decode_candidates("candidates 1\n" + text);
}

}  // namespace
}  // namespace holdfast::location
