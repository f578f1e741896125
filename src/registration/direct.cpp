#include "registration/direct.h"

#include <algorithm>
#include <array>
#include <utility>

#include "location/next_hop.h"

namespace holdfast::registration {

namespace {

constexpr std::array<Duration, 5> reopen_after{1s, 2s, 4s, 8s, 16s};

std::string words_for(FlowError error, const std::string& detail) {
    auto text = std::string(name_of(error));
    if (!detail.empty()) text += ": " + detail;
    return text;
}

bool is_for_tls_alone(const AccountConfig& config) {
    const auto hop = location::next_hop_of(config.direct_to);
    return registration::is_secure_only(config) ||
           (hop && (hop->secure || hop->transport == Transport::tls));
}

}  // namespace

Direct::Direct(const AccountConfig& config, const std::string& instance_id, SharedPolicy shared)
    : aor_(config.aor),
      to_(config.direct_to),
      domain_(domain_of_aor(config.direct_to)),
      secure_(is_for_tls_alone(config)),
      policy_(shared ? std::move(shared) : std::make_shared<const Policy>(config.policy)),
      targets_(config, {"urn:uuid:" + instance_id, config.direct_to}, {}, policy_) {
    if (const auto port = waiting_port(to_)) waiting_.emplace(aor_, *port);
}

void Direct::handle(const Told& told, const Context& context) {
    if (waiting_) return waiting_->handle(told, context);
    if (std::holds_alternative<told::ShutDown>(told)) return on_shut_down(context);
    if (const auto* opened = std::get_if<told::FlowOpen>(&told)) return on(*opened, context);
    if (std::holds_alternative<told::Start>(told) ||
        (std::holds_alternative<told::RegisterNow>(told) && phase_ == Phase::over))
        return start(context);
    if (const auto* dns = std::get_if<told::Dns>(&told)) {
        // Who has given up may ask again, which a question without its answer would forbid.
        if (phase_ != Phase::left && targets_.on_dns(*dns, context)) located(context);
        return;
    }
    if (is_over()) return;
    if (const auto* failed = std::get_if<told::FlowFailed>(&told)) {
        on(*failed, context);
    } else if (const auto* lost = std::get_if<told::FlowLost>(&told)) {
        on(*lost, context);
    } else if (const auto* call = std::get_if<told::CallWaits>(&told)) {
        on(*call, context);
    } else if (const auto* busy = std::get_if<told::CallUnavailable>(&told)) {
        on(*busy, context);
    } else if (std::holds_alternative<told::Network>(told)) {
        // K5: the way may be there again.
        if (phase_ == Phase::lost && opening_.empty()) open(*target_, context);
    } else if (std::holds_alternative<told::Time>(told)) {
        on_time(context);
    }
}

// The flow is kept for the calls' BYEs; it goes with the account.
void Direct::on_shut_down(const Context& context) {
    phase_ = Phase::left;
    timers_.stop_all();
    opening_.clear();
    unheard_.clear();
    looks_elsewhere_ = false;
    state_ = "leaving";
    context.act(act::Unregistered{});
}

Deadline Direct::next_deadline() const {
    if (phase_ == Phase::idle || is_over()) return {};
    auto deadline = targets_.next_deadline();
    deadline = sooner(deadline, {timers_.at(Timer::patience), "an INVITE that is unheard (F3)"});
    deadline = sooner(deadline, {timers_.at(Timer::spacing), "the next connect (F4)"});
    return sooner(deadline, {timers_.at(Timer::reopen), "a lost connection"});
}

void Direct::on_time(const Context& context) {
    if (targets_.on_time(context)) located(context);
    while (const auto timer = timers_.take_due(context.now)) {
        switch (*timer) {
        case Timer::patience:
            if (!has_another_way()) break;  // the INVITE has its own 32 s
            context.health.on_silence(*target_, context.now, context.random);
            looks_elsewhere_ = true;
            if (opening_.empty()) open_next(context);
            break;
        case Timer::spacing:
            if (looks_elsewhere_ || phase_ == Phase::opening) open_next(context);
            break;
        case Timer::reopen:
            if (phase_ == Phase::lost && opening_.empty()) open(*target_, context);
            break;
        case Timer::count: break;
        }
    }
}

void Direct::start(const Context& context) {
    if (phase_ != Phase::idle && phase_ != Phase::over) return;
    phase_ = Phase::locating;
    state_ = "looking for " + to_;
    tried_.clear();
    candidates_.clear();
    last_failure_.clear();
    reopened_ = 0;
    targets_.start(context);
    located(context);
}

void Direct::located(const Context& context) {
    const auto ranked = targets_.ranked(context);
    candidates_.clear();
    for (const auto& candidate : ranked) candidates_.push_back(candidate.target);
    if (phase_ != Phase::locating) return look_on(context);
    if (!untried()) {
        if (targets_.is_looking_up()) return;
        auto words = last_failure_.empty() ? targets_.problem() : last_failure_;
        return give_up(words.empty() ? "no address for " + domain_ : std::move(words), context);
    }
    Event event{.kind = EventKind::resolved, .account = context.account};
    for (const auto& candidate : ranked)
        event.targets.push_back({candidate.target, candidate.priority, candidate.weight,
                                 candidate.host, candidate.reason});
    context.act(std::move(event));
    phase_ = Phase::opening;
    open_next(context);
}

// What DNS says later serves the next failure, and who looks for another target already.
void Direct::look_on(const Context& context) {
    if (!has_another_way()) looks_elsewhere_ = false;
    if (!untried() || (phase_ != Phase::opening && !looks_elsewhere_)) return;
    if (opening_.empty())
        open_next(context);
    else if (!timers_.is_armed(Timer::spacing))
        timers_.arm(Timer::spacing, context.now + policy_->connect_spacing);
}

// To the next target, or to what DNS has still to say. false: to neither.
bool Direct::go_on(const Context& context) {
    if (!opening_.empty() || open_next(context)) {
        phase_ = Phase::opening;
    } else if (targets_.is_looking_up()) {
        phase_ = Phase::locating;
        state_ = "looking for " + to_;
    } else {
        return false;
    }
    return true;
}

std::optional<Target> Direct::untried() const {
    const auto next = std::ranges::find_if(candidates_, [&](const Target& candidate) {
        return std::ranges::find(tried_, candidate) == tried_.end();
    });
    return next == candidates_.end() ? std::nullopt : std::optional(*next);
}

bool Direct::open_next(const Context& context) {
    const auto next = untried();
    if (!next) return false;
    tried_.push_back(*next);
    if (!flow_) state_ = "connecting to " + next->to_string();
    open(*next, context);
    if (is_reliable(next->transport) && untried())
        timers_.arm(Timer::spacing, context.now + policy_->connect_spacing);
    return true;
}

void Direct::open(const Target& target, const Context& context) {
    opening_.insert(target);
    context.act(act::Open{target, targets_.tls_name_of(target)});
}

void Direct::on(const told::FlowOpen& opened, const Context& context) {
    opening_.erase(opened.target);
    const bool is_wanted = looks_elsewhere_ || phase_ == Phase::opening || phase_ == Phase::lost;
    if (opened.flow == flow_) return;
    if (!is_wanted) return context.act(act::Release{opened.flow});  // F4: another was sooner
    if (flow_) {  // F3: until now the silent one might have answered
        tell_failure(*target_, 0, target_->to_string() + ": no answer", context);
        leave(context);
    }
    flow_ = opened.flow;
    target_ = opened.target;
    phase_ = Phase::connected;
    reopened_ = 0;
    timers_.stop(Timer::spacing);
    timers_.stop(Timer::reopen);
    state_ = "calls go to " + opened.target.to_string();
    targets_.set_healthy(true, context);
    context.act(act::KeepAlive{.flow = flow_, .on = true, .binding_expires = {}});
    context.act(
        Event{.kind = EventKind::connected, .account = context.account, .target = opened.target});
}

void Direct::tell_failure(const Target& target, int said, std::string sentence,
                          const Context& context) {
    context.act(Event{.kind = EventKind::notice,
                      .account = context.account,
                      .target = target,
                      .status = said,
                      .reason = std::move(sentence)});
}

void Direct::on(const told::FlowFailed& failed, const Context& context) {
    if (opening_.erase(failed.target) == 0) return;
    const auto words = words_for(failed.error, failed.detail);
    if (phase_ == Phase::lost) return reopen_later(words, context);
    context.health.on_refusal(failed.target, context.now, context.random);
    if (phase_ != Phase::opening && !looks_elsewhere_) return;
    last_failure_ = failed.target.to_string() + ": " + words;
    open_next(context);  // whoever else is being tried
    if (phase_ == Phase::opening) {
        if (!go_on(context)) return give_up(last_failure_, context);
    } else if (!has_another_way()) {
        looks_elsewhere_ = false;  // the silent one is the last that may answer
    }
    tell_failure(failed.target, 0, last_failure_, context);
}

// ICMP for a datagram leaves the flow usable: it counts where an INVITE is unheard (F2).
void Direct::on(const told::FlowLost& lost, const Context& context) {
    if (lost.flow != flow_) return;
    const auto words = words_for(lost.error, lost.detail);
    if (lost.usable) {
        if (unheard_.empty()) return;
        context.health.on_refusal(lost.target, context.now, context.random);
        return move_on(0, words, {unheard_.begin(), unheard_.end()}, context);
    }
    context.act(Event{.kind = EventKind::flow_lost,
                      .account = context.account,
                      .target = lost.target,
                      .reason = words});
    flow_ = {};
    timers_.stop(Timer::patience);
    looks_elsewhere_ = false;
    last_failure_ = lost.target.to_string() + ": " + words;
    const auto unheard = std::exchange(unheard_, {});
    if (!unheard.empty() && go_on(context)) return;
    phase_ = Phase::lost;
    reopen_later(words, context);
}

void Direct::on(const told::CallWaits& call, const Context& context) {
    if (!call.unheard) {
        if (unheard_.erase(call.call) == 0 || !unheard_.empty()) return;
        looks_elsewhere_ = false;
        return timers_.stop(Timer::patience);
    }
    if (call.flow != flow_ || is_over()) return;
    unheard_.insert(call.call);
    timers_.arm(Timer::patience,
                context.now + context.health.patience_for(*target_, policy_->patience));
}

void Direct::on(const told::CallUnavailable& call, const Context& context) {
    if (call.flow == flow_) move_on(503, "Service Unavailable", {call.call}, context);
}

void Direct::leave(const Context& context) {
    timers_.stop(Timer::patience);
    unheard_.clear();
    looks_elsewhere_ = false;
    context.act(act::KeepAlive{.flow = flow_, .on = false, .binding_expires = {}});
    context.act(act::Release{std::exchange(flow_, FlowId{})});
}

// RFC 3263 §4.3. Nobody else to try: these calls end. said: the answer's status, 0: there was none.
void Direct::move_on(int said, const std::string& words, std::vector<CallRef> calls,
                     const Context& context) {
    last_failure_ = target_->to_string() + ": " + words;
    if (!has_another_way()) {
        for (const CallRef call : calls) unheard_.erase(call);
        if (unheard_.empty()) timers_.stop(Timer::patience);
        looks_elsewhere_ = false;
        return context.act(act::EndCalls{.words = last_failure_, .only = std::move(calls)});
    }
    tell_failure(*target_, said, last_failure_, context);
    leave(context);
    go_on(context);
}

void Direct::reopen_later(const std::string& words, const Context& context) {
    if (reopened_ == reopen_after.size())
        return give_up("the connection to " + target_->to_string() + " is lost: " + words, context);
    timers_.arm(Timer::reopen, context.now + reopen_after.at(reopened_++));
    state_ = "the connection is lost, and opened again: " + words;
}

void Direct::give_up(std::string words, const Context& context) {
    phase_ = Phase::over;
    timers_.stop_all();
    opening_.clear();
    unheard_.clear();
    looks_elsewhere_ = false;
    state_ = words;
    context.act(Event{.kind = EventKind::not_connected,
                      .account = context.account,
                      .target = tried_.empty() ? std::nullopt : std::optional(tried_.back()),
                      .reason = words});
    context.act(act::EndCalls{.words = std::move(words), .lost = target_});
}

View Direct::view() const {
    if (waiting_) return waiting_->view();
    View view;
    view.state = state_;
    view.targets = candidates_;
    view.has_another_way = has_another_way();
    if (flow_)  // what calls go over, as if it had a binding (L8)
        view.bindings.push_back({.registered = true,
                                 .primary = true,
                                 .flow = flow_,
                                 .target = target_,
                                 .expires = never,
                                 .refresh_at = never});
    return view;
}

}  // namespace holdfast::registration
