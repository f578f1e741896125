// holdfast ctl: one verb for the phone that runs, through its control socket (docs/control.md).
#include <unistd.h>
#include <csignal>

#include <utility>

#include "apps/cli/commands.h"
#include "apps/cli/control_line.h"
#include "apps/cli/session.h"
#include "apps/cli/terminal.h"
#include "apps/phone/verbs.h"
#include "runtime/control_socket.h"

namespace holdfast::cli {

namespace {

ExitCode gone() {
    return complain(
        ExitCode::no_phone,
        "The phone has gone away, or has not answered for 10 s: look at its output, and start it "
        "again (holdfast phone) if it is gone");
}
ExitCode refused(const phone::Refused& refused) {
    return complain(ExitCode::not_done, refused.sentence);
}

// Until the phone ends, or nobody reads us any more.
ExitCode print_events(ControlLine& phone, std::span<const std::string> names,
                      const Options& options, Printer& output) {
    const auto answer = phone.ask(phone::subscribe_request(names));
    if (!answer) return gone();
    if (const auto result = phone::result_of(*answer); !result) return refused(result.error());
    while (const auto line = phone.hear(never)) {
        const auto told = phone::notification_of(*line);
        if (told.event.empty()) continue;
        output.write(options.json ? told.event + "\n" : printable(told.words) + "\n");
        if (output.broken()) return ExitCode::ok;
        if (told.is_last) return ExitCode::ok;
    }
    return gone();
}

ExitCode print_csv(ControlLine& phone, const std::string& search, Printer& output) {
    constexpr std::size_t page_size = 100;
    std::string text(phone::csv_header);
    for (std::int64_t before = 0;;) {
        const auto answer = phone.ask(phone::history_request(search, before, page_size));
        if (!answer) return gone();
        const auto page = phone::csv_of(*answer);
        if (!page) return refused(page.error());
        if (page->last == 0 || (before != 0 && page->last >= before)) break;  // the ids go down
        text += page->rows;
        before = page->last;
    }
    output.write(text);
    return output.broken() ? ExitCode::host : ExitCode::ok;
}

ExitCode do_verb(ControlLine& phone, const std::string& verb, std::string request,
                 const Options& options, Printer& output) {
    const auto answer = phone.ask(std::move(request));
    if (!answer) return gone();
    const auto told = options.json ? phone::result_of(*answer) : phone::in_words(verb, *answer);
    if (!told) return refused(told.error());
    output.write((options.json ? *told : printable(*told)) + "\n");
    return output.broken() ? ExitCode::host : ExitCode::ok;
}

}  // namespace

ExitCode run_ctl(const std::vector<std::string>& operands, const std::vector<Setting>& settings) {
    Options options;
    if (const auto applied = apply_settings(options, settings); !applied)
        return complain(ExitCode::usage, applied.error());
    if (operands.empty())
        return complain(ExitCode::usage,
                        "What shall the phone do? holdfast ctl --help lists the "
                        "verbs");
    const auto& verb = operands.front();
    const bool is_history = verb == "history";
    if (!is_history && (options.control.csv || !options.control.search.empty()))
        return complain(ExitCode::usage, "--search and --csv are for holdfast ctl history");
    auto words = operands;
    if (!options.control.search.empty()) words.push_back(options.control.search);
    const bool listens = verb == "events";
    auto request = listens ? std::expected<std::string, std::string>{} : phone::request_of(words);
    if (!request) return complain(ExitCode::usage, request.error());
    const auto path = control_path_of(options);
    if (!path) return complain(ExitCode::no_phone, path.error());
    auto socket = runtime::connect_to_control(*path);
    if (!socket) return complain(ExitCode::no_phone, socket.error());
    ControlLine phone(*std::move(socket));
    std::signal(SIGPIPE, SIG_IGN);  // output that nobody reads is noticed when it is written
    Printer output(STDOUT_FILENO);
    if (listens) return print_events(phone, std::span(operands).subspan(1), options, output);
    if (options.control.csv) {
        std::string search;
        for (const auto& word : std::span(words).subspan(1))
            search += (search.empty() ? "" : " ") + word;
        return print_csv(phone, search, output);
    }
    return do_verb(phone, verb, *std::move(request), options, output);
}

}  // namespace holdfast::cli
