// For tests of a call: rows of messages, what must come of each, and that no row leaves a call that
// hangs.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "call/call_bench.h"

namespace holdfast::call {

struct Story {
    std::string said;
    std::string done;  // after the beginning that all have
    State end = State::established;
};

inline constexpr auto over = State::over;
inline constexpr auto ending = State::ending;
inline constexpr auto calling = State::calling;
inline constexpr auto ringing = State::ringing;

inline void tell_stories(const std::vector<Story>& stories, const std::string& beginning,
                         const std::function<Bench()>& begin) {
    for (const auto& story : stories) {
        Bench bench = begin();
        bench.play(story.said);
        const auto expected = story.done.empty() ? beginning : beginning + " " + story.done;
        EXPECT_EQ(bench.log(), expected) << "after: " << story.said;
        EXPECT_EQ(name_of(bench.state()), name_of(story.end)) << "after: " << story.said;
        EXPECT_LE(bench.ends(), 1u) << "the user is told of one end: " << story.said;
        // Whatever was said: if the peer falls silent the call does not hang in the air for ever.
        bench.play("hangup silence wait>40 silence wait>40");
        EXPECT_EQ(name_of(bench.state()), name_of(over)) << "after: " << story.said;
        EXPECT_LE(bench.ends(), 1u) << "after: " << story.said;
    }
}

inline void tell_dialled(const std::vector<Story>& stories) {
    tell_stories(stories, "dialling INVITE", [] { return Bench{}; });
}
inline void tell_incoming(const std::vector<Story>& stories, const std::string& extra = {},
                          const std::string& body = sdp_of_peer()) {
    tell_stories(stories, "180 ring", [&] { return Bench::incoming(extra, body); });
}

}  // namespace holdfast::call
