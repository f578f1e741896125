// Commands beside a world in the test's own process: one loop serves both, and every wait has a
// limit.
#pragma once

#include <functional>
#include <list>
#include <string>

#include "apps/cli/command_testing.h"
#include "runtime/clock.h"
#include "runtime/loop.h"

namespace holdfast::cli::testing {

class CommandRuns {
protected:
    bool run_until(const std::function<bool()>& goal, Duration limit = std::chrono::seconds{30}) {
        constexpr Duration look_again = std::chrono::milliseconds{2};
        runtime::Timer look{loop, [&] { look.arm(runtime::boot_time() + look_again); }};
        look.arm(runtime::boot_time());
        return loop.run_until(
            [&] {
                for (auto& run : runs) run.read();
                return goal();
            },
            limit);
    }
    static std::string story(const CommandRun& run) {
        return "exit code " + std::to_string(run.exit_code()) + "\n" + run.output() + run.errors();
    }

    runtime::Loop loop;
    std::list<CommandRun> runs;
};

}  // namespace holdfast::cli::testing
