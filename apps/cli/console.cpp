#include "apps/cli/console.h"

#include <array>
#include <chrono>
#include <csignal>
#include <utility>

#include "apps/cli/commands.h"
#include "runtime/clock.h"

namespace holdfast::cli {

namespace {

constexpr Duration write_again_after = std::chrono::milliseconds{250};

std::unique_ptr<Presenter> presenter_for(const Options& options, Printer& output,
                                         Presentation presentation) {
    if (options.json) return json_presenter(output, std::move(presentation));
    const bool trace_disturbs = options.trace && is_terminal(STDERR_FILENO);
    if (is_terminal(STDOUT_FILENO) && can_move_cursor() && !trace_disturbs)
        return live_presenter(output, presentation, STDOUT_FILENO);
    return line_presenter(output, std::move(presentation));
}

}  // namespace

WallClock wall_clock_now() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return {.at = runtime::boot_time(),
            .microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now).count()};
}

Console::Console(runtime::Loop& loop, Presenter& presenter, Printers& printers,
                 const Engine& engine, bool once)
    : presenter_(presenter),
      printers_(printers),
      engine_(engine),
      once_(once),
      again_(loop, [this] { write_again(); }) {}

void Console::interrupt() {
    if (std::exchange(interrupted_, true) || leaving_) return driver_->stop();
    leave();
}

void Console::leave() {
    if (leaving_ || (before_leaving_ && before_leaving_())) return;
    leaving_ = true;
    outcome_.leaving();
    driver_->submit(in::ShutDown{});
}

void Console::show(Instant now, const Event& event) {
    presenter_.show(now, event);
    if (const auto trouble = printers_.output.take_trouble(); !trouble.empty())
        printers_.errors.write("holdfast: " + trouble + ".\n");
    if (printers_.has_kept()) again_.arm(runtime::boot_time() + write_again_after);
}

void Console::on_event(Instant now, const Event& event) {
    show(now, event);
    outcome_.on_event(event);
    if (event.kind == EventKind::auth_failed && is_stopped()) outcome_.stopped_by_password();
    const bool hopeless =
        outcome_.decided() && outcome_.code() == ExitCode::auth_failed && is_stopped();
    if (hopeless || printers_.output.broken() || (once_ && outcome_.decided())) leave();
    if (then_) then_(now, event);
}

// A password that never worked: the engine waits for another one, which nobody can give it here.
bool Console::is_stopped() const {
    const auto status = engine_.status(only_account);
    return status && (status->state == "wrong password" || status->state.starts_with("given up"));
}

// Whoever reads us does not read: the phone goes on, and what it said is kept for a while.
void Console::write_again() {
    printers_.output.flush();
    printers_.errors.flush();
    const auto lost = printers_.output.take_lost();
    if (lost > 0) {
        Event notice{.kind = EventKind::notice};
        notice.reason = std::to_string(lost) +
                        " events before this one are missing here: " + printers_.output.why_lost();
        presenter_.show(runtime::boot_time(), notice);
    }
    if (const auto untraced = printers_.errors.take_lost(); untraced > 0)
        printers_.errors.write(
            "(" + std::to_string(untraced) +
            " messages before this are missing here: " + printers_.errors.why_lost() + ")\n\n");
    if (printers_.has_kept()) again_.arm(runtime::boot_time() + write_again_after);
}

std::expected<std::unique_ptr<Foreground>, ExitCode> Foreground::open(const Options& options,
                                                                      WallClock clock) {
    auto self = std::unique_ptr<Foreground>(new Foreground(options));
    auto opened = runtime::Driver::open(self->loop, options.driver);
    if (!opened)
        return std::unexpected(
            complain(exit_code_of(opened.error().kind), opened.error().sentence));
    self->driver = *std::move(opened);
    self->presenter =
        presenter_for(options, self->printers.output,
                      {.aor = options.account.direct_to.empty() ? options.account.aor
                                                                : std::string("direct call"),
                       .clock = clock});
    self->trace = std::make_unique<Trace>(self->printers.errors, clock);
    self->engine = std::make_unique<Engine>(self->driver->engine_options());
    self->console = std::make_unique<Console>(self->loop, *self->presenter, self->printers,
                                              *self->engine, options.once);
    self->console->attach(*self->driver);
    self->driver->add_observer(*self->console);
    if (options.trace) self->driver->add_observer(*self->trace);
    return self;
}

ExitCode Foreground::run() {
    std::signal(SIGPIPE, SIG_IGN);  // output that nobody reads is noticed when it is written
    std::signal(SIGXFSZ, SIG_IGN);  // so is a file that may not grow
    constexpr std::array signals{SIGINT, SIGTERM, SIGHUP, SIGWINCH};
    loop.on_signals(signals, [&](int signal) {
        if (signal == SIGWINCH) return presenter->resized();
        if (signal == SIGHUP) return driver->submit(in::RegisterNow{only_account});
        console->interrupt();
    });
    driver->attach(runtime::machine_of(*engine));
    driver->submit(in::AddAccount{only_account, options_.account});
    driver->run();
    if (!driver->stopped()) console->was_cut_short();
    printers.output.finish();
    printers.errors.finish();
    if (const auto& failure = driver->failure())
        return complain(exit_code_of(failure->kind), failure->sentence);
    if (printers.output.broken())
        return complain(ExitCode::host, "Nobody reads the output any more.");
    const auto code = console->outcome().code();
    const auto unwritten = printers.output.unwritten();
    if (!unwritten.empty()) complain(ExitCode::host, unwritten);
    if (code != ExitCode::not_unregistered)
        return code == ExitCode::ok && !unwritten.empty() ? ExitCode::host : code;
    return complain(code,
                    "The server did not answer the un-REGISTER: the registration stays there until "
                    "it expires.");
}

}  // namespace holdfast::cli
