#include "registration/resilient.h"

#include <algorithm>

#include "base/broken_rule.h"
#include "base/text.h"
#include "sip/uri.h"

namespace holdfast::registration {

namespace {

constexpr Duration second_flow_waits = 60s;  // I5: until the requests of an outage are forgotten
constexpr Duration leave_patience = 2s;      // B4: on exit, 2 s at most

std::string user_of(std::string_view aor) {
    const auto uri = sip::OwnedUri::parse(aor);
    return uri ? std::string(uri->get().user) : std::string{};
}

// RFC 3261 §10.2: the AOR in To has neither parameters nor headers.
std::string bare_aor(std::string_view aor) {
    const auto uri = sip::OwnedUri::parse(aor);
    if (!uri) return std::string(aor);
    std::string bare = std::string(uri->get().scheme_text) + ":" + std::string(uri->get().user) +
                       "@" + std::string(uri->get().host);
    if (uri->get().port != 0) bare += ":" + std::to_string(uri->get().port);
    return bare;
}

Credentials::Settings credential_settings(const AccountConfig& config, const std::string& user) {
    const auto minimum = sip::digest_algorithm_of(config.policy.min_digest);
    return {.user = config.auth_user.empty() ? user : config.auth_user,
            .password = config.password,
            .realms = config.realms,
            .minimum = minimum.value_or(sip::DigestAlgorithm::md5)};
}

bool may_use_udp(const AccountConfig& config) {
    return !config.aor.starts_with("sips:") &&
           config.transport.value_or(Transport::udp) == Transport::udp;
}

Backoff::Settings backoff_settings(const Policy& policy) {
    return {.base = policy.backoff_base,
            .base_other_flow = policy.backoff_base_other_flow,
            .most = policy.backoff_max};
}

}  // namespace

Resilient::Resilient(const AccountConfig& config, const std::string& instance_id,
                     const AccountState& state, std::string user_agent, SharedPolicy shared)
    : configured_aor_(config.aor),
      policy_(shared ? std::move(shared) : std::make_shared<const Policy>(config.policy)),
      domain_(domain_of_aor(config.aor)),
      user_(user_of(config.aor)),
      aor_(bare_aor(config.aor)),
      instance_("urn:uuid:" + instance_id),
      user_agent_(std::move(user_agent)),
      targets_(config, {instance_, aor_}, state, policy_),
      stun_(may_use_udp(config) && !config.stun.empty()
                ? std::make_unique<StunElsewhere>(config.stun)
                : nullptr),
      credentials_(credential_settings(config, user_)),
      proof_(policy_->prove_interval),
      asked_expires_(policy_->expires),
      secure_only_(registration::is_secure_only(config)) {
    if (!config.display_name.empty()) display_name_ = config.display_name;
    if (!config.contact_address.empty()) contact_address_ = config.contact_address;
    for (const int reg_id : {1, 2})
        if (const auto stored = state.find("binding-" + std::to_string(reg_id));
            stored != state.end())
            restored_.change()[reg_id] = stored->second;
    if (const auto stored = state.find("debts"); stored != state.end()) load_debts(stored->second);
    worked_before_ = state.contains("worked");
    if (const auto stored = state.find("instance-id"); stored != state.end())
        instance_ = "urn:uuid:" + stored->second;
    one_flow_only_ = state.contains("one-flow-only");
}

Event Resilient::event(EventKind kind, const Binding* binding) const {
    Event event{.kind = kind};
    if (binding != nullptr) event.reg_id = binding->identity.reg_id;
    return event;
}

Resilient::Binding* Resilient::binding_of(int reg_id) {
    const auto found = std::ranges::find_if(
        bindings_, [&](const Binding& b) { return b.identity.reg_id == reg_id; });
    return found == bindings_.end() ? nullptr : &*found;
}

Resilient::Binding* Resilient::binding_on(FlowId flow) {
    const auto found = std::ranges::find_if(
        bindings_, [&](const Binding& b) { return b.current && b.current->flow == flow; });
    return found == bindings_.end() ? nullptr : &*found;
}

// B1: of two flows the better-ranked healthy one; the first binding is on the better one as long as
// both are healthy.
const Resilient::Binding* Resilient::primary() const {
    const Binding* best = nullptr;
    const auto rank = [&](const Binding& b) {
        const auto at = std::ranges::find(last_ranked_, b.current->target);
        return at - last_ranked_.begin();
    };
    const auto doubtful = [](const Binding& b) { return b.search != nullptr; };
    for (const auto& binding : bindings_) {
        if (!binding.current) continue;
        if (best == nullptr || (doubtful(*best) && !doubtful(binding)) ||
            (doubtful(*best) == doubtful(binding) && rank(binding) < rank(*best)))
            best = &binding;
    }
    return best;
}

void Resilient::on_told(const told::Start&, const Context& context) {
    from_tag_ = context.random.token(64);
    for (const int reg_id : {1, 2}) {
        const auto stored = restored_->find(reg_id);
        auto identity = stored == restored_->end() || is_broken(BrokenRule::restart)
                            ? std::nullopt
                            : BindingIdentity::decode(stored->second, reg_id);
        if (reg_id == 2 && !identity)
            break;  // the second is made when the registrar has outbound (B1)
        if (!identity) identity = BindingIdentity::fresh(reg_id, context.random);
        // B3: what an earlier run left in the location service is cleaned up with the next
        // REGISTER.
        identity->begin_run(context.wall_clock);
        const bool second_is_not_wanted = reg_id == 2 && (policy_->flows == 1 || one_flow_only_);
        if (second_is_not_wanted) {
            for (const auto& old : identity->olds) bindings_.front().identity.add_old(old);
            break;
        }
        if (reg_id == 2) break;  // its flow comes with the first binding's 200
        bindings_.emplace_back(std::move(*identity), backoff_settings(*policy_));
    }
    std::erase_if(debts_, [&](const Debt& debt) { return debt.ends <= context.wall_clock; });
    for (auto& debt : debts_)  // the clock may have been wrong when it was stored
        debt.ends = std::min(debt.ends, context.wall_clock + BindingIdentity::longest_life);
    if (stun_) stun_->start(context);
    targets_.start(context);
    targets_changed(context);
}

void Resilient::on_told(const told::Dns& told, const Context& context) {
    if (stun_) stun_->on_dns(told, context);
    redirect_answered(told, context);
    if (targets_.on_dns(told, context)) targets_changed(context);
    stun_settled(context);
}

void Resilient::on_told(const told::StunAnswered& told, const Context& context) {
    if (stun_) stun_->on_answered(told, context);
    stun_settled(context);
}

// N4: a first REGISTER that waited for STUN goes as soon as there is nothing to wait for.
void Resilient::stun_settled(const Context& context) {
    if (!stun_ || stun_->is_pending()) return;
    for (auto& binding : bindings_)
        if (std::exchange(binding.waits_for_stun, false) && binding.timers.is_armed(Timer::start))
            binding.timers.arm(Timer::start, context.now);
}

void Resilient::on_told(const told::RegisterNow&, const Context& context) {
    targets_.look_up_all(context);
    context.health.forget(context.account);  // only the user ends a Retry-After early (F5)
    for (auto& binding : bindings_) {
        binding.slow_failures = 0;
        binding.auth_stopped = false;
        binding.backoff.reset();
        want(binding, {.reason = "asked to register now"}, context);
    }
}

void Resilient::on_told(const told::CheckSync&, const Context& context) {
    for (auto& binding : bindings_)
        if (binding.current)
            want(binding, {.reason = "the server asked for it (check-sync)"}, context);
}

void Resilient::on_told(const told::PasswordChanged& told, const Context& context) {
    credentials_.change_password(told.password);
    worked_before_ = false;
    context.act(act::Store{"worked", ""});
    on_told(told::RegisterNow{}, context);
}

void Resilient::on_told(const told::ShutDown&, const Context& context) {
    if (leaving_) return;
    leaving_ = true;
    leave_until_ = context.now + leave_patience;
    proof_.stop();
    failback_.stop();
    for (auto& binding : bindings_) {
        binding.search.reset();
        binding.timers.stop_all();
        binding.backoff.stop();
        if (binding.current && context.now < binding.current->expires)
            send_leave(binding, binding.current->target, binding.current->flow,
                       binding.current->contact, context);
    }
    // A REGISTER in flight may be stored after all: its Contact is removed where it went, behind
    // it.
    std::vector<Attempt> in_flight;
    for (const auto& [id, attempt] : attempts_)
        if (attempt.purpose == Purpose::register_) in_flight.push_back(attempt);
    // Sent again behind the un-REGISTER, it would bring the binding back.
    for (const auto& binding : bindings_) abandon_all(binding, context);
    for (const auto& attempt : in_flight) {
        auto* binding = binding_of(attempt.reg_id);
        const bool removed_above =
            binding == nullptr || (binding->current && binding->current->target == attempt.target &&
                                   binding->current->contact == attempt.contact);
        if (!removed_above && context.flows.find(attempt.flow) != nullptr)
            send_leave(*binding, attempt.target, attempt.flow, attempt.contact, context);
    }
    finish_leaving(context);
}

void Resilient::finish_leaving(const Context& context) {
    if (!leaving_ || left_) return;
    const bool busy = std::ranges::any_of(attempts_, [](const auto& a) {
        return a.second.purpose == Purpose::leave && !a.second.abandoned;
    });
    if (busy && context.now < leave_until_) return;
    left_ = true;
    leave_until_ = never;
    for (auto& binding : bindings_) {
        if (binding.current) {
            auto gone = event(EventKind::unregistered, &binding);
            gone.target = binding.current->target;
            gone.contact = binding.current->contact;
            gone.reason = binding.unregistered ? "un-registered on exit"
                          : binding.leave_failure->empty()
                              ? "the server did not answer the un-REGISTER"
                              : "the server did not answer the un-REGISTER "
                                "with 200: " +
                                    *binding.leave_failure;
            context.act(std::move(gone));
        }
        // B3: what may still be there is on disk, and the next start removes it.
        if (binding.unregistered) {
            binding.identity.contact.clear();
            store(binding, context);
        }
        binding.current.reset();
    }
    for (const auto flow : used_) context.act(act::Release{flow});
    used_.clear();
    context.act(act::Unregistered{});
}

void Resilient::on_time(const Context& context) {
    if (leaving_) return finish_leaving(context);
    if (targets_.on_time(context)) targets_changed(context);
    for (auto& binding : bindings_) on_binding_time(binding, context);
    proof_says(proof_.on_time(context.now, context.random), context);
    failback_due(context);
    settle_debts(context, {});
    for (const auto& linger : lingering_)
        if (linger.until <= context.now) context.act(act::KeepAlive{linger.flow, false, {}});
    const auto lingered =
        std::erase_if(lingering_, [&](const Linger& l) { return l.until <= context.now; });
    if (lingered > 0) release_unused(context);
}

void Resilient::on_binding_time(Binding& binding, const Context& context) {
    if (binding.search) {
        Search::Steps steps;
        binding.search->on_time(context.now, steps);
        if (steps.empty() || !left_udp(binding, context)) perform(binding, steps, context);
    }
    const bool options_answered = std::ranges::any_of(
        last_ranked_, [&](const Target& t) { return options_answered_.contains(t); });
    for (const auto due : binding.backoff.take_due(context.now, context.random, options_answered)) {
        switch (due) {
        case Backoff::Due::search:
        case Backoff::Due::register_round:
            if (other_flow_works(binding) && probe_budget_.runs_short(context.now)) {  // I5
                want_later(binding, "trying again (S1)", context.now + second_flow_waits);
                break;
            }
            want(binding,
                 {.reason = "trying again (S1)",
                  .name_olds = std::exchange(binding.held_with_olds, false)},
                 context);
            break;
        case Backoff::Due::probe_round:
            // One round serves both flows (I5).
            if (&binding != &bindings_.front() && bindings_.front().backoff.is_waiting()) break;
            if (!probe_budget_.take_round(context.now)) {  // I5
                binding.backoff.round_at(probe_budget_.next_round());
                break;
            }
            for (const auto& target : binding.backoff.round(last_ranked_)) probe(target, context);
            break;
        }
    }
    while (const auto timer = binding.timers.take_due(context.now)) {
        switch (*timer) {
        case Timer::refresh: {
            Want refresh{.reason = "refresh", .routine = true};
            if (binding.current) refresh.first = back_at_refresh(binding, context);
            want(binding, std::move(refresh), context);
            break;
        }
        case Timer::proof_register: want(binding, {.reason = "proof of life (K1)"}, context); break;
        case Timer::start:
            want(binding,
                 {.reason = binding.start_reason,
                  .patience = std::exchange(binding.start_patience, std::nullopt)},
                 context);
            break;
        case Timer::lapse: lapse(binding, context); break;
        case Timer::count: break;
        }
    }
}

Deadline Resilient::next_deadline() const {
    if (leaving_) return {leave_until_, "leaving (B4)"};
    auto deadline = targets_.next_deadline();
    for (const auto& binding : bindings_) {
        if (binding.search) deadline = sooner(deadline, binding.search->next_deadline());
        deadline = sooner(deadline, binding.backoff.next_deadline());
        deadline = sooner(deadline, {binding.timers.next(), "refresh (B4)"});
    }
    deadline = sooner(deadline, proof_.next_deadline());
    deadline = sooner(deadline, failback_.next_deadline());
    for (const auto& debt : debts_)
        if (!debt.asking) deadline = sooner(deadline, {debt.next_try, "debt (B7)"});
    for (const auto& linger : lingering_)
        deadline = sooner(deadline, {linger.until, "lingering flow (B7)"});
    return deadline;
}

void Resilient::handle(const Told& told, const Context& context) {
    if (left_) return;
    std::visit([&](const auto& what) { on_told(what, context); }, told);
}

View Resilient::view() const {
    View view;
    view.proven = proof_.proven();
    view.targets = last_ranked_;
    const auto* best = primary();
    for (const auto& binding : bindings_) {
        view.tokens.push_back(binding.identity.token);
        BindingView row{.reg_id = binding.identity.reg_id};
        if (binding.current) {
            row.registered = true;
            row.primary = &binding == best;
            row.flow = binding.current->flow;
            row.target = binding.current->target;
            row.contact = binding.current->contact;
            row.public_gruu = binding.current->gruus->public_one;
            row.temporary_gruu = binding.current->gruus->temporary_one;
            row.expires = binding.current->expires;
            row.refresh_at = binding.current->refresh_at;
            view.registered = true;
        }
        view.bindings.push_back(std::move(row));
    }
    for (const auto& [id, attempt] : attempts_)
        if (attempt.purpose != Purpose::prove && !attempt.abandoned)
            view.outstanding.push_back(
                {.reg_id = attempt.reg_id,
                 .flow = attempt.flow,
                 .target = attempt.target,
                 .sent = attempt.first_sent,
                 .settles = attempt.purpose != Purpose::register_ && !attempt.before_register});
    if (best != nullptr)
        if (const auto routes = service_routes_->find(best->current->target);
            routes != service_routes_->end())
            view.service_route = routes->second;
    const auto searching = [](const Binding& b) { return b.search && !b.search->is_exhausted(); };
    if (left_)
        view.state = "unregistered";
    else if (leaving_)
        view.state = "unregistering";
    else if (view.registered)
        view.state = "registered";
    else if (std::ranges::any_of(bindings_, searching))
        view.state = "searching";
    else if (std::ranges::any_of(bindings_, [](const Binding& b) { return b.auth_stopped; }))
        view.state = "wrong password";
    else if (targets_.is_waiting())
        view.state = "asking DNS";
    else if (targets_.has_failed())
        view.state = targets_.problem();
    else
        view.state = "waiting";
    return view;
}

std::vector<IpAddress> Resilient::accepted(Instant now) const {
    auto all = targets_.addresses(now);
    all.insert(all.end(), path_addresses_.begin(), path_addresses_.end());
    for (const auto& [target, redirect] : *redirects_)
        if (is_in_use(target, redirect, now)) all.push_back(target.endpoint.address);
    return all;
}

}  // namespace holdfast::registration
