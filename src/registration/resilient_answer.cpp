// What an answer to a REGISTER means and what is done about it: F5, N3's stepping down, §11.
#include <algorithm>
#include <array>

#include "base/broken_rule.h"
#include "registration/resilient.h"

namespace holdfast::registration {

namespace {

constexpr int rounds_most = 4;            // F5: at most 4 rounds an attempt
constexpr int refusals_are_wrong = 2;     // F5: in a row
constexpr std::size_t refusals_most = 3;  // F5: never more than 3 in 10 min
constexpr std::uint32_t second_flow_refusals = 2;
constexpr Duration slow_first = 10min;
constexpr Duration slow_most = 6h;
constexpr Duration slow_least = 5s;  // a shorter Retry-After would be leave to hammer
constexpr Duration slow_least_most = 60s;

}  // namespace

void Resilient::attempt_failed(const Binding& binding, const Target& target, int status,
                               const std::string& words, const Context& context) {
    auto failed = event(EventKind::attempt_failed, &binding);
    failed.target = target;
    failed.status = status;
    failed.reason = words;
    context.act(std::move(failed));
}

void Resilient::register_answered(Attempt attempt, const sip::Message& response,
                                  const Context& context) {
    auto* binding = binding_of(attempt.reg_id);
    if (binding == nullptr || leaving_) return;
    if (verdict_of(response.status()) != Verdict::success) contact_refused(*binding, attempt);
    if (attempt.abandoned) {
        // F3: its challenge is not answered; any final answer makes us REGISTER once more at the
        // chosen target, because some registrars let it overwrite the newer binding. Unless a newer
        // one is on its way to the same server: that one's answer is awaited. A server slower than
        // patience would else be asked again at each late answer, and never be heard out.
        if (verdict_of(response.status()) == Verdict::success)
            took_late(*binding, attempt, context);
        const bool newer_on_its_way = std::ranges::any_of(attempts_, [&](const auto& other) {
            return other.second.purpose == Purpose::register_ && !other.second.abandoned &&
                   other.second.reg_id == attempt.reg_id && other.second.target == attempt.target;
        });
        if (newer_on_its_way) return;
        const bool goes_on = binding->search && !binding->search->is_exhausted();
        if (goes_on || (binding->current && !binding->search))
            want(*binding, {.reason = "the abandoned attempt was answered (F3)"}, context);
        else if (binding->search && binding->search->is_exhausted())
            silent_one_answered(*binding, attempt, response, context);
        return;
    }
    // An answer to the last attempt of a search that had given up: it counts (S1).
    const bool too_often = forbidden_too_often(attempt, response, context);
    if (!too_often && stepped_down(*binding, attempt, response, context)) return;
    const auto words = [&] { return in_words(response, attempt.target.to_string()); };
    switch (verdict_of(response.status())) {
    case Verdict::progress: return;
    case Verdict::success: return registered(*binding, attempt, response, context);
    case Verdict::challenge: return challenged(*binding, attempt, response, context);
    case Verdict::too_brief:
    case Verdict::bad_extension:
    case Verdict::needs_extension:
    case Verdict::no_outbound:
        if (attempt.rounds < rounds_most && adapted(attempt, response, context)) {
            return;
        }
        return retry_slowly(*binding, attempt, words(), response.retry_after(), context);
    case Verdict::redirect: return redirected(*binding, attempt, response, context);
    case Verdict::next_target:
        if (response.status() == 500 && renewed_identity(*binding, attempt, response, context))
            return;
        return try_next(*binding, attempt, response, context);
    case Verdict::slow:
        if (response.status() == 400 && renewed_identity(*binding, attempt, response, context))
            return;
        // F5: FreeSWITCH says 403 to a wrong answer to its challenge.
        if (response.status() == 403 && attempt.sent.fresh)
            return wrong_password(*binding, attempt, words(), context);
        return retry_slowly(*binding, attempt, words(), response.retry_after(), context,
                            too_often ? slow_first : Duration{});
    }
}

// B6, B7: it is bound there now, maybe after the REGISTER elsewhere that was to remove it.
void Resilient::took_late(Binding& binding, const Attempt& attempt, const Context& context) {
    if (binding.current && binding.current->contact == attempt.contact) return;
    const OldContact old{attempt.contact, attempt.target,
                         context.wall_clock + asked_expires_ / 1s + 1, 0};
    binding.identity.add_old(old);
    store(binding, context);
    if (binding.current && binding.current->target != attempt.target)
        add_debt(binding, old, context);
}

// S1: who takes REGISTERs after all ends the wait. Who answers late that it cannot serve is as far
// from that as if it had said so in time.
void Resilient::silent_one_answered(Binding& binding, const Attempt& attempt,
                                    const sip::Message& response, const Context& context) {
    if (verdict_of(response.status()) == Verdict::next_target) {
        note_refusal(binding, attempt, response, context);
        binding.backoff.on_refused(attempt.target);
        return;
    }
    want(binding, {.reason = "a silent server answered", .first = attempt.target}, context);
}

// B2: a Contact whose every REGISTER was refused is in no location service. What says that somebody
// behind did not answer (408, 5xx but 503) may have been stored there.
void Resilient::contact_refused(Binding& binding, const Attempt& attempt) {
    const bool unsure = attempt.status == 408 || (attempt.status >= 500 && attempt.status <= 599 &&
                                                  attempt.status != 503 && attempt.status != 501);
    if (!unsure && attempt.contact == binding.identity.contact && binding.contact_sent > 0)
        --binding.contact_sent;
}

// F5: a 403 to a request with credentials may be about them, whatever else was asked, and whoever
// counts failed logins counts it. Three in 10 min: nothing more is tried.
bool Resilient::forbidden_too_often(const Attempt& attempt, const sip::Message& response,
                                    const Context& context) {
    if (response.status() != 403 || attempt.sent.nonces.empty()) return false;
    credentials_.note_refusal(context.now, Credentials::Refusal::of_the_password);
    return credentials_.refusals(context.now) >= refusals_most;
}

void Resilient::challenged(Binding& binding, Attempt& attempt, const sip::Message& response,
                           const Context& context) {
    const auto judgement = credentials_.on_challenge(attempt.target, response, attempt.sent, true);
    const auto words = [&] {
        return in_words(response, attempt.target.to_string()) + " (" + judgement.words + ")";
    };
    switch (judgement.outcome) {
    case Credentials::Outcome::answer:
    case Credentials::Outcome::refused_cached:
        if (++attempt.rounds > rounds_most) {
            return try_next(binding, attempt, response, context);
        }
        return send_again(std::move(attempt), context);
    case Credentials::Outcome::refused_fresh:
        // F5: two in a row say that the password is wrong; never more than 3 in 10 min.
        credentials_.note_refusal(context.now, Credentials::Refusal::of_the_password);
        if (++attempt.refusals >= refusals_are_wrong ||
            credentials_.wrong_passwords(context.now) >= refusals_most)
            return wrong_password(binding, attempt, words(), context);
        return refused_for_now(binding, attempt, response, words(), context);
    case Credentials::Outcome::refused_repetition:
        // F5: no word about the password, but whoever counts failed logins counts it.
        credentials_.note_refusal(context.now, Credentials::Refusal::in_doubt);
        return refused_for_now(binding, attempt, response, words(), context);
    case Credentials::Outcome::no_password:
    case Credentials::Outcome::unusable: {
        auto failed = event(EventKind::auth_failed, &binding);
        failed.target = attempt.target;
        failed.status = response.status();
        const auto why = in_words(response, attempt.target.to_string()) + ": " + judgement.words;
        failed.reason = why;
        context.act(std::move(failed));
        return retry_slowly(binding, attempt, why, response.retry_after(), context);
    }
    }
}

// F5: a refusal that does not prove the password wrong: the new nonce is answered; after the third
// in 10 min it rests until there is room for another, and is never given up.
void Resilient::refused_for_now(Binding& binding, Attempt& attempt, const sip::Message& response,
                                const std::string& words, const Context& context) {
    if (credentials_.refusals(context.now) >= refusals_most)
        return retry_slowly(binding, attempt, words, response.retry_after(), context,
                            credentials_.refusals_rest_until() - context.now);
    if (++attempt.rounds > rounds_most) return try_next(binding, attempt, response, context);
    send_again(std::move(attempt), context);
}

// F5: never worked before → stop and tell; worked before → one other target once, then as 403.
void Resilient::wrong_password(Binding& binding, const Attempt& attempt, const std::string& words,
                               const Context& context) {
    auto failed = event(EventKind::auth_failed, &binding);
    failed.target = attempt.target;
    failed.status = attempt.status;
    if (!worked_before_) {
        // Asterisk's max_contacts and FreeSWITCH's max-registrations-per-extension say 403 to the
        // right password too.
        failed.reason =
            words +
            (attempt.status == 403
                 ? "; the password or the user name is wrong, or the server lets this account "
                   "register no further device. Stopped until it is changed or asked for"
                 : "; the password or the user name is wrong. Stopped until it is changed");
        context.act(std::move(failed));
        binding.auth_stopped = true;
        binding.search.reset();
        binding.opened.reset();
        release_unused(context);
        return;
    }
    failed.reason = words + "; it worked before";
    context.act(std::move(failed));
    const bool elsewhere =
        !binding.auth_elsewhere_tried && credentials_.refusals(context.now) < refusals_most;
    if (elsewhere && binding.search) {
        binding.auth_elsewhere_tried = true;
        Search::Steps steps;
        binding.search->on_failed(context.now, attempt.target, steps);
        return perform(binding, steps, context);
    }
    retry_slowly(binding, attempt, words, {}, context, slow_first);
}

// I5: what would only be worth a try is not tried in a storm.
bool Resilient::over_budget(const Attempt& attempt, const Context& context) const {
    return budget_
        .exhausted_until(context.now, attempt.target, last_ranked_.size(),
                         RegisterBudget::For::attempt)
        .has_value();
}

// N3: a refused REGISTER with several Contacts steps down before F5 judges: the new Contact alone,
// then unregister-first. Remembered for this registrar.
bool Resilient::stepped_down(Binding& binding, Attempt& attempt, const sip::Message& response,
                             const Context& context) {
    const auto status = response.status();
    if (over_budget(attempt, context)) return false;
    if (status < 400 || status == 401 || status == 407 || status == 423) return false;
    if (attempt.removes.empty())
        return !response.retry_after() && unregister_first(binding, attempt, context);
    if (status == binding.refused_alone) return false;
    auto told = event(EventKind::notice, &binding);
    told.target = attempt.target;
    told.status = status;
    told.reason = in_words(response, attempt.target.to_string()) +
                  ": it refuses two Contacts in one REGISTER; the new one goes alone";
    context.act(std::move(told));
    if (unregister_first(binding, attempt, context)) return true;  // refused again
    for (auto& old : binding.identity.olds)
        if (std::ranges::find(attempt.removes, old.uri) != attempt.removes.end()) ++old.tries;
    binding.refuses_two = true;
    binding.refused_two = attempt.target;
    binding.together = Together::alone;
    if (status == 503 && binding.search) {  // N3: same target, after 503 the next, if any
        const auto* candidate = binding.search->candidate(attempt.target);
        if (candidate != nullptr && last_ranked_.size() > 1) {
            Search::Steps steps;
            binding.search->on_failed(context.now, attempt.target, steps);
            perform(binding, steps, context);
            return true;
        }
    }
    send_again(std::move(attempt), context);
    return true;
}

// N3: the new Contact alone was refused too, while an old one of ours may still be there: that is
// removed first, once.
bool Resilient::unregister_first(Binding& binding, const Attempt& attempt, const Context& context) {
    // REGISTERs that were refused as a whole have used up tries of what they named.
    const auto olds = old_uris(binding, attempt.contact, 2 * removal_tries);
    if (!binding.refuses_two || binding.unregistered_first || olds.empty()) return false;
    binding.together = Together::unregister_first;
    binding.unregistered_first = true;
    auto removal = attempt;
    removal.purpose = Purpose::remove;
    removal.contact = olds.back();
    removal.before_register = true;
    send_again(std::move(removal), context);
    return true;
}

// N3: a lone Contact is refused too: other servers shall have the old ones named, and those have
// not been refused yet.
void Resilient::two_were_not_the_reason(Binding& binding, int status) {
    binding.refused_alone = status;
    binding.refuses_two = false;
    binding.together = Together::both;
    for (auto& old : binding.identity.olds)
        if (old.tries > 0) --old.tries;
}

// F5: 400 or 500 with a Call-ID from an earlier run, or after a registration has worked → once with
// a new Call-ID.
bool Resilient::renewed_identity(Binding& binding, const Attempt& attempt,
                                 const sip::Message& response, const Context& context) {
    const bool may_help =
        (binding.identity.from_earlier_run || binding.current) && !binding.identity_renewed;
    if (!may_help || over_budget(attempt, context)) return false;
    binding.identity_renewed = true;
    binding.identity.from_earlier_run = false;
    binding.identity.call_id = context.random.token(128);
    binding.identity.cseq = binding.identity.reserved = 0;
    auto told = event(EventKind::notice, &binding);
    told.target = attempt.target;
    told.status = response.status();
    told.reason = in_words(response, attempt.target.to_string()) + ": once more with a new Call-ID";
    context.act(std::move(told));
    send_again(attempt, context);
    for (auto& other : bindings_)
        if (&other != &binding && other.current)
            want(other, {.reason = "the other flow has a new Call-ID"}, context);
    return true;
}

// 423, 420, 421, 439: what the server wants changed, if we can.
bool Resilient::adapted(Attempt& attempt, const sip::Message& response, const Context& context) {
    // Another attempt, elsewhere, was told the same while this one was on its way.
    if (attempt.adaptations != adaptations_) {
        ++attempt.rounds;
        send_again(std::move(attempt), context);
        return true;
    }
    switch (verdict_of(response.status())) {
    case Verdict::too_brief: {
        const auto least = response.min_expires();
        constexpr std::uint32_t most = 86400;  // more is no registrar's serious wish
        if (!least || *least > most || Duration{std::chrono::seconds{*least}} <= asked_expires_)
            return false;
        asked_expires_ = std::chrono::seconds{*least};
        break;
    }
    case Verdict::bad_extension: {
        bool dropped = false;
        for (const auto& token : response.tokens()) {
            if (token.header != sip::HeaderName::unsupported) continue;
            const bool required = required_.erase(token.token);
            dropped = supported_.erase(token.token) || required || dropped;
        }
        if (!dropped) return false;
        break;
    }
    case Verdict::needs_extension: {
        bool added = false;
        for (const auto& token : response.tokens()) {
            if (token.header != sip::HeaderName::require) continue;
            if (!supported_.contains(token.token)) return false;
            added = required_.insert(token.token) || added;
        }
        if (!added) return false;
        break;
    }
    case Verdict::no_outbound:
        if (outbound_dropped_) return false;
        outbound_dropped_ = true;
        break;
    case Verdict::progress:
    case Verdict::success:
    case Verdict::redirect:
    case Verdict::challenge:
    case Verdict::next_target:
    case Verdict::slow: return false;
    }
    ++adaptations_;
    ++attempt.rounds;
    send_again(std::move(attempt), context);
    return true;
}

void Resilient::note_refusal(Binding& binding, const Attempt& attempt, const sip::Message& response,
                             const Context& context) {
    const auto words = in_words(response, attempt.target.to_string());
    attempt_failed(binding, attempt.target, response.status(), words, context);
    binding.last_failure = words;
    context.health.note_status(context.account, attempt.target, response.status());
    if (const auto after = response.retry_after();
        after &&
        !is_broken(
            BrokenRule::retry_after)) {  // F5: +0–20 %, this account's REGISTERs at this target
        const auto wait =
            std::chrono::duration_cast<Duration>(std::chrono::seconds{std::min(*after, 86400U)});
        context.health.bar(context.account, attempt.target,
                           context.now + context.random.between(wait, scaled(wait, 1.2)));
    }
}

void Resilient::try_next(Binding& binding, const Attempt& attempt, const sip::Message& response,
                         const Context& context) {
    note_refusal(binding, attempt, response, context);
    const bool second_is_unwanted = binding.identity.reg_id == 2 && !binding.current &&
                                    bindings_.front().current && !response.retry_after() &&
                                    ++binding.refusals == second_flow_refusals;
    if (second_is_unwanted)
        return one_flow("a second binding is refused: " + *binding.last_failure, context);
    if (!binding.takes_one && binding.refused_two == attempt.target)
        two_were_not_the_reason(binding, response.status());
    binding.backoff.on_refused(attempt.target);
    const bool at_home = binding.current && binding.current->target == attempt.target;
    if (at_home && &binding == &bindings_.front() && response.status() == 503 &&
        !response.retry_after() && !attempt.sent.nonces.empty())
        binding.refused_at_home = true;
    if (!binding.search) return;
    Search::Steps steps;
    binding.search->on_failed(context.now, attempt.target, steps);
    perform(binding, steps, context);
}

// F5: tell, and retry slowly (10 min, doubling, jittered; Retry-After wins, but for a few seconds
// that would make it a loop): no ban by hammering, and never given up.
void Resilient::retry_slowly(Binding& binding, const Attempt& attempt, const std::string& words,
                             std::optional<std::uint32_t> retry_after, const Context& context,
                             Duration at_least) {
    auto wait =
        std::min<Duration>(slow_first * (1U << std::min(binding.slow_failures, 6U)), slow_most);
    wait = retry_after ? Duration{std::chrono::seconds{std::min(*retry_after, 86400U)}}
                       : scaled(wait, 0.8 + 0.4 * context.random.unit());
    const auto least = std::min<Duration>(slow_least * (1U << std::min(binding.slow_failures, 6U)),
                                          slow_least_most);
    wait = std::max({wait, at_least, least});
    if (retry_after)  // only the user or a changed password ends it early
        context.health.bar(context.account, attempt.target, context.now + wait);
    ++binding.slow_failures;
    binding.last_failure = words;
    abandon_all(binding, context);
    binding.search.reset();
    binding.opened.reset();
    binding.backoff.stop();
    auto refused = event(EventKind::refused, &binding);
    refused.target = attempt.target;
    refused.status = attempt.status;
    refused.reason = words;
    refused.expires = wait;
    context.act(std::move(refused));
    want_later(binding, "after a refusal", context.now + wait);
    release_unused(context);
}

}  // namespace holdfast::registration
