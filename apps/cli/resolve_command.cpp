// holdfast resolve: which servers a URI leads to, in which order, and why.
#include <unistd.h>

#include "apps/cli/commands.h"
#include "apps/cli/resolver.h"
#include "apps/cli/session.h"
#include "apps/cli/terminal.h"
#include "apps/cli/words.h"
#include "runtime/driver.h"
#include "runtime/loop.h"
#include "runtime/state_file.h"

namespace holdfast::cli {

namespace {

using Opened = std::expected<std::unique_ptr<runtime::Driver>, runtime::Failure>;

// While a phone runs, the state is only read: its lock is the phone's.
Opened open_reading(runtime::Loop& loop, runtime::DriverOptions options, State& state) {
    auto opened = runtime::Driver::open(loop, options);
    if (opened) state = (*opened)->engine_options().state;
    if (opened || opened.error().kind != runtime::FailureKind::state_in_use) return opened;
    auto directory = options.state_directory;
    if (directory.empty()) {
        auto usual = runtime::default_state_directory();
        if (!usual) return std::unexpected(usual.error());
        directory = *std::move(usual);
    }
    auto there = runtime::StateFile::peek(directory);
    if (!there) return std::unexpected(there.error());
    state = *std::move(there);
    options.keep_state = false;
    return runtime::Driver::open(loop, options);
}

// What the runtime has to say about the host (a damaged state file, an address that is not there).
class Notices final : public runtime::Observer {
public:
    void on_event(Instant, const Event& event) override {
        if (event.kind == EventKind::notice) complain(ExitCode::ok, event.reason);
    }
};

void print(const Resolution& resolution, bool json) {
    Printer output(STDOUT_FILENO);
    if (json) return output.write(json_line(resolution));
    std::string text;
    if (!resolution.problem.empty()) text += printable(resolution.problem) + "\n";
    if (!resolution.targets.empty())
        text += "Servers for " + resolution.account + ", in the order of preference:\n";
    for (std::size_t i = 0; i < resolution.targets.size(); ++i)
        text += "  " + row_in_words(i + 1, resolution.targets[i]) + "\n";
    output.write(text);
}

}  // namespace

ExitCode run_resolve(const std::vector<std::string>& operands,
                     const std::vector<Setting>& settings) {
    auto options = gather(settings);
    if (!options) return complain(options.error().code, options.error().sentence);
    if (!operands.empty()) {
        auto uri = uri_of(operands.front());
        if (!uri) return complain(ExitCode::usage, uri.error());
        options->account.aor = *std::move(uri);
    }
    if (options->account.aor.empty())
        return complain(ExitCode::usage, "Which URI? holdfast resolve sip:USER@DOMAIN");
    if (options->driver.local)
        options->driver.local->port = 0;  // nothing is sent from it, a phone may have it
    options->driver.record_file.clear();

    runtime::Loop loop;
    State state;
    auto opened = open_reading(loop, options->driver, state);
    if (!opened) return complain(exit_code_of(opened.error().kind), opened.error().sentence);
    auto engine_options = (*opened)->engine_options();
    engine_options.state = std::move(state);
    Resolver resolver{options->account, engine_options};
    Notices notices;
    const auto driver = *std::move(opened);  // goes first, before what it refers to
    driver->add_observer(notices);
    driver->attach(runtime::machine_of(resolver));
    driver->run();
    print(resolver.resolution(), options->json);
    if (resolver.code() == ExitCode::ok) return ExitCode::ok;
    return complain(resolver.code(), resolver.resolution().problem.empty()
                                         ? resolver.resolution().account + " leads to no server"
                                         : resolver.resolution().problem);
}

}  // namespace holdfast::cli
