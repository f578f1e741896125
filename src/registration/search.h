// Which target gets the REGISTER, and when another one does (F2, F3, F4): a pure machine that is
// told what happened to its requests and says what to do next. It knows targets, not messages.
//
//   racing       connections open one after the other; the first that is open gets the REGISTER
//   (F4). UDP is open
//                at once, so its "race" is the first target.
//   registering  one REGISTER is out; patience runs (F3)
//   probing      silence: the others are probed, the first attempt lives on
//   sweeping     no probe answered: REGISTER target by target, patience apart
//   exhausted    nobody answered; what is out lives on, S1 decides when to search again
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "base/timers.h"
#include "location/lookup.h"
#include "registration/machine.h"

namespace holdfast::registration {

class Search {
public:
    struct Settings {
        Duration patience{};  // of the first attempt of this search; others use their entry's
        Duration extended{};  // after a 1xx
        bool probe = true;
        Duration probe_spacing{};
        Duration probe_priority_delay{};  // for a lower SRV priority
        Duration probe_timeout{};
        Duration connect_spacing{};
        Duration connect_preference{};
    };
    struct Entry {
        location::Candidate candidate;
        Duration patience{};  // max(policy, 4·RTT)
        Duration rtt{};       // 0: unknown
    };

    enum class Do : std::uint8_t { open, register_, probe, abandon, exhausted };
    struct Step {
        Do what = Do::open;
        Target target;
    };
    using Steps = std::vector<Step>;

    // entries: in the order to be tried, not empty.
    Search(const Settings& settings, std::vector<Entry> entries);

    void start(Instant now, Steps& steps);
    void on_open(Instant now, const Target& target, Steps& steps);
    void on_open_failed(Instant now, const Target& target, Steps& steps);
    void on_provisional(Instant now, const Target& target);  // a 1xx extends patience once
    void on_resent(Instant now,
                   const Target& target);  // it answered (401, 423 …) and was asked again
    // A final failure, or the flow is lost: next target at once (F2, F5).
    // hard: nothing was heard (F2); otherwise it answered with a refusal.
    void on_failed(Instant now, const Target& target, Steps& steps, bool hard = false);
    void on_probed(Instant now, const Target& target, ProbeResult result, Steps& steps);
    void on_time(Instant now, Steps& steps);
    void give_up(Steps& steps) { exhaust(steps); }
    // Whether it was neither asked nor given up in this search.
    [[nodiscard]] bool may_insert(const Target& target) const;
    // A target a redirect named (F5, 3xx): tried next.
    void insert_next(Instant now, Entry entry, Steps& steps);
    [[nodiscard]] Deadline next_deadline() const { return {timers_.next(), "search (F3)"}; }

    [[nodiscard]] const location::Candidate* candidate(const Target& target) const;
    [[nodiscard]] bool is_exhausted() const { return phase_ == Phase::exhausted; }
    // Got a REGISTER, a probe or a connect and said nothing; the second: these, and who refused.
    [[nodiscard]] std::vector<Target> silent_targets() const;
    [[nodiscard]] std::vector<Target> unreachable_targets() const;
    [[nodiscard]] bool pursues(const IpAddress& address) const;  // opens or asks there now
    [[nodiscard]] std::optional<Target> chosen() const;          // who has the REGISTER that counts

private:
    enum class Phase : std::uint8_t { racing, registering, probing, sweeping, exhausted };
    enum class State : std::uint8_t { untouched, opening, ready, registering, unanswered, failed };
    enum class Timer : std::uint8_t {
        race,
        preference,
        patience,
        next_probe,
        probes_over,
        sweep_step,
        count
    };
    struct Try {
        Entry entry;
        State state = State::untouched;
        bool probed = false;
        bool alive = false;   // answered a probe
        bool silent = false;  // did not
        bool extended = false;
        bool refused = false;  // hard: no connection, or ICMP
        bool abandoned = false;
    };

    Try* find(const Target& target);
    [[nodiscard]] const Try* find(const Target& target) const;
    void open_next(Instant now, Steps& steps);
    void choose_ready(Instant now, Steps& steps);
    void choose(Instant now, Try& chosen, Steps& steps);
    void go_on(Instant now, Steps& steps);
    void begin_probing(Instant now, Steps& steps);
    void probe_next(Instant now, Steps& steps);
    void begin_sweep(Instant now, Steps& steps);
    void sweep_next(Instant now, Steps& steps);
    void exhaust(Steps& steps);
    [[nodiscard]] bool probes_outstanding() const;

    Settings settings_;
    std::vector<Try> tries_;
    Phase phase_ = Phase::racing;
    Timers<Timer> timers_;
    std::size_t chosen_ = none;    // index of the attempt that counts
    std::size_t sweeping_ = none;  // index of the sweep's last
    bool first_attempt_ = true;
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
};

}  // namespace holdfast::registration
