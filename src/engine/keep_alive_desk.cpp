#include "engine/keep_alive_desk.h"

#include <algorithm>
#include <utility>

#include "base/broken_rule.h"
#include "engine/flow_desk.h"
#include "engine/limits.h"

namespace holdfast::engine {

namespace told = registration::told;
using flow::KeepAliveKind;
using flow::KeepAliveSettings;

namespace {

KeepAliveKind kind_of(registration::KeepAliveKind kind) {
    switch (kind) {
    case registration::KeepAliveKind::automatic: return KeepAliveKind::automatic;
    case registration::KeepAliveKind::options: return KeepAliveKind::options;
    case registration::KeepAliveKind::stun: return KeepAliveKind::stun;
    case registration::KeepAliveKind::crlf: return KeepAliveKind::crlf;
    case registration::KeepAliveKind::none: return KeepAliveKind::none;
    }
    return KeepAliveKind::automatic;
}

constexpr int pongs_missed_most = 2;

// How much a kind proves: what expects an answer is stricter than what expects none.
int proof_of(KeepAliveKind kind) {
    switch (kind) {
    case KeepAliveKind::none: return 0;
    case KeepAliveKind::crlf: return 1;
    case KeepAliveKind::stun: return 2;
    case KeepAliveKind::automatic: return 3;
    case KeepAliveKind::options: return 4;
    }
    return 0;
}

}  // namespace

KeepAliveSettings keep_alive_settings(const registration::Policy& policy) {
    return {.kind = kind_of(policy.keepalive),
            .udp_min = policy.keepalive_min,
            .udp_max = policy.keepalive_max,
            .stream_min = policy.stream_keepalive_min,
            .stream_max = policy.stream_keepalive_max,
            .demand_pong = policy.keepalive != registration::KeepAliveKind::crlf};
}

KeepAliveSettings strictest(const KeepAliveSettings& a, const KeepAliveSettings& b) {
    return {.kind = proof_of(b.kind) > proof_of(a.kind) ? b.kind : a.kind,
            .udp_min = std::min(a.udp_min, b.udp_min),
            .udp_max = std::min(a.udp_max, b.udp_max),
            .stream_min = std::min(a.stream_min, b.stream_min),
            .stream_max = std::min(a.stream_max, b.stream_max),
            .demand_pong = a.demand_pong || b.demand_pong};
}

KeepAliveDesk::SettingsKey KeepAliveDesk::key_of(const KeepAliveSettings& s) {
    return {s.kind, s.udp_min, s.udp_max, s.stream_min, s.stream_max, s.demand_pong};
}

void KeepAliveDesk::want(const Step& step, AccountId account, FlowId flow, Wish wish) {
    const auto* const known = step.flows.find(flow);
    if (known == nullptr || !known->is_open()) return;
    Kept& kept = kept_[flow];
    drop(kept, account);
    ++kept.settings[key_of(wish.settings)];
    kept.wishes.emplace(account, std::move(wish));
    apply(step, flow, kept);
}

bool KeepAliveDesk::drop(Kept& kept, AccountId account) {
    const auto found = kept.wishes.find(account);
    if (found == kept.wishes.end()) return false;
    const auto settings = kept.settings.find(key_of(found->second.settings));
    if (--settings->second == 0) kept.settings.erase(settings);
    kept.wishes.erase(found);
    return true;
}

void KeepAliveDesk::unwant(const Step& step, AccountId account, FlowId flow) {
    const auto found = kept_.find(flow);
    if (found != kept_.end() && drop(found->second, account)) apply(step, flow, found->second);
    if (found != kept_.end() && found->second.wishes.empty()) kept_.erase(found);
}

void KeepAliveDesk::forget(const Step& step, AccountId account) {
    std::vector<FlowId> flows;
    for (const auto& [flow, kept] : kept_)
        if (kept.wishes.contains(account)) flows.push_back(flow);
    for (const FlowId flow : flows) unwant(step, account, flow);
}

void KeepAliveDesk::apply(const Step& step, FlowId id, Kept& kept) {
    auto* const flow = step.flows.find(id);
    if (flow == nullptr) return;
    if (kept.settings.empty() || is_broken(BrokenRule::keep_alive)) {
        flow->keep_alive.stop();
        agenda_.remove(id);
        return;
    }
    std::optional<KeepAliveSettings> merged;
    for (const auto& [key, users] : kept.settings) {
        const auto& [kind, udp_min, udp_max, stream_min, stream_max, demand_pong] = key;
        const KeepAliveSettings one{kind, udp_min, udp_max, stream_min, stream_max, demand_pong};
        merged = merged ? strictest(*merged, one) : one;
    }
    // Deviates: RFC 5626 §4.4.1. A server that agrees to outbound and never pongs would cost us the
    // flow every time: after two losses OPTIONS does the proving there.
    const auto missed = pongs_missed_.find(flow->target);
    if (missed != pongs_missed_.end() && missed->second >= pongs_missed_most)
        merged->demand_pong = false;
    flow->keep_alive.set(*merged);
    flow->keep_alive.start(step.now, step.random);
    watch(*flow);
}

void KeepAliveDesk::watch(const flow::Flow& flow) {
    agenda_.put(flow.id, flow.keep_alive.next_deadline());
}

void KeepAliveDesk::send_ping(const Step& step, flow::Flow& flow, Kept& kept) {
    switch (flow.keep_alive.ping()) {
    case flow::Ping::none: return;
    case flow::Ping::options:
        // A repetition is the same request (RFC 3261 §17.1.2.2): a new branch would hide one lost
        // packet.
        if (!flow.keep_alive.is_repetition()) {
            auto ping = new_ping(*kept.wishes.begin()->second.identity, flow, step.random, true);
            kept.branch = std::move(ping.branch);
            kept.last = std::move(ping.wire);
        }
        break;
    case flow::Ping::stun:
        if (!flow.keep_alive.is_repetition()) {
            kept.stun = flow::new_stun_transaction(step.random);
            kept.last = flow::encode_binding_request(kept.stun);
        }
        break;
    case flow::Ping::double_crlf:
    case flow::Ping::crlf_hold: kept.last = "\r\n\r\n"; break;
    }
    step.flows.send(step, flow.id, kept.last);
}

bool KeepAliveDesk::on_response(const Step& step, flow::Flow& flow, const sip::Message& response) {
    const auto found = kept_.find(flow.id);
    if (found == kept_.end() || response.method() != sip::Method::options) return false;
    if (found->second.branch.empty() || response.top_via().branch != found->second.branch)
        return false;
    const auto rtt = flow.keep_alive.answered(step.now, flow::Ping::options);
    if (rtt) flow.rtt.add(*rtt);
    step.health.on_answer(flow.target, step.now, rtt);
    watch(flow);
    return true;
}

void KeepAliveDesk::on_options_answered(const Step& step, flow::Flow& flow) {
    (void)flow.keep_alive.answered(step.now,
                                   flow::Ping::options);  // not our ping: its time says nothing
    watch(flow);
}

flow::Learned KeepAliveDesk::on_stun(const Step& step, flow::Flow& flow,
                                     std::string_view datagram) {
    const auto found = kept_.find(flow.id);
    const auto message = flow::decode_stun(datagram);
    if (found == kept_.end() || !message || !message->answers(found->second.stun))
        return flow::Learned::none;
    const auto rtt = flow.keep_alive.answered(step.now, flow::Ping::stun);
    if (rtt) flow.rtt.add(*rtt);
    step.health.on_answer(flow.target, step.now, rtt);
    watch(flow);
    const auto mapped = message->mapping();
    if (!mapped) return flow::Learned::none;
    const Endpoint& server = flow.target.endpoint;
    return flow.mapping.learn_stun(step.now, *mapped, server, server);
}

void KeepAliveDesk::on_pong(const Step& step, flow::Flow& flow) {
    pongs_missed_.erase(flow.target);
    const auto rtt = flow.keep_alive.answered(step.now, flow::Ping::double_crlf);
    if (rtt) flow.rtt.add(*rtt);
    watch(flow);
}

void KeepAliveDesk::on_heard(flow::Flow& flow, Instant now) {
    flow.heard(now);
    watch(flow);
}

void KeepAliveDesk::on_agreement(const Step& step, flow::Flow& flow,
                                 const flow::Agreement& agreement) {
    flow.keep_alive.agree(step.now, agreement, step.random);
    watch(flow);
}

void KeepAliveDesk::on_mapping(const Step& step, flow::Flow& flow) {
    const auto found = kept_.find(flow.id);
    if (found == kept_.end()) return;
    const bool unstable = flow.mapping.is_unstable(step.now);
    if (std::exchange(found->second.shortened, unstable) == unstable) return;
    flow.keep_alive.force_interval(
        step.now, unstable ? std::optional(flow::unstable_interval) : std::nullopt, step.random);
    watch(flow);
}

void KeepAliveDesk::verify_all(const Step& step) {
    for (const auto& [id, kept] : kept_) {
        auto* const flow = step.flows.find(id);
        if (flow == nullptr || !flow->is_open()) continue;
        flow->keep_alive.verify_now(step.now, step.random);
        watch(*flow);
    }
}

void KeepAliveDesk::on_flow_ended(FlowId flow) {
    kept_.erase(flow);
    agenda_.remove(flow);
}

std::vector<FlowId> KeepAliveDesk::on_time(const Step& step) {
    std::vector<FlowId> lost;
    for (const FlowId id : agenda_.take_due(step.now)) {
        auto* const flow = step.flows.find(id);
        const auto found = kept_.find(id);
        if (flow == nullptr || found == kept_.end()) continue;
        switch (flow->keep_alive.on_time(step.now, step.random)) {
        case flow::KeepAliveOutcome::quiet: break;
        case flow::KeepAliveOutcome::send: send_ping(step, *flow, found->second); break;
        case flow::KeepAliveOutcome::suspect:
            for (const AccountId account : step.flows.users(id))
                step.tell(account, told::Suspect{.flow = id,
                                                 .reason = "no answer to the keep-alive",
                                                 .shared = step.flows.users(id).size() > 1});
            break;
        case flow::KeepAliveOutcome::lost:
            if (!flow->facts().pong_seen && pongs_missed_.size() < limits::targets_heard)
                ++pongs_missed_[flow->target];
            lost.push_back(id);
            continue;
        case flow::KeepAliveOutcome::hold_only:
            for (const auto& [account, wish] : found->second.wishes)
                step.tell(account, told::HoldOnly{id});
            break;
        }
        watch(*flow);
    }
    return lost;
}

}  // namespace holdfast::engine
