// I8: an answer that is not read does not look like silence: it is told, and one past a limit ends
// its attempt at once, so that the next target is asked (F2). Not tested here: each limit of the
// parser (sip/limits_test.cpp), the command and a real stream (tests/real/hostile).
#include "engine/unreadable_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/limits.h"
#include "engine/test_driver.h"
#include "engine/test_names.h"

namespace holdfast::engine {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string repeated(std::string_view text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out.append(text);
    return out;
}
std::string contacts(std::size_t count) {
    return "Contact: " + repeated("<sip:a@192.0.2.1>;expires=60,", count - 1) +
           "<sip:a@192.0.2.1>;expires=60\r\n";
}

class UnreadableAnswersTest : public testing::Test {
protected:
    UnreadableAnswersTest() {
        driver.resolve("example.test",
                       {udp_target(11).endpoint.address, udp_target(12).endpoint.address});
    }
    // One REGISTER is on its way; nobody has answered.
    void ask(Transport transport = Transport::udp) {
        for (const auto& target : {udp_target(11), udp_target(12)})
            driver.silent.insert({transport, target.endpoint});
        driver.add(alice, "sip:alice@example.test", transport);
        driver.run_for(100ms);
        ASSERT_EQ(driver.requests("REGISTER"), 1u) << driver.trace;
        asked = driver.sent.back();
        driver.silent.clear();
    }
    void answer(const std::string& bytes) {
        driver.feed(in::Received{driver.flow_to(asked.first), bytes});
    }
    [[nodiscard]] std::string good() const {
        const auto parsed = sip::Message::parse(asked.second);
        return answer_to(
            asked.second, 200,
            "Contact: " + std::string(parsed->contacts().front().text) + ";expires=300\r\n");
    }
    [[nodiscard]] const Event* notice() const { return driver.last(EventKind::notice); }

