// One account in the foreground, as the user has it: what is printed, and when the command has
// reason to end. For register, and for what calls with that account.
#pragma once

#include <unistd.h>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "apps/cli/exit_code.h"
#include "apps/cli/options.h"
#include "apps/cli/outcome.h"
#include "apps/cli/presenter.h"
#include "apps/cli/terminal.h"
#include "apps/cli/trace.h"
#include "engine/engine.h"
#include "runtime/driver.h"
#include "runtime/loop.h"

namespace holdfast::cli {

constexpr AccountId only_account{1};

struct Printers {
    Printer output{STDOUT_FILENO, Printer::Patience::keeps};
    Printer errors{STDERR_FILENO, Printer::Patience::keeps};
    [[nodiscard]] bool has_kept() const { return output.has_kept() || errors.has_kept(); }
};

// The wall's time and the engine's at this moment.
WallClock wall_clock_now();

// Ends the command when it should end: by a signal, with a password that never worked, when nobody
// reads the output, and at the first outcome if `once`.
class Console final : public runtime::Observer {
public:
    Console(runtime::Loop& loop, Presenter& presenter, Printers& printers, const Engine& engine,
            bool once);

    void attach(runtime::Driver& driver) { driver_ = &driver; }
    // What is to be ended before the account unregisters: returns whether there is anything, and
    // then calls leave() again.
    void before_leaving(std::function<bool()> end) { before_leaving_ = std::move(end); }
    // After each event of the engine.
    void afterwards(std::function<void(Instant, const Event&)> then) { then_ = std::move(then); }
    void show(Instant now, const Event& event);
    // The user wants it to end; a second time: at once.
    void interrupt();
    void leave();
    void was_cut_short() { outcome_.on_event(Event{.kind = EventKind::stopped}); }
    [[nodiscard]] bool is_leaving() const { return leaving_; }
    [[nodiscard]] const Outcome& outcome() const { return outcome_; }

    void on_step(Instant, const Input& input, const std::vector<holdfast::Output>&) override {
        outcome_.on_input(input);
    }
    void on_event(Instant now, const Event& event) override;

private:
    [[nodiscard]] bool is_stopped() const;
    void write_again();

    Presenter& presenter_;
    Printers& printers_;
    const Engine& engine_;
    runtime::Driver* driver_ = nullptr;
    std::function<bool()> before_leaving_;
    std::function<void(Instant, const Event&)> then_;
    Outcome outcome_;
    bool once_;
    bool interrupted_ = false;
    bool leaving_ = false;
    runtime::Timer again_;
};

// Everything that a command with one account needs.
class Foreground {
public:
    // Says why, if it cannot be had.
    static std::expected<std::unique_ptr<Foreground>, ExitCode> open(const Options& options,
                                                                     WallClock clock);

    // Until the console has ended it; what is wrong then is said.
    ExitCode run();

    runtime::Loop loop;
    Printers printers;
    std::unique_ptr<Presenter> presenter;
    std::unique_ptr<Trace> trace;
    std::unique_ptr<Engine> engine;
    std::unique_ptr<Console> console;
    std::unique_ptr<runtime::Driver> driver;  // goes first, before what it refers to

private:
    explicit Foreground(const Options& options) : options_(options) {}
    const Options& options_;
};

}  // namespace holdfast::cli
