// When a REGISTER is wanted, and to whom: F1–F4, L3, L4, S1.
#include <algorithm>

#include "base/broken_rule.h"
#include "registration/resilient.h"

namespace holdfast::registration {

namespace {

constexpr Duration extended_patience = 4s;  // F3: a 1xx extends patience once, to this
constexpr Duration refresh_at_least_after = 5s;

Event resolved_event(const std::vector<location::Candidate>& ranked, std::string problem) {
    Event event{.kind = EventKind::resolved, .reason = std::move(problem)};
    for (const auto& candidate : ranked)
        event.targets.push_back({.target = candidate.target,
                                 .priority = candidate.priority,
                                 .weight = candidate.weight,
                                 .host = candidate.host,
                                 .reason = candidate.reason});
    return event;
}

}  // namespace

void Resilient::targets_changed(const Context& context) {
    const auto ranked = targets_.by_rank_alone(context);
    std::vector<Target> order;
    order.reserve(ranked.size());
    for (const auto& candidate : ranked) order.push_back(candidate.target);
    const auto sorted = [](std::vector<Target> v) {
        std::ranges::sort(v);
        return v;
    };
    const bool same_set = sorted(order) == sorted(last_ranked_);
    const bool failed = ranked.empty() && targets_.has_failed();
    if (!same_set || (failed && !problem_told_)) {
        context.act(resolved_event(ranked, targets_.problem()));
        problem_told_ = failed;
    }
    last_ranked_ = std::move(order);
    if (ranked.empty() || leaving_) return;
    update_failback(context);
    for (auto& binding : bindings_) {
        if (binding.search && !binding.search->is_exhausted()) continue;
        if (binding.current && !binding.search && policy_->failback == Failback::dns_ttl) {
            if (const auto better = back_at_refresh(binding, context))
                want(binding, {.reason = "back at the TTL's end (F8)", .first = better}, context);
            continue;
        }
        if (binding.current && !binding.search)
            continue;  // L3: an answer alone moves nobody; L4 drains at the refresh
        const bool waiting = binding.backoff.is_waiting() || binding.timers.is_armed(Timer::start);
        // S1: a changed set of targets ends the wait; an equal one does not.
        if (waiting && same_set) continue;
        if (binding.auth_stopped || binding.slow_failures > 0) continue;
        want(binding,
             {.reason = binding.current ? "the targets have changed" : "first registration"},
             context);
    }
}

void Resilient::want_later(Binding& binding, std::string reason, Instant at) {
    binding.start_reason = std::move(reason);
    binding.start_patience.reset();
    binding.timers.arm(Timer::start, binding.timers.is_armed(Timer::start)
                                         ? std::min(at, binding.timers.at(Timer::start))
                                         : at);
}

void Resilient::want(Binding& binding, Want want, const Context& context) {
    if (leaving_ || binding.auth_stopped) return;
    // One flow makes the account reachable: while there is none, the second's search would only
    // cost the first its REGISTERs (I5). It follows with the first one's 200.
    if (waits_for_first(binding)) {
        binding.backoff.stop();
        return;
    }
    if (binding.search && !binding.search->is_exhausted()) {
        if (binding.again) {  // several reasons, one REGISTER: none of what they want is lost
            want.fresh_contact = want.fresh_contact || binding.again->fresh_contact;
            want.name_olds = want.name_olds || binding.again->name_olds;
            if (!want.first) want.first = binding.again->first;
        }
        binding.again = std::make_unique<Want>(std::move(want));
        return;
    }
    // F5: a refusal is not worn down by other reasons; only time, the user, a changed password or
    // network ends its wait.
    if (binding.slow_failures > 0 && binding.timers.is_armed(Timer::start)) return;
    if (want.fresh_contact) {  // R3: another token is another Contact; the old one is removed with
                               // this REGISTER
        if (binding.current && !binding.current->contact.empty())
            binding.identity.add_old({binding.current->contact, binding.current->target,
                                      context.wall_clock + binding.current->granted / 1s, 0});
        binding.identity.token = context.random.token(96);
        store(binding, context);
    }
    auto entries = search_order(binding, want, context);
    if (entries.empty()) {
        // Whatever stands in the way now — Retry-After, the other flow — is looked at again.
        const auto barred = all_barred_until(context);
        const auto spread = std::max<Duration>(1s, policy_->spread);
        if (targets_.has_failed()) binding.last_failure = targets_.problem();
        want_later(binding, want.reason,
                   barred ? *barred + context.random.between(0s, spread)
                          : context.now + context.random.between(20s, 30s));
        return;
    }
    const bool first_over_udp =
        !binding.current && entries.front().candidate.target.transport == Transport::udp;
    if (first_over_udp && stun_)
        if (const auto until = stun_->hold(context)) {  // N4
            binding.waits_for_stun = true;
            return want_later(binding, want.reason, *until);
        }
    // What an exhausted search left outstanding lives on; its answer is as good as any.
    binding.timers.stop(Timer::start);
    binding.timers.stop(Timer::refresh);
    binding.timers.stop(Timer::proof_register);
    binding.backoff.stop();
    binding.again.reset();
    binding.together =
        binding.refuses_two && !want.name_olds ? Together::alone : Together::both;  // N3
    binding.search_reason = want.reason;
    binding.silent_before.reset();
    binding.search_began = context.now;
    binding.refresh_is_due = want.routine && binding.backoff.failures() == 0;
    binding.search_has_begun = binding.refresh_is_due;
    binding.waits_for_stun = false;
    binding.unregistered_first = false;
    binding.refused_at_home = false;
    binding.refused_alone = 0;
    binding.refused_two.reset();
    binding.register_when_open.reset();
    binding.redirects = 0;
    std::erase_if(following_, [&](const Following& following) {
        return following.reg_id == binding.identity.reg_id;
    });
    const auto& policy = *policy_;
    const Search::Settings settings{.patience = want.patience.value_or(entries.front().patience),
                                    .extended = extended_patience,
                                    .probe = policy.probe && !is_broken(BrokenRule::probes),
                                    .probe_spacing = policy.probe_spacing,
                                    .probe_priority_delay = policy.probe_priority_delay,
                                    .probe_timeout = policy.probe_timeout,
                                    .connect_spacing = policy.connect_spacing,
                                    .connect_preference = policy.connect_preference};
    binding.search = std::make_unique<Search>(settings, std::move(entries));
    Search::Steps steps;
    binding.search->start(context.now, steps);
    perform(binding, steps, context);
}

bool Resilient::waits_for_first(const Binding& binding) const {
    const auto& first = bindings_.front();
    return &binding != &first && !binding.current && !first.current && !first.auth_stopped &&
           first.slow_failures == 0;
}

// B1: two flows go to different addresses. Should both have come to one, the second goes.
bool Resilient::is_taken(const Binding& binding, const Target& target) const {
    const bool stays =
        binding.identity.reg_id == 1 && binding.current && binding.current->target == target;
    if (stays || is_broken(BrokenRule::two_addresses)) return false;
    const auto& address = target.endpoint.address;
    return std::ranges::any_of(bindings_, [&](const Binding& other) {
        if (&other == &binding) return false;
        const bool heading_there =
            other.search && !other.search->is_exhausted() && other.search->pursues(address);
        return heading_there ||
               (other.current && other.current->target.endpoint.address == address);
    });
}

// B1: the other binding is there, or has asked to be.
bool Resilient::other_is_at(const Binding& binding, const Target& target) const {
    const bool stays =
        binding.identity.reg_id == 1 && binding.current && binding.current->target == target;
    if (stays || is_broken(BrokenRule::two_addresses)) return false;
    const auto& address = target.endpoint.address;
    return std::ranges::any_of(bindings_, [&](const Binding& other) {
        if (&other == &binding) return false;
        const bool asked = other.search && !other.search->is_exhausted() &&
                           other.search->chosen() &&
                           other.search->chosen()->endpoint.address == address;
        return asked || (other.current && other.current->target.endpoint.address == address);
    });
}

// A flow that the other binding is on too keeps its keep-alive.
void Resilient::keep_alive_off(FlowId flow, const Context& context) const {
    const bool used = std::ranges::any_of(
        bindings_, [&](const Binding& b) { return b.current && b.current->flow == flow; });
    if (!used) context.act(act::KeepAlive{flow, false, {}});
}

// L3: the current target first, while it is listed; L4: not listed any longer, it comes last and is
// left (drained).
std::vector<Search::Entry> Resilient::search_order(Binding& binding, const Want& want,
                                                   const Context& context) {
    const auto& affine =
        binding.current ? std::optional(binding.current->target) : binding.identity.last_target;
    const bool keep = affine && policy_->affinity && !is_broken(BrokenRule::affinity) &&
                      targets_.is_listed(*affine, context.now) &&
                      (binding.current || !context.health.penalised(*affine, context.now));
    std::vector<location::Candidate> order;
    for (auto& candidate : targets_.ranked(context)) {
        const bool elsewhere = is_taken(binding, candidate.target);
        const bool barred =
            context.health.barred_until(context.account, candidate.target, context.now).has_value();
        if (!elsewhere && !barred) order.push_back(std::move(candidate));
    }
    for (const auto& wished : {affine, want.first}) {  // F5: where we were redirected to
        const auto kept = wished ? redirects_->find(*wished) : redirects_->end();
        if (kept == redirects_->end() || kept->second.until <= context.now) continue;
        const bool in_order = std::ranges::any_of(
            order, [&](const auto& candidate) { return candidate.target == *wished; });
        const bool barred =
            context.health.barred_until(context.account, *wished, context.now).has_value();
        if (!in_order && !barred) order.insert(order.begin(), kept->second.candidate);
    }
    const auto to_front = [&](const Target& target) {
        const auto at =
            std::ranges::find_if(order, [&](const auto& c) { return c.target == target; });
        if (at != order.end()) std::rotate(order.begin(), at, at + 1);
    };
    const auto kept = affine ? redirects_->find(*affine) : redirects_->end();
    const bool redirected = kept != redirects_->end() && kept->second.until > context.now;
    if (keep || redirected)
        to_front(*affine);
    else if (binding.current && affine && order.size() > 1) {
        const auto at =
            std::ranges::find_if(order, [&](const auto& c) { return c.target == *affine; });
        if (at != order.end()) std::rotate(at, at + 1, order.end());
    }
    if (want.first) to_front(*want.first);
    if (streams_first(context.now))  // N5, N8
        std::ranges::stable_partition(
            order, [](const auto& c) { return is_reliable(c.target.transport); });
    if (!policy_->udp_failover && !order.empty() &&
        order.front().target.transport == Transport::udp)
        order.erase(order.begin() + 1,
                    order.end());  // as clients do that fail over only on connections
    if (is_broken(BrokenRule::failover) && order.size() > 1) order.resize(1);
    std::vector<Search::Entry> entries;
    for (auto& candidate : order) {
        const auto patience = context.health.patience_for(candidate.target, policy_->patience);
        const auto rtt = context.health.rtt(candidate.target).value_or(Duration{});
        entries.push_back({.candidate = std::move(candidate), .patience = patience, .rtt = rtt});
    }
    return entries;
}

std::optional<Instant> Resilient::all_barred_until(const Context& context) const {
    std::optional<Instant> earliest;
    for (const auto& target : last_ranked_) {
        const auto barred = context.health.barred_until(context.account, target, context.now);
        if (!barred) return std::nullopt;
        earliest = earliest ? std::min(*earliest, *barred) : *barred;
    }
    return earliest;
}

void Resilient::perform(Binding& binding, const Search::Steps& steps, const Context& context) {
    for (const auto& step : steps) {
        switch (step.what) {
        case Search::Do::open:
            context.act(act::Open{step.target, targets_.tls_name_of(step.target)});
            break;
        case Search::Do::register_: register_at(binding, step.target, context); break;
        case Search::Do::probe:
            probe(step.target, context);
            note_silence(binding, context);
            break;
        case Search::Do::abandon: abandon(binding, step.target, context); break;
        case Search::Do::exhausted: exhausted(binding, context); break;
        }
    }
}

void Resilient::register_at(Binding& binding, const Target& target, const Context& context) {
    // B1: the other flow came here while this one was still looking.
    if (other_is_at(binding, target)) {
        Search::Steps steps;
        binding.search->on_failed(context.now, target, steps);
        return perform(binding, steps, context);
    }
    const auto what = is_due_refresh(binding, target) ? RegisterBudget::For::refresh
                      : binding.search_has_begun      ? RegisterBudget::For::attempt
                                                      : RegisterBudget::For::search;
    if (const auto until = budget_.exhausted_until(context.now, target, last_ranked_.size(), what))
        return hold_back(binding, *until, context);  // I5
    const auto* flow = context.flows.find(target, targets_.tls_name_of(target));
    const auto opened = binding.opened->find(target);
    const bool ours = flow != nullptr && flow->is_open() && opened != binding.opened->end() &&
                      opened->second == flow->id;
    if (ours) return send_register(binding, target, flow->id, context);
    binding.register_when_open.change().insert(target);
    context.act(act::Open{target, targets_.tls_name_of(target)});
}

// I5: the search ends here; the next one begins when the budget allows it. That is no server's
// failure, so S1's wait does not grow.
void Resilient::hold_back(Binding& binding, Instant until, const Context& context) {
    note_silence(binding, context);
    binding.held_with_olds = binding.refuses_two && binding.together == Together::both;
    Search::Steps exhausted;
    if (binding.search) binding.search->give_up(exhausted);
    binding.last_failure = "too many REGISTERs in a short time";
    binding.backoff.hold(context.now, until + context.random.between(0s, 1s), context.random);
    auto waiting = event(EventKind::waiting, &binding);
    waiting.expires = binding.backoff.until() - context.now;
    waiting.reason = *binding.last_failure;
    context.act(std::move(waiting));
}

void Resilient::probe(const Target& target, const Context& context) {
    probe_budget_.spent(context.now);
    context.act(act::Probe{target, targets_.tls_name_of(target)});
}

// F3: not answered any more, and when it ends we REGISTER once more.
void Resilient::abandon(Binding& binding, const Target& target, const Context& context) {
    for (auto& [id, attempt] : attempts_) {
        if ((attempt.purpose != Purpose::register_ && !attempt.before_register) ||
            attempt.reg_id != binding.identity.reg_id || attempt.target != target ||
            attempt.abandoned)
            continue;
        give_up(attempt, context);
    }
}

void Resilient::abandon_all(const Binding& binding, const Context& context) {
    for (auto& [id, attempt] : attempts_) {
        if ((attempt.purpose != Purpose::register_ && !attempt.before_register) ||
            attempt.reg_id != binding.identity.reg_id || attempt.abandoned)
            continue;
        give_up(attempt, context);
    }
}

// F7: a target that let patience pass is remembered as silent, once a search. What an earlier
// search left outstanding was judged by that one.
void Resilient::note_silence(Binding& binding, const Context& context) {
    for (const auto& [id, attempt] : attempts_) {
        const bool asked = attempt.purpose == Purpose::register_ &&
                           attempt.reg_id == binding.identity.reg_id && !attempt.answered &&
                           attempt.last_sent >= binding.search_began &&
                           context.now - attempt.last_sent >= refresh_at_least_after / 25;
        if (!asked || !binding.silent_before.change().insert(attempt.target).second) continue;
        context.health.on_silence(attempt.target, context.now, context.random);
        attempt_failed(binding, attempt.target, 0, "no answer", context);
        binding.last_failure = "no answer from " + attempt.target.to_string();
    }
}

// B1: the account is reachable without this one.
bool Resilient::other_flow_works(const Binding& binding) const {
    return std::ranges::any_of(bindings_, [&](const Binding& other) {
        return &other != &binding && other.current && !other.search;
    });
}

// S1: nobody answered. The current target stays current; what is outstanding may still be answered.
void Resilient::exhausted(Binding& binding, const Context& context) {
    note_silence(binding, context);
    for (const auto& target : binding.search->silent_targets())
        if (binding.silent_before.change().insert(target).second)
            context.health.on_silence(target, context.now, context.random);
    if (binding.backoff.is_waiting()) return;  // a late refusal makes no second failure of it
    // B1: a refresh that no server takes, although it has the password and a second flow of ours
    // stands: there may be room for one binding only (max_contacts, and another device).
    if (binding.refused_at_home && bindings_.size() == 2 && bindings_.back().current)
        return one_flow("a refresh is refused while a second flow stands: " + *binding.last_failure,
                        context);
    const auto lost = binding.search->unreachable_targets();
    std::set<Target> unreachable(lost.begin(), lost.end());
    const bool other_flow = other_flow_works(binding);
    if (const auto barred = all_barred_until(context))
        binding.backoff.not_before(
            *barred + context.random.between(0s, std::max<Duration>(1s, policy_->spread)));
    binding.backoff.begin(context.now, other_flow, std::move(unreachable), context.random);
    targets_.set_healthy(false, context);
    auto waiting = event(EventKind::waiting, &binding);
    waiting.expires = binding.backoff.until() - context.now;
    waiting.reason = binding.last_failure->empty() ? "no server answered" : *binding.last_failure;
    context.act(std::move(waiting));
}

void Resilient::end_search(Binding& binding, const Context& context) {
    if (!binding.search) return;
    abandon_all(binding, context);
    binding.search.reset();
    binding.opened.reset();
    binding.register_when_open.reset();
    std::erase_if(following_, [&](const Following& following) {
        return following.reg_id == binding.identity.reg_id;
    });
    release_unused(context);
}

// Flows that no binding, search, debt or lingering binding needs go back to the engine (which keeps
// them for dialogs, L8).
void Resilient::release_unused(const Context& context) {
    std::set<FlowId> needed;
    for (const auto& binding : bindings_) {
        if (binding.current) needed.insert(binding.current->flow);
        for (const auto& [target, flow] : *binding.opened) needed.insert(flow);
    }
    for (const auto& [id, attempt] : attempts_) needed.insert(attempt.flow);
    for (const auto& linger : lingering_) needed.insert(linger.flow);
    for (auto flow = used_.begin(); flow != used_.end();) {
        if (needed.contains(*flow)) {
            ++flow;
            continue;
        }
        context.act(act::Release{*flow});
        flow = used_.erase(flow);
    }
}

}  // namespace holdfast::registration
