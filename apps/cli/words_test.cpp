// What a person reads: every event has its sentence, and a server's words cannot take over the
// terminal.
#include "apps/cli/words.h"

#include <gtest/gtest.h>

#include "apps/cli/terminal.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

Event event_of(EventKind kind) {
    Event event{.kind = kind};
    event.target = Target::parse("udp:203.0.113.11:5060");
    return event;
}

TEST(Words, RegisteredSaysWhereWhatWasSeenAndForHowLong) {
    auto event = event_of(EventKind::registered);
    event.mapping = Endpoint::parse("203.0.113.195:13450");
    event.expires = 300s;
    event.rtt = 12400us;
    event.reason = "first registration";
    EXPECT_EQ(words_of(event),
              std::vector<std::string>{
                  "Registered at udp:203.0.113.11:5060, seen there as 203.0.113.195:13450, for "
                  "300 s, answered in 12 ms (first registration)"});
}

TEST(Words, ResolvedListsServersInRankOrderWithTheReason) {
    Event event{.kind = EventKind::resolved};
    event.targets.push_back({.target = *Target::parse("udp:203.0.113.11:5060"),
                             .priority = 10,
                             .weight = 60,
                             .host = "sip1.example.test",
                             .reason = "SRV priority 10 weight 60"});
    event.targets.push_back(
        {.target = *Target::parse("tcp:203.0.113.12:5060"), .host = "203.0.113.12"});
    EXPECT_EQ(words_of(event),
              (std::vector<std::string>{
                  "2 servers found, in the order of preference:",
                  "  1. udp:203.0.113.11:5060  sip1.example.test  (SRV priority 10 weight 60)",
                  "  2. tcp:203.0.113.12:5060"}));
    Event none{.kind = EventKind::resolved};
    none.reason = "example.test does not exist (NXDOMAIN)";
    EXPECT_EQ(
        words_of(none).front(),
        "No server is known: example.test does not exist (NXDOMAIN). Asking again after a while.");
}

TEST(Words, FailuresSayWhatWasTriedAndWhy) {
    auto failed = event_of(EventKind::attempt_failed);
    failed.reason = "no answer";
    EXPECT_EQ(words_of(failed).front(), "Not registered at udp:203.0.113.11:5060: no answer");
    auto refused = event_of(EventKind::refused);
    refused.reason = "403 Forbidden from udp:203.0.113.11:5060";
    refused.expires = 612s;
    EXPECT_EQ(words_of(refused).front(),
              "Refused: 403 Forbidden from udp:203.0.113.11:5060. Trying again in 10 min");
}

TEST(Words, EveryKindHasASentence) {
    for (int kind = 0; kind <= static_cast<int>(EventKind::stopped); ++kind) {
        auto event = event_of(static_cast<EventKind>(kind));
        event.reason = "why";
        const auto lines = words_of(event);
        ASSERT_FALSE(lines.empty()) << name_of(event.kind);
        EXPECT_FALSE(lines.front().empty()) << name_of(event.kind);
    }
}

TEST(Words, ControlCharactersOfAServerAreShownNotObeyed) {
    auto event = event_of(EventKind::notice);
    event.reason =
        "hello\x1b]0;owned\x07 \xc2\x9b"
        "31m";
    EXPECT_EQ(words_of(event).front(), "hello\\x1b]0;owned\\x07 \\xc2\\x9b31m");
}

TEST(Words, DurationsAsPeopleSayThem) {
    EXPECT_EQ(in_words(300us), "0.3 ms");
    EXPECT_EQ(in_words(12ms), "12 ms");
    EXPECT_EQ(in_words(27300ms), "27.3 s");
    EXPECT_EQ(in_words(300s), "300 s");
    EXPECT_EQ(in_words(1800s), "30 min");
    EXPECT_EQ(in_words(6h), "6.0 h");
}

TEST(Terminal, TextIsShortenedByCharactersNotOctets) {
    EXPECT_EQ(shortened("grün→blau", 9), "grün→blau");
    EXPECT_EQ(shortened("grün→blau", 6), "grün→…");
    EXPECT_EQ(shortened("abc", 0), "");
    EXPECT_EQ(shortened("abc", 1), "…");
}

}  // namespace
}  // namespace holdfast::cli
