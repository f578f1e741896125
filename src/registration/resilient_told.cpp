// What becomes of flows and of requests: opened, failed, lost, answered, timed out (F2, F3, F5).
#include <algorithm>

#include "registration/resilient.h"

namespace holdfast::registration {

void Resilient::on_told(const told::FlowOpen& told, const Context& context) {
    used_.insert(told.flow);
    for (auto& debt : debts_)
        if (debt.target == told.target && !debt.asking && debt.next_try == never)
            send_fetch(debt, context);
    bool wanted = false;
    for (auto& binding : bindings_) {
        if (!binding.search || binding.search->candidate(told.target) == nullptr) continue;
        wanted = true;
        binding.opened.change()[told.target] = told.flow;
        if (binding.register_when_open.change().erase(told.target) > 0) {
            register_at(binding, told.target, context);
            continue;
        }
        Search::Steps steps;
        binding.search->on_open(context.now, told.target, steps);
        perform(binding, steps, context);
    }
    if (!wanted) release_unused(context);
}

void Resilient::on_told(const told::FlowFailed& told, const Context& context) {
    const auto words = in_words(told.error, told.detail);
    const bool own_network =
        told.error == FlowError::network_unreachable;  // F2: S1, not the target's fault
    if (!own_network) context.health.on_refusal(told.target, context.now, context.random);
    if (told.error == FlowError::certificate)
        context.health.note_certificate_error(context.account, told.target, words);
    for (auto& debt : debts_)
        if (debt.target == told.target && debt.next_try == never)
            debt.next_try = context.now + debt_again;
    for (auto& binding : bindings_) {
        if (!binding.search || binding.search->candidate(told.target) == nullptr) continue;
        binding.register_when_open.change().erase(told.target);
        attempt_failed(binding, told.target, 0, words, context);
        binding.last_failure = words + " at " + told.target.to_string();
        Search::Steps steps;
        binding.search->on_open_failed(context.now, told.target, steps);
        perform(binding, steps, context);
    }
}

void Resilient::on_told(const told::FlowLost& told, const Context& context) {
    const auto words = in_words(told.error, told.detail);
    if (!told.usable) {
        used_.erase(told.flow);
        std::erase_if(lingering_, [&](const Linger& linger) { return linger.flow == told.flow; });
        auto lost = event(EventKind::flow_lost, binding_on(told.flow));
        lost.target = told.target;
        lost.reason = words;
        context.act(std::move(lost));
        for (auto& [id, attempt] : attempts_) {
            if (attempt.flow != told.flow) continue;
            if (attempt.purpose == Purpose::leave) attempt.abandoned = true;
        }
    }
    for (auto& binding : bindings_) {
        const auto opened = binding.opened->find(told.target);
        const bool of_this_search = opened != binding.opened->end() && opened->second == told.flow;
        if (binding.search && !told.usable && of_this_search) {
            binding.opened.change().erase(opened);
            Search::Steps steps;
            binding.search->on_failed(context.now, told.target, steps, true);
            perform(binding, steps, context);
        }
        if (!binding.current || binding.current->flow != told.flow) continue;
        if (binding.search) continue;  // it goes on by itself, or S1 waits
        if (told.usable) {
            suspect(binding, words, context, told.shared);
            continue;
        }
        // S2: a lost connection is acted on after uniform(0, spread).
        const auto spread = context.random.between(0s, policy_->spread);
        if (spread == 0s)
            want(binding, {.reason = words}, context);
        else
            want_later(binding, words, context.now + spread);
    }
}

void Resilient::on_told(const told::Timeout& told, const Context& context) {
    const auto found = attempts_.find(told.attempt);
    if (found == attempts_.end()) return;
    const auto attempt = found->second;
    attempts_.erase(found);
    switch (attempt.purpose) {
    case Purpose::remove:
        if (!attempt.before_register) {
            debt_waits(attempt.target, context.now + debt_again);
            return;
        }
        [[fallthrough]];  // N3: one that goes before its REGISTER fails as the search's
    case Purpose::register_: {
        auto* binding = binding_of(attempt.reg_id);
        if (binding == nullptr) return;
        if (attempt.abandoned) {  // F3: its end makes us REGISTER once more where we are
            const bool last = std::ranges::none_of(attempts_, [&](const auto& other) {
                return other.second.purpose == Purpose::register_ && other.second.abandoned &&
                       other.second.reg_id == attempt.reg_id;
            });
            if (last && !binding->search && binding->current &&
                binding->current->target != attempt.target)
                want(*binding, {.reason = "the abandoned attempt ended (F3)"}, context);
            return;
        }
        attempt_failed(*binding, attempt.target, 408, "no answer in 32 s", context);
        if (!binding->search) return;
        Search::Steps steps;
        binding->search->on_failed(context.now, attempt.target, steps);
        perform(*binding, steps, context);
        return;
    }
    case Purpose::fetch: debt_waits(attempt.target, context.now + debt_again); return;
    case Purpose::leave: finish_leaving(context); return;
    case Purpose::prove: return;  // R1's answers never count in F5 and F6
    }
}

void Resilient::on_told(const told::SendFailed& told, const Context& context) {
    const auto found = attempts_.find(told.attempt);
    if (found == attempts_.end()) return;
    const auto attempt = found->second;
    attempts_.erase(found);
    const auto words = in_words(told.error, told.detail);
    if (attempt.purpose == Purpose::leave) return finish_leaving(context);
    // N3: a removal that goes before its REGISTER is part of the search, and fails as one.
    const bool of_a_search = attempt.purpose == Purpose::register_ || attempt.before_register;
    if (!of_a_search && (attempt.purpose == Purpose::fetch || attempt.purpose == Purpose::remove)) {
        debt_waits(attempt.target, context.now + debt_again);
        return;
    }
    auto* binding = binding_of(attempt.reg_id);
    if (!of_a_search || binding == nullptr || attempt.abandoned) return;
    // F2: a hard failure for a destination with an attempt outstanding; our own network is S1's.
    if (told.error != FlowError::network_unreachable)
        context.health.on_refusal(attempt.target, context.now, context.random);
    attempt_failed(*binding, attempt.target, 0, words, context);
    binding->last_failure = words + " at " + attempt.target.to_string();
    if (!binding->search) return;
    Search::Steps steps;
    binding->search->on_failed(context.now, attempt.target, steps, true);
    perform(*binding, steps, context);
}

void Resilient::on_told(const told::Response& told, const Context& context) {
    const auto found = attempts_.find(told.attempt);
    if (found == attempts_.end()) return;
    auto& attempt = found->second;
    const auto& response = *told.message;
    attempt.answered = true;
    context.health.on_answer(attempt.target, context.now, {});
    if (response.status() < 200) {
        auto* binding = binding_of(attempt.reg_id);
        if (binding != nullptr && binding->search && attempt.purpose == Purpose::register_ &&
            !attempt.abandoned)
            binding->search->on_provisional(context.now, attempt.target);
        return;
    }
    auto copy = std::move(attempt);  // of several final answers the first counts (F5)
    attempts_.erase(found);
    copy.status = response.status();
    copy.sent.repeated = told.repeated;
    switch (copy.purpose) {
    case Purpose::register_: register_answered(std::move(copy), response, context); return;
    case Purpose::fetch:
    case Purpose::remove: fetch_answered(copy, response, context); return;
    case Purpose::leave: leave_answered(std::move(copy), response, context); return;
    case Purpose::prove: proof_answered(std::move(copy), response, context); return;
    }
}

}  // namespace holdfast::registration
