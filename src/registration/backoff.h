// S1: all targets failed. How long to wait, what may end the wait early, and the probes meanwhile.
// RFC 5626 §4.5.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "base/address.h"
#include "base/random.h"
#include "base/time.h"
#include "base/timers.h"

namespace holdfast::registration {

class Backoff {
public:
    struct Settings {
        Duration base{};
        Duration base_other_flow{};
        Duration most{};
    };
    explicit Backoff(const Settings& settings) : settings_(settings) {}

    // A search failed. unreachable: targets that were silent, refused or could not be connected;
    // one of them that answers a probe ends the wait.
    void begin(Instant now, bool other_flow_works, std::set<Target> unreachable, Random& random);
    // Nothing may be sent before that moment (I5): no failure of anybody's, and nothing ends it
    // early.
    void hold(Instant now, Instant until, Random& random);
    void stop();   // waiting no longer; the outage goes on
    void reset();  // registered: the outage is over
    // Something was heard from the target (a probe's answer, mostly). Whether this ends the wait,
    // which it may do once, and not for a target that ended the last one and then did not answer
    // its REGISTER.
    bool on_alive(const Target& target);
    // A probe found it silent, busy or unreachable: should it live later, that is news.
    void on_dead(const Target& target);
    // It did answer its REGISTER, with a refusal: that it answers probes as before is no news.
    void on_refused(const Target& target);
    void not_before(Instant at);  // Retry-After

    enum class Due : std::uint8_t { search, probe_round, register_round };
    std::vector<Due> take_due(Instant now, Random& random, bool options_answered);
    // The next round of probes is then: this one could not be made.
    void round_at(Instant at) { timers_.arm(Timer::probe_round, at); }
    // The targets of the next round of probes: the 4 best, then the next 4, and around (S1).
    std::vector<Target> round(const std::vector<Target>& ranked);

    [[nodiscard]] bool is_waiting() const { return timers_.is_armed(Timer::wait); }
    [[nodiscard]] Instant until() const { return timers_.at(Timer::wait); }
    [[nodiscard]] Deadline next_deadline() const { return {timers_.next(), "back-off (S1)"}; }
    [[nodiscard]] std::uint32_t failures() const { return failures_; }

private:
    enum class Timer : std::uint8_t { wait, probe_round, register_round, count };
    [[nodiscard]] bool outage_is_young(Instant now) const;
    [[nodiscard]] bool registers_probe(Instant now, bool options_answered) const;

    Settings settings_;
    Timers<Timer> timers_;
    std::uint32_t failures_ = 0;
    std::set<Target> unreachable_;
    std::set<Target> last_probe_failed_;  // outlives a wait
    std::optional<Target> ended_by_;
    bool refused_ = false;       // by that one
    bool only_options_ = false;  // that one answers probes, and its REGISTER got no final answer
    Instant only_options_since_{};
    bool round_ = false;  // the search that has just failed was a REGISTER as a probe
    bool ended_early_ = false;
    Instant outage_began_ = never;
    Instant not_before_{};
    std::size_t probe_rounds_ = 0;
};

}  // namespace holdfast::registration
