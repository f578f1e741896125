// The client of a direct account: it registers nothing. It finds where the account's calls go
// (AccountDetails::direct_to; RFC 3263 §4), opens a flow there and offers it as the account's
// current one (L8).
//
//   locating ──targets──► opening ──flow──► connected ──connection lost──► lost ──flow──► connected
//      │ none               │ all failed       │ ▲                          │ 5 times in vain
//      ▼                    ▼                  └─┘ INVITE unheard, refused  ▼
//     over ◄────────────────┘                   or 503: the next target    over: calls end
//
// While DNS has still to say something the last failure is not the end: it is `locating` again.
//
// Failover is RFC 3263 §4.3 with F3's patience instead of 32 s of silence, for the INVITE itself:
// strangers get no probe (F9). A silent target is left when another one is open, and may answer
// until then. What was left may ring late; the call sees to that (F1). Once
// somebody has answered, the call stays where it is, whatever becomes of the server that it does
// not need any more. Nothing is sent that no call asks for, but what holds a NAT's mapping (K1:
// CRLF, which expects nothing).
//
// One that calls nobody waits to be called: all that it does is waiting.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/timers.h"
#include "registration/account.h"
#include "registration/machine.h"
#include "registration/registration.h"
#include "registration/targets.h"
#include "registration/waiting.h"

namespace holdfast::registration {

class Direct {
public:
    // instance_id: as Registration has it; it only ranks (L2). shared: equal to config.policy.
    Direct(const AccountConfig& config, const std::string& instance_id, SharedPolicy shared);

    void handle(const Told& told, const Context& context);
    [[nodiscard]] Deadline next_deadline() const;
    [[nodiscard]] View view() const;
    // §11 (b): nobody. Whoever is called speaks in the dialog (d).
    [[nodiscard]] static std::vector<IpAddress> accepted(Instant /*now*/) { return {}; }
    [[nodiscard]] const std::string& configured_aor() const { return aor_; }
    [[nodiscard]] bool is_secure_only() const { return secure_; }
    [[nodiscard]] const Policy& policy() const { return *policy_; }
    [[nodiscard]] static const Credentials* credentials() { return nullptr; }
    [[nodiscard]] const std::string& domain() const { return domain_; }

private:
    // over: until it is asked again; left: for good.
    enum class Phase : std::uint8_t { idle, locating, opening, connected, lost, over, left };
    enum class Timer : std::uint8_t {
        patience,  // F3: nobody has answered an INVITE
        spacing,   // F4: the next connect begins beside the last one
        reopen,
        count
    };

    void on(const told::FlowOpen& opened, const Context& context);
    void on(const told::FlowFailed& failed, const Context& context);
    void on(const told::FlowLost& lost, const Context& context);
    void on(const told::CallWaits& call, const Context& context);
    void on(const told::CallUnavailable& call, const Context& context);
    void on_shut_down(const Context& context);
    void on_time(const Context& context);
    void start(const Context& context);
    void located(const Context& context);
    void look_on(const Context& context);
    bool go_on(const Context& context);
    bool open_next(const Context& context);
    void open(const Target& target, const Context& context);
    void leave(const Context& context);
    void move_on(int said, const std::string& words, std::vector<CallRef> calls,
                 const Context& context);
    void reopen_later(const std::string& words, const Context& context);
    void give_up(std::string words, const Context& context);
    static void tell_failure(const Target& target, int said, std::string sentence,
                             const Context& context);
    [[nodiscard]] std::optional<Target> untried() const;
    [[nodiscard]] bool is_over() const { return phase_ == Phase::over || phase_ == Phase::left; }
    [[nodiscard]] bool has_another_way() const {
        return !is_over() && (untried() || !opening_.empty() || targets_.is_looking_up());
    }

    std::optional<Waiting> waiting_;
    std::string aor_;
    std::string to_;
    std::string domain_;
    bool secure_ = false;
    SharedPolicy policy_;
    Targets targets_;
    Phase phase_ = Phase::idle;
    Timers<Timer> timers_;
    std::vector<Target> candidates_;  // in rank order, as of the last lookup
    std::vector<Target> tried_;
    std::set<Target> opening_;
    FlowId flow_;
    std::optional<Target> target_;  // of that flow, or the last one
    std::set<CallRef> unheard_;     // whose INVITEs are on their way over it
    bool looks_elsewhere_ = false;  // F3: for so long that others are tried beside it
    std::size_t reopened_ = 0;      // so often in vain
    std::string last_failure_;      // of those that were tried, in words
    std::string state_ = "not started";
};

}  // namespace holdfast::registration
