#include "apps/cli/running_phone.h"

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "apps/cli/call_settings.h"
#include "apps/cli/commands.h"
#include "apps/cli/media_modules.h"
#include "apps/cli/outcome.h"
#include "apps/phone/verbs.h"
#include "runtime/clock.h"
#include "runtime/state_file.h"

namespace holdfast::cli {

namespace {

using namespace std::chrono_literals;

constexpr Duration write_again_after = 250ms;
constexpr Duration hooks_end = 5s;

std::string in_one_line(const Event& event) {
    std::string text;
    for (const auto& line : words_of(event)) text += (text.empty() ? "" : "; ") + line;
    return text;
}

// Before the first call, not in it.
std::expected<void, ExitCode> check_recordings(const std::filesystem::path& folder) {
    std::error_code error;
    if (folder.empty()) return {};
    const bool is_there = std::filesystem::is_directory(folder, error);
    if (is_there && ::access(folder.c_str(), W_OK | X_OK) == 0) return {};
    return std::unexpected(complain(
        ExitCode::recording,
        "Calls cannot be recorded to " + folder.string() +
            (is_there ? ": this user may not write there" : ": there is no such directory") +
            "; make it, or name another one (record-calls)"));
}

}  // namespace

RunningPhone::RunningPhone(PhoneStart start, WallClock clock)
    : start_(std::move(start)),
      clock_(clock),
      output_(STDOUT_FILENO, Printer::Patience::keeps),
      errors_(STDERR_FILENO, Printer::Patience::keeps),
      again_(loop_, [this] { write_again(); }),
      trace_(errors_, clock) {}

RunningPhone::~RunningPhone() { driver_.reset(); }

// The socket first: a second phone of the same user is told that one runs, and disturbs nothing.
std::expected<std::unique_ptr<RunningPhone>, ExitCode> RunningPhone::open(PhoneStart start,
                                                                          WallClock clock) {
    if (auto usable = check_recordings(start.host.control.recordings.folder); !usable)
        return std::unexpected(usable.error());
    auto self = std::unique_ptr<RunningPhone>(new RunningPhone(std::move(start), clock));
    if (auto opened = self->open_socket(); !opened) return std::unexpected(opened.error());
    if (auto opened = self->open_driver(); !opened) return std::unexpected(opened.error());
    self->open_history();
    self->open_phone();
    return self;
}

std::expected<void, ExitCode> RunningPhone::open_socket() {
    std::filesystem::path path = start_.host.control.socket;
    if (path.empty()) {
        const auto usual = runtime::default_control_socket();
        if (!usual) {
            early_notices_.emplace_back(
                "There is no control socket: XDG_RUNTIME_DIR names no directory, and --socket PATH "
                "was not given");
            return {};
        }
        path = *usual;
    }
    using runtime::ControlClient;
    auto opened = runtime::ControlSocket::open(
        loop_, path,
        {.line =
             [this](ControlClient client, std::string_view line) {
                 if (auto answer = control_->answer(client, line); !answer.empty())
                     socket_->send(client, answer);
             },
         .gone = [this](ControlClient client) { control_->gone(client); },
         .notice = [this](std::string sentence) { notice(std::move(sentence)); },
         .too_long = phone::error_line(phone::ControlError::invalid_request,
                                       "The line is longer than 65536 octets: say less in one"),
         .too_many =
             phone::error_line(phone::ControlError::not_possible,
                               "Too many programs use this phone already: end one of them, and "
                               "try again")});
    if (!opened) return std::unexpected(complain(ExitCode::control_socket, opened.error()));
    socket_ = *std::move(opened);
    return {};
}

std::expected<void, ExitCode> RunningPhone::open_driver() {
    auto opened = runtime::Driver::open(loop_, start_.host.driver);
    if (!opened)
        return std::unexpected(
            complain(exit_code_of(opened.error().kind), opened.error().sentence));
    driver_ = *std::move(opened);
    engine_ = std::make_unique<Engine>(driver_->engine_options());
    return {};
}

void RunningPhone::open_history() {
    auto directory = start_.host.driver.state_directory;
    if (directory.empty())
        if (const auto usual = runtime::default_state_directory()) directory = *usual;
    auto opened = runtime::CallHistory::open(directory);
    if (!opened)
        return early_notices_.push_back(
            opened.error().sentence +
            " Then start the phone again: until then calls are not remembered");
    history_ = std::make_unique<runtime::CallHistory>(*std::move(opened));
    journal_ = std::make_unique<runtime::CallJournal>(
        loop_, *history_, [this](std::string sentence) { notice(std::move(sentence)); });
}

void RunningPhone::open_phone() {
    media_ = std::make_unique<media::Service>(media_modules());
    phone_ = std::make_unique<phone::Phone>(
        loop_, *driver_, *media_, *engine_,
        phone::PhoneSettings{.accounts = start_.accounts,
                             .dialling = start_.dialling,
                             .calls = settings_of(start_.host.call),
                             .incoming = start_.host.incoming,
                             .recordings = start_.host.control.recordings,
                             .signals = signals_of(start_.host.call)},
        phone::PhoneHandlers{.tell = [this](Instant now, const Event& event,
                                            const std::string& aor) { tell(now, event, aor); },
                             .began =
                                 [this](CallRef ref, const runtime::PastCall& call) {
                                     if (journal_) journal_->began(ref, call);
                                 },
                             .over =
                                 [this](CallRef ref, const runtime::PastCall& call) {
                                     if (journal_) journal_->ended(ref, call);
                                 }});
    media_watch_ = std::make_unique<runtime::Watch>(
        loop_, media_->descriptor(),
        [this](runtime::Ready) { phone_->on_media(runtime::boot_time()); });
    control_ = std::make_unique<phone::Control>(
        *phone_, history_.get(), HOLDFAST_VERSION,
        phone::Control::Handlers{.send =
                                     [this](runtime::ControlClient client, std::string_view line) {
                                         if (socket_) socket_->send(client, line);
                                     },
                                 .words_of = in_one_line});
    if (!start_.hooks.empty())
        hooks_ = std::make_unique<runtime::Hooks>(
            loop_, start_.hooks, [this](std::string sentence) { notice(std::move(sentence)); });
    driver_->add_observer(*phone_);
    if (start_.host.trace) driver_->add_observer(trace_);
    driver_->on_stopped([this] { stopped(); });
}

void RunningPhone::open_console() {
    typed_ = std::make_unique<TypedLines>(
        loop_, STDIN_FILENO, [this](const std::string& line) { typed(line); },
        [this] { print("What was typed is too long and was left out\n"); });
    if (typed_->reads() && is_terminal(STDIN_FILENO))
        early_notices_.emplace_back("What is typed here is done; help lists what there is");
}

// Calls of a phone have a file to play in the place of the microphone, which nobody there expects.
void RunningPhone::say_what_is_played() {
    const auto source = source_of(start_.host.call);
    if (source.kind == media::EndKind::file)
        early_notices_.push_back(
            "Every call hears " + source.name +
            " and not the microphone: take `play` out of the configuration, or "
            "--play away, to be heard");
}

ExitCode RunningPhone::run() {
    std::signal(SIGPIPE, SIG_IGN);  // output that nobody reads is noticed when it is written
    std::signal(SIGXFSZ, SIG_IGN);  // so is a file that may not grow
    std::signal(SIGTTIN, SIG_IGN);  // in the background the terminal is not ours to read
    constexpr std::array signals{SIGINT, SIGTERM, SIGHUP};
    loop_.on_signals(signals, [this](int signal) { on_signal(signal); });
    driver_->attach(runtime::machine_of(*engine_));
    phone_->begin();
    open_console();
    say_what_is_played();
    for (auto& sentence : std::exchange(early_notices_, {})) notice(std::move(sentence));
    driver_->run();
    const auto code = end();
    // Who wants to end at once does not wait for a recording, either.
    if (phone_->has_given_up() || !phone_->calls().empty()) leave_the_sound(code);
    return code;
}

ExitCode RunningPhone::end() {
    output_.finish();
    errors_.finish();
    if (const auto& failure = driver_->failure())
        return complain(exit_code_of(failure->kind), failure->sentence);
    if (output_.broken()) return complain(ExitCode::host, "Nobody reads the output any more.");
    auto code = ExitCode::ok;
    if (const auto unwritten = output_.unwritten(); !unwritten.empty())
        code = complain(ExitCode::host, unwritten);
    if (registered_.empty()) return code;
    return complain(ExitCode::not_unregistered,
                    std::to_string(registered_.size()) +
                        (registered_.size() == 1 ? " registration stays" : " registrations stay") +
                        " at the servers until it expires: " +
                        (driver_->stopped() ? "the un-REGISTER was not answered"
                                            : "ended before it was removed"));
}

void RunningPhone::stopped() {
    const auto end = [this] {
        tell_stopped();
        driver_->stop();
    };
    if (!hooks_) return end();
    hooks_->close(hooks_end, end);
}

// The last event (docs/events.md): what the hooks' end and the state have to say comes before.
void RunningPhone::tell_stopped() {
    if (journal_) journal_->finish();
    if (!end_) return;
    const auto now = runtime::boot_time();
    write(now, *end_, {});
    control_->on_event(time_of(now), *end_, {});
    told_end_ = true;
}

// A media thread that hangs would not let us end: what can be said and written has been.
void RunningPhone::leave_the_sound(ExitCode code) {
    phone_->over_all(runtime::boot_time());
    if (journal_) journal_->finish();
    driver_.reset();
    socket_.reset();
    journal_.reset();
    history_.reset();
    std::_Exit(std::to_underlying(code));
}

void RunningPhone::on_signal(int signal) {
    if (signal == SIGHUP) return phone_->register_now();
    phone_->leave();
}

void RunningPhone::typed(const std::string& line) {
    const auto words = words_in(line);
    if (words.empty()) return;
    if (words.front() == "help") return print(phone::verbs_in_words());
    const auto request = phone::request_of(words);
    if (!request) {
        const auto error = phone::error_line(phone::ControlError::wrong_params, request.error());
        return print(start_.host.json ? error + "\n" : printable(request.error()) + "\n");
    }
    const auto answer = control_->answer({}, *request);
    if (start_.host.json) return print(answer + "\n");
    const auto told = phone::in_words(words.front(), answer);
    print(printable(told ? *told : told.error().sentence) + "\n");
}

runtime::EventTime RunningPhone::time_of(Instant now) const {
    return {.since_start = now - clock_.at,
            .unixtime = clock_.microseconds / 1'000'000 + (now - clock_.at) / 1s};
}

void RunningPhone::track(const Event& event) {
    switch (event.kind) {
    case EventKind::registered:
    case EventKind::refreshed:
    case EventKind::moved: registered_.insert(event.account); break;
    case EventKind::unregistered:
        if (!phone_->is_leaving() || is_confirmed(event)) registered_.erase(event.account);
        break;
    default: break;
    }
}

void RunningPhone::tell(Instant now, const Event& event, const std::string& aor) {
    track(event);
    if (event.kind == EventKind::stopped) {
        end_ = event;
        if (hooks_) hooks_->on_event(time_of(now), event, aor);
        return;
    }
    write(now, event, aor);
    control_->on_event(time_of(now), event, aor);
    if (hooks_) hooks_->on_event(time_of(now), event, aor);
    if (output_.broken() && !phone_->is_leaving())
        loop_.post([this] {
            if (!phone_->is_leaving()) phone_->leave();
        });
}

void RunningPhone::notice(std::string sentence) {
    Event event{.kind = EventKind::notice};
    event.reason = std::move(sentence);
    if (told_end_) return errors_.write("holdfast: " + event.reason + "\n");
    write(runtime::boot_time(), event, {});
    control_->on_event(time_of(runtime::boot_time()), event, {});
}

void RunningPhone::write(Instant now, const Event& event, const std::string& aor) {
    if (!start_.host.fleet.log_all && !is_a_change(event.kind)) return;
    if (start_.host.json) return print(runtime::event_json(time_of(now), event, aor));
    auto begin = clock_.time_of_day(now) + "  ";
    if (start_.accounts.size() > 1 && !aor.empty()) begin += aor + "  ";
    if (event.call) begin += "call " + std::to_string(event.call.value) + ": ";
    std::string text;
    for (const auto& line : words_of(event)) text.append(begin).append(line).append("\n");
    print(text);
}

void RunningPhone::print(const std::string& text) {
    output_.write(text);
    if (const auto trouble = output_.take_trouble(); !trouble.empty())
        errors_.write("holdfast: " + trouble + ".\n");
    if (output_.has_kept() || errors_.has_kept())
        again_.arm(runtime::boot_time() + write_again_after);
}

// Whoever reads us does not read: the phone goes on, and what it said is kept for a while.
void RunningPhone::write_again() {
    output_.flush();
    errors_.flush();
    if (const auto lost = output_.take_lost(); lost > 0)
        notice(std::to_string(lost) +
               " lines before this one are missing here: " + output_.why_lost());
    if (output_.has_kept() || errors_.has_kept())
        again_.arm(runtime::boot_time() + write_again_after);
}

}  // namespace holdfast::cli
