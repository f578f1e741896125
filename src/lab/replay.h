// A recording, from the field (--record) or from the lab, runs again through a fresh engine in
// virtual time: same inputs, same outputs. Both sides are compared as recorded lines, in which
// passwords are a stand-in and Authorization headers hidden (engine/recording.h); everything else
// must be equal, octet for octet.
//
//     const auto recording = parse_recording(text);
//     const auto replay = lab::replay(*recording);
//     EXPECT_FALSE(replay.difference) << replay.difference->text();
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "engine/recording.h"

namespace holdfast::lab {

// The first step whose outputs are others than recorded.
struct ReplayDifference {
    std::size_t step = 0;  // from 1
    std::string input;     // as a line of the recording
    std::vector<std::string> recorded;
    std::vector<std::string> replayed;

    [[nodiscard]] std::string text() const;  // for people: the input, then what is missing and new
};

struct Replay {
    std::size_t steps = 0;  // that were replayed, a differing one included
    std::optional<ReplayDifference> difference;
};

Replay replay(const Recording& recording);

}  // namespace holdfast::lab
