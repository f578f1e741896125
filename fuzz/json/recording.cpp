// A recording: what is read and written again reads the same, line by line; an error names a line
// that is there; and it can be replayed, whatever it says: an engine runs through it or differs.
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/text.h"
#include "engine/recording.h"
#include "fuzz/json/readers.h"
#include "lab/replay.h"

namespace holdfast::fuzz {

namespace {

std::string written(const Recording& recording) {
    auto text = recorded(recording.options) + "\n";
    for (const auto& step : recording.steps) {
        text.append(recorded(step.at, step.input)).append(1, '\n');
        for (const auto& line : step.outputs) text.append(line).append(1, '\n');
    }
    return text;
}

void check_error(const std::string& error, std::size_t lines) {
    constexpr std::string_view names_a_line = "line ";
    if (!error.starts_with(names_a_line)) {
        CHECK(error == "it is empty" && lines == 0);
        return;
    }
    const auto end = error.find(' ', names_a_line.size());
    const auto number = parse_number<std::size_t>(
        std::string_view(error).substr(names_a_line.size(), end - names_a_line.size()));
    CHECK(number && *number >= 1 && *number <= lines);
}

}  // namespace

void check_recording(std::string_view text) {
    auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
    if (!text.empty() && text.back() != '\n') ++lines;
    const auto recording = parse_recording(text);
    if (!recording) return check_error(recording.error(), lines);
    std::size_t read = 1;
    for (const auto& step : recording->steps) read += 1 + step.outputs.size();
    CHECK(read == lines || (read + 1 == lines && text.back() != '\n'));

    const auto once = written(*recording);
    const auto again = parse_recording(once);
    CHECK(again && again->steps.size() == recording->steps.size());
    CHECK(written(*again) == once);

    const auto replayed = lab::replay(*recording);
    CHECK(replayed.steps <= recording->steps.size());
    CHECK(replayed.difference || replayed.steps == recording->steps.size());
}

}  // namespace holdfast::fuzz
