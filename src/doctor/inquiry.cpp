#include "doctor/inquiry.h"

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "doctor/limits.h"
#include "registration/targets.h"

namespace holdfast::doctor {

namespace {

// Whether the domain or the account says that its servers speak this transport.
bool is_announced(const HopSeen& hop, const location::Candidate& candidate) {
    if (hop.fixed || hop.hop.transport || hop.hop.secure) return true;
    const bool by_srv = std::ranges::any_of(hop.asked, [](const AskedSeen& asked) {
        return asked.question.type == dns::RecordType::srv && !asked.answers.empty() &&
               !asked.answers.front().records.empty();
    });
    return by_srv || std::ranges::all_of(hop.outcome.candidates, [&](const auto& other) {
               return other.target.transport == candidate.target.transport;
           });
}

}  // namespace

void Inquiry::start(Instant now, bool has_ipv4, bool has_ipv6, Outbox& outbox) {
    round_ = 1;
    for (const auto& uri : registration::next_hop_uris(account_)) {
        auto hop = location::next_hop_of(uri);
        if (!hop) continue;  // the options' table has refused it before
        if (account_.aor.starts_with("sips:")) hop->secure = true;
        location::Constraints constraints;
        constraints.transports = location::allowed_transports(
            {.fixed = account_.transport ? account_.transport : hop->transport,
             .secure = hop->secure});
        constraints.ipv4 = has_ipv4;
        constraints.ipv6 = has_ipv6;
        constraints.use_naptr = account_.policy.use_naptr;
        constraints.use_srv = account_.policy.use_srv;
        constraints.key = key_;
        hops_.push_back({.hop = *hop, .fixed = account_.transport});
        lookups_.emplace_back(*std::move(hop), std::move(constraints));
    }
    for (std::size_t i = 0; i < lookups_.size(); ++i) {
        std::vector<dns::Question> questions;
        lookups_[i].start(questions);
        ask(i, questions, outbox);
    }
    if (asked_.empty()) next_round(now);
}

void Inquiry::ask(std::size_t hop, const std::vector<dns::Question>& questions, Outbox& outbox) {
    for (const auto& question : questions) {
        last_query_ = QueryId{last_query_.value + 1};
        asked_.emplace(last_query_, Asked{hop, question});
        outbox.push(out::Resolve{last_query_, question});
    }
}

void Inquiry::on_answer(Instant now, const in::DnsAnswer& answer, Outbox& outbox) {
    const auto node = asked_.extract(answer.query);
    if (node.empty()) return;
    const auto& [index, question, aside] = node.mapped();
    auto& hop = hops_[index];
    if (question.name == hop.hop.host && question.type == dns::RecordType::a &&
        !dns::is_failure(answer.answer.status))
        hop.own_addresses = static_cast<std::size_t>(std::ranges::count_if(
            answer.answer.records,
            [](const dns::Record& record) { return std::holds_alternative<IpAddress>(record); }));
    if (aside) {
        if (asked_.empty()) next_round(now);
        return;
    }
    auto known = std::ranges::find(hop.asked, question, &AskedSeen::question);
    if (known == hop.asked.end())
        known = hop.asked.insert(hop.asked.end(), AskedSeen{.question = question, .answers = {}});
    known->answers.push_back(answer.answer);
    if (round_ == 1) {
        std::vector<dns::Question> questions;
        lookups_[index].on_answer(question, answer.answer, questions);
        ask(index, questions, outbox);
    }
    if (asked_.empty()) next_round(now);
}

// Who finds its servers by SRV does not ask for this; others ask for nothing else.
void Inquiry::ask_aside(Outbox& outbox) {
    for (std::size_t i = 0; i < hops_.size(); ++i) {
        const auto& host = hops_[i].hop.host;
        const bool is_known = hops_[i].own_addresses || IpAddress::parse(host);
        if (is_known || hops_[i].asked.empty()) continue;
        last_query_ = QueryId{last_query_.value + 1};
        const dns::Question question{.name = host};
        asked_.emplace(last_query_, Asked{.hop = i, .question = question, .aside = true});
        outbox.push(out::Resolve{last_query_, question});
    }
}

void Inquiry::next_round(Instant now) {
    if (round_ == 1)
        for (std::size_t i = 0; i < hops_.size(); ++i) hops_[i].outcome = lookups_[i].outcome();
    const bool any =
        std::ranges::any_of(hops_, [](const HopSeen& hop) { return !hop.asked.empty(); });
    if (any && round_ < limits::dns_rounds) again_at_ = now + limits::between_dns_rounds;
}

void Inquiry::on_time(Instant now, Outbox& outbox) {
    if (now < again_at_) return;
    again_at_ = never;
    ++round_;
    if (round_ == 2) ask_aside(outbox);
    for (std::size_t i = 0; i < hops_.size(); ++i) {
        std::vector<dns::Question> questions;
        for (const auto& asked : hops_[i].asked) questions.push_back(asked.question);
        ask(i, questions, outbox);
    }
}

std::vector<ServerSeen> Inquiry::servers() const {
    std::vector<ServerSeen> servers;
    std::set<Target> known;
    for (std::size_t i = 0; i < hops_.size(); ++i)
        for (auto& candidate : location::ranked(hops_[i].outcome.candidates, key_,
                                                location::LookupOrder::rendezvous)) {
            if (!known.insert(candidate.target).second) continue;
            ServerSeen server{.place = i, .announced = is_announced(hops_[i], candidate)};
            server.candidate = std::move(candidate);
            servers.push_back(std::move(server));
        }
    return servers;
}

}  // namespace holdfast::doctor
