#include "runtime/fleet_tally.h"

#include <algorithm>
#include <utility>

#include "base/flow_error.h"

namespace holdfast::runtime {

namespace {

constexpr std::size_t empty_targets_above = 100;  // fewer are kept, with 0 accounts

std::size_t slot_of(const Event& event) { return event.reg_id == 2 ? 1 : 0; }

std::size_t index_of(FailureClass failure) { return static_cast<std::size_t>(failure); }
std::size_t index_of(ProbeClass probe) { return static_cast<std::size_t>(probe); }

FailureClass class_of(FlowError error) {
    switch (error) {
    case FlowError::refused: return FailureClass::refused;
    case FlowError::reset:
    case FlowError::closed_by_peer: return FailureClass::reset;
    case FlowError::timed_out: return FailureClass::silent;
    case FlowError::port_unreachable:
    case FlowError::prohibited: return FailureClass::icmp;
    case FlowError::network_unreachable:
    case FlowError::local_address_gone: return FailureClass::network;
    case FlowError::tls:
    case FlowError::certificate: return FailureClass::tls;
    case FlowError::answer_past_limit: return FailureClass::other;
    }
    return FailureClass::other;
}

ProbeClass probe_class_of(std::string_view reason) {
    if (reason == "alive") return ProbeClass::alive;
    if (reason == "busy") return ProbeClass::busy;
    if (reason == "silent") return ProbeClass::silent;
    return ProbeClass::failed;
}

}  // namespace

std::string_view label_of(FailureClass failure) {
    switch (failure) {
    case FailureClass::silent: return "silent";
    case FailureClass::refused: return "refused";
    case FailureClass::reset: return "reset";
    case FailureClass::icmp: return "icmp";
    case FailureClass::network: return "network";
    case FailureClass::tls: return "tls";
    case FailureClass::redirect: return "3xx";
    case FailureClass::client: return "4xx";
    case FailureClass::server: return "5xx";
    case FailureClass::global: return "6xx";
    case FailureClass::other: return "other";
    }
    return "?";
}

std::string_view label_of(ProbeClass probe) {
    switch (probe) {
    case ProbeClass::alive: return "alive";
    case ProbeClass::busy: return "busy";
    case ProbeClass::silent: return "silent";
    case ProbeClass::failed: return "failed";
    }
    return "?";
}

// The event has words for a person; those of silence and of a flow's end are the engine's own. A
// transaction's end is told as 408 (RFC 3261 §8.1.3.1), and is silence none the less.
FailureClass class_of(const Event& event) {
    if (event.reason.starts_with("no answer")) return FailureClass::silent;
    switch (event.status / 100) {
    case 3: return FailureClass::redirect;
    case 4: return FailureClass::client;
    case 5: return FailureClass::server;
    case 6: return FailureClass::global;
    default: break;
    }
    constexpr std::array errors{FlowError::refused,
                                FlowError::reset,
                                FlowError::closed_by_peer,
                                FlowError::timed_out,
                                FlowError::tls,
                                FlowError::certificate,
                                FlowError::port_unreachable,
                                FlowError::prohibited,
                                FlowError::network_unreachable,
                                FlowError::local_address_gone,
                                FlowError::answer_past_limit};
    for (const auto error : errors)
        if (event.reason.find(name_of(error)) != std::string::npos) return class_of(error);
    return FailureClass::other;
}

void FleetTally::account_added(std::string_view aor) {
    if (accounts_.try_emplace(std::string(aor)).second) ++counts_.configured;
}

void FleetTally::account_removed(std::string_view aor) {
    const auto found = accounts_.find(aor);
    if (found == accounts_.end()) return;
    auto& account = found->second;
    add(account, std::uint64_t(-1));
    place(account, 0, nullptr);
    place(account, 1, nullptr);
    accounts_.erase(found);
    --counts_.configured;
}

void FleetTally::on_event(const Event& event, std::string_view aor) {
    const auto found = accounts_.find(aor);
    if (found == accounts_.end()) return count(event, nullptr);
    auto& account = found->second;
    count(event, &account);
    add(account, std::uint64_t(-1));
    change(account, event);
    add(account, 1);
}

// How this account stands, into the sums or out of them (sign -1 wraps, and wraps back).
void FleetTally::add(const Account& account, std::uint64_t sign) {
    if (account.any(&Slot::waiting)) counts_.waiting += sign;
    if (account.any(&Slot::refused)) counts_.refused += sign;
    if (!account.is_registered()) return;
    counts_.registered += sign;
    switch (account.reach) {
    case Reach::unknown: break;
    case Reach::reachable: counts_.reachable += sign; break;
    case Reach::unreachable: counts_.unreachable += sign; break;
    case Reach::unprovable: counts_.unprovable += sign; break;
    }
}

void FleetTally::count(const Event& event, const Account* account) {
    const auto succeeded = [&](std::uint64_t& counter) {
        ++counter;
        if (!event.rtt) return;
        const auto seconds = seconds_of(*event.rtt);
        const auto bucket = std::ranges::lower_bound(rtt_buckets, seconds) - rtt_buckets.begin();
        ++events_.rtt[static_cast<std::size_t>(bucket)];
        events_.rtt_seconds += seconds;
    };
    switch (event.kind) {
    case EventKind::resolved:
        ++events_.lookups;
        if (event.targets.empty()) ++events_.lookups_failed;
        return;
    case EventKind::attempt_failed: ++events_.failures[index_of(class_of(event))]; return;
    case EventKind::probed: ++events_.probes[index_of(probe_class_of(event.reason))]; return;
    case EventKind::registered: return succeeded(events_.registered);
    case EventKind::refreshed: return succeeded(events_.refreshed);
    case EventKind::moved:
        if (account != nullptr && account->slots[slot_of(event)].troubled) ++events_.failovers;
        return succeeded(events_.moved);
    case EventKind::mapping_changed: ++events_.mapping_changes; return;
    case EventKind::binding_removed: ++events_.bindings_removed; return;
    case EventKind::binding_debt: ++events_.binding_debts; return;
    case EventKind::auth_failed: ++events_.auth_failures; return;
    case EventKind::refused: ++events_.refusals; return;
    case EventKind::waiting: ++events_.searches_failed; return;
    case EventKind::unregistered: ++events_.unregistered; return;
    case EventKind::ring: ++events_.calls; return;
    case EventKind::flow_lost: ++events_.flows_lost; return;
    case EventKind::attempt:
    case EventKind::suspect:
    case EventKind::reachable:
    case EventKind::unreachable:
    case EventKind::unprovable:
    case EventKind::dialling:
    case EventKind::ringing:
    case EventKind::early_media:
    case EventKind::answered:
    case EventKind::held:
    case EventKind::resumed:
    case EventKind::transferring:
    case EventKind::transferred:
    case EventKind::transfer_failed:
    case EventKind::referred:
    case EventKind::replaced:
    case EventKind::sound:
    case EventKind::sound_failed:
    case EventKind::silent:
    case EventKind::heard:
    case EventKind::dtmf:
    case EventKind::digits_sent:
    case EventKind::digits_failed:
    case EventKind::played:
    case EventKind::recorded:
    case EventKind::measured:
    case EventKind::call_ended:
    case EventKind::notice:
    case EventKind::connected:
    case EventKind::not_connected:
    case EventKind::stopped: return;
    }
}

void FleetTally::change(Account& account, const Event& event) {
    const auto index = slot_of(event);
    auto& slot = account.slots[index];
    const auto gone = [&](std::size_t which) {
        place(account, which, nullptr);
        account.slots[which].troubled = false;
        if (!account.is_registered()) account.reach = Reach::unknown;
    };
    switch (event.kind) {
    case EventKind::registered:
    case EventKind::refreshed:
    case EventKind::moved:
        if (event.target) place(account, index, place_of(*event.target));
        slot.troubled = slot.waiting = slot.refused = false;
        return;
    case EventKind::unregistered: return gone(index);
    case EventKind::refused:
    case EventKind::auth_failed:
        slot.refused = true;
        slot.waiting = false;
        if (event.reg_id == 0) gone(index);  // a plain client's binding is over, and it says it so
        return;
    case EventKind::waiting:
        slot.waiting = true;
        if (event.reg_id == 0) gone(index);
        return;
    case EventKind::attempt:
    case EventKind::attempt_failed:
    case EventKind::suspect:
    case EventKind::flow_lost:
        // A move after this is a failover; one without is a failback, or a drain (L4, L7).
        if (slot.at != nullptr && event.target == slot.at->first) slot.troubled = true;
        return;
    case EventKind::reachable: account.reach = Reach::reachable; return;
    case EventKind::unreachable: account.reach = Reach::unreachable; return;
    case EventKind::unprovable: account.reach = Reach::unprovable; return;
    case EventKind::resolved:
    case EventKind::probed:
    case EventKind::mapping_changed:
    case EventKind::binding_removed:
    case EventKind::binding_debt:
    case EventKind::ring:
    case EventKind::dialling:
    case EventKind::ringing:
    case EventKind::early_media:
    case EventKind::answered:
    case EventKind::held:
    case EventKind::resumed:
    case EventKind::transferring:
    case EventKind::transferred:
    case EventKind::transfer_failed:
    case EventKind::referred:
    case EventKind::replaced:
    case EventKind::sound:
    case EventKind::sound_failed:
    case EventKind::silent:
    case EventKind::heard:
    case EventKind::dtmf:
    case EventKind::digits_sent:
    case EventKind::digits_failed:
    case EventKind::played:
    case EventKind::recorded:
    case EventKind::measured:
    case EventKind::call_ended:
    case EventKind::notice:
    case EventKind::connected:
    case EventKind::not_connected:
    case EventKind::stopped: return;
    }
}

// An account whose two flows lead to one target counts there once.
void FleetTally::place(Account& account, std::size_t slot, Place* to) {
    const auto* other = account.slots[1 - slot].at;
    auto*& at = account.slots[slot].at;
    if (at != nullptr && at != other) --at->second;
    at = to;
    if (at != nullptr && at != other) ++at->second;
}

FleetTally::Place* FleetTally::place_of(const Target& target) {
    const auto [found, is_new] = targets_.try_emplace(target, 0);
    if (is_new && targets_.size() > empty_targets_above)
        std::erase_if(targets_,
                      [&](const Place& place) { return place.second == 0 && &place != &*found; });
    return &*found;
}

}  // namespace holdfast::runtime
