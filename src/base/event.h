// What the engine tells the world: one flat, documented record (docs/events.md) that feeds the
// command line, the JSON log, the phone and the tests alike. Fields that do not apply are empty.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/ids.h"
#include "base/time.h"

namespace holdfast {

enum class EventKind : std::uint8_t {
    resolved,        // targets in rank order are known, or are not (reason)
    attempt,         // a REGISTER goes to target
    attempt_failed,  // and did not succeed: status/reason
    probed,          // a probe's result (F9): reason "alive", "busy", "silent"
    registered,      // a binding exists where none did
    refreshed,
    moved,            // registered at another target than before; `from` is the old one
    mapping_changed,  // of one flow (N2)
    suspect,          // the target is doubted and verified (F6)
    reachable,        // proven (R1) by a request that arrived here
    unreachable,      // was proven before, is not now (R3)
    unprovable,       // "not provable here" (R2)
    binding_removed,  // an old one of ours, from the location service
    binding_debt,     // an old one that cannot be removed now (B7)
    auth_failed,
    refused,  // a final refusal that is retried slowly (F5)
    waiting,  // all targets failed; next try in `expires` (S1)
    unregistered,
    ring,         // an incoming call
    dialling,     // an INVITE of ours goes to contact; again after a redirection
    ringing,      // it rings there (180), is forwarded (181) or queued (182)
    early_media,  // something is to be heard before the answer
    answered,     // by either side: the call is there
    held,         // by us or by the other side: reason says whom
    resumed,
    transferring,     // a transfer of ours: the other side has accepted it, or says how it goes
    transferred,      // and has reached whom we named; our call ends
    transfer_failed,  // our call goes on
    referred,         // the other side asks us to call contact; the application dials, or does not
    replaced,         // `call` has come in the place of `other`; the application answers it
    sound,            // of a call begins: which codec, to or from where
    sound_failed,     // a device, codec, port, key or recording: the reason says what to do
    silent,           // nothing is heard although the other side may send
    heard,            // again, after `silent`
    dtmf,             // a digit from the other side, in reason (RFC 4733, INFO or in-band)
    digits_sent,      // ours, by INFO: all that were to be
    digits_failed,    // and those that were not, or of which that is not known: status, reason
    played,           // the file that we play has ended
    recorded,         // which file, how long
    measured,         // statistics of a call that has ended, in words
    call_ended,
    notice,  // anything else worth a sentence
    flow_lost,
    // A direct account: its calls go to target. One that waits for calls: it is called at contact.
    connected,
    not_connected,  // and reach nobody, or nobody any more: reason; no target: there is none
    stopped,        // the engine is done (after shut-down)
};
std::string_view name_of(EventKind kind);

struct EventTarget {  // one row of `resolved`
    Target target{};
    std::uint32_t priority = 0;
    std::uint32_t weight = 0;
    std::string host{};    // the name it came from
    std::string reason{};  // why it has this rank, in words
};

struct Event {
    EventKind kind = EventKind::notice;
    AccountId account{};
    CallRef call{};   // of an account that takes calls
    CallRef other{};  // `replaced`: the call whose place it takes
    std::optional<Target> target{};
    std::optional<Target> from{};
    std::optional<Endpoint> mapping{};
    std::string contact{};
    std::optional<Duration> expires{};
    std::optional<Duration> rtt{};
    int status = 0;        // SIP status code
    int reg_id = 0;        // which binding (RFC 5626), 1 or 2
    std::string reason{};  // in words, for a person
    std::vector<EventTarget> targets{};
    // `ring`: the URIs of those who sent the caller elsewhere, newest first, the first five; "": of
    // one it cannot be read (RFC 5806).
    std::vector<std::string> diverted_by{};
};

}  // namespace holdfast
