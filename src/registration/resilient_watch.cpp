// What happens between refreshes: suspicion, changed mappings, other networks, proof, failback (F6,
// K3, K5, L7, R).
#include <algorithm>

#include "base/broken_rule.h"
#include "registration/resilient.h"

namespace holdfast::registration {

namespace {
constexpr Duration probes_after_suspicion = 200ms;  // K2: its 2 s were F3's patience
constexpr Duration verify_within = 500ms;           // K5
constexpr Duration proof_of_life_most = 120s;       // K1
constexpr Duration suspect_by_proof_every = 10min;  // R3
}  // namespace

// F6: verified and, if need be, left by F3. S2: what all accounts of a flow are told at one moment,
// each acts on after uniform(0, spread); the keep-alives of phones alone are jittered anyway.
void Resilient::suspect(Binding& binding, const std::string& reason, const Context& context,
                        bool shared) {
    if (binding.search) return;  // verified already, or S1 waits: doubt adds nothing
    const bool waits = binding.start_patience && binding.timers.is_armed(Timer::start);
    if (waits) return;
    auto doubted = event(EventKind::suspect, &binding);
    doubted.target = binding.current->target;
    doubted.reason = reason;
    context.act(std::move(doubted));
    if (shared && policy().spread > 0s) {
        const auto wait = context.random.between(0s, policy().spread);
        want_later(binding, "suspect: " + reason, context.now + wait);
        binding.start_patience = probes_after_suspicion;
        return;
    }
    want(binding, {.reason = "suspect: " + reason, .patience = probes_after_suspicion}, context);
}

void Resilient::on_told(const told::Suspect& told, const Context& context) {
    if (is_broken(BrokenRule::suspicion)) return;
    for (auto& binding : bindings_)
        if (binding.current && binding.current->flow == told.flow)
            suspect(binding, told.reason, context, told.shared);
}

// K1: a target that never answers the kind in use: a REGISTER every min(E/2, 120 s) is the proof,
// the first one now. It may have died since it registered us, before it could answer anything else.
void Resilient::on_told(const told::HoldOnly& told, const Context& context) {
    auto* binding = binding_on(told.flow);
    if (binding == nullptr) return;
    binding->hold_only = told.flow;
    want(*binding, {.reason = "proof of life (K1)"}, context);
}

void Resilient::schedule_proof_of_life(Binding& binding, const Context& context) {
    if (binding.hold_only != binding.current->flow) return;
    const auto* flow = context.flows.find(binding.current->flow);
    if (flow != nullptr && (flow->facts().options_answered || flow->facts().stun_answered)) {
        binding.hold_only.reset();  // it answers by now: the keep-alive is the proof again
        return;
    }
    const auto every = std::min<Duration>(binding.current->granted / 2, proof_of_life_most);
    binding.timers.arm(Timer::proof_register,
                       context.now + scaled(every, 0.9 + 0.1 * context.random.unit()));
}

void Resilient::on_told(const told::MappingChanged& told, const Context& context) {
    for (auto& binding : bindings_) {
        if (!binding.current || binding.current->flow != told.flow) continue;
        const auto* flow = context.flows.find(told.flow);
        if (flow == nullptr) continue;
        // The first may come after the binding that has it: tidings wait for their turn (S3).
        if (told.is_first) {
            if (!binding.search || binding.search->is_exhausted())
                rewrite_if_needed(binding, context);
            continue;
        }
        auto changed = event(EventKind::mapping_changed, &binding);
        changed.target = flow->target;
        changed.mapping = flow->mapping.mapping();
        changed.contact = binding.current->contact;
        if (!flow->mapping.may_rewrite(context.now))
            changed.reason =
                "it changes too often; the Contact rests until it has been the same for 5 min (K3)";
        context.act(std::move(changed));
        // A REGISTER is on its way already; its 200 shows whether another is needed.
        if (binding.search && !binding.search->is_exhausted()) continue;
        if (left_restless_udp(binding, *flow, context)) continue;
        const bool outbound = policy_->rewrite == Rewrite::outbound && registrar_has_outbound_;
        if (outbound)
            want(binding, {.reason = "the mapping has changed (K3)"}, context);
        else
            rewrite_if_needed(binding, context);
    }
}

// N3, K3: what the location service has is not what this flow's mapping says: one REGISTER with the
// new Contact first and the old one bare with expires=0.
void Resilient::rewrite_if_needed(Binding& binding, const Context& context) {
    if (!binding.current || leaving_) return;
    const auto* flow = context.flows.find(binding.current->flow);
    if (flow == nullptr || !flow->is_open()) return;
    if (contact_uri(binding, *flow, context.now) == binding.current->contact) return;
    want(binding, {.reason = "the mapping is another than the Contact says (N3)"}, context);
}

void Resilient::note_options_answered(const Target& target) {
    constexpr std::size_t remembered_most = 256;  // I8: DNS may name others every minute
    if (options_answered_.size() >= remembered_most) options_answered_.clear();
    options_answered_.insert(target);
}

void Resilient::on_told(const told::Probed& answer, const Context& context) {
    auto told = answer;
    // F3: who answers with 5xx does not get the REGISTER, and when it stops doing so that is news
    // (S1).
    if (told.result == ProbeResult::alive && told.status >= 500) told.result = ProbeResult::busy;
    if (told.result == ProbeResult::alive || told.result == ProbeResult::busy) {
        note_options_answered(told.target);
        context.health.on_answer(told.target, context.now, told.rtt);
    }
    auto probed = event(EventKind::probed);
    probed.target = told.target;
    probed.rtt = told.rtt;
    probed.status = told.status;
    switch (told.result) {
    case ProbeResult::alive: probed.reason = "alive"; break;
    case ProbeResult::busy: probed.reason = "busy"; break;
    case ProbeResult::silent: probed.reason = "silent"; break;
    case ProbeResult::failed: probed.reason = "failed"; break;
    }
    context.act(std::move(probed));
    for (auto& binding : bindings_) {
        if (told.result != ProbeResult::alive) binding.backoff.on_dead(told.target);
        if (binding.search && !binding.search->is_exhausted()) {
            Search::Steps steps;
            binding.search->on_probed(context.now, told.target, told.result, steps);
            perform(binding, steps, context);
        } else if (told.result == ProbeResult::alive && binding.backoff.on_alive(told.target)) {
            want(binding,
                 {.reason = told.target.to_string() + " answers again (S1)", .first = told.target},
                 context);
        }
    }
    failback_.on_probed(context.now, told.target, told.result, context.random);
    failback_due(context);
    if (told.result == ProbeResult::alive) settle_debts(context, told.target);
}

void Resilient::on_told(const told::Alive& told, const Context& context) {
    // S1's wait is ended by a probe's answer, which tells alive from busy; this may be any message.
    settle_debts(context, told.target);
}

// K5: every flow is verified; a sleep past a refresh: REGISTER first.
void Resilient::on_told(const told::Network& told, const Context& context) {
    if (leaving_) return;
    targets_.look_up_all(context);
    large_unanswered_ = false;  // another network may carry large datagrams (N8)
    unstable_until_ = {};       // and have another NAT (N5)
    for (auto& binding : bindings_) {
        binding.backoff.stop();
        const bool overdue =
            told.woke && binding.current && binding.current->refresh_at <= context.now;
        if (overdue) {
            want(binding, {.reason = "the host slept past the refresh"}, context);
            continue;
        }
        if (binding.auth_stopped || (binding.search && !binding.search->is_exhausted())) continue;
        // What is registered is verified by its keep-alive, whose answer also shows the mapping;
        // what was refused is tried again on a changed network (F5).
        if (binding.current && !binding.search && binding.slow_failures == 0) continue;
        const auto wait =
            context.random.between(0s, std::max<Duration>(verify_within, policy_->spread));
        want_later(binding, told.woke ? "the host has slept" : "the network has changed",
                   context.now + wait);
    }
}

void Resilient::on_told(const told::Returned& told, const Context& context) {
    proof_says(proof_.on_returned(context.now, told.call_id, told.ours_by_from, context.random),
               context);
}

void Resilient::proof_says(Proof::Do what, const Context& context) {
    Binding* binding = nullptr;
    if (const auto* best = primary()) binding = binding_of(best->identity.reg_id);
    const auto tell = [&](EventKind kind, std::string reason) {
        auto told = event(kind, binding);
        if (binding != nullptr) {
            told.target = binding->current->target;
            told.contact = binding->current->contact;
        }
        told.reason = std::move(reason);
        context.act(std::move(told));
    };
    switch (what) {
    case Proof::Do::nothing: return;
    case Proof::Do::send: return send_proof(context);
    case Proof::Do::reachable: return tell(EventKind::reachable, "our own OPTIONS came back to us");
    case Proof::Do::unprovable:
        return tell(
            EventKind::unprovable,
            "reachability cannot be proven here: the server does not pass OPTIONS on to us");
    case Proof::Do::other_device:
        return tell(EventKind::unprovable,
                    "reachability cannot be proven now: another device answered");
    case Proof::Do::refresh:
        if (binding != nullptr)
            want(*binding, {.reason = "proof: requests do not arrive (R3)"}, context);
        return;
    case Proof::Do::fresh_contact:
        if (binding != nullptr)
            want(*binding,
                 {.reason = "proof: requests still do not arrive (R3)", .fresh_contact = true},
                 context);
        return;
    case Proof::Do::unreachable:
        tell(EventKind::unreachable,
             "registered, but our own OPTIONS no longer comes back: calls may not arrive");
        if (binding != nullptr && context.now >= suspect_by_proof_) {
            suspect_by_proof_ = context.now + suspect_by_proof_every;
            suspect(*binding, "requests to us do not arrive (R3)", context, false);
        }
        return;
    }
}

void Resilient::proof_answered(Attempt attempt, const sip::Message& response,
                               const Context& context) {
    note_options_answered(attempt.target);
    const bool challenge = verdict_of(response.status()) == Verdict::challenge;
    if (challenge && attempt.rounds < 2) {  // R1: challenges are answered; §11: known realms only
        const auto judged =
            credentials_.on_challenge(attempt.target, response, attempt.sent, false);
        if (judged.is_a_question()) {
            const auto* binding = primary();
            if (binding == nullptr) return;
            ++attempt.rounds;
            return send_proof(context);
        }
    }
    proof_.on_answer(attempt.call_id, response.status());
}

// L7, and F8's words of desk phones: where a refresh may go instead of the current target.
std::optional<Target> Resilient::back_at_refresh(const Binding& binding,
                                                 const Context& context) const {
    switch (policy_->failback) {
    case Failback::never: return std::nullopt;
    case Failback::automatic: return failback_.better_rank(context.now);
    case Failback::duration:
        if (context.now < binding.at_target_since + policy_->failback_duration) return std::nullopt;
        break;
    case Failback::new_requests:
    case Failback::registration:
    case Failback::dns_ttl: break;
    }
    for (const auto& candidate : failback_targets(binding.current->target, context)) {
        const auto& target = candidate.target;
        if (target == binding.current->target) return std::nullopt;
        if (!context.health.penalised(target, context.now)) return target;
    }
    return std::nullopt;
}

void Resilient::update_failback(const Context& context) {
    const auto* best = primary();
    if (best == nullptr || policy_->failback == Failback::never) return failback_.stop();
    failback_.settle(context.now, best->current->target,
                     failback_targets(best->current->target, context), context.random);
}

void Resilient::failback_due(const Context& context) {
    if (leaving_ || policy_->failback == Failback::never) return;
    for (const auto& target : failback_.take_probes(context.now, context.random))
        probe(target, context);
    const auto* best = primary();
    if (best == nullptr || best->search) return;
    const auto better = failback_.better_priority(context.now);
    if (!better || !targets_.is_listed(*better, context.now)) return;
    failback_.made(context.now, *better);
    want(*binding_of(best->identity.reg_id),
         {.reason = "back to a better priority (L7)", .first = better}, context);
}

}  // namespace holdfast::registration
