// The rules of a running phone for calls that come, as a table. What the phone makes of a verdict
// is in phone_rules_test.cpp.
#include "apps/phone/incoming_rules.h"

#include <gtest/gtest.h>

#include <chrono>

namespace holdfast::phone {
namespace {

using namespace std::chrono_literals;

constexpr const char* bob = "Bob B. <sip:bob@example.test>";

TEST(IncomingRules, LetACallRingThatNothingIsSaidOf) {
    EXPECT_EQ(verdict_on({}, {.caller = bob}), Verdict{LetRing{}});
}

// RFC 3261 §21.4.18: 480 is for who "has activated the 'do not disturb' feature".
TEST(IncomingRules, DoNotDisturbIsNotAvailable) {
    EXPECT_EQ(verdict_on({.do_not_disturb = true}, {.caller = bob}),
              (Verdict{Refuse{480, "do not disturb"}}));
}

// RFC 3261 §21.4.21. A call alone is no second one.
TEST(IncomingRules, OneCallMakesASecondOneBusy) {
    const IncomingRules one{.one_call = true};
    EXPECT_EQ(verdict_on(one, {.caller = bob}), Verdict{LetRing{}});
    EXPECT_EQ(verdict_on(one, {.caller = bob, .is_only_call = false}),
              (Verdict{Refuse{486, "one call at a time"}}));
    EXPECT_EQ(verdict_on({}, {.caller = bob, .is_only_call = false}), Verdict{LetRing{}});
}

// RFC 5806 §4: why a call is diverted. Who is denied is sent nowhere.
TEST(IncomingRules, SendCallersElsewhere) {
    using enum call::Diverted;
    const IncomingRules always{.do_not_disturb = true, .forward = {.always = "carol"}};
    EXPECT_EQ(verdict_on(always, {.caller = bob}),
              (Verdict{Forward{"carol", unconditional, "every call"}}));
    auto denies = always;
    denies.deny = {"bob"};
    EXPECT_EQ(verdict_on(denies, {.caller = bob}), (Verdict{Refuse{603, "denied"}}));
    const IncomingRules busy{.one_call = true, .forward = {.busy = "carol"}};
    EXPECT_EQ(verdict_on(busy, {.caller = bob}), Verdict{LetRing{}});
    EXPECT_EQ(verdict_on(busy, {.caller = bob, .is_only_call = false}),
              (Verdict{Forward{"carol", user_busy, "there is another call"}}));
    EXPECT_EQ(verdict_on({.forward = {.no_answer = "carol"}}, {.caller = bob}), Verdict{LetRing{}})
        << "it rings first";
}

// Nobody can dial that one: what else is configured counts, and the phone does not ring.
TEST(IncomingRules, AForwardThatLeadsNowhereIsLeftOut) {
    using enum call::Diverted;
    const IncomingRules rules{.do_not_disturb = true,
                              .one_call = true,
                              .forward = {.always = "x", .busy = "y", .no_answer = "z"}};
    auto left = without_forwarding(rules, unconditional);
    EXPECT_EQ(verdict_on(left, {.caller = bob}), (Verdict{Refuse{480, "do not disturb"}}));
    left.do_not_disturb = false;
    EXPECT_EQ(verdict_on(left, {.caller = bob, .is_only_call = false}),
              (Verdict{Forward{"y", user_busy, "there is another call"}}));
    left = without_forwarding(left, user_busy);
    EXPECT_EQ(verdict_on(left, {.caller = bob, .is_only_call = false}),
              (Verdict{Refuse{486, "one call at a time"}}));
    EXPECT_EQ(left.forward.no_answer, "z");
    EXPECT_EQ(without_forwarding(left, no_answer).forward, Forwarding{});
}

TEST(IncomingRules, WhomToForwardToIsRead) {
    const auto rules = changed({}, {.forward_always = " carol ",
                                    .forward_busy = "+49 30 12",
                                    .forward_no_answer = "sip:dave@example.test",
                                    .forward_after = "2min"});
    ASSERT_TRUE(rules) << rules.error();
    EXPECT_EQ(rules->forward, (Forwarding{"carol", "+49 30 12", "sip:dave@example.test", 120s}));
    EXPECT_EQ(changed(*rules, {.forward_always = "off"})->forward.always, "");
    EXPECT_EQ(changed(*rules, {.forward_always = "off"})->forward.busy, "+49 30 12");
    for (const auto* after : {"0s", "999ms", "121s", "soon", ""})
        EXPECT_FALSE(changed({}, {.forward_after = after})) << after;
    for (const std::string& whom : {std::string(), std::string(" "), std::string(1001, 'x')})
        EXPECT_FALSE(changed({}, {.forward_busy = whom}));
    const auto pressed = changed({}, {.forward_always = "97,4711"});
    ASSERT_FALSE(pressed);
    EXPECT_EQ(pressed.error().find("4711"), std::string::npos) << "it may be a PIN";
}

TEST(IncomingRules, AnswerByThemselvesOnlyWhatTheyMay) {
    const IncomingRules always{.auto_answer = *AutoAnswer::parse("2s")};
    const IncomingRules asked{.auto_answer = *AutoAnswer::parse("asked")};
    EXPECT_EQ(verdict_on(always, {.caller = bob}), (Verdict{AnswerItself{2s, "auto-answer"}}));
    EXPECT_EQ(verdict_on(asked, {.caller = bob}), Verdict{LetRing{}});
    EXPECT_EQ(verdict_on(asked, {.caller = bob, .asks_answer_after = 1s}),
              (Verdict{AnswerItself{1s, "the account's server asks for it"}}));
    EXPECT_EQ(verdict_on({}, {.caller = bob, .asks_answer_after = 0s}), Verdict{LetRing{}})
        << "a microphone opens only where its owner allows it";
    for (const auto& rules : {always, asked})
        EXPECT_EQ(
            verdict_on(rules, {.caller = bob, .asks_answer_after = 0s, .is_only_call = false}),
            Verdict{LetRing{}})
            << "nobody joins a call that goes on";
    EXPECT_EQ(
        verdict_on({.do_not_disturb = true, .auto_answer = always.auto_answer}, {.caller = bob}),
        (Verdict{Refuse{480, "do not disturb"}}));
}

TEST(IncomingRules, AutoAnswerIsReadAsItIsWritten) {
    for (const auto* text : {"off", "asked", "0s", "1.5s", "120s"}) {
        const auto parsed = AutoAnswer::parse(text);
        ASSERT_TRUE(parsed) << text;
        EXPECT_EQ(parsed->text(), std::string_view(text) == "0s" ? "0s" : text);
    }
    for (const auto* text : {"", "on", "-1s", "121s", "2h", "asked "})
        EXPECT_FALSE(AutoAnswer::parse(text)) << text;
}

struct Denial {
    const char* pattern;
    const char* caller;
    bool is_denied;
};
class Denied : public testing::TestWithParam<Denial> {};
TEST_P(Denied, IsWhoThePatternFitsWhole) {
    const auto& [pattern, caller, expected] = GetParam();
    const auto rules = changed({}, {.deny = pattern});
    ASSERT_TRUE(rules) << rules.error();
    EXPECT_EQ(is_denied(rules->deny, caller), expected) << pattern << " " << caller;
    const Verdict verdict = expected ? Verdict{Refuse{603, "denied"}} : Verdict{LetRing{}};
    EXPECT_EQ(verdict_on(*rules, {.caller = caller}), verdict);
}
INSTANTIATE_TEST_SUITE_P(
    Patterns, Denied,
    testing::Values(
        Denial{"bob", bob, true}, Denial{"bo", bob, false}, Denial{"ob", bob, false},
        Denial{"BOB", bob, true}, Denial{"bob", "sip:BOB@example.test", true},
        Denial{"bob@example.test", bob, true}, Denial{"sip:bob@example.test", bob, true},
        Denial{"bob@other.test", bob, false}, Denial{"*@example.test", bob, true},
        Denial{"*@example.test", "sip:EXAMPLE.test;transport=udp", true},
        Denial{"bob@example.test", "sip:bob@Example.TEST:5070;transport=tcp", true},
        Denial{"+4930*", "sip:+49301234@example.test;user=phone", true},
        Denial{"+4930*", "sip:+49311234@example.test", false},
        Denial{"+49 30-12 34", "tel:+49-30-1234", true},
        Denial{"+49301234", "sip:+49-30-1234;phone-context=x@example.test", true},
        Denial{"100?", "sip:1001@example.test", true}, Denial{"100[2-9]", "sip:1001@x", false},
        Denial{"bob", "sip:%62ob@example.test", true},       // RFC 3261 §19.1.4
        Denial{"bob", "sip:bo%6@example.test", false},       // no escape at all
        Denial{"bob", "sip:bo%62@example.test", true},       // at the end
        Denial{"bob", "\"<sip:eve@x>\" <sip:bob@x>", true},  // a name that looks like a URI
        Denial{"eve", "\"<sip:eve@x>\" <sip:bob@x>", false},
        Denial{"anonymous", "Anonymous <sip:anonymous@anonymous.invalid>", true},
        Denial{"*", bob, true}));

TEST(IncomingRules, DeniesAreBoundedEachOnceAndTakenBack) {
    EXPECT_FALSE(changed({}, {.deny = " "}));
    EXPECT_FALSE(changed({}, {.deny = "sip:"}));
    EXPECT_TRUE(changed({}, {.deny = std::string(deny_pattern_most, 'x')}));
    EXPECT_FALSE(changed({}, {.deny = std::string(deny_pattern_most + 1, 'x')}));
    IncomingRules rules;
    for (std::size_t i = 0; i < deny_most; ++i)
        rules = changed(rules, {.deny = std::to_string(i)}).value_or(IncomingRules{});
    ASSERT_EQ(rules.deny.size(), deny_most);
    EXPECT_EQ(changed(rules, {.deny = "7"}), rules) << "it is there";
    EXPECT_FALSE(changed(rules, {.deny = "one more"}));
    const auto fewer = changed(rules, {.allow = "sip:7"});
    ASSERT_TRUE(fewer);
    EXPECT_EQ(fewer->deny.size(), deny_most - 1);
    EXPECT_FALSE(changed(*fewer, {.allow = "7"})) << "it is not there any more";
    EXPECT_FALSE(changed({}, {.auto_answer = "soon"}));
}

TEST(IncomingRules, ChangeOnlyInWhatIsSaid) {
    const IncomingRules quiet{.do_not_disturb = true};
    EXPECT_EQ(changed(quiet, {}), quiet);
    EXPECT_EQ(changed(quiet, {.do_not_disturb = false}), IncomingRules{});
    EXPECT_EQ(changed({}, {.do_not_disturb = true}), quiet);
}

// RFC 5806: behind a server that makes a new call of each 302, alice to bob to alice has no end.
TEST(IncomingRules, ForwardNobodyInACircle) {
    const auto may = [](const std::vector<std::string>& diverted_by) {
        return may_be_forwarded(diverted_by, "sip:alice@example.test");
    };
    EXPECT_TRUE(may({}));
    EXPECT_TRUE(may({"sip:dave@example.test", "", "sip:alice@other.test", "tel:+4930"}));
    EXPECT_FALSE(may({"sip:dave@example.test", "sip:alice@example.test"}));
    EXPECT_FALSE(may(std::vector<std::string>(5, "sip:dave@example.test")));
    for (const auto* alice :
         {"sip:alice@Example.test;transport=tcp", "sips:alice@example.test:5061",
          "sip:%61lice@example.test;user=phone"})
        EXPECT_FALSE(may({alice})) << alice;
}

}  // namespace
}  // namespace holdfast::phone
