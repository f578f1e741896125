// What a 200 to REGISTER changes: B1, B2, B4, B6, B7, B8.
#include <algorithm>

#include "base/text.h"
#include "flow/outbound.h"
#include "registration/resilient.h"

namespace holdfast::registration {

namespace {

constexpr Duration unconfirmed_most = 120s;     // B8
constexpr Duration refresh_at_most_every = 5s;  // B4
constexpr Duration debt_retry = 25s;
constexpr std::size_t debts_most = 16;
constexpr std::uint32_t evictions_most = 3;  // B3

std::optional<Duration> seconds(std::optional<std::uint32_t> value) {
    if (!value) return std::nullopt;
    return Duration{std::chrono::seconds{*value}};
}

}  // namespace

void Resilient::registered(Binding& binding, const Attempt& attempt, const sip::Message& response,
                           const Context& context) {
    const auto before = binding.current;
    credentials_.note_success();
    context.health.on_success(attempt.target, context.now);
    context.health.note_certificate_error(context.account, attempt.target, {});
    targets_.keep_as_good(attempt.target, context);
    targets_.set_healthy(true, context.now);
    if (!worked_before_) context.act(act::Store{"worked", "1"});
    worked_before_ = true;
    binding.slow_failures = 0;
    binding.auth_elsewhere_tried = false;
    binding.last_failure.clear();
    binding.backoff.reset();
    if (before && before->target != attempt.target) failback_.left(context.now, before->target);

    std::vector<std::string> remembered;
    for (const auto& old : binding.identity.olds) remembered.push_back(old.uri);
    const auto* other =
        bindings_.size() > 1 ? &bindings_[&binding == bindings_.data() ? 1 : 0] : nullptr;
    OurMarks marks{.token = binding.identity.token,
                   .other_token = {},
                   .instance = instance_,
                   .reg_id = binding.identity.reg_id,
                   .uri = attempt.contact,
                   .user = user_,
                   .remembered = {}};
    if (other != nullptr) marks.other_token = other->identity.token;
    for (const auto& uri : remembered)
        if (uri != attempt.contact) marks.remembered.push_back(uri);
    const auto listing = read_listing(response, marks);

    Current current{.target = attempt.target, .flow = attempt.flow, .contact = attempt.contact};
    current.confirmed = listing.current != nullptr && listing.current->expires != 0U;
    // B4: E is our Contact's expires, else the Expires header, else what we asked; B8: unconfirmed,
    // at most 120 s.
    const auto header = seconds(response.expires());
    if (current.confirmed)
        current.granted =
            seconds(listing.current->expires).value_or(header.value_or(asked_expires_));
    else
        current.granted = header.value_or(std::min(asked_expires_, Duration{unconfirmed_most}));
    current.granted = std::clamp(current.granted, Duration{1s}, Duration{24h});
    current.listed_before = current.confirmed;
    current.expires = attempt.last_sent + current.granted;
    binding.current = current;

    auto told = event(!before                            ? EventKind::registered
                      : before->target != attempt.target ? EventKind::moved
                                                         : EventKind::refreshed,
                      &binding);
    told.target = attempt.target;
    if (before && before->target != attempt.target) told.from = before->target;
    told.contact = attempt.contact;
    told.expires = current.granted;
    told.status = response.status();
    if (const auto* flow = context.flows.find(attempt.flow)) {
        told.mapping = flow->mapping.mapping();
        told.rtt = context.now - attempt.last_sent;
    }
    told.reason = current.confirmed ? binding.search_reason
                                    : "registered, unconfirmed: the 200 does not list our Contact";
    context.act(std::move(told));

    const bool identity_changed = binding.identity.last_target != attempt.target;
    binding.identity.last_target = attempt.target;  // L3, across restarts
    service_routes_[attempt.target].clear();
    for (const auto& route : response.service_routes())
        service_routes_[attempt.target].emplace_back(route.text);
    path_addresses_.clear();
    for (const auto& path : response.paths())
        if (const auto address = path.uri.host_address()) path_addresses_.push_back(*address);

    const bool again = binding.again;
    const auto again_reason = binding.again_reason;
    end_search(binding, context);
    if (before && before->flow != attempt.flow)
        context.act(act::KeepAlive{before->flow, false, {}});
    context.act(act::KeepAlive{attempt.flow, true, current.granted});
    schedule_refresh(binding, attempt.last_sent, context);
    if (before && before->target != attempt.target) settle_move(binding, *before, context);
    take_listing(binding, attempt, listing, response, context);
    if (identity_changed) store(binding, context);
    if (again) want(binding, {.reason = again_reason}, context);
    rewrite_if_needed(binding, context);
    second_flow(response, listing, context);
    update_failback(context);
    proof_.others_listed(listing.others > 0);
    const bool in_doubt = !before || before->target != attempt.target || proof_.ever();
    if (config_.policy.prove_reachable &&
        (!before || before->target != attempt.target || before->flow != attempt.flow ||
         binding.search_reason.starts_with("proof")) &&
        in_doubt)
        proof_.start(context.now);
    settle_debts(context, attempt.target);
}

// B2, B6: old Contacts of ours that the 200 lists are removed, at most 3 times each; those it lists
// no longer are gone.
void Resilient::take_listing(Binding& binding, const Attempt& attempt, const Listing& listing,
                             const sip::Message&, const Context& context) {
    auto& olds = binding.identity.olds;
    const auto before = olds.size();
    const auto listed = [&](const std::string& uri) {
        const auto parsed = sip::OwnedUri::parse(uri);
        return parsed && std::ranges::any_of(listing.old, [&](const sip::Contact* c) {
                   return sip::equal(c->uri, parsed->get());
               });
    };
    for (auto old = olds.begin(); old != olds.end();) {
        if (listed(old->uri)) {
            const bool named =
                std::ranges::find(attempt.removes, old->uri) != attempt.removes.end();
            if (named && ++old->tries == removal_tries) {
                auto left = event(EventKind::binding_debt, &binding);
                left.target = attempt.target;
                left.contact = old->uri;
                left.reason = "the registrar keeps it in spite of 3 removals; it is left to expire";
                context.act(std::move(left));
            }
            ++old;
            continue;
        }
        if (old->uri != attempt.contact) {
            auto gone = event(EventKind::binding_removed, &binding);
            gone.target = attempt.target;
            gone.contact = old->uri;
            context.act(std::move(gone));
        }
        old = olds.erase(old);
    }
    for (const auto* contact : listing.old) {
        const std::string uri(contact->uri.text);
        const auto ends =
            context.wall_clock + static_cast<std::int64_t>(contact->expires.value_or(3600));
        binding.identity.add_old({uri, attempt.target, ends, 0});
    }
    const auto pending = old_uris(binding, attempt.contact);
    if (before != olds.size() || !listing.old.empty()) store(binding, context);
    if (!listing.old.empty() && !pending.empty()) {
        if (binding.together ==
            Together::alone) {  // N3: the old by B6 with this next REGISTER; refused again: alone
            binding.together = Together::unregister_first;
            auto& removal = new_attempt(Purpose::remove, binding.identity.reg_id, attempt.target,
                                        attempt.flow, context);
            removal.contact = pending.front();
            transmit(removal, context);
            want(binding, {.reason = "a removal travelled alone (N3)"}, context);
            binding.together = Together::alone;
            return;
        }
        want(binding, {.reason = "an old Contact of ours is still listed (B6)"}, context);
        return;
    }
    if (listing.current != nullptr && listing.current->expires != 0U) {
        binding.missing_once = false;
        return;
    }
    // B8: ours with expires 0, or listed before and missing now: REGISTER once, then unconfirmed.
    const bool was_listed = attempt.rounds >= 0 && listing.current != nullptr;
    if (was_listed && !binding.missing_once) {
        binding.missing_once = true;
        if (++binding.evictions >= evictions_most) binding.evictions = 0;
        want(binding, {.reason = "our Contact is not in the 200 (B8)"}, context);
    }
}

// B4: at a random 75–90 % of E, not later than E − min(patience·targets + 10 s, E/2), never more
// than once in 5 s.
void Resilient::schedule_refresh(Binding& binding, Instant sent, const Context& context) {
    const auto& policy = config_.policy;
    auto& current = *binding.current;
    const auto granted = current.granted;
    auto share = scaled(granted, policy.refresh_from + (policy.refresh_to - policy.refresh_from) *
                                                           context.random.unit());
    if (policy.refresh_before > 0s) share = granted - policy.refresh_before;
    const auto count = static_cast<std::int64_t>(std::max<std::size_t>(last_ranked_.size(), 1));
    const auto margin = std::min<Duration>(policy.patience * count + 10s, granted / 2);
    const auto at =
        std::max(sent + std::min(share, granted - margin), context.now + refresh_at_most_every);
    current.refresh_at = at;
    binding.timers.arm(Timer::refresh, at);
    binding.timers.arm(Timer::lapse, current.expires);
}

void Resilient::lapse(Binding& binding, const Context& context) {
    if (!binding.current) return;
    auto gone = event(EventKind::unregistered, &binding);
    gone.target = binding.current->target;
    gone.contact = binding.current->contact;
    gone.reason = "the binding has lapsed" +
                  (binding.last_failure.empty() ? "" : "; " + binding.last_failure);
    context.act(std::move(gone));
    context.act(act::KeepAlive{binding.current->flow, false, {}});
    binding.current.reset();
    failback_.stop();
    proof_.stop();
    release_unused(context);
    if (!binding.search && !binding.backoff.is_waiting() && !binding.timers.is_armed(Timer::start))
        want(binding, {.reason = "the binding has lapsed"}, context);
}

// B7: the old server may have a location service of its own. Ask it while it answers; a silent one
// is a debt.
void Resilient::settle_move(Binding& binding, const Current& before, const Context& context) {
    if (before.expires <= context.now) return;
    if (before.contact ==
        binding.current->contact) {  // the same Contact on both: leave it, that flow stays alive
        lingering_.push_back({before.flow, before.expires});
        return;
    }
    const auto ends = context.wall_clock + (before.expires - context.now) / 1s + 1;
    if (debts_.size() == debts_most) debts_.erase(debts_.begin());
    debts_.push_back({.target = before.target,
                      .contact = before.contact,
                      .reg_id = binding.identity.reg_id,
                      .ends = ends,
                      .next_try = context.now + 1s});
    if (context.health.silent(before.target, context.now)) {
        debts_.back().next_try = context.now + debt_retry;
        auto owed = event(EventKind::binding_debt, &binding);
        owed.target = before.target;
        owed.contact = before.contact;
        owed.expires = before.expires - context.now;
        owed.reason =
            "the old server does not answer; the old binding is removed there when it does (B7)";
        context.act(std::move(owed));
    }
    store_debts(context);
}

void Resilient::settle_debts(const Context& context, std::optional<Target> alive) {
    const auto settled =
        std::erase_if(debts_, [&](const Debt& debt) { return debt.ends <= context.wall_clock; });
    if (settled > 0) store_debts(context);
    for (auto& debt : debts_) {
        if (debt.asking || debt.next_try == never) continue;
        auto* binding = binding_of(debt.reg_id);
        if (binding == nullptr || !binding->current || binding->current->target == debt.target) {
            if (binding != nullptr && binding->current)
                debt.next_try = context.now + debt_retry;  // B6 settles it there
            else if (debt.next_try <= context.now)
                debt.next_try = context.now + debt_retry;
            continue;
        }
        if (alive == debt.target || debt.next_try <= context.now) {
            if (context.health.silent(debt.target, context.now) && alive != debt.target) {
                context.act(act::Probe{debt.target, targets_.tls_name_of(debt.target)});
                debt.next_try =
                    context.now + context.random.between(debt_retry, scaled(debt_retry, 1.4));
                continue;
            }
            send_fetch(debt, context);
        }
    }
}

// The fetch lists the new Contact → shared location service, done; only the old → separate, remove
// it there alone; refused → leave (B7).
void Resilient::fetch_answered(const Attempt& attempt, const sip::Message& response,
                               const Context& context) {
    const auto debt = std::ranges::find_if(debts_, [&](const Debt& d) {
        return d.target == attempt.target && d.contact == attempt.contact;
    });
    auto* binding = binding_of(attempt.reg_id);
    if (binding == nullptr) return;
    const bool challenge = verdict_of(response.status()) == Verdict::challenge;
    if (challenge && attempt.rounds < 2) {
        const auto judged = credentials_.on_challenge(attempt.target, response, attempt.sent, true);
        if (judged.outcome == Credentials::Outcome::answer ||
            judged.outcome == Credentials::Outcome::refused_cached) {
            auto again = attempt;
            ++again.rounds;
            send_again(again, context);
            return;
        }
    }
    if (debt == debts_.end()) return;
    debt->asking = false;
    const bool success = verdict_of(response.status()) == Verdict::success;
    const bool busy = verdict_of(response.status()) == Verdict::next_target;
    if (busy) {
        debt->next_try = context.now + debt_retry;
        return;
    }
    const auto lists = [&](const std::string& uri) {
        const auto parsed = sip::OwnedUri::parse(uri);
        return parsed && std::ranges::any_of(response.contacts(), [&](const auto& c) {
                   return sip::equal(c.uri, parsed->get());
               });
    };
    if (success && !debt->remove && lists(debt->contact) &&
        !(binding->current && lists(binding->current->contact))) {
        debt->remove = true;
        send_fetch(*debt, context);
        return;
    }
    if (success && (debt->remove || !lists(debt->contact))) {
        auto gone = event(EventKind::binding_removed, binding);
        gone.target = debt->target;
        gone.contact = debt->contact;
        gone.reason =
            debt->remove ? "removed at the old server, which has a location service of its own (B7)"
                         : "the old server lists it no more (B7)";
        context.act(std::move(gone));
        std::erase_if(binding->identity.olds,
                      [&](const OldContact& old) { return old.uri == debt->contact; });
        store(*binding, context);
    }
    debts_.erase(debt);
    store_debts(context);
    release_unused(context);
}

void Resilient::leave_answered(Attempt attempt, const sip::Message& response,
                               const Context& context) {
    const bool challenge = verdict_of(response.status()) == Verdict::challenge;
    if (challenge && attempt.rounds < 2) {
        const auto judged = credentials_.on_challenge(attempt.target, response, attempt.sent, true);
        if (judged.outcome == Credentials::Outcome::answer ||
            judged.outcome == Credentials::Outcome::refused_cached) {
            ++attempt.rounds;
            send_again(attempt, context);
            return;
        }
    }
    finish_leaving(context);
}

// B1: two flows where the registrar has outbound, or where the user says that a forking proxy
// stands behind.
void Resilient::second_flow(const sip::Message& response, const Listing& listing,
                            const Context& context) {
    registrar_has_outbound_ = registrar_has_outbound_ || flow::registrar_has_outbound(response);
    const auto wanted = config_.policy.flows;
    const bool both = bindings_.size() == 2 && bindings_[0].current && bindings_[1].current;
    if (both && !registrar_has_outbound_ && !listing.other_binding && !one_flow_only_ &&
        bindings_[0].current->contact != bindings_[1].current->contact) {
        one_flow_only_ = true;
        context.act(act::Store{"one-flow-only", "1"});
        auto told = event(EventKind::notice, &bindings_[1]);
        told.reason = "the registrar keeps one binding only: one flow again";
        context.act(std::move(told));
        auto& second = bindings_[1];
        abandon_all(second, context);
        second.search.reset();
        context.act(act::KeepAlive{second.current->flow, false, {}});
        context.act(act::Store{"binding-2", ""});
        bindings_.pop_back();
        release_unused(context);
        return;
    }
    const bool use_two =
        !one_flow_only_ && (wanted == 2 || (wanted == 0 && registrar_has_outbound_));
    if (!use_two || bindings_.size() == 2 || last_ranked_.size() < 2) return;
    const auto stored = restored_.find(2);
    auto identity =
        stored == restored_.end() ? std::nullopt : BindingIdentity::decode(stored->second, 2);
    if (!identity) identity = BindingIdentity::fresh(2, context.random);
    if (!identity->contact.empty() && identity->contact_target)
        identity->add_old(
            {identity->contact, *identity->contact_target, identity->contact_ends, 0});
    identity->last_target.reset();
    bindings_.emplace_back(
        std::move(*identity),
        Backoff::Settings{.base = config_.policy.backoff_base,
                          .base_other_flow = config_.policy.backoff_base_other_flow,
                          .most = config_.policy.backoff_max});
    want(bindings_.back(), {.reason = "second flow (B1)"}, context);
}

void Resilient::store_debts(const Context& context) const {
    std::string text;
    for (const auto& debt : debts_)
        text += std::to_string(debt.reg_id) + " " + std::to_string(debt.ends) + " " +
                debt.target.to_string() + " " + debt.contact + "\n";
    context.act(act::Store{"debts", text});
}

void Resilient::load_debts(std::string_view text) {
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        std::vector<std::string_view> words;
        auto rest = line;
        for (int i = 0; i < 3; ++i) {
            words.push_back(rest.substr(0, rest.find(' ')));
            rest.remove_prefix(std::min(rest.size(), words.back().size() + 1));
        }
        const auto target = Target::parse(words[2]);
        const auto ends = parse_number<std::uint32_t>(words[1]);
        if (!target || !ends || rest.empty() || debts_.size() == debts_most) continue;
        debts_.push_back({.target = *target,
                          .contact = std::string(rest),
                          .reg_id = words[0] == "2" ? 2 : 1,
                          .ends = *ends});
    }
}

}  // namespace holdfast::registration
