// 3xx: where a server sends us, and how far we follow (F5; RFC 3261 §8.1.3.4, RFC 3263 §4).
//
// Followed is a host in the next hop's domain, or one that leads to a listed target's address; from
// TLS never to clear text; to five targets at most in one search, and to none that was asked in it
// already: so circles end. Names are looked up while the search goes on by F3: should DNS take
// longer than patience, the others are asked meanwhile.
#include <algorithm>

#include "location/rank.h"
#include "registration/resilient.h"

namespace holdfast::registration {

namespace {

constexpr std::size_t redirects_most = 5;         // F5
constexpr std::size_t redirects_remembered = 16;  // of all searches

// RFC 3261 §8.1.3.4: the highest q first, equals as they stand.
std::vector<const sip::Contact*> by_preference(const sip::Message& response) {
    std::vector<const sip::Contact*> contacts;
    for (const auto& contact : response.contacts()) contacts.push_back(&contact);
    std::ranges::stable_sort(contacts, std::greater{}, [](const sip::Contact* contact) {
        return contact->q_thousandths.value_or(1000);
    });
    return contacts;
}

}  // namespace

void Resilient::redirected(Binding& binding, const Attempt& attempt, const sip::Message& response,
                           const Context& context) {
    Following following{.reg_id = attempt.reg_id,
                        .by = attempt.target,
                        .status = response.status(),
                        .words = in_words(response, attempt.target.to_string())};
    binding.last_failure = following.words;
    std::vector<dns::Question> ask;
    for (const auto* contact : by_preference(response)) {
        if (following.ways.size() == redirects_most) break;
        auto hop = location::next_hop_of(contact->uri.text);
        if (!hop) continue;
        following.hosts += (following.hosts.empty() ? "" : ", ") + hop->host;
        const bool number = IpAddress::parse(hop->host).has_value();
        const bool in_domain = targets_.host_is_ours(hop->host);
        if (number && !in_domain) continue;
        // A number without a transport is another node of the same kind.
        if (number && !hop->transport && !hop->secure) hop->transport = attempt.target.transport;
        auto constraints = targets_.constraints_for(*hop, context);
        if (is_secure(attempt.target.transport))
            std::erase_if(constraints.transports, [](Transport t) { return !is_secure(t); });
        const auto seconds = contact->expires ? contact->expires : response.expires();
        auto& way = following.ways.emplace_back(Following::Way{
            .lookup = location::Lookup{*hop, std::move(constraints)},
            .in_domain = in_domain,
            .until = seconds ? context.now + std::chrono::seconds{*seconds} : never});
        way.lookup.start(ask);
    }
    for (auto& question : ask) context.act(act::Ask{std::move(question)});
    if (following.is_done()) return follow(following, context);
    if (binding.search) binding.search->on_resent(context.now, attempt.target);
    following_.push_back(std::move(following));
}

void Resilient::redirect_answered(const told::Dns& told, const Context& context) {
    std::vector<dns::Question> ask;
    for (auto& following : following_)
        for (auto& way : following.ways) way.lookup.on_answer(told.question, told.answer, ask);
    for (auto& question : ask) context.act(act::Ask{std::move(question)});
    std::vector<Following> done;
    for (auto& following : following_)
        if (following.is_done()) done.push_back(std::move(following));
    std::erase_if(following_, [](const Following& following) { return following.is_done(); });
    for (const auto& following : done) follow(following, context);
}

// The targets that a redirect leads to and that may be followed, best first.
std::vector<location::Candidate> Resilient::ways_of(const Following& following, Binding& binding,
                                                    const Context& context) {
    std::vector<location::Candidate> found;
    const auto listed = targets_.addresses(context.now);
    for (const auto& way : following.ways) {
        for (auto& candidate : targets_.in_order(way.lookup.outcome().candidates, context)) {
            const auto& target = candidate.target;
            const bool ours =
                way.in_domain || std::ranges::find(listed, target.endpoint.address) != listed.end();
            const bool again =
                target == following.by || !binding.search->may_insert(target) ||
                std::ranges::any_of(found, [&](const auto& c) { return c.target == target; });
            if (!ours || again || binding.redirects == redirects_most) continue;
            ++binding.redirects;
            candidate.tier = 0;
            candidate.reason = "redirected by " + following.by.to_string();
            remember_redirect(candidate, way.until, following.by);
            found.push_back(std::move(candidate));
        }
    }
    return found;
}

// A redirect trusts an address that DNS does not list (§11 b): while somebody is there or on the
// way there, and, until its time is over, for whom nobody else has registered since.
bool Resilient::is_in_use(const Target& target, const Redirect& redirect, Instant now) const {
    return std::ranges::any_of(bindings_, [&](const Binding& binding) {
        if (binding.current && binding.current->target == target) return true;
        if (redirect.until <= now) return false;
        const bool on_the_way = binding.search && !binding.search->is_exhausted() &&
                                binding.search->pursues(target.endpoint.address);
        return on_the_way || binding.identity.last_target == target;
    });
}

void Resilient::remember_redirect(const location::Candidate& candidate, Instant until,
                                  const Target& by) {
    if (redirects_->size() >= redirects_remembered)
        std::erase_if(redirects_.change(), [&](const auto& kept) {
            return std::ranges::none_of(bindings_, [&](const Binding& binding) {
                return binding.current && binding.current->target == kept.first;
            });
        });
    redirects_.change().insert_or_assign(candidate.target, Redirect{candidate, until});
    targets_.adopt(candidate.target, targets_.place_of(by));
}

void Resilient::follow(const Following& following, const Context& context) {
    auto* binding = binding_of(following.reg_id);
    if (binding == nullptr || leaving_ || !binding->search) return;
    const auto found = ways_of(following, *binding, context);
    std::string words = following.words;
    if (found.empty() && binding->redirects == redirects_most)
        words += ": redirected " + std::to_string(redirects_most) + " times already";
    else if (found.empty())
        words += ": it redirects to nowhere that is ours and was not asked already" +
                 (following.hosts.empty() ? "" : " (" + following.hosts + ")");
    else
        words += ": it redirects to " + found.front().target.to_string();
    attempt_failed(*binding, following.by, following.status, words, context);
    if (binding->search->is_exhausted()) {  // S1 waits already
        if (!found.empty())
            want(*binding, {.reason = "redirected (F5)", .first = found.front().target}, context);
        return;
    }
    // While somebody is asked, the last inserted comes first; else each is opened as it comes.
    auto order = found;
    if (binding->search->chosen()) std::ranges::reverse(order);
    Search::Steps steps;
    for (auto& candidate : order)
        binding->search->insert_next(
            context.now,
            {.candidate = std::move(candidate), .patience = policy_->patience, .rtt = {}}, steps);
    binding->search->on_failed(context.now, following.by, steps);
    perform(*binding, steps, context);
}

}  // namespace holdfast::registration
