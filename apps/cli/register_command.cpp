// holdfast register: one account, in the foreground, until a signal or its own end.
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <memory>

#include "apps/cli/commands.h"
#include "apps/cli/outcome.h"
#include "apps/cli/presenter.h"
#include "apps/cli/session.h"
#include "apps/cli/trace.h"
#include "engine/engine.h"
#include "runtime/clock.h"
#include "runtime/driver.h"
#include "runtime/loop.h"

namespace holdfast::cli {

namespace {

constexpr AccountId account{1};
constexpr Duration write_again_after = std::chrono::milliseconds{250};

struct Printers {
    Printer output{STDOUT_FILENO, Printer::Patience::keeps};
    Printer errors{STDERR_FILENO, Printer::Patience::keeps};
    [[nodiscard]] bool has_kept() const { return output.has_kept() || errors.has_kept(); }
};

WallClock wall_clock_now() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return {.at = runtime::boot_time(),
            .microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now).count()};
}

// What the user sees, and when the command has reason to end.
class Console final : public runtime::Observer {
public:
    Console(runtime::Loop& loop, Presenter& presenter, Printers& printers, const Engine& engine,
            bool once)
        : presenter_(presenter),
          printers_(printers),
          engine_(engine),
          once_(once),
          again_(loop, [this] { write_again(); }) {}

    void attach(runtime::Driver& driver) { driver_ = &driver; }
    void leave() {
        if (std::exchange(leaving_, true)) return driver_->stop();  // a second signal: at once
        outcome_.leaving();
        driver_->submit(in::ShutDown{});
    }
    void was_cut_short() { outcome_.on_event(Event{.kind = EventKind::stopped}); }
    [[nodiscard]] const Outcome& outcome() const { return outcome_; }

    void on_step(Instant, const Input& input, const std::vector<holdfast::Output>&) override {
        outcome_.on_input(input);
    }
    void on_event(Instant now, const Event& event) override {
        presenter_.show(now, event);
        if (printers_.has_kept()) again_.arm(runtime::boot_time() + write_again_after);
        outcome_.on_event(event);
        if (event.kind == EventKind::auth_failed && is_stopped()) outcome_.stopped_by_password();
        const bool hopeless =
            outcome_.decided() && outcome_.code() == ExitCode::auth_failed && is_stopped();
        if (!leaving_ && (hopeless || printers_.output.broken() || (once_ && outcome_.decided())))
            leave();
    }

private:
    // A password that never worked: the engine waits for another one, which nobody can give it
    // here.
    [[nodiscard]] bool is_stopped() const {
        const auto status = engine_.status(account);
        return status &&
               (status->state == "wrong password" || status->state.starts_with("given up"));
    }

    // Whoever reads us does not read: the phone goes on, and what it said is kept for a while.
    void write_again() {
        printers_.output.flush();
        printers_.errors.flush();
        const auto lost = printers_.output.take_lost();
        if (lost > 0) {
            Event notice{.kind = EventKind::notice};
            notice.reason = std::to_string(lost) +
                            " events before this one are missing here: nobody read the output";
            presenter_.show(runtime::boot_time(), notice);
        }
        if (const auto untraced = printers_.errors.take_lost(); untraced > 0)
            printers_.errors.write("(" + std::to_string(untraced) +
                                   " messages before this are missing here: nobody read them)\n\n");
        if (printers_.has_kept()) again_.arm(runtime::boot_time() + write_again_after);
    }

    Presenter& presenter_;
    Printers& printers_;
    const Engine& engine_;
    runtime::Driver* driver_ = nullptr;
    Outcome outcome_;
    bool once_;
    bool leaving_ = false;
    runtime::Timer again_;
};

std::unique_ptr<Presenter> presenter_for(const Options& options, Printer& output,
                                         Presentation presentation) {
    if (options.json) return json_presenter(output, std::move(presentation));
    const bool trace_disturbs = options.trace && is_terminal(STDERR_FILENO);
    if (is_terminal(STDOUT_FILENO) && can_move_cursor() && !trace_disturbs)
        return live_presenter(output, presentation, STDOUT_FILENO);
    return line_presenter(output, std::move(presentation));
}

ExitCode register_account(const Options& options, WallClock clock) {
    runtime::Loop loop;
    auto opened = runtime::Driver::open(loop, options.driver);
    if (!opened) return complain(exit_code_of(opened.error().kind), opened.error().sentence);
    Printers printers;
    const auto presenter =
        presenter_for(options, printers.output, {.aor = options.account.aor, .clock = clock});
    Trace trace(printers.errors, clock);
    Engine engine{(*opened)->engine_options()};
    Console console(loop, *presenter, printers, engine, options.once);
    const auto driver = *std::move(opened);  // goes first, before what it refers to
    console.attach(*driver);
    driver->add_observer(console);
    if (options.trace) driver->add_observer(trace);

    std::signal(SIGPIPE, SIG_IGN);  // output that nobody reads is noticed when it is written
    constexpr std::array signals{SIGINT, SIGTERM, SIGHUP, SIGWINCH};
    loop.on_signals(signals, [&](int signal) {
        if (signal == SIGWINCH) return presenter->resized();
        if (signal == SIGHUP) return driver->submit(in::RegisterNow{account});
        console.leave();
    });
    driver->attach(runtime::machine_of(engine));
    driver->submit(in::AddAccount{account, options.account});
    driver->run();
    if (!driver->stopped()) console.was_cut_short();
    printers.output.finish();
    printers.errors.finish();
    if (const auto& failure = driver->failure())
        return complain(exit_code_of(failure->kind), failure->sentence);
    if (printers.output.broken())
        return complain(ExitCode::host, "Nobody reads the output any more.");
    const auto code = console.outcome().code();
    if (code != ExitCode::not_unregistered) return code;
    return complain(code,
                    "The server did not answer the un-REGISTER: the registration stays there until "
                    "it expires.");
}

}  // namespace

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
    return register_account(*options, clock);
}

}  // namespace holdfast::cli
