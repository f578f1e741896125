// `holdfast demo`: all cases and presets side by side, at the same time, through real sockets on
// loopback.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <memory>
#include <vector>

#include "apps/cli/commands.h"
#include "apps/cli/demo_report.h"
#include "apps/cli/demo_stage.h"
#include "apps/cli/terminal.h"
#include "runtime/clock.h"

namespace holdfast::cli {

using namespace std::chrono_literals;

namespace {

class Demo {
public:
    explicit Demo(Options options)
        : options_(std::move(options)),
          color_(is_terminal(STDOUT_FILENO) && wants_color() && can_move_cursor()) {}

    ExitCode run();

private:
    bool raise_curtain();
    void introduce();
    void say(std::string_view text) {
        if (!options_.json) printer_.write(text);
    }
    void report(std::span<const DemoOutcome> outcomes);

    Options options_;
    bool color_;
    Printer printer_{STDOUT_FILENO};
    runtime::Loop loop_;
    Instant began_{};
    std::vector<std::unique_ptr<DemoStage>> stages_;
};

void Demo::introduce() {
    say("Three registrars with digest and a shared location service, a name server and a NAT with\n"
        "endpoint-dependent ports, all on loopback, one such world for each phone. The phones are\n"
        "real: Holdfast's engine and runtime, through sockets, with the policies of each preset.\n"
        "A caller rings each of them through the cluster five times a second.\n\n");
    for (const auto& demo_case : demo_cases())
        say(fmt::format("  {:<30}{}\n", demo_case.name, demo_case.story));
    say(fmt::format("\nThis takes {:.0f} s; what breaks, breaks after {:.0f} s. UDP.\n\n",
                    seconds_of(demo_length), seconds_of(fault_time)));
}

bool Demo::raise_curtain() {
    began_ = runtime::boot_time();
    for (const auto& demo_case : demo_cases())
        for (const auto preset : demo_case.presets) {
            const bool recorded = demo_case.fault == DemoFault::server_dies && preset == "holdfast";
            auto stage =
                DemoStage::open(loop_, demo_case, preset,
                                recorded ? options_.driver.record_file : std::filesystem::path{},
                                [this](const DemoStage& of, const std::string& words) {
                                    say(fmt::format("{:>5.1f} s  {:<29} {:<14} {}\n",
                                                    seconds_of(runtime::boot_time() - began_),
                                                    of.demo_case().name, of.preset(), words));
                                });
            if (!stage) {
                complain(ExitCode::host, stage.error());
                return false;
            }
            stages_.push_back(*std::move(stage));
        }
    return true;
}

void Demo::report(std::span<const DemoOutcome> outcomes) {
    if (options_.json) {
        for (const auto& outcome : outcomes) printer_.write(demo_json(outcome));
        return;
    }
    say("\n" + refreshes_table(outcomes));
    say("\n" + reachability_table(outcomes));
    say("\n" + verdict(outcomes, color_));
}

ExitCode Demo::run() {
    introduce();
    if (!raise_curtain()) return ExitCode::host;
    bool interrupted = false;
    constexpr std::array signals{SIGINT, SIGTERM};
    loop_.on_signals(signals, [&](int) { interrupted = true; });
    loop_.run_until([&] { return interrupted || printer_.broken(); }, demo_length);
    if (interrupted || printer_.broken()) {
        say("Interrupted: nothing is left behind.\n");
        return ExitCode::host;
    }
    std::vector<DemoOutcome> outcomes;
    outcomes.reserve(stages_.size());
    for (const auto& stage : stages_) outcomes.push_back(stage->outcome());
    for (auto& outcome : outcomes)
        if (outcome.of->fault != DemoFault::none)
            outcome.lab = in_virtual_time(*outcome.of, outcome.preset);
    report(outcomes);
    const bool kept = std::ranges::all_of(outcomes, [](const DemoOutcome& outcome) {
        return outcome.preset != "holdfast" || keeps_promise(outcome);
    });
    return kept ? ExitCode::ok : ExitCode::promise_broken;
}

}  // namespace

ExitCode run_demo(const std::vector<std::string>&, const std::vector<Setting>& settings) {
    Options options;
    if (auto applied = apply_settings(options, settings); !applied)
        return complain(ExitCode::usage, applied.error());
    return Demo(std::move(options)).run();
}

}  // namespace holdfast::cli
