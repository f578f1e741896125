// What an account's registration is told, what it asks for in return, and what it may look at. The
// engine stands above: it owns flows, transactions, DNS questions and probes, and shares them
// between accounts.
//
//   told::X  ── handle(now, told, context) ──►  act::Y
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/dns.h"
#include "base/event.h"
#include "base/flow_error.h"
#include "base/ids.h"
#include "base/outbox.h"
#include "base/random.h"
#include "base/redacted.h"
#include "base/time.h"
#include "flow/flow.h"
#include "location/candidate_pool.h"
#include "location/health.h"
#include "sip/message.h"

namespace holdfast::registration {

using AttemptId =
    Id<struct AttemptTag>;  // one request of ours and its answer; unique in an account

namespace act {

// One DNS question, answered by told::Dns with the same question. Accounts that ask the same share
// the answer.
struct Ask {
    dns::Question question;
};
// A flow to the target (an open one is shared), answered by told::FlowOpen, perhaps at once, or
// told::FlowFailed. From then on this account uses the flow, until act::Release or told::FlowLost.
struct Open {
    Target target;
    std::string tls_name;  // the configured host (RFC 5922), "" unless TLS
};
struct Release {
    FlowId flow;
};
// A non-INVITE client transaction (RFC 3261 §17.1.2). Answered by told::Response for each response
// and, if no final one came, by told::Timeout (Timer F) or told::SendFailed.
struct Send {
    AttemptId attempt;
    FlowId flow;
    sip::Method method = sip::Method::register_;
    std::string branch;
    std::string wire;
    std::string call_id;  // of the wire, as is the next: an answer has both (RFC 3261 §8.2.6.2)
    std::uint32_t cseq = 0;
};
// No more retransmissions; a late answer is still told.
struct Abandon {
    AttemptId attempt;
};
// F9: one OPTIONS, at most one per target in 4 s (a second asker gets the first one's answer) and
// 10 per second in all (further ones wait their turn). Answered by told::Probed.
struct Probe {
    Target target;
    std::string tls_name;
};
// Keep-alive runs on a flow while at least one account wants it (K1).
struct KeepAlive {
    FlowId flow;
    bool on = true;
    Duration binding_expires{};  // E, for K1's "every min(E/2, 120 s)"
};
// N4: what this STUN server sees of our shared SIP port. Answered by told::StunAnswered within 2 s.
struct AskStun {
    Target server;  // UDP
};
struct Store {  // key is within the account: the engine puts the account's AOR before it
    std::string key;
    std::string value;
};
struct Unregistered {};  // after told::ShutDown: nothing left to do
// A direct account: nobody can be reached there, or any more. Who has been answered, and goes
// another way since, goes on.
struct EndCalls {
    int status = 503;  // of a call that nobody has answered
    std::string words;
    std::optional<Target> lost{};  // whose flow was lost, for good
    std::vector<CallRef> only{};   // if it concerns not all of them
};

}  // namespace act

using Action =
    std::variant<act::Ask, act::Open, act::Release, act::Send, act::Abandon, act::Probe,
                 act::KeepAlive, act::AskStun, act::Store, act::Unregistered, act::EndCalls, Event>;
using Actions = std::vector<Action>;

enum class ProbeResult : std::uint8_t { alive, busy, silent, failed };

namespace told {

struct Time {};
struct Start {};
struct Dns {
    dns::Question question;
    dns::Answer answer;
};
struct FlowOpen {
    FlowId flow;
    Target target;
};
struct FlowFailed {  // an act::Open that failed
    Target target;
    FlowError error = FlowError::refused;
    std::string detail;
};
// A flow in use is gone, or (UDP) ICMP came for a datagram on it while `flow` stays usable.
struct FlowLost {
    FlowId flow;
    Target target;
    FlowError error = FlowError::closed_by_peer;
    std::string detail;
    bool usable = false;
    bool shared = false;  // S2: other accounts use the flow, and are told the same now
};
struct Response {
    AttemptId attempt;
    FlowId flow;
    const sip::Message* message = nullptr;  // never null; valid during the call
    bool repeated = false;  // the request went out more than once (RFC 3261 §17.1.2.2, Timer E)
};
struct Timeout {
    AttemptId attempt;
};
struct SendFailed {
    AttemptId attempt;
    FlowError error = FlowError::reset;
    std::string detail;
};
struct Probed {
    Target target;
    ProbeResult result = ProbeResult::silent;
    std::optional<Duration> rtt;
    int status = 0;
};
struct Suspect {  // F6: a missed keep-alive answer (K2), or a timed-out transaction of somebody
                  // else on this flow
    FlowId flow;
    std::string reason;
    bool shared = false;  // S2: other accounts use the flow, and are told the same now
};
struct HoldOnly {  // K1: the target never answers this kind; a REGISTER is the proof now
    FlowId flow;
};
struct MappingChanged {  // K3, N2: of this flow; flow::Flow has the new one
    FlowId flow;
    bool is_first = false;  // it had none: no change that anybody is told of
};
struct Alive {  // anything was heard from the target (settles debts, ends penalties)
    Target target;
};
struct Network {  // K5
    std::vector<IpAddress> addresses;
    bool woke = false;
};
struct RegisterNow {};
struct PasswordChanged {
    Redacted<std::string> password;
};
struct Returned {  // R1: our own OPTIONS came back to us
    std::string call_id;
    FlowId flow;
    bool ours_by_from = false;  // not the Call-ID but the From was ours (behind a B2BUA)
};
struct StunAnswered {  // an act::AskStun's end
    Target server{};
    std::optional<Endpoint> mapping{};  // nothing: problem says why
    Endpoint local{};                   // the port that was seen
    std::string problem{};
};
struct CheckSync {};  // NOTIFY check-sync: refresh
// A direct account's first INVITE of a call, over this flow: it is on its way and nobody has
// answered; or somebody has, or nobody waits for it any more.
struct CallWaits {
    FlowId flow{};  // only while it is unheard
    CallRef call;
    bool unheard = true;
};
struct CallUnavailable {  // it was answered with 503, and goes another way (View::has_another_way)
    FlowId flow;
    CallRef call;
};
struct ShutDown {};

}  // namespace told

using Told =
    std::variant<told::Time, told::Start, told::Dns, told::FlowOpen, told::FlowFailed,
                 told::FlowLost, told::Response, told::Timeout, told::SendFailed, told::Probed,
                 told::Suspect, told::HoldOnly, told::MappingChanged, told::Alive, told::Network,
                 told::RegisterNow, told::PasswordChanged, told::Returned, told::StunAnswered,
                 told::CheckSync, told::CallWaits, told::CallUnavailable, told::ShutDown>;

// What the machine may look at and use during a call; all owned by the engine.
struct Context {
    AccountId account;
    Instant now;
    std::int64_t wall_clock = 0;  // seconds since 1970, for what is stored with an end
    Random& random;
    location::Health& health;             // F7, shared by accounts
    location::CandidatePool& candidates;  // what DNS said, shared by accounts
    const flow::Table& flows;
    std::span<const IpAddress> addresses;  // the host's usable source addresses
    Actions& actions;
    template <class T>
    void act(T&& action) const {
        actions.emplace_back(std::forward<T>(action));
    }
};

struct BindingView {
    int reg_id = 1;
    bool registered = false;
    bool primary = false;  // L8: requests of the account go over its flow
    FlowId flow{};
    std::optional<Target> target{};
    std::optional<Endpoint> mapping{};
    std::string contact{};         // URI
    std::string public_gruu{};     // RFC 5627, "" : none
    std::string temporary_gruu{};  // the same
    Instant expires{};
    Instant refresh_at{};
};

// A REGISTER that is on the wire, has no final answer and was not abandoned (I4).
struct OutstandingView {
    int reg_id = 1;
    FlowId flow{};
    Target target{};
    Instant sent{};
    bool settles = false;  // it asks or tidies up at a server that was left (B7)
};

// What the engine asks about an account, without changing it.
struct View {
    bool registered = false;
    bool proven = false;
    std::string state{};  // in words
    std::vector<BindingView> bindings{};
    std::vector<OutstandingView> outstanding{};
    std::vector<Target> targets{};  // in rank order
    std::vector<std::string>
        service_route{};  // of the primary flow's last 200 (RFC 3608), name-addr texts
    std::vector<std::string> tokens{};  // §11 (c): our Contact tokens
    bool has_another_way = false;       // of a direct account: somebody was not tried yet
};

}  // namespace holdfast::registration
