// The live view: what it says, that it fits the terminal it is drawn on, and that colours can be
// off.
#include "apps/cli/status_view.h"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

constexpr WallClock clock_of_test{.at = Instant{}, .microseconds = 1'700'000'000'000'000};
const auto first = *Target::parse("udp:203.0.113.11:5060");
const auto second = *Target::parse("udp:203.0.113.12:5060");

std::string text_of(const StatusView& view, TerminalSize size = {.columns = 100, .rows = 40}) {
    std::string text;
    for (const auto& line : view.lines(size)) text += line.text + "\n";
    return text;
}

StatusView view_of_a_registered_phone() {
    StatusView view{"sip:alice@example.test", clock_of_test};
    Event resolved{.kind = EventKind::resolved};
    resolved.targets = {{.target = first, .host = "a.example.test", .reason = "A record"},
                        {.target = second}};
    view.on_event(Instant{1s}, resolved);
    Event failed{
        .kind = EventKind::attempt_failed, .target = first, .reg_id = 1, .reason = "no answer"};
    view.on_event(Instant{2s}, failed);
    Event registered{.kind = EventKind::registered, .target = second, .reg_id = 1};
    registered.mapping = Endpoint::parse("203.0.113.195:13450");
    registered.expires = 300s;
    view.on_event(Instant{3s}, registered);
    return view;
}

TEST(StatusView, SaysHowTheAccountStandsAndWhatFailed) {
    auto view = view_of_a_registered_phone();
    view.on_event(Instant{4s},
                  Event{.kind = EventKind::reachable, .reason = "our own OPTIONS came back to us"});
    const auto text = text_of(view);
    EXPECT_NE(text.find("sip:alice@example.test  registered since " +
                        clock_of_test.time_of_day(Instant{3s}) + ", reachable since " +
                        clock_of_test.time_of_day(Instant{4s})),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("mapping  203.0.113.195:13450"), std::string::npos) << text;
    EXPECT_NE(text.find("until    " + clock_of_test.time_of_day(Instant{303s})), std::string::npos)
        << text;
    EXPECT_NE(text.find("  1. udp:203.0.113.11:5060  a.example.test  (A record)  no answer at " +
                        clock_of_test.time_of_day(Instant{2s})),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("* 2. udp:203.0.113.12:5060"), std::string::npos) << text;
}

TEST(StatusView, FitsAnyTerminal) {
    auto view = view_of_a_registered_phone();
    for (int i = 0; i < 100; ++i)
        view.on_event(Instant{5s},
                      Event{.kind = EventKind::notice, .reason = std::string(300, 'x') + "\nnext"});
    for (const std::size_t columns : {1U, 20U, 40U, 200U})
        for (const std::size_t rows : {1U, 2U, 5U, 24U}) {
            const auto lines = view.lines({.columns = columns, .rows = rows});
            EXPECT_LE(lines.size(), std::max<std::size_t>(rows, 2) - 1);
            for (const auto& line : lines) {
                EXPECT_EQ(shortened(line.text, columns), line.text);
                EXPECT_EQ(line.text.find('\n'), std::string::npos);
            }
        }
}

TEST(StatusView, ForgetsABindingThatIsGone) {
    auto view = view_of_a_registered_phone();
    view.on_event(Instant{9s},
                  Event{.kind = EventKind::unregistered, .target = second, .reg_id = 1});
    const auto text = text_of(view);
    EXPECT_TRUE(text.starts_with("sip:alice@example.test  not registered\n")) << text;
    EXPECT_EQ(text.find("* 2."), std::string::npos) << text;
}

TEST(StatusView, KeepsItsServersWhileDnsFails) {
    auto view = view_of_a_registered_phone();
    view.on_event(Instant{9s},
                  Event{.kind = EventKind::resolved, .reason = "A example.test: timed out"});
    const auto text = text_of(view);
    EXPECT_NE(text.find("* 2. udp:203.0.113.12:5060"), std::string::npos) << text;
    EXPECT_NE(text.find("A example.test: timed out"), std::string::npos) << text;
}

TEST(StatusView, ACallThatIsAnsweredRingsNoMore) {
    auto view = view_of_a_registered_phone();
    view.on_event(Instant{9s}, Event{.kind = EventKind::ring, .reason = "sip:bob@example.test"});
    EXPECT_NE(text_of(view).find("ringing: sip:bob@example.test"), std::string::npos);
    view.on_event(Instant{10s}, Event{.kind = EventKind::answered});
    EXPECT_EQ(text_of(view).find("ringing:"), std::string::npos) << text_of(view);
}

TEST(StatusView, IsRedrawnInPlaceAndWithoutColourIfAsked) {
    const std::vector<StyledLine> lines{{"one", Tone::good}, {"two", Tone::plain}};
    EXPECT_EQ(redrawn(lines, 0, false), "\r\x1b[Jone\ntwo\n");
    EXPECT_EQ(redrawn(lines, 2, true), "\x1b[2A\r\x1b[J\x1b[32mone\x1b[0m\ntwo\n");
}

}  // namespace
}  // namespace holdfast::cli
