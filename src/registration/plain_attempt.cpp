#include "registration/plain_attempt.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "location/rank.h"

namespace holdfast::registration {

namespace {

constexpr Duration timer_f = 32s;  // RFC 3261 §17.1.2.2: 64·T1
// Shorter than any connect's own end.
constexpr Duration shortest_connect = 1s;

std::string text_of(FlowError error, const std::string& detail) {
    auto text = std::string(name_of(error));
    if (!detail.empty()) text += ": " + detail;
    return text;
}

bool is_icmp(FlowError error) {
    return error == FlowError::port_unreachable || error == FlowError::prohibited;
}

Event resolved_event(const Context& context, const std::vector<location::Candidate>& candidates) {
    Event event{.kind = EventKind::resolved, .account = context.account};
    for (const auto& candidate : candidates)
        event.targets.push_back({candidate.target, candidate.priority, candidate.weight,
                                 candidate.host, candidate.reason});
    return event;
}

}  // namespace

PlainAttempt::Progress PlainAttempt::start(const Context& context) {
    CHECK(state_ == State::idle);
    const auto has = [&](Family family) {
        return std::ranges::any_of(context.addresses,
                                   [&](const IpAddress& own) { return own.family() == family; });
    };
    settings_.constraints.ipv4 = has(Family::ipv4);
    settings_.constraints.ipv6 = has(Family::ipv6);
    if (only_connects_count()) over_at_ = context.now + timer_f;
    state_ = State::looking_up;
    lookup_.emplace(settings_.next_hop, settings_.constraints);
    std::vector<dns::Question> questions;
    lookup_->start(questions);
    for (auto& question : questions) context.act(act::Ask{std::move(question)});
    return lookup_->done() ? located(context) : Progress::none;
}

PlainAttempt::Progress PlainAttempt::handle(const Told& told, const Context& context) {
    if (state_ == State::over) return Progress::none;
    if (const auto* dns = std::get_if<told::Dns>(&told)) return on_dns(*dns, context);
    if (const auto* opened = std::get_if<told::FlowOpen>(&told)) {
        if (state_ != State::opening || !is_current(opened->target)) return Progress::none;
        flow_ = opened->flow;
        state_ = State::ready;
        return Progress::send;
    }
    if (const auto* failed = std::get_if<told::FlowFailed>(&told))
        return on_flow_failed(*failed, context);
    if (const auto* lost = std::get_if<told::FlowLost>(&told)) return on_flow_lost(*lost, context);
    if (const auto* failed = std::get_if<told::SendFailed>(&told))
        return on_send_failed(*failed, context);
    if (const auto* timeout = std::get_if<told::Timeout>(&told))
        return awaits(timeout->attempt) ? on_silence(context) : Progress::none;
    if (over_at_ <= context.now) return on_silence(context);
    return Progress::none;
}

void PlainAttempt::sent(AttemptId attempt, Instant now) {
    const bool again =
        state_ == State::waiting;  // an answer asked for it: a new transaction, a new Timer F
    if (again && over_at_ != never) over_at_ = now + timer_f;
    state_ = State::waiting;
    attempt_ = attempt;
}

PlainAttempt::Progress PlainAttempt::on_dns(const told::Dns& dns, const Context& context) {
    if (state_ != State::looking_up || !lookup_->waits_for(dns.question)) return Progress::none;
    std::vector<dns::Question> questions;
    lookup_->on_answer(dns.question, dns.answer, questions);
    for (auto& question : questions) context.act(act::Ask{std::move(question)});
    return lookup_->done() ? located(context) : Progress::none;
}

PlainAttempt::Progress PlainAttempt::located(const Context& context) {
    const auto& outcome = lookup_->outcome();
    candidates_ = location::ranked(outcome.candidates, settings_.constraints.key, settings_.order,
                                   &context.random);
    const auto preferred = std::ranges::find_if(candidates_, [&](const auto& candidate) {
        return candidate.target == settings_.preferred;
    });
    if (preferred != candidates_.end()) std::rotate(candidates_.begin(), preferred, preferred + 1);
    auto event = resolved_event(context, candidates_);
    if (!candidates_.empty()) {
        context.act(std::move(event));
        return open(context);
    }
    state_ = State::over;
    reason_ =
        outcome.problem.empty() ? "no address for " + settings_.next_hop.host : outcome.problem;
    event.reason = reason_;
    context.act(std::move(event));
    return Progress::failed;
}

PlainAttempt::Progress PlainAttempt::open(const Context& context) {
    state_ = State::opening;
    flow_ = {};
    answered_ = false;
    opened_at_ = context.now;
    context.act(act::Open{target(),
                          is_secure(target().transport) ? settings_.next_hop.host : std::string{}});
    return Progress::none;
}

PlainAttempt::Progress PlainAttempt::on_flow_failed(const told::FlowFailed& failed,
                                                    const Context& context) {
    if (state_ != State::opening || !is_current(failed.target)) return Progress::none;
    // A host repeats its SYN for longer than Timer F: to pjsip this is silence, and it goes on. A
    // connect that an earlier request began ends soon after we joined it: once; one that "times
    // out" at once again failed for another reason.
    if (only_connects_count() && failed.error == FlowError::timed_out) {
        const bool soon = context.now < opened_at_ + shortest_connect;
        if (!soon || !std::exchange(joined_connect_, true)) return open(context);
    }
    return leave_target(503, text_of(failed.error, failed.detail), true, context);
}

PlainAttempt::Progress PlainAttempt::on_flow_lost(const told::FlowLost& lost,
                                                  const Context& context) {
    if (state_ != State::waiting || lost.flow != flow_ || !is_current(lost.target))
        return Progress::none;
    if (lost.usable && only_connects_count()) return Progress::none;  // ICMP is not looked at
    return leave_target(503, text_of(lost.error, lost.detail), !only_connects_count(), context);
}

PlainAttempt::Progress PlainAttempt::on_send_failed(const told::SendFailed& failed,
                                                    const Context& context) {
    if (!awaits(failed.attempt)) return Progress::none;
    const bool datagram = !is_reliable(target().transport);
    if (only_connects_count() && datagram && is_icmp(failed.error)) return Progress::none;
    // pjsip: the host itself refused to send, which is for a datagram what a failed connect is for
    // a stream.
    const bool next = !only_connects_count() || datagram;
    return leave_target(503, text_of(failed.error, failed.detail), next, context);
}

PlainAttempt::Progress PlainAttempt::on_silence(const Context& context) {
    const bool next = !only_connects_count() && !answered_;
    return leave_target(408, "no answer in 32 s", next, context);
}

PlainAttempt::Progress PlainAttempt::on_refused(int status, std::string reason,
                                                const Context& context) {
    attempt_ = {};  // its transaction is over
    return leave_target(status, std::move(reason), !only_connects_count() && status == 503,
                        context);
}

PlainAttempt::Progress PlainAttempt::leave_target(int status, std::string reason, bool next,
                                                  const Context& context) {
    if (state_ == State::waiting && attempt_) context.act(act::Abandon{attempt_});
    attempt_ = {};
    status_ = status;
    reason_ = std::move(reason);
    if (has_target())
        context.act(Event{.kind = EventKind::attempt_failed,
                          .account = context.account,
                          .target = target(),
                          .status = status,
                          .reason = reason_});
    if (next && index_ + 1 < candidates_.size()) {
        ++index_;
        return open(context);
    }
    over_at_ = never;
    state_ = State::over;
    return Progress::failed;
}

void PlainAttempt::abandon(const Context& context) {
    if (state_ == State::waiting && attempt_) context.act(act::Abandon{attempt_});
    over_at_ = never;
    state_ = State::over;
}

Deadline PlainAttempt::next_deadline() const {
    return {over_at_, "no answer to a request (Timer F)"};
}

}  // namespace holdfast::registration
