#include "lab/replay.h"

#include <algorithm>
#include <utility>

#include "engine/engine.h"

namespace holdfast::lab {

namespace {

std::vector<std::string> lines_of(Instant at, const std::vector<Output>& outputs) {
    std::vector<std::string> lines;
    lines.reserve(outputs.size());
    for (const auto& output : outputs) lines.push_back(recorded(at, output));
    return lines;
}

}  // namespace

Replay replay(const Recording& recording) {
    Replay result;
    Engine engine(recording.options);
    Instant last = recording.options.started;
    for (const auto& step : recording.steps) {
        ++result.steps;
        last =
            std::max(last, step.at);  // a file may say anything; an engine's time never goes back
        Outbox outbox;
        engine.handle(last, step.input, outbox);
        auto lines = lines_of(step.at, outbox.outputs());
        if (lines == step.outputs) continue;
        result.difference = ReplayDifference{.step = result.steps,
                                             .input = recorded(step.at, step.input),
                                             .recorded = step.outputs,
                                             .replayed = std::move(lines)};
        break;
    }
    return result;
}

std::string ReplayDifference::text() const {
    auto text = "step " + std::to_string(step) + ": " + input + "\n";
    const auto [old_line, new_line] = std::ranges::mismatch(recorded, replayed);
    for (auto line = recorded.begin(); line != old_line; ++line) text += "  " + *line + "\n";
    for (auto line = old_line; line != recorded.end(); ++line) text += "- " + *line + "\n";
    for (auto line = new_line; line != replayed.end(); ++line) text += "+ " + *line + "\n";
    return text;
}

}  // namespace holdfast::lab
