#include "registration/targets.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "location/last_good.h"
#include "sip/uri.h"

namespace holdfast::registration {

namespace {

constexpr Duration ttl_least_healthy = 60s;  // L4
constexpr Duration ttl_least_ailing = 5s;
constexpr Duration ttl_most = 24h;
constexpr Duration dns_patience = 2s;  // then the last good answer serves (RFC 8767 §5: 1.8 s)
constexpr Duration early_enough =
    300ms;  // one dropped question (AAAA, NAPTR) must not hold up the rest
constexpr Duration retry_most = 300s;  // L6
constexpr std::uint32_t tiers_of_a_place = 1000;

}  // namespace

std::string domain_of_aor(std::string_view aor) {
    const auto uri = sip::OwnedUri::parse(aor);
    if (!uri) return {};
    return lower_case(uri->get().host);
}

std::vector<std::string> next_hop_uris(const AccountDetails& account) {
    if (!account.direct_to.empty()) return {account.direct_to};
    std::vector<std::string> uris;
    if (!account.outbound_proxy.empty()) {
        uris.push_back(account.outbound_proxy);
    } else if (!account.registrar.empty()) {
        uris.push_back(account.registrar);
    } else {
        const auto uri = sip::OwnedUri::parse(account.aor);
        if (uri) {
            const bool secure = uri->get().scheme == sip::Scheme::sips;
            std::string hop = (secure ? "sips:" : "sip:") + std::string(uri->get().host);
            if (uri->get().port != 0) hop += ":" + std::to_string(uri->get().port);
            if (const auto transport = uri->get().transport())
                hop += ";transport=" + std::string(*transport);
            uris.push_back(hop);
        }
    }
    for (const auto& backup : account.backups) uris.push_back(backup.uri);
    return uris;
}

Targets::Targets(const AccountConfig& config, location::RankKey key, const AccountState& state,
                 SharedPolicy shared)
    : fixed_transport_(config.transport),
      key_(key),
      policy_(shared ? std::move(shared) : std::make_shared<const Policy>(config.policy)) {
    std::size_t index = 0;
    for (const auto& uri : next_hop_uris(config)) {
        auto hop = location::next_hop_of(uri);
        if (!hop) {
            configuration_problem_ = "\"" + uri + "\": " + hop.error();
            continue;
        }
        if (config.aor.starts_with("sips:")) hop->secure = true;
        Place place{
            .hop = *hop,
            .domain = {},
            .listed = location::ListedTargets{{policy_->listed_answers, policy_->listed_for}},
            .good = {},
            .lookup = {},
            .problem = {}};
        if (index > 0 && index - 1 < config.backups.size())
            place.domain = config.backups[index - 1].domain;
        if (const auto stored = state.find("last-good-" + std::to_string(index));
            stored != state.end())
            if (auto good = location::decode_candidates(stored->second))
                for (auto& candidate : *good)
                    place.good.push_back(
                        std::make_shared<const location::Candidate>(std::move(candidate)));
        places_.push_back(std::move(place));
        ++index;
    }
    if (places_.empty() && configuration_problem_.empty())
        configuration_problem_ = "no next hop: the AOR is no SIP URI";
    tls_has_worked_ = state.contains("tls-has-worked");
}

void Targets::start(const Context& context) {
    for (auto& place : places_)
        for (auto& good : place.good) good = context.candidates.share(*good);
    look_up_all(context);
}

void Targets::look_up_all(const Context& context) {
    for (auto& place : places_) look_up(place, context);
}

std::vector<Transport> Targets::transports_of(const location::NextHop& hop) const {
    return location::allowed_transports(
        {.fixed = fixed_transport_ ? fixed_transport_ : hop.transport,
         .secure = hop.secure,
         .tls_has_worked = tls_has_worked_,
         .allow_downgrade = policy_->allow_downgrade});
}

location::Constraints Targets::constraints_for(const location::NextHop& hop,
                                               const Context& context) const {
    location::Constraints constraints;
    constraints.transports = transports_of(hop);
    const auto has = [&](Family family) {
        return context.addresses.empty() ||
               std::ranges::any_of(context.addresses,
                                   [&](const IpAddress& a) { return a.family() == family; });
    };
    constraints.ipv4 = has(Family::ipv4);
    constraints.ipv6 = has(Family::ipv6);
    constraints.use_naptr = policy_->use_naptr;
    constraints.use_srv = policy_->use_srv;
    constraints.key = key_;
    return constraints;
}

void Targets::look_up(Place& place, const Context& context) {
    if (place.lookup) return;
    place.lookup =
        std::make_unique<location::Lookup>(place.hop, constraints_for(place.hop, context));
    place.look_up_at = never;
    if (!place.answered && !place.good.empty() && policy_->serve_stale)
        place.stale_at = context.now + dns_patience;
    if (!place.answered) place.early_at = context.now + early_enough;
    std::vector<dns::Question> ask;
    place.lookup->start(ask);
    for (auto& question : ask) context.act(act::Ask{std::move(question)});
    if (place.lookup->done()) finish(place, context);
}

bool Targets::on_dns(const told::Dns& told, const Context& context) {
    bool ended = false;
    for (auto& place : places_) {
        if (!place.lookup) continue;
        std::vector<dns::Question> ask;
        place.lookup->on_answer(told.question, told.answer, ask);
        for (auto& question : ask) context.act(act::Ask{std::move(question)});
        if (!place.lookup->done()) continue;
        finish(place, context);
        ended = true;
    }
    return ended;
}

void Targets::finish(Place& place, const Context& context) {
    const auto lookup = std::move(place.lookup);
    const auto& outcome = lookup->outcome();
    place.stale_at = place.early_at = never;
    place.answered = true;
    place.answered_at = context.now;
    place.problem = outcome.status == location::LookupStatus::ok ? "" : outcome.problem;
    place.ttl = outcome.ttl;
    // L5: a failure, or half an answer, takes nothing away.
    const bool usable = outcome.status == location::LookupStatus::ok;
    using Answer = location::ListedTargets::Answer;
    if (usable)
        place.listed.note(context.now, outcome.candidates, context.candidates,
                          outcome.partial ? Answer::partial : Answer::whole);
    place.serve_good = (!usable || outcome.partial) && policy_->serve_stale && !place.good.empty();
    place.failures = usable ? 0 : place.failures + 1;
    schedule(place, context.now);
}

void Targets::schedule(Place& place, Instant now) {
    if (!place.answered) return;
    if (place.failures > 0) {
        const auto wait = ttl_least_ailing * (1U << std::min(place.failures - 1, 6U));
        place.look_up_at = std::max(now, place.answered_at + std::min<Duration>(wait, retry_most));
        return;
    }
    if (IpAddress::parse(place.hop.host)) {
        place.look_up_at = never;  // a number does not change
        return;
    }
    const auto ttl =
        std::clamp(place.ttl, healthy_ ? ttl_least_healthy : ttl_least_ailing, Duration{ttl_most});
    place.look_up_at = std::max(now, place.answered_at + ttl);
}

void Targets::set_healthy(bool healthy, const Context& context) {
    if (healthy_ == healthy) return;
    healthy_ = healthy;
    for (auto& place : places_) {
        if (place.look_up_at == never) continue;
        schedule(place, context.now);
        if (place.look_up_at > context.now) continue;
        look_up(place, context);
        ended_at_once_ = ended_at_once_ || !place.lookup;  // on_time tells
    }
}

bool Targets::on_time(const Context& context) {
    bool changed = std::exchange(ended_at_once_, false);
    for (auto& place : places_) {
        if (place.stale_at <= context.now) {
            place.stale_at = never;
            place.serve_good = true;
            changed = true;
        }
        if (place.early_at <= context.now && place.lookup) {
            const auto& so_far = place.lookup->outcome().candidates;
            place.early_at = so_far.empty() ? context.now + early_enough : never;
            if (!so_far.empty())
                place.listed.note(context.now, so_far, context.candidates,
                                  location::ListedTargets::Answer::partial);
            changed = changed || !so_far.empty();
        }
        if (place.look_up_at <= context.now) {
            look_up(place, context);
            changed = changed || !place.lookup;
        }
    }
    return changed;
}

Deadline Targets::next_deadline() const {
    Deadline deadline;
    for (const auto& place : places_) {
        deadline = sooner(deadline, {place.look_up_at, "look up again (L4)"});
        deadline = sooner(deadline, {place.stale_at, "serve stale (L5)"});
        deadline = sooner(deadline, {place.early_at, "half an answer (L1)"});
    }
    return deadline;
}

bool Targets::keep_as_good(const Target& registered, const Context& context) {
    auto& place = places_[place_of(registered)];
    const bool first_tls = registered.transport == Transport::tls && !tls_has_worked_;
    if (first_tls) {
        tls_has_worked_ = true;
        context.act(act::Store{"tls-has-worked", "1"});
    }
    const auto listed = place.listed.listed(context.now);
    const bool one_of_them = std::ranges::any_of(
        listed, [&](const location::Candidate& c) { return c.target == registered; });
    const bool as_before = std::ranges::equal(
        listed, place.good, [](const auto& now, const auto& good) { return now == *good; });
    if (!one_of_them || as_before) return first_tls;
    place.good = place.listed.shared(context.now);
    const auto index = static_cast<std::size_t>(&place - places_.data());
    context.act(act::Store{"last-good-" + std::to_string(index), location::encode(listed)});
    return first_tls;
}

std::vector<location::Candidate> Targets::candidates_of(const Place& place, Instant now) const {
    auto candidates = place.listed.listed(now);
    if (place.serve_good)
        for (const auto& good : place.good)
            if (std::ranges::none_of(candidates, [&](const location::Candidate& c) {
                    return c.target == good->target;
                }))
                candidates.push_back(*good);
    // L1: what was listed before TLS worked is clear text still, and no longer allowed.
    const auto allowed = transports_of(place.hop);
    std::erase_if(candidates, [&](const location::Candidate& c) {
        return std::ranges::find(allowed, c.target.transport) == allowed.end();
    });
    return candidates;
}

std::vector<location::Candidate> Targets::by_rank_alone(const Context& context) const {
    std::vector<location::Candidate> all;
    for (std::size_t i = 0; i < places_.size(); ++i) {
        auto ranked = location::ranked(candidates_of(places_[i], context.now), key_, policy_->order,
                                       &context.random);
        for (auto& candidate : ranked)
            candidate.tier += static_cast<std::uint32_t>(i) * tiers_of_a_place;
        if (all.empty()) {  // a place names no target twice
            all = std::move(ranked);
            continue;
        }
        for (auto& candidate : ranked)
            if (std::ranges::none_of(all,
                                     [&](const auto& c) { return c.target == candidate.target; }))
                all.push_back(std::move(candidate));
    }
    return all;
}

std::vector<location::Candidate> Targets::ranked(const Context& context) const {
    return context.health.lowered(by_rank_alone(context), context.now);
}

bool Targets::is_listed(const Target& target, Instant now) const {
    return std::ranges::any_of(places_, [&](const Place& place) {
        // While DNS fails nothing can be missing from it (L5).
        if (place.failures > 0 || !place.answered)
            return std::ranges::any_of(place.good,
                                       [&](const auto& c) { return c->target == target; }) ||
                   place.listed.is_listed(target, now);
        return place.listed.is_listed(target, now);
    });
}

bool Targets::is_waiting() const {
    return std::ranges::any_of(places_,
                               [](const Place& p) { return !p.answered && !p.serve_good; }) &&
           configuration_problem_.empty();
}

bool Targets::is_looking_up() const {
    return std::ranges::any_of(places_, [](const Place& p) { return p.lookup != nullptr; });
}

bool Targets::has_failed() const {
    return !configuration_problem_.empty() || std::ranges::all_of(places_, [](const Place& p) {
        return p.answered && p.failures > 0 && !p.serve_good;
    });
}

std::string Targets::problem() const {
    if (!configuration_problem_.empty()) return configuration_problem_;
    for (const auto& place : places_)
        if (!place.problem.empty()) return place.problem;
    return {};
}

std::vector<location::Candidate> Targets::in_order(std::vector<location::Candidate> candidates,
                                                   const Context& context) const {
    return location::ranked(std::move(candidates), key_, policy_->order, &context.random);
}

void Targets::adopt(const Target& target, std::size_t place) {
    constexpr std::size_t adopted_most = 16;
    if (adopted_->size() >= adopted_most && !adopted_->contains(target)) adopted_.reset();
    adopted_.change()[target] = place;
}

std::size_t Targets::place_of(const Target& target) const {
    for (std::size_t i = 0; i < places_.size(); ++i) {
        const auto here = [&](const auto& good) { return good->target == target; };
        if (places_[i].listed.is_listed(target, places_[i].answered_at) ||
            std::ranges::any_of(places_[i].good, here))
            return i;
    }
    const auto adopted = adopted_->find(target);
    return adopted == adopted_->end() ? 0 : adopted->second;
}

std::string Targets::tls_name_of(const Target& target) const {
    if (target.transport != Transport::tls || places_.empty()) return {};
    return places_[place_of(target)].hop.host;
}

std::vector<IpAddress> Targets::addresses(Instant now) const {
    std::vector<IpAddress> all;
    const auto add = [&](const location::Candidate& c) {
        if (std::ranges::find(all, c.target.endpoint.address) == all.end())
            all.push_back(c.target.endpoint.address);
    };
    for (const auto& place : places_) {
        for (const auto& candidate : place.listed.listed(now)) add(candidate);
        for (const auto& candidate : place.good) add(*candidate);
    }
    return all;
}

bool Targets::host_is_ours(std::string_view host) const {
    const auto address = IpAddress::parse(host);
    return std::ranges::any_of(places_, [&](const Place& place) {
        if (equals_ignoring_case(host, place.hop.host)) return true;
        if (!address) return lower_case(host).ends_with("." + place.hop.host);
        const auto same = [&](const location::Candidate& c) {
            return c.target.endpoint.address == *address;
        };
        return std::ranges::any_of(place.good, [&](const auto& good) { return same(*good); }) ||
               std::ranges::any_of(place.listed.listed(place.answered_at), same);
    });
}

}  // namespace holdfast::registration
