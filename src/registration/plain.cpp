#include "registration/plain.h"

#include <algorithm>
#include <utility>

#include "location/next_hop.h"
#include "location/rank.h"
#include "registration/answer.h"

namespace holdfast::registration {

namespace {

constexpr Duration shortest_refresh = 5s;

// L1. Without NAPTR and SRV a client knows no transport but the URI's, and UDP (pjsip).
std::vector<Transport> transports_of(const AccountConfig& config,
                                     const location::NextHop& next_hop) {
    location::TransportChoice choice;
    choice.fixed = next_hop.transport ? next_hop.transport : config.transport;
    choice.secure = next_hop.secure;
    choice.allow_downgrade = config.policy.allow_downgrade;
    const bool asks_dns = config.policy.use_naptr || config.policy.use_srv;
    if (!choice.fixed && !choice.secure && !asks_dns) choice.fixed = Transport::udp;
    return location::allowed_transports(choice);
}

// pjsip's list of what may be over tomorrow (measured: "retried codes"); everything else is final.
bool is_retried(int status) {
    switch (status) {
    case 0:  // no target, no connection
    case 408:
    case 480:
    case 500:
    case 502:
    case 503:
    case 504: return true;
    default: return status >= 600;
    }
}

}  // namespace

Plain::Plain(AccountConfig config, std::string instance_id,
             const AccountState& /*nothing is remembered*/, std::string user_agent)
    : config_(std::move(config)),
      instance_id_(std::move(instance_id)),
      user_agent_(std::move(user_agent)),
      identity_(config_),
      asked_(config_.policy.expires) {
    if (auto next_hop = location::next_hop_of(identity_.next_hop)) next_hop_ = std::move(*next_hop);
}

void Plain::handle(const Told& told, const Context& context) {
    if (phase_ == Phase::gone) return;
    if (const auto* opened = std::get_if<told::FlowOpen>(&told)) held_.insert(opened->flow);
    if (const auto* response = std::get_if<told::Response>(&told)) {
        on_response(*response, context);
    } else {
        // In this order: the un-REGISTER's answer from DNS begins a REGISTER, which asks for an
        // answer of its own.
        if (registering_) advance(registering_->handle(told, context), context);
        if (leaving_) advance_leaving(leaving_->attempt.handle(told, context), context);
    }
    if (std::holds_alternative<told::Start>(told) ||
        std::holds_alternative<told::RegisterNow>(told)) {
        if (!registering_ && !register_waits_) begin_register(context);
    } else if (std::holds_alternative<told::Time>(told)) {
        on_time(context);
    } else if (const auto* lost = std::get_if<told::FlowLost>(&told)) {
        on_flow_lost(*lost, context);
    } else if (const auto* network = std::get_if<told::Network>(&told)) {
        on_network(*network, context);
    } else if (const auto* password = std::get_if<told::PasswordChanged>(&told)) {
        on_password(*password, context);
    } else if (std::holds_alternative<told::ShutDown>(told)) {
        shut_down(context);
    }
    release_unused_flows(context);
}

Deadline Plain::next_deadline() const {
    if (phase_ == Phase::gone) return {};
    Deadline deadline;
    if (registering_) deadline = registering_->next_deadline();
    if (leaving_) deadline = sooner(deadline, leaving_->attempt.next_deadline());
    deadline = sooner(deadline, {timers_.at(Timer::refresh), "refresh the binding"});
    deadline = sooner(deadline, {timers_.at(Timer::retry), "try again after a failure"});
    return sooner(deadline, {timers_.at(Timer::leave), "the un-REGISTER takes too long"});
}

void Plain::on_time(const Context& context) {
    while (const auto timer = timers_.take_due(context.now)) {
        switch (*timer) {
        case Timer::refresh:
        case Timer::retry:
            if (!registering_ && !register_waits_) begin_register(context);
            break;
        case Timer::leave: finish(context); return;
        case Timer::count: break;
        }
    }
}

PlainAttempt Plain::new_attempt() const {
    location::Constraints constraints;
    constraints.transports = transports_of(config_, *next_hop_);
    constraints.use_naptr = config_.policy.use_naptr;
    constraints.use_srv = config_.policy.use_srv;
    constraints.key = {"urn:uuid:" + instance_id_, config_.aor};
    return PlainAttempt({.next_hop = *next_hop_,
                         .constraints = std::move(constraints),
                         .order = config_.policy.order,
                         .failover = config_.policy.failover,
                         .preferred = config_.policy.affinity ? target_ : std::nullopt});
}

void Plain::begin_register(const Context& context) {
    if (phase_ == Phase::leaving) return;
    if (!identity_.valid || !next_hop_)
        return give_up(EventKind::notice, 0, "\"" + config_.aor + "\" leads to no server", context);
    phase_ = Phase::running;
    state_ = registered_ ? "refreshing" : "registering";
    timers_.stop(Timer::refresh);
    timers_.stop(Timer::retry);
    if (!session_) session_.emplace(config_, context.random);
    session_->begin_request();
    request_began_ = context.now;
    registering_.emplace(new_attempt());
    advance(registering_->start(context), context);
}

void Plain::advance(Progress progress, const Context& context) {
    if (!registering_) return;
    if (registering_->is_located()) candidates_ = registering_->candidates();
    switch (progress) {
    case Progress::none: return;
    case Progress::send:
        context.act(Event{.kind = EventKind::attempt,
                          .account = context.account,
                          .target = registering_->target()});
        transmit_register(context);
        return;
    case Progress::failed:
        on_failed(registering_->status(), std::string(registering_->reason()), context);
        return;
    }
}

// The Contact is what was learned, else our end of the flow (pjsip: contact_use_src_port).
void Plain::transmit_register(const Context& context) {
    const auto* flow = context.flows.find(registering_->flow());
    contact_at_ = learned_ ? *learned_ : flow != nullptr ? flow->local : Endpoint{};
    contact_ = identity_.contact_uri(*contact_at_, registering_->target().transport);
    std::vector<ContactField> contacts{{.uri = contact_, .expires = {}, .parameters = {}}};
    if (!replaced_contact_.empty())
        contacts.push_back({.uri = replaced_contact_, .expires = 0, .parameters = {}});
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(asked_).count();
    const auto attempt = transmit(*session_, *registering_, std::move(contacts),
                                  static_cast<std::uint32_t>(seconds), context);
    registering_->sent(attempt, context.now);
}

AttemptId Plain::transmit(PlainSession& session, const PlainAttempt& attempt,
                          std::vector<ContactField> contacts, std::uint32_t expires,
                          const Context& context) {
    const auto* flow = context.flows.find(attempt.flow());
    auto written = session.write(identity_,
                                 {.transport = attempt.target().transport,
                                  .local = flow != nullptr ? flow->local : Endpoint{},
                                  .contacts = std::move(contacts),
                                  .expires = expires},
                                 user_agent_, context.random);
    const AttemptId id{++last_attempt_};
    context.act(act::Send{.attempt = id,
                          .flow = attempt.flow(),
                          .method = sip::Method::register_,
                          .branch = std::move(written.branch),
                          .wire = std::move(written.wire),
                          .call_id = std::move(written.call_id),
                          .cseq = written.cseq});
    return id;
}

void Plain::on_response(const told::Response& response, const Context& context) {
    const auto& answer = *response.message;
    if (leaving_ && leaving_->attempt.awaits(response.attempt)) {
        if (answer.status() < 200)
            leaving_->attempt.on_provisional();
        else
            on_leaving_answer(answer, context);
    } else if (registering_ && registering_->awaits(response.attempt)) {
        if (answer.status() < 200)
            registering_->on_provisional();
        else
            on_answer(answer, context);
    }
}

void Plain::on_answer(const sip::Message& answer, const Context& context) {
    registering_->on_provisional();
    auto words = in_words(answer, registering_->target().to_string());
    switch (verdict_of(answer.status())) {
    case Verdict::success: return on_registered(answer, context);
    case Verdict::challenge: {
        learn_before_200(answer, context);
        const auto challenge = session_->on_challenge(answer);
        if (challenge.again) return transmit_register(context);
        words += ": " + challenge.words;
        break;
    }
    case Verdict::too_brief:  // RFC 3261 §10.2.8
        if (const auto least = answer.min_expires();
            least && std::chrono::seconds(*least) > asked_) {
            asked_ = std::chrono::seconds(*least);
            return transmit_register(context);
        }
        break;
    case Verdict::progress:
    case Verdict::redirect:
    case Verdict::bad_extension:
    case Verdict::needs_extension:
    case Verdict::no_outbound:
    case Verdict::next_target:
    case Verdict::slow: break;
    }
    advance(registering_->on_refused(answer.status(), std::move(words), context), context);
}

void Plain::on_registered(const sip::Message& answer, const Context& context) {
    const auto target = registering_->target();
    const auto old_target = std::exchange(target_, target);
    const auto kind =
        std::exchange(registered_, true) ? EventKind::refreshed : EventKind::registered;
    use_flow(registering_->flow(), context);
    registering_.reset();
    failures_ = 0;
    replaced_contact_.clear();
    state_ = "registered";
    service_route_.clear();
    for (const auto& route : answer.service_routes())
        if (route.text.contains('<')) service_route_.emplace_back(route.text);
    const auto seen = seen_by_server(answer);
    if (seen) mapping_ = seen;

    const auto& policy = config_.policy;
    auto expires = granted(answer, contact_, asked_);
    if (expires <= 0s) expires = asked_;
    const bool by_share = policy.refresh_before == 0s;
    const auto began = by_share ? request_began_ : context.now;  // B4; pjsip counts from the answer
    const auto wait = by_share ? context.random.between(scaled(expires, policy.refresh_from),
                                                        scaled(expires, policy.refresh_to))
                               : expires - policy.refresh_before;
    expires_at_ = began + expires;
    timers_.arm(Timer::refresh, std::max(began + wait, context.now + shortest_refresh));
    context.act(act::KeepAlive{.flow = flow_, .on = true, .binding_expires = expires});

    Event event{.kind = kind,
                .account = context.account,
                .target = target,
                .mapping = mapping_,
                .contact = contact_,
                .expires = expires,
                .status = answer.status(),
                .reg_id = 1};
    if (old_target && *old_target != target) {
        auto moved = event;
        moved.kind = EventKind::moved;
        moved.from = old_target;
        context.act(std::move(moved));
    }
    context.act(std::move(event));
    if (std::exchange(skip_check_, false) || !rewrites() || !seen) return;
    if (differs(*seen, target)) follow_mapping(*seen, context);
}

// Everything is given up and begun anew later: pjsip destroys its client, with Call-ID and nonces.
void Plain::on_failed(int status, const std::string& reason, const Context& context) {
    const bool silent_stream = status == 408 && registering_->has_target() &&
                               is_reliable(registering_->target().transport);
    if (silent_stream && registering_->flow() == flow_) flow_ = {};  // a retry connects anew
    registering_.reset();
    if (is_retried(status)) return retry_later(reason, context);
    const bool password = status == 401 || status == 407;
    give_up(password ? EventKind::auth_failed : EventKind::refused, status, reason, context);
}

void Plain::retry_later(const std::string& reason, const Context& context) {
    registered_ = false;
    session_.reset();
    stop_keep_alive(context);
    timers_.stop(Timer::refresh);
    const auto& policy = config_.policy;
    const bool first = failures_++ == 0;
    auto wait = first ? context.random.between(policy.first_retry_min, policy.first_retry_max)
                      : context.random.between(policy.retry_min, policy.retry_max);
    if (!first && policy.retry_max == 0s) wait = policy.backoff_base;
    timers_.arm(Timer::retry, context.now + wait);
    state_ = "waiting: " + reason;
    context.act(Event{
        .kind = EventKind::waiting, .account = context.account, .expires = wait, .reason = reason});
}

// Until somebody says "now", or changes the password.
void Plain::give_up(EventKind kind, int status, const std::string& reason, const Context& context) {
    registered_ = false;
    session_.reset();
    stop_keep_alive(context);
    timers_.stop_all();
    phase_ = Phase::refused;
    state_ = "given up: " + reason;
    context.act(Event{.kind = kind,
                      .account = context.account,
                      .target = {},
                      .status = status,
                      .reason = reason});
}

}  // namespace holdfast::registration
