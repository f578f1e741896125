// What a fleet's accounts did and how they stand, counted from their events. It has no I/O; the
// metrics (metrics.h) are its picture. Its size is bounded by the number of accounts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/address.h"
#include "base/event.h"
#include "base/time.h"

namespace holdfast::runtime {

// Upper ends of the round trips' buckets, in seconds; one more for what is longer.
constexpr std::array rtt_buckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                 0.25,  0.5,    1.0,   2.5,  5.0,   10.0, 32.0};

// Why a REGISTER did not succeed, as few classes as an alarm can name.
enum class FailureClass : std::uint8_t {
    silent,    // no answer in time
    refused,   // TCP's RST to our SYN
    reset,     // a connection that was there is gone
    icmp,      // port unreachable, prohibited
    network,   // our own: no route, no address
    tls,       // handshake or certificate
    redirect,  // 3xx
    client,    // 4xx
    server,    // 5xx
    global,    // 6xx
    other,
};
constexpr std::size_t failure_classes = 11;
std::string_view label_of(FailureClass failure);  // "silent", …, "3xx", …, "other"
FailureClass class_of(const Event& attempt_failed);

enum class ProbeClass : std::uint8_t { alive, busy, silent, failed };
constexpr std::size_t probe_classes = 4;
std::string_view label_of(ProbeClass probe);

struct AccountCounts {  // how the accounts stand now
    std::uint64_t configured = 0;
    std::uint64_t registered = 0;   // with one binding or more
    std::uint64_t reachable = 0;    // registered, and the last proof succeeded (R1)
    std::uint64_t unreachable = 0;  // registered, and it failed (R3)
    std::uint64_t unprovable = 0;   // registered, and nothing can be proven (R2)
    std::uint64_t waiting = 0;      // the last search found no server (S1)
    std::uint64_t refused = 0;      // a server has said no for good, or the password is wrong
};

struct EventCounts {                                         // since the start
    std::uint64_t registered = 0, refreshed = 0, moved = 0;  // successes
    std::uint64_t failovers = 0;  // of the moves: away from a server that did not serve
    std::array<std::uint64_t, failure_classes> failures{};
    std::array<std::uint64_t, probe_classes> probes{};
    std::uint64_t refusals = 0, auth_failures = 0, searches_failed = 0;
    std::uint64_t unregistered = 0, flows_lost = 0, mapping_changes = 0;
    std::uint64_t bindings_removed = 0, binding_debts = 0;
    std::uint64_t lookups = 0, lookups_failed = 0;
    std::uint64_t calls = 0;
    std::array<std::uint64_t, rtt_buckets.size() + 1> rtt{};  // not cumulative
    double rtt_seconds = 0;                                   // their sum
};

class FleetTally {
public:
    FleetTally() = default;
    FleetTally(const FleetTally&) = delete;
    FleetTally& operator=(const FleetTally&) = delete;
    ~FleetTally() = default;

    // An account is its AOR. Events of one that was not added, or is removed, count as events and
    // change no account.
    void account_added(std::string_view aor);
    void account_removed(std::string_view aor);
    void on_event(const Event& event, std::string_view aor);

    [[nodiscard]] const AccountCounts& accounts() const { return counts_; }
    [[nodiscard]] const EventCounts& events() const { return events_; }
    // Registered accounts at each target where there are or were any. One with two flows counts at
    // both targets, but once at one. Targets without accounts go first when there are too many.
    [[nodiscard]] const std::map<Target, std::uint64_t>& targets() const { return targets_; }

private:
    using Place = std::map<Target, std::uint64_t>::value_type;  // nodes stay where they are
    enum class Reach : std::uint8_t { unknown, reachable, unreachable, unprovable };
    struct Slot {  // one binding (RFC 5626's reg-id 1 or 2; a plain client's is 0)
        Place* at = nullptr;
        bool troubled = false;  // its server was asked or doubted since the last success
        bool waiting = false;
        bool refused = false;
    };
    struct Account {
        std::array<Slot, 2> slots{};
        Reach reach = Reach::unknown;
        [[nodiscard]] bool is_registered() const {
            return slots[0].at != nullptr || slots[1].at != nullptr;
        }
        [[nodiscard]] bool any(bool Slot::* flag) const { return slots[0].*flag || slots[1].*flag; }
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };

    void count(const Event& event, const Account* account);
    void change(Account& account, const Event& event);
    void place(Account& account, std::size_t slot, Place* to);
    Place* place_of(const Target& target);
    void add(const Account& account, std::uint64_t sign);

    std::unordered_map<std::string, Account, Hash, std::equal_to<>> accounts_;
    std::map<Target, std::uint64_t> targets_;
    AccountCounts counts_;
    EventCounts events_;
};

}  // namespace holdfast::runtime
