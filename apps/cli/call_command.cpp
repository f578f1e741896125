// holdfast call and holdfast answer: one call with the account of register, or without any, in the
// foreground.
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "apps/cli/call_settings.h"
#include "apps/cli/commands.h"
#include "apps/cli/console.h"
#include "apps/cli/media_modules.h"
#include "apps/cli/no_account.h"
#include "apps/cli/session.h"
#include "apps/phone/calls.h"
#include "apps/phone/dialling.h"
#include "apps/phone/signals.h"
#include "media/service.h"
#include "runtime/clock.h"

namespace holdfast::cli {

namespace {

constexpr int busy_here = 486;

// One call: dialled once registered, or the first that comes. Its end is told by the exit code, at
// once: no tone holds it up.
class OneCall final : public runtime::Observer {
public:
    OneCall(Foreground& foreground, const Options& options, std::string uri)
        : foreground_(foreground),
          options_(options),
          uri_(std::move(uri)),
          media_(media_modules()),
          calls_(
              *foreground.driver, media_,
              [this](Instant now, const Event& event) { on_sound(now, event); },
              [this](Instant, CallRef ref, const phone::Call& call) { over(ref, call); }),
          signals_(foreground.loop, media_, signals_of(options.call),
                   [this](CallRef ref) { return facts_of(ref); }),
          watch_(foreground.loop, media_.descriptor(),
                 [this](runtime::Ready) {
                     calls_.on_media(runtime::boot_time());
                     signals_.update(calls_.all());
                 }),
          time_is_over_(foreground.loop, [this] { calls_.hang_up_all(); }) {
        auto& console = *foreground.console;
        console.before_leaving([this] {
            signals_.silence();
            calls_.hang_up_all();
            return !calls_.empty();
        });
        console.afterwards([this](Instant now, const Event& event) { on_console(now, event); });
        foreground.driver->add_observer(calls_);
        foreground.driver->add_observer(*this);  // behind the calls, which know by then
    }

    void on_event(Instant, const Event& event) override {
        if (event.call) signals_.update(calls_.all());
    }

    // What the command ends with: the call's end counts, then the registration's.
    ExitCode run() {
        const auto code = foreground_.run();
        return code_.value_or(ExitCode::ok) == ExitCode::ok ? code : *code_;
    }

private:
    [[nodiscard]] bool dials() const { return !uri_.empty(); }
    // What comes is answered by itself, or refused.
    [[nodiscard]] phone::CallFacts facts_of(CallRef ref) const {
        const auto call = calls_.all().find(ref);
        return {.is_taken = call != calls_.all().end() && call->second.incoming};
    }
    // The console is told before the calls are: what needs their knowledge is posted.
    void on_console(Instant now, const Event& event) {
        auto& console = *foreground_.console;
        if (console.is_leaving() || code_) return;
        const bool may_dial =
            event.kind == EventKind::registered || event.kind == EventKind::connected;
        if (dials() && may_dial && !dialled_) dial();
        if (!dials() && event.kind == EventKind::ring) ring(event.call);
        if (event.kind == EventKind::answered && event.call == call_) answered(now);
        follow(event);
        // Who cannot register makes no call now. Who waits for one goes on trying.
        if (dials() && !dialled_ && console.outcome().decided()) console.leave();
    }
    void dial() {
        dialled_ = true;
        foreground_.loop.post(
            [this] { call_ = calls_.dial(only_account, uri_, settings_of(options_.call)); });
    }
    void ring(CallRef ref) {
        const bool first = !std::exchange(call_, call_ ? call_ : ref);
        foreground_.loop.post([this, ref, first] {
            if (first) return calls_.answer(ref, settings_of(options_.call));
            calls_.reject(ref, busy_here);
        });
    }
    void answered(Instant now) {
        if (options_.call.duration) time_is_over_.arm(now + *options_.call.duration);
        if (options_.call.transfer.empty() || std::exchange(transferred_, true)) return;
        foreground_.loop.post(
            [this, ref = call_] { calls_.transfer_after_digits(ref, options_.call.transfer); });
    }
    // Whom the other side has us call, and who comes in its place, is the call from then on.
    void follow(const Event& event) {
        if (event.kind == EventKind::dialling && call_ && event.call != call_)
            before_ = std::exchange(call_, event.call);
        if (event.kind == EventKind::replaced && event.other == call_)
            before_ = std::exchange(call_, event.call);
        if (event.kind == EventKind::transfer_failed) transfer_failed_ = true;
    }
    void on_sound(Instant now, const Event& event) { foreground_.console->show(now, event); }
    void over(CallRef ref, const phone::Call& call) {
        if (ref == before_) before_ = {};
        // Who was to be called did not answer: the call that it was to follow is still there.
        if (ref == call_ && before_) {
            call_ = std::exchange(before_, CallRef{});
            return;
        }
        if (ref != call_) {
            if (foreground_.console->is_leaving() || !calls_.empty()) return;
        } else {
            code_ = call.no_sound                        ? ExitCode::no_sound
                    : call.answered && !transfer_failed_ ? ExitCode::ok
                                                         : ExitCode::call_failed;
        }
        foreground_.console->leave();
    }

