// The plain client's Contact and its un-REGISTERs: how "Allow IP rewrite" follows the mapping, and
// how it leaves.
#include <utility>

#include "registration/answer.h"
#include "registration/plain.h"

namespace holdfast::registration {

namespace {

constexpr Duration longest_leave = 2s;  // B4: on exit

}  // namespace

bool Plain::rewrites() const {
    switch (config_.policy.rewrite) {
    case Rewrite::replace:
    case Rewrite::unregister_first: return true;
    case Rewrite::outbound:
    case Rewrite::off: return false;
    }
    return false;
}

// Across servers: the Contact holds the last mapping that any server has shown; an
// endpoint-dependent NAT makes each change of server look like a change of network. Else (N2) a
// mapping is compared with the same target's last one; a target seen for the first time changes
// only a Contact that has no mapping yet.
bool Plain::differs(const Endpoint& mapping, const Target& target) {
    if (config_.policy.compare_across_servers) return contact_at_ != mapping;
    const auto [known, is_new] = seen_.try_emplace(target, mapping);
    const auto before = std::exchange(known->second, mapping);
    return is_new ? !learned_ && contact_at_ != mapping : before != mapping;
}

void Plain::tell_mapping(const Endpoint& mapping, const Context& context) const {
    context.act(Event{.kind = EventKind::mapping_changed,
                      .account = context.account,
                      .target = registering_ ? std::optional(registering_->target()) : target_,
                      .mapping = mapping,
                      .contact = contact_,
                      .reason = "the Contact is not where the server sees us"});
}

// ALWAYS_UPDATE: in place. The Contact that an earlier 200 has bound is left behind until it
// expires.
void Plain::learn_before_200(const sip::Message& answer, const Context& context) {
    if (!config_.policy.learn_before_200 || !rewrites()) return;
    const auto mapping = seen_by_server(answer);
    if (!mapping || !differs(*mapping, registering_->target())) return;
    tell_mapping(*mapping, context);
    learned_ = mapping;
    mapping_ = mapping;
}

// After a 200 with another mapping than the Contact.
void Plain::follow_mapping(const Endpoint& mapping, const Context& context) {
    tell_mapping(mapping, context);
    learned_ = mapping;
    skip_check_ = true;
    timers_.stop(Timer::refresh);
    if (config_.policy.rewrite == Rewrite::replace) {
        replaced_contact_ = contact_;
        begin_register(context);
        return;
    }
    register_waits_ = true;
    auto session = std::move(*session_);
    session_.reset();  // the new REGISTER has a Call-ID of its own
    begin_unregister(std::move(session), contact_, context);
}

void Plain::begin_unregister(PlainSession session, std::string contact, const Context& context) {
    if (leaving_) leaving_->attempt.abandon(context);
    leaving_.emplace(std::move(session), std::move(contact), new_attempt());
    leaving_->session.begin_request();
    advance_leaving(leaving_->attempt.start(context), context);
}

void Plain::advance_leaving(Progress progress, const Context& context) {
    switch (progress) {
    case Progress::none: break;
    case Progress::send: transmit_unregister(context); break;
    case Progress::failed: on_left(std::string(leaving_->attempt.reason()), context); break;
    }
    const bool may_go_on =
        !leaving_ || (config_.policy.unregister_at_once && leaving_->attempt.is_located());
    if (!register_waits_ || !may_go_on || phase_ != Phase::running) return;
    register_waits_ = false;
    begin_register(context);
}

void Plain::transmit_unregister(const Context& context) {
    const auto attempt =
        transmit(leaving_->session, leaving_->attempt,
                 {{.uri = leaving_->contact, .expires = 0, .parameters = {}}}, 0, context);
    leaving_->attempt.sent(attempt, context.now);
}

void Plain::on_leaving_answer(const sip::Message& answer, const Context& context) {
    leaving_->attempt.on_provisional();
    const auto verdict = verdict_of(answer.status());
    if (verdict == Verdict::challenge && leaving_->session.on_challenge(answer).again)
        return transmit_unregister(context);
    if (verdict != Verdict::success) {
        auto words = in_words(answer, leaving_->attempt.target().to_string());
        return advance_leaving(
            leaving_->attempt.on_refused(answer.status(), std::move(words), context), context);
    }
    on_left({}, context);
    advance_leaving(Progress::none, context);
}

// failure: "" if the server has said 200.
void Plain::on_left(const std::string& failure, const Context& context) {
    Event event{.kind = EventKind::unregistered,
                .account = context.account,
                .contact = leaving_->contact,
                .reason = failure};
    if (leaving_->attempt.has_target()) event.target = leaving_->attempt.target();
    const bool rewriting = phase_ != Phase::leaving;
    if (rewriting && !failure.empty()) event.kind = EventKind::notice;
    if (rewriting && failure.empty()) event.reason = "the Contact has changed";
    leaving_.reset();
    context.act(std::move(event));
    if (!rewriting) finish(context);
}

void Plain::shut_down(const Context& context) {
    if (phase_ == Phase::leaving) return;
    if (registering_) registering_->abandon(context);
    if (leaving_) leaving_->attempt.abandon(context);
    registering_.reset();
    leaving_.reset();
    register_waits_ = false;
    timers_.stop_all();
    stop_keep_alive(context);
    phase_ = Phase::leaving;
    state_ = "leaving";
    if (contact_.empty() || expires_at_ <= context.now || !next_hop_) return finish(context);
    registered_ = false;
    timers_.arm(Timer::leave, context.now + longest_leave);
    if (!session_) session_.emplace(config_, context.random);
    begin_unregister(std::move(*session_), contact_, context);
}

void Plain::finish(const Context& context) {
    if (leaving_) {  // time is up
        leaving_->attempt.abandon(context);
        context.act(Event{.kind = EventKind::unregistered,
                          .account = context.account,
                          .contact = leaving_->contact,
                          .reason = "no answer in 2 s"});
        leaving_.reset();
    }
    phase_ = Phase::gone;
    state_ = "unregistered";
    flow_ = {};
    timers_.stop_all();
    context.act(act::Unregistered{});
}

// A flow that is lost is a failure of its own, if a binding was on it (pjsip: the first retry).
void Plain::on_flow_lost(const told::FlowLost& lost, const Context& context) {
    if (lost.usable) return;
    held_.erase(lost.flow);
    if (lost.flow == kept_alive_) kept_alive_ = {};
    if (lost.flow != flow_) return;
    flow_ = {};
    if (phase_ != Phase::running || !registered_ || registering_ || register_waits_) return;
    auto words = std::string(name_of(lost.error));
    if (!lost.detail.empty()) words += ": " + lost.detail;
    context.act(Event{.kind = EventKind::flow_lost,
                      .account = context.account,
                      .target = lost.target,
                      .reason = words});
    retry_later(words, context);
}

// MicroSIP restarts its stack after sleep. After a change of network it registers again only where
// pjsip would: with "Allow IP rewrite" on, or over a connection; else it waits for the refresh.
void Plain::on_network(const told::Network& network, const Context& context) {
    if (phase_ != Phase::running || registering_ || register_waits_) return;
    const bool stream = target_ && is_reliable(target_->transport);
    if (network.woke || (registered_ && (rewrites() || stream))) begin_register(context);
}

void Plain::on_password(const told::PasswordChanged& changed, const Context& context) {
    config_.password = changed.password;
    if (session_) session_->change_password(changed.password);
    if (phase_ == Phase::refused || timers_.is_armed(Timer::retry)) begin_register(context);
}

// CRLF goes to the destination of the last REGISTER.
void Plain::use_flow(FlowId flow, const Context& context) {
    if (kept_alive_ != flow) stop_keep_alive(context);
    flow_ = flow;
    kept_alive_ = flow;
}

void Plain::stop_keep_alive(const Context& context) {
    if (kept_alive_)
        context.act(act::KeepAlive{.flow = kept_alive_, .on = false, .binding_expires = {}});
    kept_alive_ = {};
}

void Plain::release_unused_flows(const Context& context) {
    const auto is_used = [&](FlowId flow) {
        return flow == flow_ || (registering_ && registering_->flow() == flow) ||
               (leaving_ && leaving_->attempt.flow() == flow);
    };
    for (auto flow = held_.begin(); flow != held_.end();) {
        if (is_used(*flow)) {
            ++flow;
            continue;
        }
        context.act(act::Release{*flow});
        flow = held_.erase(flow);
    }
}

View Plain::view() const {
    View view;
    view.registered = registered_;
    view.state = state_;
    view.service_route = service_route_;
    for (const auto& candidate : candidates_) view.targets.push_back(candidate.target);
    if (target_)
        view.bindings.push_back({.reg_id = 1,
                                 .registered = registered_,
                                 .primary = registered_,
                                 .flow = flow_,
                                 .target = target_,
                                 .mapping = mapping_,
                                 .contact = contact_,
                                 .expires = expires_at_,
                                 .refresh_at = timers_.at(Timer::refresh)});
    return view;
}

std::vector<IpAddress> Plain::accepted(Instant /*now*/) const {
    std::vector<IpAddress> all;
    all.reserve(candidates_.size());
    for (const auto& candidate : candidates_) all.push_back(candidate.target.endpoint.address);
    return all;
}

}  // namespace holdfast::registration
