// What becomes of a number by the rules of a dial plan, and what is no rule.
#include "apps/phone/dial_plan.h"

#include <gtest/gtest.h>

namespace holdfast::phone {
namespace {

DialPlan plan_of(const std::vector<std::string>& rules) {
    DialPlan plan;
    for (const auto& rule : rules) {
        auto parsed = DialRule::parse(rule);
        EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error());
        if (parsed) plan.push_back(*std::move(parsed));
    }
    return plan;
}
// "(as it is)": no rule fits.
std::string made_of(const std::string& number, const std::vector<std::string>& rules) {
    const auto result = planned(plan_of(rules), number);
    if (!result) return result.error();
    return result->value_or("(as it is)");
}
std::string rule_error(const std::string& rule) {
    const auto parsed = DialRule::parse(rule);
    return parsed ? "accepted" : parsed.error();
}

TEST(DialPlanRules, FitTheWholeNumberOrNotAtAll) {
    EXPECT_EQ(made_of("123", {"123"}), "123");
    for (const auto* other : {"12", "1234", "124", "+123"})
        EXPECT_EQ(made_of(other, {"123"}), "(as it is)") << other;
    EXPECT_EQ(made_of("*21#", {"*xx#"}), "*21#");
    EXPECT_EQ(made_of("*21*", {"*xx#"}), "(as it is)");
    EXPECT_EQ(made_of("#", {"x"}), "(as it is)") << "x is a digit";
    EXPECT_EQ(made_of("5", {"X"}), "5");
    for (const auto* one : {"2", "3", "4", "8", "#"}) EXPECT_EQ(made_of(one, {"[2-48#]"}), one);
    for (const auto* none : {"1", "5", "9", "*"})
        EXPECT_EQ(made_of(none, {"[2-48#]"}), "(as it is)") << none;
}

TEST(DialPlanRules, APointRepeatsAnyNumberOfTimes) {
    EXPECT_EQ(made_of("1", {"1x."}), "1");
    EXPECT_EQ(made_of("123456789", {"1x."}), "123456789");
    EXPECT_EQ(made_of("1#", {"1x."}), "(as it is)");
    EXPECT_EQ(made_of("1", {"1xx."}), "(as it is)") << "one digit more is wanted";
    EXPECT_EQ(made_of("007", {"0.7"}), "007");
    EXPECT_EQ(made_of("22299", {"[12].9[89]"}), "22299");
    // A repetition gives back what the rest of the rule needs.
    EXPECT_EQ(made_of("123457", {"x.<57:8>"}), "12348");
    EXPECT_EQ(made_of("5757", {"x.<57:8>"}), "578");
}

TEST(DialPlanRules, RewriteAtTheirPlace) {
    EXPECT_EQ(made_of("0301234", {"<0:+49>[1-9]x."}), "+49301234");
    EXPECT_EQ(made_of("00431234", {"<0:+49>[1-9]x.", "<00:+>x."}), "+431234");
    EXPECT_EQ(made_of("+49301234", {"<+:00>x."}), "0049301234");
    EXPECT_EQ(made_of("9123", {"<9:>xxx"}), "123");
    EXPECT_EQ(made_of("123", {"<:0>xxx"}), "0123");
    EXPECT_EQ(made_of("123", {"xxx<:99>"}), "12399");
    EXPECT_EQ(made_of("1203", {"1<20:55>x<:#>"}), "1553#");
}

TEST(DialPlanRules, TheFirstThatFitsDecides) {
    const std::vector<std::string> rules{"11[02]", "[1-9]xx", "0900x. ! it is dear", "<0:+49>x.",
                                         "x.!"};
    EXPECT_EQ(made_of("112", rules), "112");
    EXPECT_EQ(made_of("345", rules), "345");
    EXPECT_EQ(made_of("0900123", rules),
              "0900123 is not dialled: it is dear (rule \"0900x.\" of the dial plan)");
    EXPECT_EQ(made_of("030123", rules), "+4930123");
    EXPECT_EQ(made_of("55555", rules), "55555 is not dialled (rule \"x.\" of the dial plan)");
    EXPECT_EQ(made_of("*5", rules), "(as it is)");
    EXPECT_EQ(made_of("5", {}), "(as it is)");
}

// What nobody could dial is not dialled.
TEST(DialPlanRules, ThatMakeNoNumberAreSaid) {
    EXPECT_EQ(made_of("9", {"<9:>x."}),
              "9 would become \"\", which is no number (rule \"<9:>x.\" of the dial plan)");
    EXPECT_EQ(made_of("+49", {"<:0>+x."}),
              "+49 would become \"0+49\", which is no number (rule \"<:0>+x.\" of the dial plan)");
    const std::string longest(planned_number_most, '1');
    EXPECT_EQ(made_of(longest, {"x."}), longest);
    EXPECT_NE(made_of(longest, {"<:0>x."}).find("which is no number"), std::string::npos);
}

TEST(DialPlanRules, ThatAreNoneAreSaidWithThePlace) {
    EXPECT_EQ(rule_error("12a4"),
              "\"12a4\" is no rule of a dial plan: \"a\" is neither a digit, * # +, x, [...], . "
              "nor <FROM:TO> (character 3)");
    EXPECT_EQ(rule_error("[1-9"),
              "\"[1-9\" is no rule of a dial plan: this [ has no ] (character 1)");
    EXPECT_EQ(rule_error("0[9-1]"),
              "\"0[9-1]\" is no rule of a dial plan: a range goes from a digit up to another, as "
              "in [2-9] (character 3)");
    EXPECT_EQ(rule_error("[]"),
              "\"[]\" is no rule of a dial plan: nothing stands in this [...] (character 1)");
    EXPECT_EQ(rule_error("[x]"),
              "\"[x]\" is no rule of a dial plan: in [...] stand digits, * # +, and ranges of "
              "digits (character 2)");
    EXPECT_EQ(rule_error("x<0:"),
              "\"x<0:\" is no rule of a dial plan: this < has no > (character 2)");
    EXPECT_EQ(rule_error("<0>"),
              "\"<0>\" is no rule of a dial plan: this <...> has no colon (character 1)");
    EXPECT_EQ(rule_error("<x:0>"),
              "\"<x:0>\" is no rule of a dial plan: in <FROM:TO> stand digits and * # + alone "
              "(character 1)");
    for (const auto* rule : {".", "x..", "<0:1>.", "<0:>."})
        EXPECT_NE(rule_error(rule).find("before a . stands what it repeats"), std::string::npos)
            << rule;
    for (const auto* rule : {"!", " ! dear"})
        EXPECT_NE(rule_error(rule).find("there is no pattern"), std::string::npos) << rule;
    EXPECT_EQ(rule_error(""), "A rule of a dial plan has 1 to 200 octets");
    EXPECT_EQ(rule_error(std::string(plan_rule_most, 'x')), "accepted");
    EXPECT_EQ(rule_error(std::string(plan_rule_most + 1, 'x')),
              "A rule of a dial plan has 1 to 200 octets");
}

// Rules that would take a backtracking reader for ever: 2^50 ways to share the digits out.
TEST(DialPlanRules, AreQuickWhateverTheyAre) {
    std::string rule;
    for (int i = 0; i < 50; ++i) rule += "x.";
    EXPECT_EQ(made_of(std::string(planned_number_most - 1, '1') + "#", {rule}), "(as it is)");
}

}  // namespace
}  // namespace holdfast::phone
