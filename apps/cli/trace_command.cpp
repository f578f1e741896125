// holdfast trace: the messages of a recording as a ladder, on the terminal or as a page.
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <utility>

#include "apps/cli/commands.h"
#include "apps/cli/output_file.h"
#include "apps/cli/page.h"
#include "apps/cli/recording_file.h"
#include "apps/cli/recording_ladder.h"
#include "apps/cli/terminal.h"

namespace holdfast::cli {

ExitCode run_trace(const std::vector<std::string>& operands, const std::vector<Setting>& settings) {
    Options options;
    if (const auto applied = apply_settings(options, settings); !applied)
        return complain(ExitCode::usage, applied.error());
    if (operands.empty())
        return complain(ExitCode::usage,
                        "Which recording? holdfast trace needs the file that --record wrote");
    const auto& path = operands.front();
    const auto recording = read_recording(path);
    if (!recording) return complain(ExitCode::config, recording.error());
    const auto ladder = ladder_of(*recording);
    if (options.lab.html.empty()) {
        Printer output(STDOUT_FILENO);
        output.write(ladder_text(*recording, ladder));
        return output.broken() ? ExitCode::host : ExitCode::ok;
    }
    auto page = OutputFile::open(options.lab.html);
    if (!page) return complain(ExitCode::recording, page.error());
    const auto name = std::filesystem::path(path).filename().string();
    const auto written = page->commit(page_of(ladder_page_json(*recording, ladder, name)));
    return written ? ExitCode::ok : complain(ExitCode::recording, written.error());
}

}  // namespace holdfast::cli