    Driver driver;
    std::pair<Target, std::string> asked;
};

// A registrar that lists 300 bindings cannot be read. The attempt fails in the same instant, with
// the reason, and the other target has us a round trip later: not after `patience`.
TEST_F(UnreadableAnswersTest, OnePastALimitFailsItsAttemptAtOnce) {
    ASSERT_NO_FATAL_FAILURE(ask());
    const Instant begin = driver.now;
    answer(answer_to(asked.second, 200, contacts(300)));
    const auto* const failed = driver.last(EventKind::attempt_failed);
    ASSERT_NE(failed, nullptr) << driver.words();
    EXPECT_EQ(failed->target, asked.first);
    EXPECT_EQ(failed->reason,
              "the answer is past a limit: too many Contact values (at most 128 are read)");
    ASSERT_NE(notice(), nullptr);
    EXPECT_EQ(notice()->target, asked.first);
    EXPECT_THAT(notice()->reason,
                HasSubstr("too many Contact values (at most 128 are read); have"));
    driver.run_until(begin + 10ms);
    ASSERT_EQ(driver.count(EventKind::registered), 1u) << driver.words() << driver.trace;
    EXPECT_NE(driver.last(EventKind::registered)->target, asked.first);
}

TEST_F(UnreadableAnswersTest, EachLimitIsNamed) {
    const std::vector<std::pair<std::string, std::string>> answers{
        {repeated("X: y\r\n", 300), "too many header fields (at most 256 are read)"},
        {"X: " + std::string(40'000, 'y') + "\r\n",
         "header section too long (at most 32768 octets are read)"},
        {"Supported: " + repeated("x,", 600) + "\r\n", "too many tokens (at most 512 are read)"},
        {"Contact: <sip:h>" + repeated(";x", 2100) + "\r\n",
         "too many parameters (at most 2048 are read)"},
    };
    for (const auto& [extra, words] : answers) {
        Driver fresh;
        fresh.silent.insert(udp_target(11));
        fresh.resolve("example.test", {udp_target(11).endpoint.address});
        fresh.add(alice, "sip:alice@example.test");
        fresh.run_for(100ms);
        ASSERT_EQ(fresh.requests("REGISTER"), 1u) << fresh.trace;
        const auto request = fresh.last_sent();
        fresh.feed(in::Received{fresh.flow_to(udp_target(11)), answer_to(request, 200, extra)});
        const auto* const failed = fresh.last(EventKind::attempt_failed);
        ASSERT_NE(failed, nullptr) << words;
        EXPECT_EQ(failed->reason, "the answer is past a limit: " + words);
    }
}

// Over a stream the message cannot be framed either: the connection ends, and the reason is the
// limit all the same.
TEST_F(UnreadableAnswersTest, OnAStreamTheReasonIsTheLimitToo) {
    ASSERT_NO_FATAL_FAILURE(ask(Transport::tcp));
    auto text = good();
    text.replace(text.find("Content-Length: 0"), 17, "Content-Length: 5000000");
    answer(text);
    driver.run_for(0s);
    const auto* const failed = driver.last(EventKind::attempt_failed);
    ASSERT_NE(failed, nullptr) << driver.words();
    EXPECT_EQ(failed->reason,
              "the answer is past a limit: message too large (at most 65536 octets are read)");
    EXPECT_EQ(driver.closed.size(), 1u);
}

TEST_F(UnreadableAnswersTest, AHeaderWithoutEndIsTheAnswerItBeganAs) {
    ASSERT_NO_FATAL_FAILURE(ask(Transport::tcp));
    auto text = good();
    text.resize(text.size() - 2);
    answer(text + "X: " + std::string(40'000, 'y'));
    driver.run_for(0s);
    const auto* const failed = driver.last(EventKind::attempt_failed);
    ASSERT_NE(failed, nullptr) << driver.words();
    EXPECT_THAT(failed->reason, HasSubstr("header section too long"));
}

// Who does not know our branch, Call-ID and CSeq ends nothing (N1, RFC 3261 §17.1.3, §8.2.6.2); nor
// does a 1xx, for the final answer may be shorter.
TEST_F(UnreadableAnswersTest, OnlyTheFinalAnswerToOurRequestEndsIt) {
    ASSERT_NO_FATAL_FAILURE(ask());
    const auto with = [&](std::string_view word, std::string_view other) {
        auto text = answer_to(asked.second, 200, contacts(300));
        text.replace(text.find(word) + word.size(), other.size(), other);
        return text;
    };
    for (const auto& text : {with("branch=z9hG4bK", "xxxx"), with("Call-ID: ", "xxxx"),
                             with("CSeq: ", "9"), answer_to(asked.second, 183, contacts(300))}) {
        answer(text);
        EXPECT_EQ(driver.count(EventKind::attempt_failed), 0u) << text.substr(0, 400);
    }
    EXPECT_EQ(driver.count(EventKind::notice), 1u);
    answer(good());
    EXPECT_EQ(driver.count(EventKind::registered), 1u) << driver.words();
}

// §11: from elsewhere it is not even told.
TEST_F(UnreadableAnswersTest, AStrangersIsNothing) {
    ASSERT_NO_FATAL_FAILURE(ask());
    driver.feed(in::Stray{our_end,
                          {IpAddress::v4(198, 51, 100, 66), 5060},
                          answer_to(asked.second, 200, contacts(300))});
    EXPECT_EQ(driver.count(EventKind::attempt_failed), 0u);
    EXPECT_EQ(notice(), nullptr);
}

// What breaks SIP may have been broken on its way: told, and the next copy counts.
TEST_F(UnreadableAnswersTest, BrokenIsToldAndTheNextCopyCounts) {
    ASSERT_NO_FATAL_FAILURE(ask());
    auto text = good();
    text.replace(text.find("Content-Length: 0"), 17, "Content-Length: x");
    answer(text);
    EXPECT_EQ(driver.count(EventKind::attempt_failed), 0u);
    ASSERT_NE(notice(), nullptr);
    EXPECT_THAT(notice()->reason, HasSubstr("cannot be read was dropped: bad Content-Length"));
    answer(good());
    EXPECT_EQ(driver.count(EventKind::registered), 1u) << driver.words();
}

// A server that sends nothing else is told of once.
TEST_F(UnreadableAnswersTest, ManyAreToldOnce) {
    ASSERT_NO_FATAL_FAILURE(ask());
    const auto text = answer_to(asked.second, 200, contacts(300));
    for (int i = 0; i < 100; ++i) answer(text);
    EXPECT_EQ(driver.count(EventKind::notice), 1u);
}

TEST(UnreadableAnswers, AreToldAgainAfterAMinute) {
    UnreadableAnswers answers;
    const Instant begin{1h};
    EXPECT_TRUE(answers.on_answer(begin, udp_target(11), {}));
    EXPECT_FALSE(answers.on_answer(begin + limits::unreadable_again - 1us, udp_target(11), {}));
    EXPECT_TRUE(answers.on_answer(begin, udp_target(12), {}));  // another target is news
    EXPECT_TRUE(answers.on_answer(begin + limits::unreadable_again, udp_target(11), {}));
}

TEST(UnreadableAnswers, RememberNoMoreTargetsThanTheirLimit) {
    UnreadableAnswers answers;
    const auto told = [&](std::size_t port) {
        return answers.on_answer(Instant{1h}, udp_target(11, static_cast<std::uint16_t>(port)), {})
            .has_value();
    };
    for (std::size_t i = 0; i < limits::unreadable_targets; ++i) EXPECT_TRUE(told(5060 + i));
    EXPECT_FALSE(told(5060));
    EXPECT_TRUE(told(5060 + limits::unreadable_targets));  // one past it: all are forgotten
    EXPECT_TRUE(told(5060));
}

TEST(UnreadableAnswers, AreAnswers) {
    EXPECT_TRUE(UnreadableAnswers::is_answer("\r\nsip/2.0 200 OK"));
    EXPECT_FALSE(UnreadableAnswers::is_answer("REGISTER sip:h SIP/2.0"));
    EXPECT_FALSE(UnreadableAnswers::is_answer("SIP"));
    EXPECT_FALSE(UnreadableAnswers::is_answer(""));
}

}  // namespace
}  // namespace holdfast::engine