    Foreground& foreground_;
    const Options& options_;
    std::string uri_;  // "" : the first call that comes is answered
    media::Service media_;
    phone::Calls calls_;
    phone::Signals signals_;
    runtime::Watch watch_;
    runtime::Timer time_is_over_;
    CallRef call_{};
    CallRef before_{};  // the call whose other side had us make this one
    bool transferred_ = false;
    bool transfer_failed_ = false;
    bool dialled_ = false;
    std::optional<ExitCode> code_;
};

ExitCode make_call(Options options, std::string uri, WallClock clock) {
    keep_memory_private();
    // A direct call has none, but one in the environment is wiped there all the same.
    const bool is_direct = !options.account.direct_to.empty();
    options.password_given = options.password_given || is_direct;
    if (const auto found = find_password(options); !found)
        return complain(found.error().code, found.error().sentence);
    if (is_direct) options.account.password = {};
    options.account.takes_calls = true;
    // What is recorded is the sound (--record of these commands).
    options.call.record = std::exchange(options.driver.record_file, {}).string();
    auto foreground = Foreground::open(options, clock);
    if (!foreground) return foreground.error();
    OneCall call{**foreground, options, std::move(uri)};
    const auto code = call.run();
    (*foreground)->driver.reset();  // it refers to the calls
    return code;
}

std::expected<Options, ExitCode> options_of(const std::vector<Setting>& settings) {
    auto options = gather(settings);
    if (!options) return std::unexpected(complain(options.error().code, options.error().sentence));
    const auto source = source_of(options->call);
    std::error_code error;
    if (source.kind == media::EndKind::file &&
        !std::filesystem::is_regular_file(source.name, error))
        return std::unexpected(
            complain(ExitCode::usage, source.name + ": there is no such file to play"));
    return *std::move(options);
}

}  // namespace

ExitCode run_call(const std::vector<std::string>& operands, const std::vector<Setting>& settings) {
    const auto clock = wall_clock_now();
    auto options = options_of(settings);
    if (!options) return options.error();
    if (operands.empty())
        return complain(ExitCode::usage,
                        "Whom? holdfast call URI --account sip:USER@DOMAIN, or "
                        "holdfast call sip:USER@HOST without an account");
    const bool is_direct = options->account.aor.empty();
    if (const auto checked = check_without_account(*options); is_direct && !checked)
        return complain(checked.error().code, checked.error().sentence);
    const phone::Caller caller{.aor = options->account.aor, .dialling = options->dialling};
    auto called = phone::dialled(operands.front(), caller);
    if (!called) return complain(ExitCode::usage, called.error());
    options->call.dtmf.insert(0, called->digits);
    if (auto& target = options->call.transfer; !target.empty()) {
        auto whither = phone::target_of(target, caller);
        if (!whither) return complain(ExitCode::usage, whither.error());
        target = *std::move(whither);
    }
    if (is_direct) {
        options->account.aor = own_address(settings_of(options->call).options.number);
        options->account.direct_to = called->uri;
    }
    return make_call(*std::move(options), std::move(called->uri), clock);
}

ExitCode run_answer(const std::vector<std::string>& operands,
                    const std::vector<Setting>& settings) {
    const auto clock = wall_clock_now();
    auto options = options_of(settings);
    if (!options) return options.error();
    if (!operands.empty()) {
        auto aor = aor_of(operands.front());
        if (!aor) return complain(ExitCode::usage, aor.error());
        options->account.aor = *std::move(aor);
    }
    if (options->account.aor.empty())
        if (const auto waits = wait_for_calls(*options); !waits)
            return complain(waits.error().code, waits.error().sentence);
    return make_call(*std::move(options), {}, clock);
}

}  // namespace holdfast::cli
