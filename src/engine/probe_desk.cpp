#include "engine/probe_desk.h"

#include <algorithm>

#include "engine/flow_desk.h"
#include "engine/limits.h"

namespace holdfast::engine {

using registration::ProbeResult;
namespace told = registration::told;

void ProbeDesk::ask(const Step& step, AccountId account, const registration::act::Probe& probe,
                    PingIdentityPtr identity) {
    const Key key{probe.target, probe.tls_name};
    if (const auto found = probes_.find(key); found != probes_.end()) {
        if (found->second.state != State::done) {
            found->second.askers.insert(account);
            return;
        }
        if (step.now < found->second.started + limits::probe_spacing) {
            step.tell(account, found->second.result);
            return;
        }
        probes_.erase(found);
    }
    probes_.emplace(key, Probe{.askers = {account}, .identity = std::move(identity)});
    queue_.push_back(key);
    begin_queued(step);
}

Instant ProbeDesk::next_start() const {
    if (recent_.size() < limits::probes_per_second) return {};
    return recent_.front() + std::chrono::seconds{1};
}

void ProbeDesk::begin_queued(const Step& step) {
    while (!queue_.empty() && next_start() <= step.now) {
        const Key key = queue_.front();
        queue_.pop_front();
        if (recent_.size() >= limits::probes_per_second) recent_.pop_front();
        recent_.push_back(step.now);
        begin(step, key, probes_.at(key));
    }
}

void ProbeDesk::begin(const Step& step, const Key& key, Probe& probe) {
    probe.started = step.now;
    const auto flow = step.flows.open(step, the_engine, key.first, key.second);
    if (flow) {
        send(step, key, probe, *step.flows.find(*flow));
        return;
    }
    probe.state = State::opening;
    agenda_.put(key, {step.now + limits::probe_lifetime, "a probe's flow is being opened (F9)"});
}

void ProbeDesk::send(const Step& step, const Key& key, Probe& probe, const flow::Flow& flow) {
    probe.flow = flow.id;
    probe.ping = new_ping(*probe.identity, flow, step.random, false);
    probe.sent_at = step.now;
    probe.state = State::asked;
    by_branch_.emplace(transaction::client_key(probe.ping.branch, "OPTIONS"), key);
    step.flows.send(step, flow.id, probe.ping.wire);
    // On a stream nothing is sent twice (RFC 3261 §17.1.2.2).
    const Duration repeat =
        is_reliable(flow.target.transport)
            ? limits::probe_lifetime
            : step.health.patience_for(key.first, limits::probe_repeat_least, 1.5);
    agenda_.put(key, {step.now + std::min(repeat, limits::probe_lifetime), "a probe (F9)"});
}

void ProbeDesk::on_flow_opened(const Step& step, const flow::Flow& flow) {
    const auto found = probes_.find({flow.target, flow.tls_name});
    if (found == probes_.end() || found->second.state != State::opening) return;
    send(step, found->first, found->second, flow);
}

void ProbeDesk::on_flow_trouble(const Step& step, const flow::Flow& flow, FlowError error) {
    const auto found = probes_.find({flow.target, flow.tls_name});
    if (found == probes_.end()) return;
    const State state = found->second.state;
    if (state == State::queued || state == State::done) return;
    // F2: our own network is not the target's fault.
    const bool own_network =
        error == FlowError::network_unreachable || error == FlowError::local_address_gone;
    if (!own_network && !step.health.penalised(flow.target, step.now))
        step.health.on_refusal(flow.target, step.now, step.random);
    finish(step, found->first, found->second,
           told::Probed{flow.target, ProbeResult::failed, std::nullopt, 0});
}

bool ProbeDesk::on_response(const Step& step, const flow::Flow& flow,
                            const sip::Message& response) {
    const auto found = by_branch_.find(transaction::client_key_of(response));
    if (found == by_branch_.end()) return false;
    const Key key = found->second;
    Probe& probe = probes_.at(key);
    if (probe.flow != flow.id) return false;  // N1: from the address we sent to
    // Sent twice, an answer tells no round-trip time (Karn).
    const auto rtt =
        probe.state == State::asked ? std::optional(step.now - probe.sent_at) : std::nullopt;
    step.health.on_answer(key.first, step.now, rtt);
    finish(step, key, probe,
           {.target = key.first,
            .result = response.status() == 503 ? ProbeResult::busy : ProbeResult::alive,
            .rtt = rtt,
            .status = response.status()});
    return true;
}

void ProbeDesk::finish(const Step& step, const Key& key, Probe& probe, told::Probed result) {
    if (!probe.ping.branch.empty())
        by_branch_.erase(transaction::client_key(probe.ping.branch, "OPTIONS"));
    const bool had_flow = probe.flow != FlowId{};
    if (had_flow) {
        step.flows.release(step.now, probe.flow, the_engine);
    } else if (const auto* const opening = step.flows.find(key.first, key.second)) {
        step.flows.release(step.now, opening->id, the_engine);
    }
    probe.state = State::done;
    probe.result = std::move(result);
    for (const AccountId account : std::exchange(probe.askers, {}))
        step.tell(account, probe.result);
    agenda_.put(key, {probe.started + limits::probe_spacing, "a probe's result is forgotten (F9)"});
}

void ProbeDesk::on_time(const Step& step) {
    for (const Key& key : agenda_.take_due(step.now)) {
        Probe& probe = probes_.at(key);
        const Instant end = (probe.state == State::opening ? probe.started : probe.sent_at) +
                            limits::probe_lifetime;
        switch (probe.state) {
        case State::queued: break;
        case State::asked:
            if (step.now < end) {
                probe.state = State::asked_twice;
                step.flows.send(step, probe.flow, probe.ping.wire);
                agenda_.put(key, {end, "a probe that was sent twice (F9)"});
                break;
            }
            [[fallthrough]];
        case State::opening:
        case State::asked_twice:
            // F7: one silence is one penalty, however often it is asked after.
            if (!step.health.silent(key.first, step.now))
                step.health.on_silence(key.first, step.now, step.random);
            finish(step, key, probe, told::Probed{key.first, ProbeResult::silent, std::nullopt, 0});
            break;
        case State::done: probes_.erase(key); break;
        }
    }
    begin_queued(step);
}

void ProbeDesk::forget(AccountId account) {
    for (auto& [key, probe] : probes_) probe.askers.erase(account);
}

Deadline ProbeDesk::next_deadline() const {
    if (queue_.empty()) return agenda_.next();
    return sooner(agenda_.next(), {next_start(), "a probe waits its turn (F9)"});
}

}  // namespace holdfast::engine
