#include "engine/dns_desk.h"

#include <utility>

#include "engine/limits.h"

namespace holdfast::engine {

void DnsDesk::ask(Instant now, AccountId account, const dns::Question& question, Outbox& outbox) {
    if (const auto found = by_question_.find(question); found != by_question_.end()) {
        pending_.at(found->second).askers.insert(account);
        return;
    }
    last_ = QueryId{last_.value + 1};
    by_question_.emplace(question, last_);
    pending_.emplace(last_, Pending{question, {account}, now + limits::dns_answer});
    outbox.push(out::Resolve{last_, question});
}

DnsReply DnsDesk::on_answer(QueryId query, dns::Answer answer) {
    auto taken = pending_.extract(query);
    if (taken.empty()) return {};
    by_question_.erase(taken.mapped().question);
    return {std::move(taken.mapped().question), std::move(answer),
            std::move(taken.mapped().askers)};
}

std::vector<DnsReply> DnsDesk::on_time(Instant now) {
    std::vector<DnsReply> replies;
    while (!pending_.empty() && pending_.begin()->second.give_up <= now)
        replies.push_back(on_answer(pending_.begin()->first, {dns::Status::timed_out, {}, {}}));
    return replies;
}

void DnsDesk::forget(AccountId account) {
    for (auto& [query, pending] : pending_) pending.askers.erase(account);
}

Deadline DnsDesk::next_deadline() const {
    if (pending_.empty()) return {};
    return {pending_.begin()->second.give_up, "a DNS answer is overdue"};
}

}  // namespace holdfast::engine
