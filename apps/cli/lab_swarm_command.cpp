// holdfast lab swarm: random worlds on all cores; of the first that breaks an invariant, how small
// it can be made.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "apps/cli/commands.h"
#include "apps/cli/lab_command.h"
#include "apps/cli/terminal.h"
#include "lab/swarm.h"
#include "lab/swarm_shrink.h"
#include "runtime/clock.h"

namespace holdfast::cli {

namespace {

using namespace std::chrono_literals;
using nlohmann::ordered_json;

constexpr std::size_t failures_told = 20;  // one line each; of more only how many

// I8: which world a thread is in when a CHECK ends the process.
thread_local std::uint64_t current_world = 0;

void tell_world_of_crash(int number) {
    constexpr std::string_view before =
        "holdfast: I8: the crash is of: holdfast lab swarm --runs 1 --seed ";
    std::array<char, 24> digits{};
    auto at = digits.size();
    digits[--at] = '\n';
    auto rest = current_world;
    do {
        digits[--at] = static_cast<char>('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    // Nobody can be told if that fails.
    [[maybe_unused]] auto written = ::write(STDERR_FILENO, before.data(), before.size());
    written = ::write(STDERR_FILENO, &digits[at], digits.size() - at);
    std::signal(number, SIG_DFL);
    std::raise(number);
}

struct Failed {
    lab::WorldPlan plan;
    lab::SwarmResult result;
};

// Worlds, each on one of as many threads as there are cores; they share nothing.
class Crowd {
public:
    explicit Crowd(const LabOptions& options) : options_(options) {
        const auto cores = std::max(1U, std::thread::hardware_concurrency());
        for (unsigned i = 0; i < std::min(cores, options.runs); ++i)
            threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
    }

    // What has failed meanwhile; waits until something has, all is done, or a moment has passed.
    std::deque<Failed> wait() {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, 200ms, [&] { return !failed_.empty() || done_ == options_.runs; });
        return std::exchange(failed_, {});
    }
    [[nodiscard]] std::uint32_t done() const { return done_; }
    void stop() {
        for (auto& thread : threads_) thread.request_stop();
    }

private:
    void work(const std::stop_token& stop) {
        for (auto run = next_++; run < options_.runs && !stop.stop_requested(); run = next_++) {
            current_world = options_.seed + run;
            auto plan = lab::draw_world(current_world, options_.suffering);
            auto result = lab::live_and_repeat(plan);
            const std::scoped_lock lock(mutex_);
            if (!result.complaints.empty())
                failed_.push_back({.plan = std::move(plan), .result = std::move(result)});
            ++done_;
            changed_.notify_one();
        }
    }

    const LabOptions& options_;
    std::atomic<std::uint32_t> next_ = 0;
    std::atomic<std::uint32_t> done_ = 0;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Failed> failed_;
    std::vector<std::jthread> threads_;  // last: they end before the rest goes
};

double minutes_of(Duration duration) { return seconds_of(duration) / 60; }

std::string again(const lab::WorldPlan& plan, bool is_whole) {
    auto command = fmt::format("holdfast lab swarm --seed {}{} --minutes {:.6g}", plan.number,
                               is_whole ? " --runs 1" : "", minutes_of(plan.ends));
    if (is_whole) return command;
    command += " --keep ";
    const auto parts = lab::parts_of(plan);
    return command + fmt::format("{}", fmt::join(parts, ","));
}

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
    explicit Report(const Options& options)
        : options_(options),
          shows_progress_(!options.json && is_terminal(STDERR_FILENO) && can_move_cursor()) {}

    ExitCode run_all();
    ExitCode run_one(const lab::WorldPlan& plan);  // a part of a world

private:
    void say(std::string_view text) { output_.write(printable(text)); }
    void say_json(const ordered_json& line) {
        output_.write(line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
    }
    void progress(std::string_view text) {
        if (shows_progress_) errors_.write("\r\x1b[K" + std::string(text));
    }
    void note(Failed failed);
    void tell_whole(const Failed& failed);
    void tell_minimised(const Failed& failed);
    ExitCode tell_end(std::uint32_t worlds, Duration took);

    const Options& options_;
    bool shows_progress_;
    Printer output_{STDOUT_FILENO};
    Printer errors_{STDERR_FILENO};
    std::size_t failed_ = 0;
    std::optional<Failed> first_;  // of the smallest number
};

void Report::note(Failed failed) {
    ++failed_;
    if (failed_ <= failures_told) {
        progress("");
        if (options_.json)
            say_json(ordered_json{{"world", failed.plan.number},
                                  {"complaints", failed.result.complaints},
                                  {"again", again(failed.plan, true)}});
        else
            say(fmt::format("world {}: {}\n", failed.plan.number,
                            failed.result.complaints.front()));
    }
    if (!first_ || failed.plan.number < first_->plan.number) first_ = std::move(failed);
}

void Report::tell_whole(const Failed& failed) {
    if (options_.json) return;  // its line is there
    say(fmt::format(
        "\nworld {} broke an invariant:\n{}what happened in it, by the second:\n{}again: {}\n",
        failed.plan.number, indented(failed.result.complaints), indented(failed.result.text),
        again(failed.plan, true)));
}

// The plan is data: a scenario file of it can be written from what is printed here.
void Report::tell_minimised(const Failed& failed) {
    const auto kind = std::string(lab::kind_of(failed.result.complaints.front()));
    const bool alone = kind == "I3" || kind == "I7";  // which need more than one life
    std::size_t tries = 0;
    current_world = failed.plan.number;
    const auto small = lab::shrink(failed.plan, kind, [&](const lab::WorldPlan& plan) {
        progress(fmt::format("minimising world {}: {} tries", plan.number, ++tries));
        return alone ? lab::live_and_repeat(plan).complaints : lab::live(plan).complaints;
    });
    progress("");
    const auto result = alone ? lab::live_and_repeat(small.plan) : lab::live(small.plan);
    if (options_.json)
        return say_json(ordered_json{{"minimised", small.plan.number},
                                     {"parts", lab::parts_of(small.plan)},
                                     {"minutes", minutes_of(small.plan.ends)},
                                     {"complaints", result.complaints},
                                     {"text", result.text},
                                     {"tries", small.tries},
                                     {"is_minimal", small.is_minimal},
                                     {"again", again(small.plan, false)}});
    say(fmt::format("\nminimised, in {} tries{}:\n{}{}again: {}\n", small.tries,
                    small.is_minimal ? "; nothing more can be left out" : ", which is the limit",
                    indented(result.complaints), indented(result.text), again(small.plan, false)));
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
            "{}{} worlds of {:.6g} min: {} broke an invariant ({:.1f} s, {:.0f} worlds a "
            "minute)\n",
            failed_ > 0 ? "\n" : "", worlds, minutes_of(options_.lab.suffering), failed_, seconds,
            60 * worlds / seconds));
    return failed_ > 0 || output_.broken() ? ExitCode::host : ExitCode::ok;
}

ExitCode Report::run_all() {
    const auto began = runtime::boot_time();
    Crowd crowd(options_.lab);
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

ExitCode Report::run_one(const lab::WorldPlan& plan) {
    const auto result = lab::live_and_repeat(plan);
    if (options_.json)
        say_json(ordered_json{{"world", plan.number},
                              {"complaints", result.complaints},
                              {"text", result.text},
                              {"again", again(plan, false)}});
    else
        say(indented(result.text) +
            (result.complaints.empty() ? "all invariants held\n" : indented(result.complaints)));
    return !result.complaints.empty() || output_.broken() ? ExitCode::host : ExitCode::ok;
}

}  // namespace

ExitCode run_lab_swarm(const std::vector<std::string>& operands,
                       const std::vector<Setting>& settings) {
    if (!operands.empty())
        return complain(ExitCode::usage, "\"" + operands.front() + "\" is one argument too many");
    Options options;
    if (const auto applied = apply_settings(options, settings); !applied)
        return complain(ExitCode::usage, applied.error());
    std::signal(SIGABRT, tell_world_of_crash);
    std::signal(SIGPIPE, SIG_IGN);  // output that nobody reads is noticed when it is written
    if (options.lab.keep.empty()) return Report(options).run_all();
    current_world = options.lab.seed;
    auto plan = lab::draw_world(options.lab.seed, options.lab.suffering);
    if (const auto kept = lab::keep_only(plan, options.lab.keep); !kept)
        return complain(ExitCode::usage, "--keep: " + kept.error());
    return Report(options).run_one(plan);
}

}  // namespace holdfast::cli
