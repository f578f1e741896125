// The accounts' registrations: what they are told, and what they ask for in return.
#include <algorithm>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/text.h"
#include "engine/impl.h"
#include "engine/limits.h"
#include "sip/uri.h"

namespace holdfast {

namespace act = registration::act;
namespace told = registration::told;

namespace {

std::string user_of(std::string_view aor) {
    const auto uri = sip::OwnedUri::parse(aor);
    return uri ? sip::percent_decode((*uri)->user) : std::string{};
}

std::unique_ptr<const engine::CallSettings> call_settings_of(
    const registration::AccountConfig& config) {
    if (!config.takes_calls) return nullptr;
    return std::make_unique<const engine::CallSettings>(
        engine::CallSettings{.display_name = config.display_name,
                             .outbound_proxy = config.outbound_proxy,
                             .follows_transfers = config.follows_transfers});
}

}  // namespace

void Engine::Impl::on(const Step& step, const in::AddAccount& add) {
    if (!add.account || shutting_down_) return;
    if (const auto known = accounts_.find(add.account); known != accounts_.end()) {
        if (known->second.leaving) returning_.insert_or_assign(add.account, add.config);
        return;
    }
    const std::string& aor = add.config.aor;
    const std::string instance_id = instance_per_account_
                                        ? persistence_.instance_id(aor, random_, step.outbox)
                                        : persistence_.instance_id(random_, step.outbox);
    registration::Registration registration(add.config, instance_id,
                                            persistence_.account_state(aor), user_agent_,
                                            shared(add.config.policy));
    const std::string_view scheme = aor.starts_with("sips:") ? "sips:" : "sip:";
    auto identity = std::make_shared<const engine::PingIdentity>(
        engine::PingIdentity{std::string(scheme).append(registration.domain()), aor, user_agent_});
    std::string user = user_of(aor);
    by_user_.emplace(user, add.account);
    accounts_.emplace(add.account, Account{std::move(registration), std::move(identity),
                                           std::move(user), call_settings_of(add.config)});
    expect_proofs();
    step.tell(add.account, told::Start{});
}

void Engine::Impl::expect_proofs() {
    incoming_.expect(accounts_.size());
    own_options_.expect(accounts_.size());
}

registration::SharedPolicy Engine::Impl::shared(const registration::Policy& policy) {
    std::erase_if(policies_, [](const auto& known) { return known.expired(); });
    for (const auto& known : policies_)
        if (auto held = known.lock(); held && *held == policy) return held;
    auto made = std::make_shared<const registration::Policy>(policy);
    policies_.push_back(made);
    return made;
}

void Engine::Impl::tell_all(const Step& step, const registration::Told& told) {
    for (const auto& [id, account] : accounts_) step.tell(id, told);
}

void Engine::Impl::work(const Step& step) {
    // Bounded: an engine that talks to itself for ever fails loudly instead of spinning.
    const std::size_t limit = (accounts_.size() + 1) * engine::limits::steps_per_account;
    for (std::size_t next = 0; next < tidings_.size(); ++next) {
        CHECK(next < limit);
        const auto tiding = std::move(tidings_[next]);
        if (engine::may_start_register(tiding.told) && !pace_.admits(step.now, tiding.account)) {
            if (accounts_.contains(tiding.account)) pace_.wait(tiding.account, tiding.told);
            agenda_.remove(tiding.account);  // it is told the time when its turn comes
            continue;
        }
        handle(step, tiding.account, tiding.told);
    }
    tidings_.clear();
}

// S3: those whose turn it is, one after the other: a REGISTER that one sends delays the next.
void Engine::Impl::take_turns(const Step& step) {
    while (auto turn = pace_.take(step.now, random_)) {
        for (const auto& told : turn->tidings) handle(step, turn->account, told);
        handle(step, turn->account, told::Time{});  // whatever fell due while it waited
    }
}

void Engine::Impl::handle(const Step& step, AccountId id, const registration::Told& told) {
    const auto found = accounts_.find(id);
    if (found == accounts_.end() || gone_.contains(id)) return;
    Account& account = found->second;
    actions_.clear();
    account.registration.handle(told, {.account = id,
                                       .now = step.now,
                                       .wall_clock = persistence_.wall_clock(step.now),
                                       .random = random_,
                                       .health = health_,
                                       .candidates = candidates_,
                                       .flows = flows_.table(),
                                       .addresses = addresses_,
                                       .actions = actions_});
    for (auto& action : actions_) perform(step, id, account, action);
    watch(id, account);
    persistence_.health_may_have_changed(step.now);
    if (account.calls && calls_.has_calls(id)) followed_.insert(id);
}

void Engine::Impl::watch(AccountId id, const Account& account) {
    // Who waits for its turn (S3) is not told the time meanwhile.
    agenda_.put(id, pace_.is_waiting(id) ? Deadline{} : account.registration.next_deadline());
}

void Engine::Impl::perform(const Step& step, AccountId id, Account& account,
                           registration::Action& action) {
    std::visit([&](auto& what) { perform(step, id, account, what); }, action);
}

void Engine::Impl::perform(const Step& step, AccountId id, Account&, act::Ask& ask) {
    dns_.ask(step.now, id, ask.question, step.outbox);
}

void Engine::Impl::perform(const Step& step, AccountId id, Account& account, act::Open& open) {
    const auto settings = engine::keep_alive_settings(account.registration.policy());
    if (const auto flow = flows_.open(step, id, open.target, open.tls_name, settings))
        step.tell(id, told::FlowOpen{*flow, open.target});
}

void Engine::Impl::perform(const Step& step, AccountId id, Account& account,
                           act::Release& release) {
    keep_alives_.unwant(step, id, release.flow);
    learning_.unwant(id, release.flow);
    flows_.release(step.now, release.flow, id);
    keep_flows_of_calls(step, id, account, release.flow);
}

// L8: a flow that was left stays alive until its dialogs end, and so does its NAT's mapping: the
// other side's requests come that way.
void Engine::Impl::keep_flows_of_calls(const Step& step, AccountId id, const Account& account,
                                       FlowId flow) {
    if (!account.leaving && calls_.uses(id, flow)) keep_alive(step, id, account, flow);
}

void Engine::Impl::leave_flows_of_calls(const Step& step) {
    for (const auto& [id, flow] : calls_.take_returned())
        if (const auto account = accounts_.find(id);
            account != accounts_.end() && !flows_.users(flow).contains(id))
            keep_flows_of_calls(step, id, account->second, flow);
    for (const auto& [id, flow] : calls_.take_let_go())
        if (!flows_.users(flow).contains(id) && !calls_.uses(id, flow))
            keep_alives_.unwant(step, id, flow);
}

void Engine::Impl::perform(const Step& step, AccountId id, Account&, act::Send& request) {
    // R1: a copy of this that arrives here is proof; the Call-ID tells.
    if (request.method == sip::Method::options) own_options_.note(step.now, id, request.call_id);
    // S3: the OPTIONS to oneself (R1) as well. They wait for the same line while it is long, and
    // the fleet would prove itself in one burst when it ends, which no server answers.
    if (request.method == sip::Method::register_ || request.method == sip::Method::options)
        pace_.sent(step.now);
    const auto* const flow = flows_.find(request.flow);
    if (flow == nullptr || !flow->is_open()) {
        const auto why = flow == nullptr ? std::nullopt : flow->error;
        step.tell(id, told::SendFailed{request.attempt, why.value_or(FlowError::closed_by_peer),
                                       "the flow is closed"});
        return;
    }
    transactions_.send(step, *flow, id, std::move(request));
}

void Engine::Impl::perform(const Step&, AccountId id, Account&, act::Abandon& abandon) {
    transactions_.abandon(id, abandon.attempt);
}

void Engine::Impl::perform(const Step& step, AccountId id, Account& account, act::Probe& probe) {
    probes_.ask(step, id, probe, account.identity);
}

void Engine::Impl::perform(const Step& step, AccountId id, Account& account,
                           act::KeepAlive& keep_alive) {
    if (!keep_alive.on) {
        keep_alives_.unwant(step, id, keep_alive.flow);
        learning_.unwant(id, keep_alive.flow);
        return keep_flows_of_calls(step, id, account, keep_alive.flow);
    }
    const auto* const flow = flows_.find(keep_alive.flow);
    const bool learns = account.registration.policy().keepalive_learn && flow != nullptr &&
                        !is_reliable(flow->target.transport);
    if (learns) {
        learning_.want(id, keep_alive.flow, account.identity);
        learning_.on_answer(step, *flow);  // the 200 that brought us here
    }
    this->keep_alive(step, id, account, keep_alive.flow);
}

void Engine::Impl::keep_alive(const Step& step, AccountId id, const Account& account,
                              FlowId flow_id) {
    const auto& policy = account.registration.policy();
    auto settings = engine::keep_alive_settings(policy);
    // A stranger gets no OPTIONS: what holds the NAT's mapping is enough (K1).
    if (account.registration.is_direct()) {
        settings.kind = flow::KeepAliveKind::crlf;
        settings.demand_pong = false;
    }
    const auto* const flow = flows_.find(flow_id);
    if (policy.keepalive_learn && flow != nullptr)
        settings = engine::with_interval(settings, learning_.interval(*flow));
    keep_alives_.want(step, id, flow_id, {account.identity, settings});
}

// K4: what was learned, or forgotten, is each keep-alive's interval from its next ping on.
void Engine::Impl::apply_learned(const Step& step) {
    for (const auto& [id, flow] : learning_.take_changed())
        if (const auto account = accounts_.find(id); account != accounts_.end())
            keep_alive(step, id, account->second, flow);
}

void Engine::Impl::perform(const Step& step, AccountId id, Account&, act::AskStun& ask) {
    stun_.ask(step, id, ask.server);
}

void Engine::Impl::perform(const Step& step, AccountId, Account& account, act::Store& store) {
    persistence_.store_account(account.registration.aor(), store.key, std::move(store.value),
                               step.outbox);
}

void Engine::Impl::perform(const Step&, AccountId id, Account& account, act::Unregistered&) {
    if (account.leaving) unregistered_.insert(id);
}

void Engine::Impl::perform(const Step& step, AccountId id, Account&, act::EndCalls& end) {
    calls_.end_stranded(step, accounts_, id, end);
}

void Engine::Impl::perform(const Step& step, AccountId id, Account&, Event& event) {
    event.account = id;
    step.outbox.push(std::move(event));
}

void Engine::Impl::leave(const Step& step, AccountId id, Account& account) {
    if (std::exchange(account.leaving, true)) return;
    // B4: 2 s at most, which the registration counts from its turn in S3's line.
    leaving_.put(id, {step.now + leave_within_, "waits until it is unregistered (B4)"});
    incoming_.forget(step, id);
    calls_.say_bye_lost(step, accounts_, id);
    calls_.end_all(step, accounts_, id, "the account is being removed");
    step.tell(id, told::ShutDown{});
}

void Engine::Impl::remove_those_gone(const Step& step) {
    for (const AccountId id : std::exchange(gone_, {})) {
        unregistered_.erase(id);
        const auto found = accounts_.find(id);
        if (found == accounts_.end()) continue;
        keep_alives_.forget(step, id);
        learning_.forget(id);
        pace_.forget(id);
        transactions_.forget(id);
        probes_.forget(id);
        stun_.forget(id);
        dns_.forget(id);
        incoming_.forget(step, id);
        calls_.forget(step, id);
        flows_.forget(step.now, id);
        health_.forget(id);
        agenda_.remove(id);
        leaving_.remove(id);
        by_user_.erase({found->second.user, id});
        accounts_.erase(found);
        expect_proofs();
        if (auto returning = returning_.extract(id))
            on(step, in::AddAccount{id, std::move(returning.mapped())});
    }
}

std::optional<AccountStatus> Engine::Impl::status(AccountId id) const {
    const auto found = accounts_.find(id);
    if (found == accounts_.end()) return std::nullopt;
    const auto view = found->second.registration.view();
    AccountStatus status{.aor = found->second.registration.aor(),
                         .registered = view.registered,
                         .proven = view.proven,
                         .bindings = {},
                         .outstanding = {},
                         .targets = view.targets,
                         .state = view.state};
    for (const auto& binding : view.bindings) {
        const auto* const flow = flows_.find(binding.flow);
        status.bindings.push_back(
            {.reg_id = binding.reg_id,
             .registered = binding.registered,
             .target = binding.target,
             .mapping = flow != nullptr ? flow->mapping.mapping() : binding.mapping,
             .contact = binding.contact,
             .expires = binding.expires,
             .refresh_at = binding.refresh_at});
    }
    for (const auto& sent : view.outstanding)
        status.outstanding.push_back({.reg_id = sent.reg_id,
                                      .flow = sent.flow,
                                      .target = sent.target,
                                      .sent = sent.sent,
                                      .settles = sent.settles});
    return status;
}

}  // namespace holdfast
