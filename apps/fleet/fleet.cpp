#include "apps/fleet/fleet.h"

#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "apps/cli/commands.h"
#include "apps/cli/outcome.h"
#include "apps/fleet/register_need.h"
#include "runtime/clock.h"

namespace holdfast::fleet {

namespace {

using namespace std::chrono_literals;

constexpr Duration write_again_after = 250ms;
constexpr Duration hooks_end = 5s;

std::size_t shards_of(const cli::FleetOptions& options) {
    if (options.shards != 0) return options.shards;
    return std::max(1U, std::thread::hardware_concurrency());
}

std::string how_many(std::size_t count, std::string_view what) {
    return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

}  // namespace

Changes changes_between(const FleetConfig& before, const FleetConfig& after) {
    Changes changes;
    for (const auto& [aor, account] : after.accounts) {
        const auto known = before.accounts.find(aor);
        if (known == before.accounts.end())
            changes.added.push_back(aor);
        else if (known->second == account)
            ++changes.unchanged;
        else if (same_but_password(known->second, account))
            changes.new_password.push_back(aor);
        else
            changes.changed.push_back(aor);
    }
    for (const auto& [aor, account] : before.accounts)
        if (!after.accounts.contains(aor)) changes.removed.push_back(aor);
    return changes;
}

Fleet::Fleet(runtime::Loop& loop, FleetConfig config, Reread reread, cli::WallClock clock)
    : loop_(loop),
      config_(std::move(config)),
      reread_(std::move(reread)),
      clock_(clock),
      output_(STDOUT_FILENO, cli::Printer::Patience::keeps),
      errors_(STDERR_FILENO, cli::Printer::Patience::keeps),
      again_(loop, [this] { write_again(); }) {}

std::expected<void, runtime::Failure> Fleet::open() {
    const auto& options = config_.host.fleet;
    if (options.metrics) {
        auto metrics = runtime::Metrics::open(
            loop_, options.metrics->to_string(),
            {.version = HOLDFAST_VERSION,
             .shards =
                 [this] {
                     std::vector<runtime::ShardCounters> counters;
                     if (!shards_) return counters;
                     for (const auto& one : shards_->totals())
                         counters.push_back({.registers_sent = one.registers_sent,
                                             .sent_packets = one.messages_sent,
                                             .sent_bytes = one.octets_sent,
                                             .received_packets = one.messages_received,
                                             .received_bytes = one.octets_received,
                                             .steps = one.steps});
                     counters.front().events_dropped = lost_;
                     return counters;
                 },
             .hooks = [this] { return hooks_ ? hooks_->counts() : runtime::HookCounts{}; }});
        if (!metrics) return std::unexpected(metrics.error());
        metrics_ = *std::move(metrics);
    }
    open_hooks();
    auto shards = runtime::Shards::open(
        loop_,
        {.count = shards_of(options),
         .driver = config_.host.driver,
         .registers_per_second = options.registers_per_second,
         .leave_within = options.stop_within},
        {.event = [this](Instant now, const Event& event) { tell(now, event); },
         .gone = [this](AccountId account) { gone(account); },
         .stopped = [this] { stopped(); },
         .lost = [this](std::uint64_t count) { lost_ += count; }});
    if (!shards) return std::unexpected(shards.error());
    shards_ = *std::move(shards);
    for (const auto& [aor, account] : config_.accounts) add(aor);
    notice(
        how_many(config_.accounts.size(), "account") + " on " +
        how_many(shards_->count(), "shard") +
        (metrics_ ? "; metrics at http://" + metrics_->endpoint().to_string() + "/metrics" : ""));
    warn_of_rate();
    return {};
}

void Fleet::warn_of_rate() {
    auto problem = problem_of_rate(config_.accounts, config_.host.fleet.registers_per_second);
    if (!problem.empty()) notice(std::move(problem));
}

void Fleet::open_hooks() {
    if (hooks_) {
        hooks_->close(hooks_end, [this, old = hooks_.get()] {
            loop_.post([this, old] {
                std::erase_if(retired_, [&](const auto& hooks) { return hooks.get() == old; });
            });
        });
        retired_.push_back(std::move(hooks_));
    }
    if (!config_.hooks.empty())
        hooks_ = std::make_unique<runtime::Hooks>(
            loop_, config_.hooks, [this](std::string sentence) { notice(std::move(sentence)); });
}

void Fleet::add(const std::string& aor) {
    const auto id = shards_->add(config_.accounts.at(aor));
    ids_.emplace(aor, id);
    aors_.emplace(id, aor);
    if (metrics_) metrics_->account_added(aor);
}

void Fleet::remove(const std::string& aor) {
    const auto found = ids_.find(aor);
    if (found == ids_.end()) return;  // it is leaving already
    shards_->remove(found->second);
    leaving_.insert(aor);
    ids_.erase(found);
}

// Whoever was to change begins again now, with what the configuration says by now.
void Fleet::gone(AccountId account) {
    const auto found = aors_.find(account);
    if (found == aors_.end()) return;
    const auto aor = found->second;
    aors_.erase(found);
    registered_.erase(account);
    leaving_.erase(aor);
    if (metrics_) metrics_->account_removed(aor);
    if (!leaving_all_ && config_.accounts.contains(aor)) add(aor);
}

void Fleet::reload() {
    if (leaving_all_) return;
    auto read = reread_();
    if (!read)
        return notice("The configuration is not taken over: " + read.error().sentence +
                      ". All goes on as before");
    const auto changes = changes_between(config_, *read);
    const bool other_host = !same_host(config_.host, read->host);
    const bool other_hooks = config_.hooks != read->hooks;
    read->host = config_.host;  // as it is in force
    config_ = *std::move(read);
    if (other_hooks) open_hooks();
    for (const auto& aor : changes.removed) remove(aor);
    for (const auto& aor : changes.changed) remove(aor);
    for (const auto& aor : changes.new_password)
        if (const auto found = ids_.find(aor); found != ids_.end())
            shards_->change_password(found->second, config_.accounts.at(aor).password);
    for (const auto& aor : changes.added)
        if (!leaving_.contains(aor)) add(aor);
    notice("Reloaded: " + std::to_string(changes.added.size()) + " added, " +
           std::to_string(changes.removed.size()) + " removed, " +
           std::to_string(changes.changed.size()) + " changed, " +
           std::to_string(changes.new_password.size()) + " with a new password, " +
           std::to_string(changes.unchanged) + " as before" +
           (other_host
                ? "; what the file says of state, sockets, TLS, shards, rate, metrics or log "
                  "holds from the next start on"
                : ""));
    warn_of_rate();
}

void Fleet::register_now() {
    if (!leaving_all_) shards_->register_now();
}

void Fleet::leave() {
    if (std::exchange(leaving_all_, true)) {
        ended_early_ = true;
        return loop_.stop();
    }
    shards_->shut_down();
}

void Fleet::stopped() {
    if (!hooks_) return loop_.stop();
    hooks_->close(hooks_end, [this] { loop_.stop(); });
}

void Fleet::track(const Event& event) {
    switch (event.kind) {
    case EventKind::registered:
    case EventKind::refreshed:
    case EventKind::moved: registered_.insert(event.account); break;
    case EventKind::unregistered:
        if (!leaving_all_ || cli::is_confirmed(event)) registered_.erase(event.account);
        break;
    default: break;
    }
}

void Fleet::tell(Instant now, const Event& event) {
    if (event.kind == EventKind::stopped) return;  // of one shard
    const auto known = aors_.find(event.account);
    const std::string aor = known == aors_.end() ? std::string{} : known->second;
    track(event);
    write(now, event, aor);
    if (metrics_) metrics_->on_event(event, aor);
    if (hooks_) hooks_->on_event(time_of(now), event, aor);
}

runtime::EventTime Fleet::time_of(Instant now) const {
    return {.since_start = now - clock_.at,
            .unixtime = clock_.microseconds / 1'000'000 + (now - clock_.at) / 1s};
}

void Fleet::notice(std::string sentence) {
    Event event{.kind = EventKind::notice};
    event.reason = std::move(sentence);
    write(runtime::boot_time(), event, {});
}

void Fleet::write(Instant now, const Event& event, const std::string& aor) {
    const auto& host = config_.host;
    if (!host.fleet.log_all && !cli::is_a_change(event.kind)) return;
    if (host.json) {
        output_.write(runtime::event_json(time_of(now), event, aor));
    } else {
        std::string text;
        const auto begin = clock_.time_of_day(now) + "  " + (aor.empty() ? "" : aor + "  ");
        for (const auto& line : cli::words_of(event)) text += begin + line + "\n";
        output_.write(text);
    }
    written();
}

// Whoever reads us does not read, or the disk is full: the phones go on.
void Fleet::written() {
    if (const auto trouble = output_.take_trouble(); !trouble.empty())
        errors_.write("holdfast: " + trouble + ".\n");
    if (output_.has_kept() || errors_.has_kept())
        again_.arm(runtime::boot_time() + write_again_after);
}

void Fleet::write_again() {
    output_.flush();
    errors_.flush();
    if (const auto lost = output_.take_lost(); lost > 0)
        notice(how_many(lost, "event") +
               " before this one are missing here: " + output_.why_lost());
    written();
}

cli::ExitCode Fleet::finish() {
    const auto failure = shards_ ? shards_->failure() : std::nullopt;
    shards_.reset();
    output_.finish();
    errors_.finish();
    auto code = cli::ExitCode::ok;
    if (const auto unwritten = output_.unwritten(); !unwritten.empty())
        code = cli::complain(cli::ExitCode::host, unwritten);
    if (failure) return cli::complain(cli::exit_code_of(failure->kind), failure->sentence);
    if (registered_.empty()) return code;
    return cli::complain(
        cli::ExitCode::not_unregistered,
        how_many(registered_.size(), "registration") +
            (ended_early_ ? " stay at the servers until they expire: ended before they were removed"
                          : " stay at the servers until they expire: the servers did not answer, "
                            "or registers-per-second and stop-within leave too little time"));
}

}  // namespace holdfast::fleet
