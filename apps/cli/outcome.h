// What the command would end with now: the engine's events and what the world answered, condensed
// to an exit code.
#pragma once

#include <set>

#include "apps/cli/exit_code.h"
#include "base/event.h"
#include "engine/input.h"

namespace holdfast::cli {

// Of an event `unregistered` on exit: whether the server has said so too.
bool is_confirmed(const Event& unregistered);

class Outcome {
public:
    // Each step's input first, then the events that it led to.
    void on_input(const Input& input);
    void on_event(const Event& event);
    void leaving() { leaving_ = true; }              // we have begun to unregister
    void stopped_by_password() { decided_ = true; }  // the engine will not try again

    [[nodiscard]] bool decided() const { return decided_; }  // --once: registered, or failed
    [[nodiscard]] bool registered() const { return !bindings_.empty(); }
    [[nodiscard]] ExitCode code() const;

private:
    void failed(ExitCode code);
    void resolved(const Event& event);

    ExitCode code_ = ExitCode::undecided;
    std::set<int> bindings_;  // reg-ids
    bool decided_ = false;
    bool leaving_ = false;
    bool unconfirmed_ = false;         // an un-REGISTER without an answer
    bool dns_failed_ = false;          // since the last `resolved`
    bool certificate_failed_ = false;  // since the last registration
};

}  // namespace holdfast::cli
