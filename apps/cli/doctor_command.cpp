// holdfast doctor: an account looked at from outside, with the real network, and said in words.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/cli/commands.h"
#include "apps/cli/console.h"
#include "apps/cli/control_line.h"
#include "apps/cli/doctor_report.h"
#include "apps/cli/session.h"
#include "apps/cli/terminal.h"
#include "apps/cli/trace.h"
#include "apps/phone/verbs.h"
#include "doctor/examination.h"
#include "doctor/outlook.h"
#include "runtime/control_socket.h"
#include "runtime/driver.h"
#include "runtime/loop.h"
#include "runtime/state_file.h"

namespace holdfast::cli {

namespace {

constexpr std::array<std::string_view, 1> status_words{"status"};

// What the phone that runs on this host says of the account, if one runs and knows it.
std::optional<doctor::PhoneSeen> ask_phone(const Options& options) {
    const auto path = control_path_of(options);
    if (!path) return std::nullopt;
    auto socket = runtime::connect_to_control(*path);
    if (!socket) return std::nullopt;
    ControlLine phone(*std::move(socket));
    const std::vector<std::string> words(status_words.begin(), status_words.end());
    const auto answer = phone.ask(phone::request_of(words).value_or(""));
    if (!answer) return std::nullopt;
    const auto result = phone::result_of(*answer);
    if (!result) return std::nullopt;
    const auto status = nlohmann::json::parse(*result, nullptr, false);
    if (!status.is_object()) return std::nullopt;
    for (const auto& account : status.value("accounts", nlohmann::json::array()))
        if (account.is_object() && account.value("account", "") == options.account.aor)
            return doctor::PhoneSeen{.registered = account.value("registered", false),
                                     .reachable = account.value("reachable", false),
                                     .state = account.value("state", "")};
    return std::nullopt;
}

// Only read, and without its lock: it may be a running phone's.
State state_of(const Options& options) {
    auto directory = options.driver.state_directory;
    if (directory.empty()) {
        auto usual = runtime::default_state_directory();
        if (!usual) return {};
        directory = *std::move(usual);
    }
    return runtime::StateFile::peek(directory).value_or(State{});
}

std::string time_in_words(std::int64_t unixtime) {
    const auto seconds = static_cast<std::time_t>(unixtime);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts)};
}

class Relay final : public runtime::Observer {
public:
    explicit Relay(doctor::Examination& examination) : examination_(examination) {}
    void on_tls(Instant, FlowId flow, const TlsFacts& facts) override {
        examination_.on_tls(flow, facts);
    }
    void on_event(Instant, const Event& event) override {
        if (event.kind == EventKind::notice) complain(ExitCode::ok, event.reason);
    }

private:
    doctor::Examination& examination_;
};

ExitCode code_of(const DoctorReport& report, const doctor::Examination& examination) {
    if (examination.has_binding()) return ExitCode::not_unregistered;
    if (examination.was_interrupted() || !examination.done()) return ExitCode::undecided;
    switch (overall(report.findings)) {
    case doctor::Verdict::good:
    case doctor::Verdict::unknown: return ExitCode::ok;
    case doctor::Verdict::doubtful: return ExitCode::doubtful;
    case doctor::Verdict::bad: return ExitCode::bad;
    }
    return ExitCode::ok;
}

DoctorReport report_of(const doctor::Examination& examination, const Options& options,
                       std::int64_t unixtime) {
    DoctorReport report{.account = examination.seen().aor,
                        .when = time_in_words(unixtime),
                        .findings = doctor::judge(examination.seen(), unixtime),
                        .outlook = {},
                        .cut_short = examination.was_interrupted() ||
                                     examination.ran_out_of_time() || !examination.done(),
                        .requests = examination.requests()};
    report.outlook = doctor::outlook(examination.seen(), report.findings, options.account.policy);
    return report;
}

ExitCode examine(const Options& options) {
    runtime::Loop loop;
    auto opened = runtime::Driver::open(loop, options.driver);
    if (!opened) return complain(exit_code_of(opened.error().kind), opened.error().sentence);
    const auto& engine = (*opened)->engine_options();
    doctor::Examination examination({.account = options.account,
                                     .seed = engine.seed,
                                     .started = engine.started,
                                     .unixtime = engine.wall_clock,
                                     .state = state_of(options),
                                     .user_agent = engine.user_agent,
                                     .phone = ask_phone(options)});
    Relay relay(examination);
    Printer output(STDOUT_FILENO);
    Printer errors(STDERR_FILENO);
    Trace trace(errors, wall_clock_now());
    const auto driver = *std::move(opened);  // goes first, before what it refers to
    driver->add_observer(relay);
    if (options.trace) driver->add_observer(trace);
    std::signal(SIGPIPE, SIG_IGN);  // output that nobody reads is noticed when it is written
    constexpr std::array signals{SIGINT, SIGTERM, SIGHUP};
    bool interrupted = false;
    loop.on_signals(signals, [&](int) {
        if (std::exchange(interrupted, true)) return driver->stop();
        driver->submit(in::ShutDown{});
    });
    if (is_terminal(STDERR_FILENO))
        errors.write("Looking at " + options.account.aor +
                     ": a few seconds, or half a minute where nobody answers …\n");
    driver->attach(runtime::machine_of(examination));
    driver->run();
    const auto now = wall_clock_now();
    const auto report = report_of(examination, options, now.microseconds / 1'000'000);
    output.write(options.json ? json_lines(report) : in_words(report));
    if (output.broken()) return ExitCode::host;
    return code_of(report, examination);
}

}  // namespace

ExitCode run_doctor(const std::vector<std::string>& operands,
                    const std::vector<Setting>& settings) {
    auto options = gather(settings);
    if (!options) return complain(options.error().code, options.error().sentence);
    if (!operands.empty()) {
        auto aor = aor_of(operands.front());
        if (!aor) return complain(ExitCode::usage, aor.error());
        options->account.aor = *std::move(aor);
    }
    if (options->account.aor.empty())
        return complain(ExitCode::usage, "Which account? holdfast doctor sip:USER@DOMAIN");
    keep_memory_private();
    if (const auto found = find_password(*options); !found)
        return complain(found.error().code, found.error().sentence);
    auto& driver = options->driver;
    driver.keep_state = false;                 // the state is a phone's
    if (driver.local) driver.local->port = 0;  // so is its port
    driver.record_file.clear();
    driver.tell_tls = true;
    return examine(*options);
}

}  // namespace holdfast::cli
