// holdfast-fleet: what `holdfast run` starts. A program of its own, so that a single phone does not
// load what serves metrics.
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>

#include "apps/cli/command_line.h"
#include "apps/cli/commands.h"
#include "apps/cli/help.h"
#include "apps/cli/session.h"
#include "apps/fleet/fleet.h"
#include "runtime/clock.h"
#include "runtime/loop.h"

namespace {

using namespace holdfast;

cli::WallClock wall_clock_now() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return {.at = runtime::boot_time(),
            .microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now).count()};
}

cli::ExitCode run(const std::vector<cli::Setting>& settings) {
    const auto clock = wall_clock_now();
    cli::keep_memory_private();
    auto config = fleet::read_fleet(settings);
    if (!config) return cli::complain(config.error().code, config.error().sentence);
    runtime::Loop loop;
    fleet::Fleet fleet(
        loop, *std::move(config), [&] { return fleet::read_fleet(settings); }, clock);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // a log that may not grow is an error like a full disk
    constexpr std::array signals{SIGINT, SIGTERM, SIGHUP, SIGUSR1};
    loop.on_signals(signals, [&](int signal) {
        if (signal == SIGHUP) return fleet.reload();
        if (signal == SIGUSR1) return fleet.register_now();
        fleet.leave();
    });
    if (const auto opened = fleet.open(); !opened)
        return cli::complain(cli::exit_code_of(opened.error().kind), opened.error().sentence);
    loop.run();
    return fleet.finish();
}

}  // namespace

int main(int count, char** arguments) {
    const auto commands = cli::commands();
    const auto command = std::ranges::find(commands, std::string_view("run"), &cli::Command::name);
    const auto line = cli::parse_command_line(*command, {arguments + 1, arguments + count});
    if (!line) return cli::number_of(cli::complain(cli::ExitCode::usage, line.error()));
    if (line->help || !line->operands.empty())
        return cli::number_of(
            cli::complain(cli::ExitCode::usage,
                          "This program belongs to `holdfast run`: see holdfast run --help"));
    return cli::number_of(run(line->settings));
}
