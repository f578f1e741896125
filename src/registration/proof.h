// R1–R3: reachable is what was proven. An OPTIONS to our own AOR goes out through the current flow;
// only the copy that arrives here proves anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/random.h"
#include "base/time.h"
#include "base/timers.h"
#include "registration/machine.h"

namespace holdfast::registration {

class Proof {
public:
    explicit Proof(Duration interval) : interval_(interval) {}

    enum class Do : std::uint8_t {
        nothing,
        send,           // the OPTIONS, now; then sent()
        reachable,      // proven, and was not before
        unprovable,     // R2: never seen back, whatever the final answer
        refresh,        // R3: seen before, not now, twice in 10 s: one REGISTER that refreshes and
                        // fetches
        fresh_contact,  // R3: still not: one re-register with a fresh Contact
        unreachable,    // R3: still not: tell why
        other_device,   // R3: Contact listed and OPTIONS got 2xx: another device answered; not
                        // provable now
    };

    void start(Instant now);  // after a new registration, a move, or R3's REGISTER
    void stop() { timers_.stop_all(); }
    void sent(Instant now, std::string call_id);
    Do on_returned(Instant now, std::string_view call_id, bool ours_by_from, Random& random);
    void on_answer(std::string_view call_id, int status);  // the final answer to the OPTIONS
    Do on_time(Instant now, Random& random);
    // After R3's REGISTER: whether others share the AOR.
    void others_listed(bool others) { others_ = others; }

    [[nodiscard]] bool proven() const { return proven_; }
    [[nodiscard]] bool ever() const { return ever_; }
    [[nodiscard]] Deadline next_deadline() const { return {timers_.next(), "reachability (R1)"}; }
    [[nodiscard]] const std::string& call_id() const { return call_id_; }

private:
    enum class Timer : std::uint8_t { send, verdict, count };
    enum class Stage : std::uint8_t { usual, repeated, refreshed, fresh_contact };
    Do judge(Instant now, Random& random);
    void again_later(Instant now, Random& random);

    Duration interval_;
    Timers<Timer> timers_;
    Stage stage_ = Stage::usual;
    std::string call_id_;
    Instant sent_at_{};
    int status_ = 0;
    bool proven_ = false;
    bool ever_ = false;
    bool told_unprovable_ = false;
    bool others_ = false;
};

}  // namespace holdfast::registration
