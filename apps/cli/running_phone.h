// `holdfast phone` as a whole: the phone, its console, its control socket, its history and hooks.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "apps/cli/exit_code.h"
#include "apps/cli/options.h"
#include "apps/cli/terminal.h"
#include "apps/cli/trace.h"
#include "apps/cli/typed_lines.h"
#include "apps/cli/words.h"
#include "apps/phone/control.h"
#include "apps/phone/phone.h"
#include "engine/engine.h"
#include "media/service.h"
#include "runtime/call_history.h"
#include "runtime/call_journal.h"
#include "runtime/control_socket.h"
#include "runtime/driver.h"
#include "runtime/hooks.h"
#include "runtime/loop.h"

namespace holdfast::cli {

struct PhoneStart {
    Options host;  // of the process, and of all calls
    std::vector<registration::AccountConfig> accounts;
    std::vector<phone::Dialling> dialling;  // of each
    std::vector<runtime::Hook> hooks;
};

class RunningPhone {
public:
    // Says why, if it cannot be had: nothing has been sent then.
    static std::expected<std::unique_ptr<RunningPhone>, ExitCode> open(PhoneStart start,
                                                                       WallClock clock);
    RunningPhone(const RunningPhone&) = delete;
    RunningPhone& operator=(const RunningPhone&) = delete;
    ~RunningPhone();

    ExitCode run();  // until it was told to quit

private:
    RunningPhone(PhoneStart start, WallClock clock);
    std::expected<void, ExitCode> open_socket();
    std::expected<void, ExitCode> open_driver();
    void open_history();
    void open_phone();
    void open_console();

    void on_signal(int signal);
    void typed(const std::string& line);
    void tell(Instant now, const Event& event, const std::string& aor);
    void track(const Event& event);
    void notice(std::string sentence);
    void write(Instant now, const Event& event, const std::string& aor);
    void write_again();
    void print(const std::string& text);
    void say_what_is_played();
    ExitCode end();
    void stopped();
    void tell_stopped();
    [[noreturn]] void leave_the_sound(ExitCode code);
    [[nodiscard]] runtime::EventTime time_of(Instant now) const;

    PhoneStart start_;
    WallClock clock_;
    runtime::Loop loop_;
    Printer output_;
    Printer errors_;
    runtime::Timer again_;
    Trace trace_;
    std::set<AccountId> registered_;
    std::vector<std::string> early_notices_;  // from before the phone was there
    std::optional<Event> end_;                // told when nothing else will be
    bool told_end_ = false;
    std::unique_ptr<runtime::CallHistory> history_;
    std::unique_ptr<runtime::CallJournal> journal_;
    std::unique_ptr<runtime::Hooks> hooks_;
    std::unique_ptr<Engine> engine_;
    std::unique_ptr<media::Service> media_;
    std::unique_ptr<phone::Control> control_;
    std::unique_ptr<runtime::ControlSocket> socket_;
    std::unique_ptr<phone::Phone> phone_;
    std::unique_ptr<runtime::Watch> media_watch_;
    std::unique_ptr<TypedLines> typed_;
    std::unique_ptr<runtime::Driver> driver_;  // goes first, before what it refers to
};

}  // namespace holdfast::cli
