// When TCP and TLS go before UDP: a large request that UDP does not carry (N8), a mapping that does
// not rest (N5). Only where the account leaves the transport to us and the domain offers them.
#include <algorithm>

#include "registration/resilient.h"

namespace holdfast::registration {

namespace {
constexpr Duration silent_for = 200ms;  // less is no silence (K2's patience)
}

bool Resilient::streams_first(Instant now) const {
    return large_unanswered_ || now < unstable_until_;
}

bool Resilient::offers_stream(const Context& context) const {
    return std::ranges::any_of(targets_.ranked(context), [&](const location::Candidate& c) {
        return is_reliable(c.target.transport) &&
               !context.health.barred_until(context.account, c.target, context.now);
    });
}

// What failback may return to: not to UDP while a stream is preferred and there is one.
std::vector<location::Candidate> Resilient::failback_targets(const Target& current,
                                                             const Context& context) const {
    auto ranked = targets_.by_rank_alone(context);
    if (streams_first(context.now) && is_reliable(current.transport))
        std::erase_if(
            ranked, [](const location::Candidate& c) { return !is_reliable(c.target.transport); });
    return ranked;
}

// N8: patience is over for a request that is large even in compact form. Deviates: RFC 3261 §18.1.1
// (it would have gone over TCP from the start). The search begins anew with the streams in front;
// the request's end makes us REGISTER once more where we are then (F3), not over UDP again.
bool Resilient::left_udp(Binding& binding, const Context& context) {
    if (large_unanswered_) return false;
    const auto silent = std::ranges::find_if(attempts_, [&](const auto& entry) {
        const Attempt& attempt = entry.second;
        return attempt.purpose == Purpose::register_ && !attempt.abandoned && !attempt.answered &&
               attempt.reg_id == binding.identity.reg_id &&
               attempt.target.transport == Transport::udp && attempt.bytes > compact_above &&
               context.now - attempt.last_sent >= silent_for;
    });
    if (silent == attempts_.end() || !offers_stream(context)) return false;
    large_unanswered_ = true;
    note_silence(binding, context);
    auto told = event(EventKind::notice, &binding);
    told.target = silent->second.target;
    told.reason = "a REGISTER of " + std::to_string(silent->second.bytes) +
                  " bytes was not answered over UDP: something on the way may drop large "
                  "datagrams; TCP or TLS is used instead (N8)";
    context.act(std::move(told));
    abandon_all(binding, context);
    binding.search.reset();
    binding.opened.reset();
    binding.register_when_open.reset();
    want(binding, {.reason = "too large for UDP (N8)"}, context);
    return true;
}

// N5: once for each time of unrest; if no stream works, the next refresh tries again.
bool Resilient::left_restless_udp(Binding& binding, const flow::Flow& flow,
                                  const Context& context) {
    if (flow.target.transport != Transport::udp || flow.mapping.may_rewrite(context.now))
        return false;
    const bool known = context.now < unstable_until_;
    unstable_until_ = context.now + flow::mapping_change_window;
    if (known || !offers_stream(context)) return false;
    auto told = event(EventKind::notice, &binding);
    told.target = flow.target;
    told.reason =
        "the mapping changed more than 3 times in 5 min: TCP or TLS is preferred for now (N5)";
    context.act(std::move(told));
    want(binding, {.reason = "the mapping does not rest (N5)"}, context);
    return true;
}

}  // namespace holdfast::registration
