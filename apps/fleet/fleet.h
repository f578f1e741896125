// `holdfast run`: the accounts of a configuration file, on all cores, until a signal. The engines
// work on threads of their own; what they tell is written, counted and passed to hooks here.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "apps/cli/exit_code.h"
#include "apps/cli/terminal.h"
#include "apps/cli/words.h"
#include "apps/fleet/fleet_config.h"
#include "runtime/event_json.h"
#include "runtime/failure.h"
#include "runtime/hooks.h"
#include "runtime/loop.h"
#include "runtime/metrics.h"
#include "runtime/shards.h"

namespace holdfast::fleet {

// What a process takes over without dropping anybody who has not changed.
struct Changes {
    std::vector<std::string> added;
    std::vector<std::string> removed;
    std::vector<std::string> changed;       // unregisters, and registers with the new settings
    std::vector<std::string> new_password;  // stays registered
    std::size_t unchanged = 0;
};
Changes changes_between(const FleetConfig& before, const FleetConfig& after);

class Fleet {
public:
    // reread: --config FILE once more.
    using Reread = std::function<std::expected<FleetConfig, cli::Refusal>()>;
    Fleet(runtime::Loop& loop, FleetConfig config, Reread reread, cli::WallClock clock);

    // Everything that can fail at the start; then the accounts are registering.
    std::expected<void, runtime::Failure> open();
    void reload();        // SIGHUP
    void register_now();  // SIGUSR1: all, at S3's rate
    void leave();         // un-registers all, stop_within at most; twice: ends at once
    // Once the loop has ended.
    cli::ExitCode finish();

private:
    void add(const std::string& aor);
    void remove(const std::string& aor);
    void tell(Instant now, const Event& event);
    [[nodiscard]] runtime::EventTime time_of(Instant now) const;
    void notice(std::string sentence);
    void gone(AccountId account);
    void stopped();
    void track(const Event& event);
    void write(Instant now, const Event& event, const std::string& aor);
    void written();
    void write_again();
    void open_hooks();
    void warn_of_rate();

    runtime::Loop& loop_;
    FleetConfig config_;
    Reread reread_;
    cli::WallClock clock_;
    cli::Printer output_;
    cli::Printer errors_;
    runtime::Timer again_;
    std::map<std::string, AccountId, std::less<>> ids_;  // by AOR
    std::map<AccountId, std::string> aors_;              // also those that are leaving
    std::set<std::string, std::less<>> leaving_;
    std::set<AccountId> registered_;
    std::uint64_t lost_ = 0;  // events that nobody took fast enough
    std::unique_ptr<runtime::Hooks> hooks_;
    std::vector<std::unique_ptr<runtime::Hooks>> retired_;  // of an earlier configuration
    std::unique_ptr<runtime::Metrics> metrics_;
    std::unique_ptr<runtime::Shards> shards_;
    bool leaving_all_ = false;
    bool ended_early_ = false;
};

}  // namespace holdfast::fleet
