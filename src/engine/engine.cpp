// What can happen to the engine, one input after the other, and when it wants to be called again.
#include "engine/engine.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/check.h"
#include "engine/impl.h"
#include "engine/limits.h"

namespace holdfast {

namespace told = registration::told;

Engine::Engine(EngineOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

void Engine::handle(Instant now, const Input& input, Outbox& outbox) {
    impl_->handle(now, input, outbox);
}
Deadline Engine::next_deadline() const { return impl_->next_deadline(); }
std::optional<AccountStatus> Engine::status(AccountId account) const {
    return impl_->status(account);
}

Engine::Impl::Impl(EngineOptions options)
    : random_(options.seed),
      user_agent_(options.user_agent),
      instance_per_account_(options.instance_per_account),
      persistence_(std::move(options.state), options.started, options.wall_clock),
      pace_(options.registers_per_second),
      leave_within_(options.leave_within),
      incoming_(options.user_agent),
      calls_(options.user_agent),
      now_(options.started) {
    persistence_.restore_health(health_, options.started);
}

void Engine::Impl::handle(Instant now, const Input& input, Outbox& outbox) {
    CHECK(now >= now_);  // the driver's promise: now never goes back
    now_ = now;
    if (stopped_) return;
    const Step step{now, random_, health_, flows_, tidings_, outbox};
    // The news first, then the clock: an answer that lies here already beats a timeout of the same
    // moment.
    std::visit([&](const auto& what) { on(step, what); }, input);
    work(step);
    on_time(step);
    work(step);
    while (pace_.next_deadline().at <= now) {
        take_turns(step);
        work(step);
    }
    // When all is said: what the registration sends next tells whether its Contact is the last one.
    for (const AccountId id : std::exchange(followed_, {})) calls_.follow(step, accounts_, id);
    work(step);
    for (const AccountId id : unregistered_)
        if (!calls_.owes(id)) gone_.insert(id);
    // B4: after the account's own last word at this moment, which says what was not answered.
    for (const AccountId id : leaving_.take_due(now)) gone_.insert(id);
    leave_flows_of_calls(step);
    apply_learned(step);
    remove_those_gone(step);
    work(step);  // of those who come back
    flows_.sweep();
    // Last: what this step has taught is in it, and no deadline stays behind that is due already.
    if (persistence_.next_deadline().at <= now)
        persistence_.store_health(health_, now, step.outbox);
    if (shutting_down_ && accounts_.empty()) stop(step);
}

void Engine::Impl::on_time(const Step& step) {
    for (auto& reply : dns_.on_time(step.now))
        for (const AccountId id : reply.askers)
            step.tell(id, told::Dns{reply.question, reply.answer});
    for (const auto& result : transactions_.on_time(step)) report(step, result, {}, nullptr);
    probes_.on_time(step);
    stun_.on_time(step);
    for (const FlowId lost : keep_alives_.on_time(step)) {
        const Target target = flows_.find(lost)->target;
        flows_.close(step, lost, FlowError::timed_out);
        end_flow(step, {lost, target, FlowError::timed_out, "no pong (RFC 5626 §4.4.1)"});
    }
    learning_.on_time(step);
    flows_.on_time(step);
    incoming_.on_time(step);
    calls_.on_time(step, accounts_);
    for (const AccountId id : agenda_.take_due(step.now)) step.tell(id, told::Time{});
}

Deadline Engine::Impl::next_deadline() const {
    if (stopped_) return {};
    Deadline next = dns_.next_deadline();
    for (const Deadline deadline :
         {transactions_.next_deadline(), probes_.next_deadline(), keep_alives_.next_deadline(),
          learning_.next_deadline(), stun_.next_deadline(), flows_.next_deadline(),
          incoming_.next_deadline(), calls_.next_deadline(), pace_.next_deadline(), agenda_.next(),
          leaving_.next(), persistence_.next_deadline()})
        next = sooner(next, deadline);
    return next;
}

void Engine::Impl::on(const Step&, const in::Time&) {}

void Engine::Impl::on(const Step& step, const in::FlowOpened& opened) {
    const auto* const flow =
        flows_.on_opened(step, opened.flow, opened.local, opened.verified_name);
    if (flow == nullptr) return;
    persistence_.remember_port(*flow, step.outbox);
    probes_.on_flow_opened(step, *flow);
    learning_.on_flow_opened(step, *flow);
    stun_.on_flow_opened(step, *flow);
    calls_.on_flow_opened(step, accounts_, opened.flow);
    auto strayed = strays_.extract(opened.flow);
    if (strayed.empty()) return;
    for (const auto& [arrived, source, bytes] : strayed.mapped()) {
        on_message(step, arrived, source, bytes);
        work(step);
    }
}

void Engine::Impl::on(const Step& step, const in::FlowFailed& failed) {
    const auto* const flow = flows_.find(failed.flow);
    if (flow == nullptr || !flow->is_alive()) return;
    const engine::FlowTrouble trouble{failed.flow, flow->target, failed.error, failed.detail};
    if (flows_.on_failed(step, trouble)) {
        probes_.on_flow_trouble(step, *flow, failed.error);
        learning_.on_flow_ended(step, failed.flow);
        stun_.on_flow_trouble(step, *flow, failed.error);
        calls_.on_flow_trouble(step, accounts_, trouble, true);
        strays_.erase(failed.flow);
    } else if (is_reliable(flow->target.transport)) {
        if (flows_.on_closed(trouble)) end_flow(step, trouble);
    } else {
        on_icmp(step, trouble);
    }
}

void Engine::Impl::on(const Step& step, const in::FlowClosed& closed) {
    const auto* const flow = flows_.find(closed.flow);
    if (flow == nullptr) return;
    const engine::FlowTrouble trouble{closed.flow, flow->target, closed.error, closed.detail};
    if (flow->state == flow::FlowState::opening) {
        on(step, in::FlowFailed{closed.flow, closed.error, closed.detail});
    } else if (flows_.on_closed(trouble)) {
        end_flow(step, trouble);
    }
}

void Engine::Impl::on(const Step& step, const in::Received& received) {
    auto* const flow = flows_.find(received.flow);
    if (flow == nullptr || !flow->is_open()) return;
    if (is_reliable(flow->target.transport)) {
        on_stream(step, received.flow, received.bytes);
    } else if (flow->spare_port) {
        learning_.on_datagram(step, *flow, received.bytes);
    } else {
        on_datagram(step, received.flow, received.bytes);
    }
}

void Engine::Impl::on(const Step& step, const in::Stray& stray) {
    on_message(step, FlowId{}, stray.remote, stray.bytes);
}

void Engine::Impl::on(const Step& step, const in::DnsAnswer& answer) {
    const auto reply = dns_.on_answer(answer.query, answer.answer);
    for (const AccountId id : reply.askers) step.tell(id, told::Dns{reply.question, reply.answer});
}

void Engine::Impl::on(const Step& step, const in::NetworkChanged& network) {
    const bool is_first = !std::exchange(network_known_, true);
    if (addresses_ != network.addresses) {
        learning_.on_network_changed(step);
        nat_.on_network_changed();
    }
    addresses_ = network.addresses;
    if (is_first) return tell_all(step, told::Network{addresses_, network.woke});
    // K5: a flow whose address is gone is closed, all others are verified.
    std::vector<engine::FlowTrouble> gone;
    for (const auto& flow : flows_.table().all()) {
        const IpAddress& own = flow.local.address;
        if (!flow.is_open() || own.is_unspecified() || own.is_loopback() || own.is_link_local())
            continue;
        if (std::ranges::find(addresses_, own) == addresses_.end())
            gone.push_back({flow.id, flow.target, FlowError::local_address_gone, own.to_string()});
    }
    for (const auto& trouble : gone) {
        flows_.close(step, trouble.flow, trouble.error);
        end_flow(step, trouble);
    }
    tell_all(step, told::Network{addresses_, network.woke});
    keep_alives_.verify_all(step);
}

void Engine::Impl::on(const Step& step, const in::RegisterNow& command) {
    if (command.account) {
        step.tell(command.account, told::RegisterNow{});
    } else {
        tell_all(step, told::RegisterNow{});
    }
}

void Engine::Impl::on(const Step& step, const in::ChangePassword& change) {
    if (const auto found = returning_.find(change.account); found != returning_.end())
        found->second.password = change.password;
    calls_.password_changed(change.account);
    step.tell(change.account, told::PasswordChanged{change.password});
}

void Engine::Impl::on(const Step& step, const in::HangUp& hang_up) {
    if (hang_up.call) return calls_.command(step, accounts_, hang_up.call, call::told::HangUp{});
    incoming_.hang_up(step, hang_up.account);
    calls_.end_all(step, accounts_, hang_up.account, "hung up");
}

void Engine::Impl::on(const Step& step, const in::Dial& dial) {
    calls_.dial(step, accounts_, dial);
}

void Engine::Impl::on(const Step& step, const in::Answer& answer) {
    calls_.command(step, accounts_, answer.call, call::told::Answer{answer.streams});
}

void Engine::Impl::on(const Step& step, const in::Reject& reject) {
    calls_.reject(step, accounts_, reject);
}

void Engine::Impl::on(const Step& step, const in::Press& press) {
    calls_.command(step, accounts_, press.call,
                   call::told::Press{press.digits, press.form, press.length});
}

void Engine::Impl::on(const Step& step, const in::Transfer& transfer) {
    calls_.transfer(step, accounts_, transfer);
}

void Engine::Impl::on(const Step& step, const in::TransferTo& transfer) {
    calls_.transfer_to(step, accounts_, transfer);
}

void Engine::Impl::on(const Step& step, const in::Hold& hold) {
    calls_.command(step, accounts_, hold.call, call::told::Hold{});
}

void Engine::Impl::on(const Step& step, const in::Resume& resume) {
    calls_.command(step, accounts_, resume.call, call::told::Resume{});
}

void Engine::Impl::on(const Step& step, const in::MediaChanged& changed) {
    calls_.command(step, accounts_, changed.call, call::told::MediaChanged{changed.streams});
}

void Engine::Impl::on(const Step& step, const in::RemoveAccount& remove) {
    const auto found = accounts_.find(remove.account);
    if (found == accounts_.end()) return;
    returning_.erase(remove.account);
    leave(step, found->first, found->second);
}

void Engine::Impl::on(const Step& step, const in::ShutDown&) {
    shutting_down_ = true;
    returning_.clear();
    for (auto& [id, account] : accounts_) leave(step, id, account);
}

void Engine::Impl::stop(const Step& step) {
    persistence_.store_health(health_, step.now, step.outbox);
    flows_.close_all(step);
    Event stopped;
    stopped.kind = EventKind::stopped;
    step.outbox.push(std::move(stopped));
    stopped_ = true;
}

}  // namespace holdfast
