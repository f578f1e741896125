// holdfast register: one account, in the foreground, until a signal or its own end.
#include "apps/cli/commands.h"
#include "apps/cli/console.h"
#include "apps/cli/session.h"

namespace holdfast::cli {

ExitCode run_register(const std::vector<std::string>& operands,
                      const std::vector<Setting>& settings) {
    const auto clock = wall_clock_now();
    auto options = gather(settings);
    if (!options) return complain(options.error().code, options.error().sentence);
    if (!operands.empty()) {
        auto aor = aor_of(operands.front());
        if (!aor) return complain(ExitCode::usage, aor.error());
        options->account.aor = *std::move(aor);
    }
    if (options->account.aor.empty())
        return complain(ExitCode::usage, "Which account? holdfast register sip:USER@DOMAIN");
    keep_memory_private();
    if (const auto found = find_password(*options); !found)
        return complain(found.error().code, found.error().sentence);
    const auto foreground = Foreground::open(*options, clock);
    return foreground ? (*foreground)->run() : foreground.error();
}

}  // namespace holdfast::cli
