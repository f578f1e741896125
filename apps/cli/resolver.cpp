#include "apps/cli/resolver.h"

#include <algorithm>

#include "base/text.h"
#include "registration/binding.h"
#include "sip/uri.h"

namespace holdfast::cli {

namespace {

// Whose order it is (L2): the AOR without parameters, as the registration has it.
std::string rank_name(const std::string& aor) {
    const auto uri = sip::OwnedUri::parse(aor);
    if (!uri) return aor;
    auto name = std::string(uri->get().scheme_text) + ":";
    if (uri->get().has_user) name += std::string(uri->get().user) + "@";
    name += uri->get().host;
    return uri->get().port == 0 ? name : name + ":" + std::to_string(uri->get().port);
}

constexpr std::string_view account_prefix = "account/";

}  // namespace

std::string account_meant(const std::string& uri, const State& state) {
    const auto parsed = sip::OwnedUri::parse(uri);
    if (!parsed || parsed->get().has_user) return uri;
    std::string found;
    for (auto at = state.lower_bound(account_prefix);
         at != state.end() && at->first.starts_with(account_prefix); ++at) {
        const auto rest = std::string_view(at->first).substr(account_prefix.size());
        const std::string aor(rest.substr(0, rest.rfind('/')));
        const auto account = sip::OwnedUri::parse(aor);
        const bool same = account && account->get().scheme == parsed->get().scheme &&
                          account->get().port == parsed->get().port &&
                          equals_ignoring_case(account->get().host, parsed->get().host);
        if (!same || aor == found) continue;
        if (!found.empty()) return uri;  // several
        found = aor;
    }
    return found.empty() ? uri : found;
}

Resolver::Resolver(registration::AccountConfig config, const EngineOptions& options)
    : config_(std::move(config)),
      state_(options.state),
      persistence_(options.state, options.started, options.wall_clock),
      random_(options.seed) {
    config_.aor = account_meant(config_.aor, state_);
    resolution_.account = config_.aor;
    persistence_.restore_health(health_, options.started);
}

registration::Context Resolver::context(Instant now, registration::Actions& actions) {
    return {.account = AccountId{1},
            .now = now,
            .wall_clock = persistence_.wall_clock(now),
            .random = random_,
            .health = health_,
            .candidates = candidates_,
            .flows = no_flows_,
            .addresses = addresses_,
            .actions = actions};
}

void Resolver::handle(Instant now, const Input& input, Outbox& outbox) {
    if (done_) return;
    if (const auto* network = std::get_if<in::NetworkChanged>(&input)) {
        addresses_ = network->addresses;
        if (!targets_) start(now, outbox);
    } else if (const auto* answer = std::get_if<in::DnsAnswer>(&input)) {
        on_answer(now, *answer, outbox);
    } else if (targets_) {
        registration::Actions actions;
        targets_->on_time(context(now, actions));
        perform(actions, outbox);
    }
    if (targets_ && !targets_->is_waiting()) finish(now, outbox);
}

void Resolver::start(Instant now, Outbox& outbox) {
    const auto instance = "urn:uuid:" + persistence_.instance_id(random_, outbox);
    targets_.emplace(config_, location::RankKey{instance, rank_name(config_.aor)},
                     persistence_.account_state(config_.aor));
    registration::Actions actions;
    targets_->start(context(now, actions));
    perform(actions, outbox);
}

void Resolver::on_answer(Instant now, const in::DnsAnswer& answer, Outbox& outbox) {
    const auto asked = asked_.extract(answer.query);
    if (asked.empty() || !targets_) return;
    dns_failed_ = dns_failed_ || dns::is_failure(answer.answer.status);
    registration::Actions actions;
    targets_->on_dns({asked.mapped(), answer.answer}, context(now, actions));
    perform(actions, outbox);
}

void Resolver::perform(registration::Actions& actions, Outbox& outbox) {
    for (auto& action : actions) {
        auto* ask = std::get_if<registration::act::Ask>(&action);
        if (ask == nullptr) continue;
        const QueryId query{++last_query_};
        asked_.emplace(query, ask->question);
        outbox.push(out::Resolve{query, std::move(ask->question)});
    }
}

// As a start of the registration has it: what an earlier run found silent comes later (F7), and the
// server that it was registered with comes first (L3). A plain client knows neither.
std::vector<location::Candidate> Resolver::order(Instant now,
                                                 const registration::Context& context) const {
    if (config_.policy.style == registration::Style::plain) return targets_->by_rank_alone(context);
    auto ranked = targets_->ranked(context);
    const auto state = persistence_.account_state(config_.aor);
    const auto stored = state.find("binding-1");
    if (stored == state.end() || !config_.policy.affinity) return ranked;
    const auto identity = registration::BindingIdentity::decode(stored->second, 1);
    if (!identity || !identity->last_target || health_.penalised(*identity->last_target, now))
        return ranked;
    const auto last =
        std::ranges::find(ranked, *identity->last_target, &location::Candidate::target);
    if (last == ranked.end() || !targets_->is_listed(*identity->last_target, now)) return ranked;
    last->reason += std::string(last->reason.empty() ? "" : ", ") + "registered here the last time";
    std::rotate(ranked.begin(), last, last + 1);
    return ranked;
}

void Resolver::finish(Instant now, Outbox& outbox) {
    done_ = true;
    registration::Actions actions;
    const auto told = context(now, actions);
    for (auto& candidate : order(now, told)) {
        if (health_.penalised(candidate.target, now))
            candidate.reason += std::string(candidate.reason.empty() ? "" : ", ") +
                                "put last: it did not answer lately";
        resolution_.targets.push_back({.target = candidate.target,
                                       .priority = candidate.priority,
                                       .weight = candidate.weight,
                                       .host = std::move(candidate.host),
                                       .reason = std::move(candidate.reason)});
    }
    resolution_.problem = targets_->problem();
    outbox.push(Event{.kind = EventKind::stopped});
}

Deadline Resolver::next_deadline() const {
    if (done_ || !targets_) return {};
    return targets_->next_deadline();
}

ExitCode Resolver::code() const {
    if (!resolution_.targets.empty()) return ExitCode::ok;
    return dns_failed_ ? ExitCode::no_dns : ExitCode::name_leads_nowhere;
}

}  // namespace holdfast::cli
