// What a 200 to REGISTER changes: B1, B2, B4, B6, B7, B8.
#include <algorithm>
#include <utility>

#include "base/broken_rule.h"
#include "base/text.h"
#include "flow/outbound.h"
#include "registration/resilient.h"

namespace holdfast::registration {

namespace {

constexpr Duration unconfirmed_most = 120s;     // B8
constexpr Duration refresh_at_most_every = 5s;  // B4
constexpr std::uint32_t evictions_most = 3;     // B3
constexpr Duration one_flow_rest = 1h;          // B1

std::optional<Duration> seconds(std::optional<std::uint32_t> value) {
    if (!value) return std::nullopt;
    return Duration{std::chrono::seconds{*value}};
}

}  // namespace

// L8, RFC 3608 §6.1, RFC 3261 §20.34. I8: of targets that nobody is registered through it is
// forgotten when there are many, and a route that would fill our own messages is not taken.
void Resilient::remember_service_route(const Target& target, const sip::Message& response) {
    constexpr std::size_t targets_most = 32;
    constexpr std::size_t routes_most = 16;
    constexpr std::size_t octets_most = 4096;
    if (service_routes_->size() >= targets_most)
        std::erase_if(service_routes_.change(), [&](const auto& known) {
            return std::ranges::none_of(bindings_, [&](const Binding& binding) {
                return binding.current && binding.current->target == known.first;
            });
        });
    if (service_routes_->contains(target)) service_routes_.change().erase(target);
    std::size_t octets = 0;
    for (const auto& route : response.service_routes()) octets += route.text.size();
    if (response.service_routes().size() > routes_most || octets > octets_most) return;
    for (const auto& route : response.service_routes())  // a Route has angle brackets
        if (route.text.contains('<')) service_routes_.change()[target].emplace_back(route.text);
}

void Resilient::registered(Binding& binding, const Attempt& attempt, const sip::Message& response,
                           const Context& context) {
    const auto before = binding.current;
    credentials_.note_success();
    context.health.on_success(attempt.target, context.now);
    context.health.note_certificate_error(context.account, attempt.target, {});
    const bool only_tls_now = targets_.keep_as_good(attempt.target, context);
    targets_.set_healthy(true, context);
    if (!worked_before_) context.act(act::Store{"worked", "1"});
    worked_before_ = true;
    if (attempt.bytes <= compact_above) large_unanswered_ = false;  // N8
    binding.slow_failures = 0;
    binding.auth_elsewhere_tried = false;
    if (binding.refuses_two && attempt.removes.empty()) binding.takes_one = true;
    binding.last_failure.reset();
    binding.backoff.reset();
    if (before && before->target != attempt.target) {
        failback_.left(context.now, before->target);
        if (redirects_.is_held())
            redirects_.change().erase(before->target);  // F5: kept until the next failure
    }
    if (!before || before->target != attempt.target) binding.at_target_since = context.now;

    std::vector<std::string> remembered;
    remembered.reserve(binding.identity.olds.size());
    for (const auto& old : binding.identity.olds) remembered.push_back(old.uri);
    const auto* other = bindings_.size() < 2             ? nullptr
                        : &binding == &bindings_.front() ? &bindings_.back()
                                                         : &bindings_.front();
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
    if (listing.current != nullptr)
        if (auto gruus = gruus_of(*listing.current); gruus != Gruus{})
            current.gruus = std::move(gruus);
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
    remember_service_route(attempt.target, response);
    path_addresses_.clear();
    for (const auto& path : response.paths())
        if (const auto address = path.uri.host_address()) path_addresses_.push_back(*address);

    const auto reason = binding.search_reason;
    auto again = std::exchange(binding.again, nullptr);
    end_search(binding, context);
    std::erase_if(lingering_, [&](const Linger& l) { return l.flow == attempt.flow; });
    // B7: the same Contact on both servers needs both flows.
    const bool lingers = before && before->target != attempt.target &&
                         before->contact == attempt.contact && before->expires > context.now;
    if (before && before->flow != attempt.flow && !lingers) keep_alive_off(before->flow, context);
    context.act(act::KeepAlive{attempt.flow, true, current.granted});
    schedule_refresh(binding, attempt.last_sent, context);
    if (before && before->target != attempt.target) settle_move(binding, *before, context);
    settle_by_listing(attempt.target, response, attempt.contact, context);
    take_listing(binding, attempt, listing, before && before->listed_before, context);
    if (identity_changed) store(binding, context);
    if (again) want(binding, std::move(*again), context);
    if (!binding.search) rewrite_if_needed(binding, context);  // else it knows the mapping already
    if (only_tls_now) targets_changed(context);                // L1
    second_flow(response, listing, context);
    update_failback(context);
    proof_.others_listed(listing.others > 0);
    const bool elsewhere =
        !before || before->target != attempt.target || before->flow != attempt.flow;
    const bool doubted = reason.starts_with("proof");
    if (policy_->prove_reachable && (elsewhere || doubted)) proof_.start(context.now);
    settle_debts(context, attempt.target);
}

// B2, B6: old Contacts of ours that the 200 lists are removed, at most 3 times each; those it lists
// no longer are gone.
void Resilient::take_listing(Binding& binding, const Attempt& attempt, const Listing& listing,
                             bool was_listed, const Context& context) {
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
        const bool is_owed = std::ranges::any_of(debts_, [&](const Debt& debt) {
            return debt.target == old->target && debt.contact == old->uri;
        });
        // B3, B7: the last run's server took it, which may have a location service of its own.
        if (old->uri != attempt.contact && old->target != attempt.target && old->from_earlier_run) {
            if (!is_owed && old->ends > context.wall_clock) add_debt(binding, *old, context);
        } else if (old->uri != attempt.contact) {
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
        // N3: where one REGISTER with both was refused before, it is asked once more now; a further
        // refusal counts as one of the 3 removals (B2).
        want(binding, {.reason = "an old Contact of ours is still listed (B6)", .name_olds = true},
             context);
        return;
    }
    if (listing.current != nullptr && listing.current->expires != 0U) {
        binding.missing_once = false;
        return;
    }
    missing(binding, listing, was_listed, context);
}

// B8: ours with expires 0, or listed before and missing now: REGISTER once, then unconfirmed.
void Resilient::missing(Binding& binding, const Listing& listing, bool was_listed,
                        const Context& context) {
    const bool taken_away = was_listed || listing.current != nullptr;
    if (!taken_away) return;
    if (listing.same_instance && ++binding.evictions == evictions_most) {
        // B3: another device carries our instance-id (a copied state directory): we take a new one.
        binding.evictions = 0;
        instance_ = "urn:uuid:" + context.random.uuid();
        context.act(act::Store{"instance-id", instance_.substr(instance_.rfind(':') + 1)});
        auto told = event(EventKind::notice, &binding);
        told.reason =
            "another device removes our binding with our own instance-id; a new one is used";
        context.act(std::move(told));
    }
    if (std::exchange(binding.missing_once, true)) return;
    want(binding, {.reason = "our Contact is not in the 200 (B8)"}, context);
}

// B4: at a random 75–90 % of E, not later than E − min(patience·targets + 10 s, E/2), never more
// than once in 5 s.
void Resilient::schedule_refresh(Binding& binding, Instant sent, const Context& context) {
    const auto& policy = *policy_;
    auto& current = *binding.current;
    const auto granted = current.granted;
    auto share = scaled(granted, policy.refresh_from + (policy.refresh_to - policy.refresh_from) *
                                                           context.random.unit());
    if (policy.refresh_before > 0s) share = granted - policy.refresh_before;
    const auto count = static_cast<std::int64_t>(std::max<std::size_t>(last_ranked_.size(), 1));
    const auto margin = std::min<Duration>(policy.patience * count + 10s, granted / 2);
    const auto at =
        std::max(sent + std::min(share, granted - margin), context.now + refresh_at_most_every);
    const bool late = is_broken(BrokenRule::refresh_in_time);
    current.refresh_at = late ? current.expires + 1s : at;
    binding.timers.arm(Timer::refresh, current.refresh_at);
    binding.timers.arm(Timer::lapse, current.expires);
    schedule_proof_of_life(binding, context);
}

void Resilient::lapse(Binding& binding, const Context& context) {
    if (!binding.current) return;
    auto gone = event(EventKind::unregistered, &binding);
    gone.target = binding.current->target;
    gone.contact = binding.current->contact;
    gone.reason = "the binding has lapsed" +
                  (binding.last_failure->empty() ? "" : "; " + *binding.last_failure);
    context.act(std::move(gone));
    const auto flow = binding.current->flow;
    const auto granted = binding.current->granted;
    binding.current.reset();
    keep_alive_off(flow, context);
    failback_.stop();
    proof_.stop();
    release_unused(context);
    if (!binding.search && !binding.backoff.is_waiting() && !binding.timers.is_armed(Timer::start))
        want_later(
            binding, "the binding has lapsed",
            context.now + (granted < 2 * refresh_at_most_every ? refresh_at_most_every : 0s));
}

void Resilient::leave_answered(Attempt attempt, const sip::Message& response,
                               const Context& context) {
    const bool challenge = verdict_of(response.status()) == Verdict::challenge;
    if (challenge && attempt.rounds < 2) {
        const auto judged = credentials_.on_challenge(attempt.target, response, attempt.sent, true);
        if (judged.is_a_question()) {
            ++attempt.rounds;
            send_again(std::move(attempt), context);
            return;
        }
    }
    if (auto* binding = binding_of(attempt.reg_id)) {
        if (verdict_of(response.status()) == Verdict::success)
            binding->unregistered = true;
        else
            binding->leave_failure = in_words(response, attempt.target.to_string());
    }
    finish_leaving(context);
}

// B1: a second flow that is evicted, or refused wherever it is tried, is given up, and told. What
// refuses it may pass: it is tried again when it has rested.
void Resilient::one_flow(const std::string& why, const Context& context) {
    one_flow_until_ = context.now + one_flow_rest;
    auto told = event(EventKind::notice, &bindings_.back());
    told.reason = why + ": one flow again (B1)";
    context.act(std::move(told));
    auto& second = bindings_.back();
    auto& first = bindings_.front();
    abandon_all(second, context);
    // What the second put into the location service is the first's to remove (B2), here or at its
    // old server (B7).
    for (const auto& old : second.identity.olds) first.identity.add_old(old);
    if (const auto left = std::exchange(second.current, {})) {
        keep_alive_off(left->flow, context);
        const auto old = left_behind(*left, context);
        first.identity.add_old(old);
        if (left->expires > context.now) add_debt(first, old, context);
    }
    for (auto& debt : debts_) {
        if (debt.reg_id != first.identity.reg_id && debt.asking) {  // its question is dropped below
            debt.asking = false;
            debt.next_try = context.now + debt_again;
        }
        debt.reg_id = first.identity.reg_id;
    }
    std::erase_if(attempts_, [](const auto& a) {
        return a.second.reg_id == 2 && a.second.purpose != Purpose::prove;
    });
    context.act(act::Store{"binding-2", ""});
    bindings_.pop_back();
    store(bindings_.front(), context);
    store_debts(context);
    want(bindings_.front(), {.reason = "one flow again (B1)", .name_olds = true}, context);
    release_unused(context);
}

// B1: two flows where the registrar has outbound, or where the user says that a forking proxy
// stands behind.
void Resilient::second_flow(const sip::Message& response, const Listing& listing,
                            const Context& context) {
    registrar_has_outbound_ = registrar_has_outbound_ || flow::registrar_has_outbound(response);
    const auto wanted = policy_->flows;
    const bool both =
        bindings_.size() == 2 && bindings_.front().current && bindings_.back().current;
    if (both && !registrar_has_outbound_ && !listing.other_binding && !one_flow_only_ &&
        bindings_.front().current->contact != bindings_.back().current->contact) {
        one_flow_only_ = true;
        context.act(act::Store{"one-flow-only", "1"});
        one_flow("the registrar keeps one binding only", context);
        return;
    }
    const bool use_two = !one_flow_only_ && context.now >= one_flow_until_ &&
                         (wanted == 2 || (wanted == 0 && registrar_has_outbound_));
    if (!use_two || last_ranked_.size() < 2) return;
    if (bindings_.size() == 2) {
        auto& second = bindings_.back();
        const bool rests = !second.current && (!second.search || second.search->is_exhausted()) &&
                           !second.backoff.is_waiting() && !second.timers.is_armed(Timer::start);
        if (rests) want(second, {.reason = "second flow (B1)"}, context);
        return;
    }
    const auto stored = restored_->find(2);
    auto identity =
        stored == restored_->end() ? std::nullopt : BindingIdentity::decode(stored->second, 2);
    if (!identity) identity = BindingIdentity::fresh(2, context.random);
    identity->begin_run(context.wall_clock);
    identity->last_target.reset();
    bindings_.emplace_back(std::move(*identity),
                           Backoff::Settings{.base = policy_->backoff_base,
                                             .base_other_flow = policy_->backoff_base_other_flow,
                                             .most = policy_->backoff_max});
    want(bindings_.back(), {.reason = "second flow (B1)"}, context);
}

}  // namespace holdfast::registration
