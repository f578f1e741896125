// holdfast lab replay: a recording, through the engine again.
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "apps/cli/commands.h"
#include "apps/cli/lab_command.h"
#include "apps/cli/recording_file.h"
#include "apps/cli/terminal.h"
#include "lab/replay.h"

namespace holdfast::cli {

namespace {

using nlohmann::ordered_json;

std::string count_of(std::size_t steps) {
    return std::to_string(steps) + (steps == 1 ? " step" : " steps");
}

// A recording of another release may well differ, and that is no mistake.
std::string released_by(const Recording& recording) {
    const std::string_view ours = "Holdfast/" HOLDFAST_VERSION;
    const auto& theirs = recording.options.user_agent;
    if (theirs.starts_with(ours)) return "";
    return "It was recorded by \"" + theirs + "\", and this is " + std::string(ours) +
           ": another version may do otherwise.\n";
}

std::string in_words(const Recording& recording, const lab::Replay& replay) {
    if (!replay.difference)
        return count_of(replay.steps) + " replayed: all outputs are as recorded.\n";
    return count_of(replay.steps - 1) + " of " + std::to_string(recording.steps.size()) +
           " replayed as recorded; then this differs (- recorded, + replayed):\n" +
           printable(replay.difference->text()) + printable(released_by(recording));
}

std::string in_json(const Recording& recording, const lab::Replay& replay) {
    const auto equal = replay.difference ? replay.steps - 1 : replay.steps;
    ordered_json line{
        {"steps", recording.steps.size()}, {"equal", equal}, {"same", !replay.difference}};
    if (replay.difference)
        line["difference"] = {{"step", replay.difference->step},
                              {"input", replay.difference->input},
                              {"recorded", replay.difference->recorded},
                              {"replayed", replay.difference->replayed},
                              {"recorded_by", recording.options.user_agent}};
    return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

ExitCode run_lab_replay(const std::vector<std::string>& operands,
                        const std::vector<Setting>& settings) {
    Options options;
    if (const auto applied = apply_settings(options, settings); !applied)
        return complain(ExitCode::usage, applied.error());
    if (operands.empty())
        return complain(ExitCode::usage,
                        "Which recording? holdfast lab replay needs the file that --record wrote");
    if (operands.size() > 1)
        return complain(ExitCode::usage, "\"" + operands[1] + "\" is one argument too many");
    const auto& path = operands.front();
    const auto recording = read_recording(path);
    if (!recording) return complain(ExitCode::config, recording.error());
    const auto replay = lab::replay(*recording);
    Printer output(STDOUT_FILENO);
    output.write(options.json ? in_json(*recording, replay) : in_words(*recording, replay));
    if (output.broken()) return ExitCode::host;
    return replay.difference ? ExitCode::host : ExitCode::ok;
}

}  // namespace holdfast::cli
