// holdfast lab swarm: random worlds on all cores; of the first that breaks an invariant, how small
// it can be made.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "apps/cli/commands.h"
#include "apps/cli/lab_command.h"
#include "apps/cli/lab_crash.h"
#include "apps/cli/lab_swarm.h"
#include "apps/cli/lab_swarm_crowd.h"
#include "apps/cli/terminal.h"
#include "lab/swarm_shrink.h"
#include "runtime/clock.h"

namespace holdfast::cli {

namespace {

using nlohmann::ordered_json;

constexpr std::size_t failures_told = 20;  // to people, a line each; of more only how many

double minutes_of(Duration duration) { return seconds_of(duration) / 60; }

std::string indented(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        result.append("  ").append(line).append("\n");
    }
    return result;
}

std::string indented(const lab::Complaints& complaints) {
    std::string result;
    for (const auto& complaint : complaints) result += indented(complaint);
    return result;
}

class Report {
public:
    Report(const Options& options, const SwarmLives& lives, int output)
        : options_(options),
          lives_(lives),
          output_(output),
          shows_progress_(!options.json && is_terminal(STDERR_FILENO) && can_move_cursor()) {}

    ExitCode run_all();
    ExitCode run_one();  // a part of a world

private:
    void say(std::string_view text) { output_.write(printable(text)); }
    void say_json(const ordered_json& line) {
        output_.write(line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
    }
    void progress(std::string_view text) {
        if (shows_progress_) errors_.write("\r\x1b[K" + std::string(text));
    }
    void note(FailedWorld failed);
    void tell_whole(const FailedWorld& failed);
    void tell_minimised(const FailedWorld& failed);
    ExitCode tell_end(std::uint32_t worlds, Duration took);

    const Options& options_;
    const SwarmLives& lives_;
    Printer output_;
    bool shows_progress_;
    Printer errors_{STDERR_FILENO};
    std::size_t failed_ = 0;
    std::optional<FailedWorld> first_;  // of the smallest number
};

void Report::note(FailedWorld failed) {
    ++failed_;
    if (options_.json)
        say_json(ordered_json{{"world", failed.plan.number},
                              {"complaints", failed.result.complaints},
                              {"again", command_of(failed.plan)}});
    if (!options_.json && failed_ <= failures_told) {
        progress("");
        say(fmt::format("world {}: {}\n", failed.plan.number, failed.result.complaints.front()));
    }
    if (!first_ || failed.plan.number < first_->plan.number) first_ = std::move(failed);
}

void Report::tell_whole(const FailedWorld& failed) {
    if (options_.json) return;  // its line is there
    if (failed_ > failures_told) say(fmt::format("and {} more\n", failed_ - failures_told));
    say(fmt::format(
        "\nworld {} broke an invariant:\n{}what happened in it, by the second:\n{}again: {}\n",
        failed.plan.number, indented(failed.result.complaints), indented(failed.result.text),
        command_of(failed.plan)));
}

// The plan is data: a scenario file of it can be written from what is printed here.
void Report::tell_minimised(const FailedWorld& failed) {
    const auto kind = std::string(lab::kind_of(failed.result.complaints.front()));
    const bool alone = kind == "I3" || kind == "I7";  // which need more than one life
    const auto& live = alone ? lives_.with_all : lives_.once;
    std::size_t tries = 0;
    const auto small = lab::shrink(failed.plan, kind, [&](const lab::WorldPlan& plan) {
        progress(fmt::format("minimising world {}: {} tries", plan.number, ++tries));
        return live(plan).complaints;
    });
    progress("");
    const auto result = live(small.plan);
    if (options_.json)
        return say_json(ordered_json{{"minimised", small.plan.number},
                                     {"parts", lab::parts_of(small.plan)},
                                     {"minutes", minutes_of(small.plan.ends)},
                                     {"complaints", result.complaints},
                                     {"text", result.text},
                                     {"tries", small.tries},
                                     {"is_minimal", small.is_minimal},
                                     {"again", command_of(small.plan)}});
    say(fmt::format("\nminimised, in {} tries{}:\n{}{}again: {}\n", small.tries,
                    small.is_minimal ? "; nothing more can be left out" : ", which is the limit",
                    indented(result.complaints), indented(result.text), command_of(small.plan)));
}

ExitCode Report::tell_end(std::uint32_t worlds, Duration took) {
    const double seconds = std::max(seconds_of(took), 1e-6);
    if (options_.json)
        say_json(ordered_json{{"worlds", worlds},
                              {"broken", failed_},
                              {"minutes", minutes_of(options_.lab.suffering)},
                              {"seconds", seconds}});
    else
        say(fmt::format(
            "{}{} worlds of {:.10g} min: {} broke an invariant ({:.1f} s, {:.0f} worlds a "
            "minute)\n",
            failed_ > 0 ? "\n" : "", worlds, minutes_of(options_.lab.suffering), failed_, seconds,
            60 * worlds / seconds));
    return failed_ > 0 || output_.broken() ? ExitCode::host : ExitCode::ok;
}

ExitCode Report::run_all() {
    const auto began = runtime::boot_time();
    SwarmCrowd crowd(options_.lab, lives_.with_all);
    const auto runs = options_.lab.runs;
    for (bool all = false; !all;) {
        all = crowd.done() == runs;  // before the failures are taken: none comes after
        for (auto& failed : crowd.wait()) note(std::move(failed));
        progress(
            fmt::format("{} of {} worlds, {} broke an invariant", crowd.done(), runs, failed_));
        if (output_.broken()) {
            crowd.stop();
            return ExitCode::host;
        }
    }
    progress("");
    const auto took = runtime::boot_time() - began;
    if (first_) {
        tell_whole(*first_);
        tell_minimised(*first_);
    }
    return tell_end(runs, took);
}

ExitCode Report::run_one() {
    auto plan = lab::draw_world(options_.lab.seed, options_.lab.suffering);
    if (const auto kept = lab::keep_only(plan, options_.lab.keep); !kept)
        return complain(ExitCode::usage, "--keep: " + kept.error());
    const auto result = lives_.with_all(plan);
    if (options_.json)
        say_json(ordered_json{{"world", plan.number},
                              {"complaints", result.complaints},
                              {"text", result.text},
                              {"again", command_of(plan)}});
    else
        say(indented(result.text) +
            (result.complaints.empty() ? "all invariants held\n" : indented(result.complaints)));
    return !result.complaints.empty() || output_.broken() ? ExitCode::host : ExitCode::ok;
}

// I8: which world a thread is in when it crashes.
SwarmLives::Life named(SwarmLives::Life life) {
    return [life = std::move(life)](const lab::WorldPlan& plan) {
        const AtWork work(command_of(plan));
        return life(plan);
    };
}

}  // namespace

std::string command_of(const lab::WorldPlan& plan) {
    const auto parts = lab::parts_of(plan);
    const bool is_whole = parts == lab::parts_of(lab::draw_world(plan.number, plan.ends));
    return fmt::format("holdfast lab swarm --seed {} --minutes {:.10g} {}", plan.number,
                       minutes_of(plan.ends),
                       is_whole ? "--runs 1" : fmt::format("--keep {}", fmt::join(parts, ",")));
}

ExitCode run_swarm(const Options& options, const SwarmLives& lives, int output) {
    name_crashes();
    const SwarmLives known{.once = named(lives.once), .with_all = named(lives.with_all)};
    Report report(options, known, output);
    return options.lab.keep.empty() ? report.run_all() : report.run_one();
}

ExitCode run_lab_swarm(const std::vector<std::string>& operands,
                       const std::vector<Setting>& settings) {
    if (!operands.empty())
        return complain(ExitCode::usage, "\"" + operands.front() + "\" is one argument too many");
    Options options;
    if (const auto applied = apply_settings(options, settings); !applied)
        return complain(ExitCode::usage, applied.error());
    std::signal(SIGPIPE, SIG_IGN);  // output that nobody reads is noticed when it is written
    return run_swarm(options, {}, STDOUT_FILENO);
}

}  // namespace holdfast::cli
