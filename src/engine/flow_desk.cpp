#include "engine/flow_desk.h"

#include <algorithm>
#include <utility>

#include "engine/limits.h"

namespace holdfast::engine {

namespace told = registration::told;

FlowId FlowDesk::begin(const Step& step, const Target& target, std::string_view tls_name,
                       const flow::KeepAliveSettings& settings, bool spare_port) {
    const flow::Flow& opening = table_.open(target, tls_name, settings, spare_port);
    Entry& entry = entries_[opening.id];
    if (is_reliable(target.transport)) entry.framer.emplace();
    step.outbox.push(out::OpenFlow{opening.id, target, std::string(tls_name), spare_port});
    return opening.id;
}

void FlowDesk::join(Entry& entry, FlowId flow, AccountId account) {
    if (account == the_engine) {
        entry.engine_uses = true;
    } else {
        entry.users.insert(account);
    }
    trust(entry);
    unused_.remove(flow);
}

// Whoever opens it as a target trusts it (§11), even if it was only there to answer.
void FlowDesk::trust(Entry& entry) {
    entry.to_answer = false;
    forget_stray(entry);
}

// It is used now: of those that could be given up it is the last.
void FlowDesk::note_stray(FlowId flow, Entry& entry) {
    forget_stray(entry);
    if (!entry.to_answer || entry.holds != 0) return;
    entry.stray_place = ++last_stray_;
    strays_.emplace(entry.stray_place, flow);
}

void FlowDesk::forget_stray(Entry& entry) {
    if (const auto place = std::exchange(entry.stray_place, 0); place != 0) strays_.erase(place);
}

std::optional<FlowId> FlowDesk::open(const Step& step, AccountId account, const Target& target,
                                     std::string_view tls_name,
                                     const flow::KeepAliveSettings& settings) {
    const flow::Flow* const shared = table_.find(target, tls_name);
    const FlowId id = shared != nullptr ? shared->id : begin(step, target, tls_name, settings);
    Entry& entry = entries_.at(id);
    if (shared != nullptr && shared->is_open()) {
        join(entry, id, account);
        return id;
    }
    trust(entry);
    entry.waiting.insert(account);
    unused_.remove(id);
    return std::nullopt;
}

FlowId FlowDesk::open_to_hold(const Step& step, const Target& target) {
    const flow::Flow* const shared = table_.find(target, {});
    const FlowId id = shared != nullptr ? shared->id : begin(step, target, {}, {});
    trust(entries_.at(id));
    return id;
}

std::optional<FlowId> FlowDesk::open_to_answer(const Step& step, const Endpoint& remote) {
    if (const auto* const known = table_.find_remote(Transport::udp, remote);
        known != nullptr && known->is_alive())
        return known->id;
    if (strays_.size() >= limits::stray_flows) return std::nullopt;
    const FlowId id = begin(step, {Transport::udp, remote}, "", {});
    Entry& entry = entries_.at(id);
    entry.to_answer = true;
    note_stray(id, entry);
    watch(step.now, id, entry);
    return id;
}

std::optional<FlowId> FlowDesk::stray_to_give_up() const {
    if (strays_.size() < limits::stray_flows) return std::nullopt;
    for (const auto& [place, flow] : strays_)
        if (const auto* const known = table_.find(flow); known != nullptr && known->is_open())
            return flow;
    return std::nullopt;
}

FlowId FlowDesk::open_spare(const Step& step, const Target& target) {
    const FlowId id = begin(step, target, "", {}, true);
    entries_.at(id).engine_uses = true;
    return id;
}

void FlowDesk::watch(Instant now, FlowId flow, const Entry& entry) {
    if (entry.is_unused()) unused_.put(flow, {now + limits::unused_flow, "an unused flow (L8)"});
}

void FlowDesk::release(Instant now, FlowId flow, AccountId account) {
    const auto found = entries_.find(flow);
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    entry.waiting.erase(account);
    if (account == the_engine) entry.engine_uses = false;
    if (entry.users.erase(account) != 0)
        entry.former.insert_or_assign(account, now + limits::unused_flow);
    watch(now, flow, entry);
}

void FlowDesk::hold(FlowId flow) {
    const auto found = entries_.find(flow);
    if (found == entries_.end()) return;
    ++found->second.holds;
    forget_stray(found->second);
    unused_.remove(flow);
}

void FlowDesk::let_go(Instant now, FlowId flow) {
    const auto found = entries_.find(flow);
    if (found == entries_.end() || found->second.holds == 0) return;
    --found->second.holds;
    if (const auto* const known = table_.find(flow); known != nullptr && known->is_alive())
        note_stray(flow, found->second);
    watch(now, flow, found->second);
}

void FlowDesk::join_as_former(FlowId flow, AccountId account) {
    const auto found = entries_.find(flow);
    if (found == entries_.end() || found->second.users.contains(account)) return;
    found->second.former.try_emplace(account, Instant::min());
}

void FlowDesk::send(const Step& step, FlowId flow, std::string bytes) {
    touch(step.now, flow);
    step.outbox.push(out::Send{flow, std::move(bytes)});
}

void FlowDesk::touch(Instant now, FlowId flow) {
    const auto found = entries_.find(flow);
    if (found == entries_.end()) return;
    if (found->second.stray_place != 0) note_stray(flow, found->second);
    watch(now, flow, found->second);
}

void FlowDesk::close(const Step& step, FlowId flow, FlowError why) {
    auto* const known = table_.find(flow);
    if (known == nullptr || !known->is_alive()) return;
    known->ended(flow::FlowState::closed, why);
    unused_.remove(flow);
    ended_.insert(flow);
    forget_stray(entries_.at(flow));
    step.outbox.push(out::CloseFlow{flow});
}

flow::Flow* FlowDesk::on_opened(const Step& step, FlowId flow, const Endpoint& local,
                                std::string_view verified_name) {
    auto* const opened = table_.find(flow);
    if (opened == nullptr || opened->state != flow::FlowState::opening) return nullptr;
    opened->opened(step.now, local, verified_name);
    Entry& entry = entries_.at(flow);
    for (const AccountId account : std::exchange(entry.waiting, {})) {
        join(entry, flow, account);
        if (account != the_engine) step.tell(account, told::FlowOpen{flow, opened->target});
    }
    watch(step.now, flow, entry);
    return opened;
}

bool FlowDesk::on_failed(const Step& step, const FlowTrouble& trouble) {
    auto* const failed = table_.find(trouble.flow);
    if (failed == nullptr || failed->state != flow::FlowState::opening) return false;
    failed->ended(flow::FlowState::failed, trouble.error);
    ended_.insert(trouble.flow);
    unused_.remove(trouble.flow);
    forget_stray(entries_.at(trouble.flow));
    for (const AccountId account : std::exchange(entries_.at(trouble.flow).waiting, {}))
        if (account != the_engine)
            step.tell(account, told::FlowFailed{failed->target, trouble.error, trouble.detail});
    return true;
}

bool FlowDesk::on_closed(const FlowTrouble& trouble) {
    auto* const closed = table_.find(trouble.flow);
    if (closed == nullptr || !closed->is_alive()) return false;
    closed->ended(flow::FlowState::closed, trouble.error);
    ended_.insert(trouble.flow);
    unused_.remove(trouble.flow);
    forget_stray(entries_.at(trouble.flow));
    return true;
}

void FlowDesk::on_time(const Step& step) {
    for (const FlowId flow : unused_.take_due(step.now))
        close(step, flow, FlowError::closed_by_peer);
}

void FlowDesk::sweep() {
    for (const FlowId flow : std::exchange(ended_, {})) {
        entries_.erase(flow);
        table_.erase(flow);
    }
}

void FlowDesk::forget(Instant now, AccountId account) {
    for (auto& [flow, entry] : entries_) {
        const bool had_part = entry.users.erase(account) + entry.waiting.erase(account) +
                                  entry.former.erase(account) !=
                              0;
        if (had_part) watch(now, flow, entry);
    }
}

void FlowDesk::close_all(const Step& step) {
    for (const auto& flow : table_.all())
        if (flow.is_alive()) step.outbox.push(out::CloseFlow{flow.id});
}

const std::set<AccountId>& FlowDesk::users(FlowId flow) const {
    static const std::set<AccountId> nobody;
    const auto found = entries_.find(flow);
    return found == entries_.end() ? nobody : found->second.users;
}

bool FlowDesk::uses_or_used(FlowId flow, AccountId account) const {
    const auto found = entries_.find(flow);
    if (found == entries_.end()) return false;
    return found->second.users.contains(account) || found->second.former.contains(account);
}

bool FlowDesk::trusts(Instant now, FlowId flow, AccountId account,
                      std::span<const IpAddress> known) const {
    const auto found = entries_.find(flow);
    if (found == entries_.end()) return false;
    if (found->second.users.contains(account)) return true;
    const auto former = found->second.former.find(account);
    if (former == found->second.former.end()) return false;
    const auto* const left = table_.find(flow);
    return now < former->second ||
           (left != nullptr &&
            std::ranges::find(known, left->target.endpoint.address) != known.end());
}

bool FlowDesk::is_ours(FlowId flow) const {
    const auto found = entries_.find(flow);
    return found != entries_.end() && !found->second.to_answer;
}

bool FlowDesk::is_stray(FlowId flow) const {
    const auto found = entries_.find(flow);
    return found != entries_.end() && found->second.to_answer;
}

sip::StreamFramer* FlowDesk::framer(FlowId flow) {
    const auto found = entries_.find(flow);
    if (found == entries_.end() || !found->second.framer) return nullptr;
    return &*found->second.framer;
}

}  // namespace holdfast::engine
