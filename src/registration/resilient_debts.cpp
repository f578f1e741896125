// B7: what a move leaves behind at the old server, and how it is settled there.
#include <algorithm>

#include "base/broken_rule.h"
#include "base/text.h"
#include "registration/resilient.h"

namespace holdfast::registration {

namespace {

constexpr Duration debt_retry = 25s;
constexpr std::size_t debts_most = 16;
constexpr Duration forbidden_rest = 10min;  // F5

bool lists(const sip::Message& response, std::string_view uri) {
    const auto parsed = sip::OwnedUri::parse(uri);
    return parsed && std::ranges::any_of(response.contacts(), [&](const auto& contact) {
               return sip::equal(contact.uri, parsed->get());
           });
}

}  // namespace

// B7: the old server may have a location service of its own. Ask it while it answers; a silent one
// is a debt.
void Resilient::settle_move(Binding& binding, const Current& before, const Context& context) {
    if (before.expires <= context.now) return;
    if (before.contact ==
        binding.current->contact) {  // the same Contact on both: leave it, that flow stays alive
        lingering_.push_back({before.flow, before.expires});
        return;
    }
    add_debt(binding, left_behind(before, context), context);
}

OldContact Resilient::left_behind(const Current& before, const Context& context) {
    return {before.contact, before.target,
            context.wall_clock + (before.expires - context.now) / 1s + 1, 0};
}

void Resilient::add_debt(Binding& binding, const OldContact& old, const Context& context) {
    if (is_broken(BrokenRule::old_server)) return;
    std::erase_if(debts_, [&](const Debt& debt) {  // owed already: this one ends later
        return debt.target == old.target && debt.contact == old.uri;
    });
    if (debts_.size() == debts_most) debts_.erase(debts_.begin());
    debts_.push_back({.target = old.target,
                      .contact = old.uri,
                      .reg_id = binding.identity.reg_id,
                      .ends = old.ends,
                      .next_try = context.now + 1s});
    if (context.health.silent(old.target, context.now)) {
        debts_.back().next_try = context.now + debt_retry;
        auto owed = event(EventKind::binding_debt, &binding);
        owed.target = old.target;
        owed.contact = old.uri;
        owed.expires = std::chrono::seconds{old.ends - context.wall_clock};
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
        // Who answers OPTIONS while it cannot serve REGISTERs has said nothing new.
        const bool news = alive == debt.target && debt.busy == 0;
        if (news || debt.next_try <= context.now) {
            if (context.health.silent(debt.target, context.now) && alive != debt.target) {
                probe(debt.target, context);
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
        if (judged.is_a_question()) {
            auto again = attempt;
            ++again.rounds;
            send_again(std::move(again), context);
            return;
        }
    }
    if (attempt.before_register)
        return removed_before_register(*binding, attempt, response, context);
    if (debt == debts_.end()) return;
    debt->asking = false;
    const bool success = verdict_of(response.status()) == Verdict::success;
    const bool busy = verdict_of(response.status()) == Verdict::next_target;
    if (busy) {  // its REGISTERs are wanted for the search, should the server we are at fail too
        debt->next_try = context.now + debt_retry * (1U << std::min(debt->busy++, 2U));
        return;
    }
    debt->busy = 0;
    const bool left_there = success && !debt->remove && lists(response, debt->contact);
    if (left_there && !(binding->current && lists(response, binding->current->contact))) {
        debt->remove = true;
        send_fetch(*debt, context);
        return;
    }
    // B6: shared, and the old one came after the REGISTER that was to remove it.
    if (left_there) binding->identity.add_old({debt->contact, debt->target, debt->ends, 0});
    if (success && debt->remove && lists(response, debt->contact)) {
        if (++debt->tries < removal_tries) return send_fetch(*debt, context);
        auto kept = event(EventKind::binding_debt, binding);
        kept.target = debt->target;
        kept.contact = debt->contact;
        kept.reason = "the old server keeps it in spite of 3 removals; it is left to expire";
        context.act(std::move(kept));
    } else if (success && debt->remove) {
        paid(*debt, "removed at the old server, which has a location service of its own (B7)",
             context);
    } else if (success && !lists(response, debt->contact)) {
        paid(*debt, "the old server lists it no more (B7)", context);
    }
    debts_.erase(debt);
    store_debts(context);
    if (success) settle_by_listing(attempt.target, response, {}, context);
    if (left_there)
        want(*binding, {.reason = "an old Contact of ours is still listed (B6)", .name_olds = true},
             context);
    release_unused(context);
}

// Every 200 to REGISTER lists what that server has: what else we owe there needs no fetch of its
// own. A Contact that is current there again is no debt.
void Resilient::settle_by_listing(const Target& target, const sip::Message& response,
                                  std::string_view current, const Context& context) {
    const auto settled = std::erase_if(debts_, [&](const Debt& debt) {
        if (debt.target != target) return false;
        if (debt.contact == current) return true;
        if (lists(response, debt.contact)) return false;
        paid(debt, "the old server lists it no more (B7)", context);
        return true;
    });
    if (settled > 0) store_debts(context);
}

void Resilient::paid(const Debt& debt, std::string reason, const Context& context) {
    auto* binding = binding_of(debt.reg_id);
    auto gone = event(EventKind::binding_removed, binding);
    gone.target = debt.target;
    gone.contact = debt.contact;
    gone.reason = std::move(reason);
    context.act(std::move(gone));
    if (binding == nullptr) return;
    std::erase_if(binding->identity.olds,
                  [&](const OldContact& old) { return old.uri == debt.contact; });
    store(*binding, context);
}

// N3, unregister-first: what this 200 no longer lists is gone; then the next one that it lists, and
// at last the REGISTER.
void Resilient::removed_before_register(Binding& binding, const Attempt& attempt,
                                        const sip::Message& response, const Context& context) {
    const auto listed = [&](const std::string& uri) { return lists(response, uri); };
    // Whoever has been chosen meanwhile, or exit, makes it pointless.
    const bool stands = binding.search && binding.search->chosen() == attempt.target;
    if (leaving_ || attempt.abandoned || !stands) return;
    if (forbidden_too_often(attempt, response, context))
        return retry_slowly(binding, attempt, in_words(response, attempt.target.to_string()), {},
                            context, forbidden_rest);
    auto next = attempt;
    next.purpose = Purpose::register_;
    next.before_register = false;
    // Who refuses this too refuses all of ours: the same REGISTER again would say nothing new.
    if (verdict_of(response.status()) == Verdict::next_target) {
        if (response.status() == 500 && renewed_identity(binding, next, response, context)) return;
        return try_next(binding, next, response, context);
    }
    if (verdict_of(response.status()) == Verdict::success) {
        for (auto& old : binding.identity.olds) {
            if (listed(old.uri)) {
                if (old.uri == attempt.contact) ++old.tries;
                continue;
            }
            auto gone = event(EventKind::binding_removed, &binding);
            gone.target = attempt.target;
            gone.contact = old.uri;
            context.act(std::move(gone));
        }
        std::erase_if(binding.identity.olds,
                      [&](const OldContact& old) { return !listed(old.uri); });
        store(binding, context);
        if (const auto left = old_uris(binding, {}, 2 * removal_tries); !left.empty()) {
            next = attempt;
            next.contact = left.front();
            send_again(std::move(next), context);
            return;
        }
    }
    send_again(std::move(next), context);
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
        if (!target || !ends || !sip::OwnedUri::parse(rest) || debts_.size() == debts_most)
            continue;
        debts_.push_back({.target = *target,
                          .contact = std::string(rest),
                          .reg_id = words[0] == "2" ? 2 : 1,
                          .ends = *ends});
    }
}

}  // namespace holdfast::registration
