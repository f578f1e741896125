#include "engine/keep_alive_learn_desk.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "engine/flow_desk.h"
#include "engine/limits.h"
#include "flow/outbound.h"
#include "sip/message.h"

namespace holdfast::engine {

using flow::LearnStep;

namespace {

// "28.7 s": never more than was survived.
std::string in_seconds(Duration d) {
    const auto tenths = d / std::chrono::milliseconds(100);
    std::string text = std::to_string(tenths / 10);
    if (tenths % 10 != 0) text += "." + std::to_string(tenths % 10);
    return text + " s";
}

void tell(const Step& step, const Target& target, std::string reason) {
    Event event{.kind = EventKind::notice};  // of the device: no account's own
    event.target = target;
    event.reason = std::move(reason);
    step.outbox.push(std::move(event));
}

}  // namespace

flow::KeepAliveSettings with_interval(flow::KeepAliveSettings settings,
                                      std::optional<Duration> learned) {
    if (!learned) return settings;
    settings.udp_max = *learned;
    settings.udp_min = scaled(*learned, 0.8);
    return settings;
}

// "28750000 192.168.1.20 198.51.100.7": microseconds, our own address, the public one.
std::string KeepAliveLearnDesk::encode(const Learned& learned) {
    return std::to_string(learned.interval.count()) + " " + learned.own.to_string() + " " +
           learned.public_address.to_string();
}

std::optional<KeepAliveLearnDesk::Learned> KeepAliveLearnDesk::decode(std::string_view text) {
    const auto first = text.find(' ');
    const auto second = first == std::string_view::npos ? first : text.find(' ', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    const auto count = parse_number<std::uint32_t>(text.substr(0, first));
    const auto own = IpAddress::parse(text.substr(first + 1, second - first - 1));
    const auto seen = IpAddress::parse(text.substr(second + 1));
    if (!count || !own || !seen) return std::nullopt;
    const Duration interval{*count};
    if (interval < flow::learn_shortest || interval > flow::learn_longest) return std::nullopt;
    return Learned{interval, *own, *seen};
}

KeepAliveLearnDesk::Place& KeepAliveLearnDesk::place_of(Family family) {
    Place& place = places_[family];
    if (!std::exchange(place.restored, true))
        place.learned = decode(persistence_.learned_keep_alive(family));
    return place;
}

void KeepAliveLearnDesk::want(AccountId account, FlowId flow, PingIdentityPtr identity) {
    wanted_[flow].insert_or_assign(account, std::move(identity));
}

void KeepAliveLearnDesk::unwant(AccountId account, FlowId flow) {
    const auto found = wanted_.find(flow);
    if (found == wanted_.end()) return;
    found->second.erase(account);
    if (found->second.empty()) wanted_.erase(found);
}

void KeepAliveLearnDesk::forget(AccountId account) {
    for (auto& [flow, accounts] : wanted_) accounts.erase(account);
    std::erase_if(wanted_, [](const auto& entry) { return entry.second.empty(); });
}

std::optional<Duration> KeepAliveLearnDesk::interval(const flow::Flow& flow) const {
    const auto found = places_.find(flow.target.endpoint.address.family());
    const auto mapping = flow.mapping.mapping();
    if (found == places_.end() || !found->second.learned || !mapping) return std::nullopt;
    const Learned& learned = *found->second.learned;
    const bool same_nat =
        learned.own == flow.local.address && learned.public_address == mapping->address;
    return same_nat ? std::optional(learned.interval) : std::nullopt;
}

std::vector<std::pair<AccountId, FlowId>> KeepAliveLearnDesk::take_changed() {
    std::vector<std::pair<AccountId, FlowId>> all;
    if (!std::exchange(changed_, false)) return all;
    for (const auto& [flow, accounts] : wanted_)
        for (const auto& [account, identity] : accounts) all.emplace_back(account, flow);
    return all;
}

void KeepAliveLearnDesk::drop_learned(const Step& step, Family family, Place& place) {
    place.learned.reset();
    place.not_before = {};
    place.told.clear();
    changed_ = true;
    persistence_.store_learned_keep_alive(family, {}, step.outbox);
}

void KeepAliveLearnDesk::on_answer(const Step& step, const flow::Flow& flow) {
    const auto wanted = wanted_.find(flow.id);
    const auto mapping = flow.mapping.mapping();
    if (wanted == wanted_.end() || !mapping) return;
    const auto family = flow.target.endpoint.address.family();
    Place& place = place_of(family);
    if (place.learned && !interval(flow)) drop_learned(step, family, place);
    if (place.learned || place.trial) return;
    if (step.now < place.not_before && place.failed_at == flow.target) return;
    if (!flow.facts().options_answered && !flow.facts().stun_answered) return;
    begin(step, place, flow, wanted->second.begin()->second);
}

void KeepAliveLearnDesk::begin(const Step& step, Place& place, const flow::Flow& flow,
                               PingIdentityPtr identity) {
    Trial& trial = place.trial.emplace(Trial{.flow = {}, .identity = std::move(identity)});
    trial.target = flow.target;
    trial.with_stun = flow.facts().stun_answered;
    perform(step, flow.target.endpoint.address.family(), trial.machine.start());
}

KeepAliveLearnDesk::Trial* KeepAliveLearnDesk::trial_on(FlowId flow) {
    for (auto& [family, place] : places_)
        if (place.trial && place.trial->flow == flow) return &*place.trial;
    return nullptr;
}

void KeepAliveLearnDesk::on_flow_opened(const Step& step, const flow::Flow& flow) {
    auto* const trial = trial_on(flow.id);
    if (trial == nullptr) return;
    perform(step, trial->target.endpoint.address.family(),
            trial->machine.opened(step.now, flow.local));
}

void KeepAliveLearnDesk::on_datagram(const Step& step, flow::Flow& flow, std::string_view bytes) {
    auto* const trial = trial_on(flow.id);
    if (trial == nullptr) return;
    const Endpoint& server = flow.target.endpoint;
    auto learned = flow::Learned::none;
    if (flow::is_stun(bytes)) {
        const auto message = flow::decode_stun(bytes);
        if (!message || !trial->with_stun || !message->answers(trial->stun)) return;
        if (const auto mapped = message->mapping())
            learned = flow.mapping.learn_stun(step.now, *mapped, server, server);
    } else {
        const auto response = sip::Message::parse(bytes);
        const bool ours = response && !response->is_request() && response->status() >= 200 &&
                          !trial->branch.empty() && response->top_via().branch == trial->branch;
        if (!ours) return;  // N1: only the answer to our own request shows the mapping
        learned =
            flow.mapping.learn(step.now, flow::sighting_of(*response, flow.local, server, server));
    }
    if (learned == flow::Learned::none) return;
    perform(step, trial->target.endpoint.address.family(),
            trial->machine.answered(step.now, *flow.mapping.mapping()));
}

void KeepAliveLearnDesk::on_flow_ended(const Step& step, FlowId flow) {
    wanted_.erase(flow);
    auto* const trial = trial_on(flow);
    if (trial == nullptr) return;
    perform(step, trial->target.endpoint.address.family(), trial->machine.failed());
}

void KeepAliveLearnDesk::on_network_changed(const Step& step) {
    for (auto& [family, place] : places_) {
        place.not_before = {};
        place.failed_at.reset();
        place.told.clear();
        if (!place.trial) continue;
        step.flows.close(step, place.trial->flow, FlowError::local_address_gone);
        place.trial.reset();
        agenda_.remove(family);
    }
}

void KeepAliveLearnDesk::on_time(const Step& step) {
    for (const Family family : agenda_.take_due(step.now))
        if (auto& trial = places_.at(family).trial)
            perform(step, family, trial->machine.on_time(step.now));
}

void KeepAliveLearnDesk::perform(const Step& step, Family family, LearnStep what) {
    Place& place = places_.at(family);
    Trial& trial = *place.trial;
    switch (what) {
    case LearnStep::quiet: break;
    case LearnStep::open_flow: trial.flow = step.flows.open_spare(step, trial.target); break;
    case LearnStep::send: send(step, trial); break;
    case LearnStep::learned:
    case LearnStep::gave_up: return finish(step, family, place);
    }
    agenda_.put(family, trial.machine.next_deadline());
}

void KeepAliveLearnDesk::send(const Step& step, Trial& trial) {
    const auto* const flow = step.flows.find(trial.flow);
    if (flow == nullptr) return;
    // A repetition is the same request (RFC 3261 §17.1.2.2).
    if (!trial.machine.is_repetition()) {
        if (trial.with_stun) {
            trial.stun = flow::new_stun_transaction(step.random);
            trial.last = flow::encode_binding_request(trial.stun);
        } else {
            auto ping = new_ping(*trial.identity, *flow, step.random, false);
            trial.branch = std::move(ping.branch);
            trial.last = std::move(ping.wire);
        }
    }
    step.flows.send(step, trial.flow, trial.last);
}

void KeepAliveLearnDesk::finish(const Step& step, Family family, Place& place) {
    const Trial trial = *std::exchange(place.trial, std::nullopt);
    agenda_.remove(family);
    const auto* const flow = step.flows.find(trial.flow);
    const auto learned = trial.machine.interval();
    if (learned && flow != nullptr) {
        place.learned = Learned{*learned, flow->local.address, flow->mapping.mapping()->address};
        place.failed_at.reset();
        changed_ = true;
        persistence_.store_learned_keep_alive(family, encode(*place.learned), step.outbox);
        tell(step, trial.target,
             "the NAT keeps an idle mapping for " + in_seconds(*learned) +
                 " or more: that is the keep-alive's interval now (K4)");
    } else {
        place.not_before = step.now + limits::learn_again;
        place.failed_at = trial.target;
        const std::string reason(trial.machine.reason());
        if (std::exchange(place.told, reason) != reason)
            tell(step, trial.target,
                 "the keep-alive's interval could not be learned: " + reason +
                     "; the policy's own stays (K4)");
    }
    step.flows.close(step, trial.flow, FlowError::closed_by_peer);
}

}  // namespace holdfast::engine
