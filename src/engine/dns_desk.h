// DNS questions of all accounts: the same question is asked once while it is outstanding, and its
// answer goes to all who asked. How long an answer stays good is the accounts' business (L4): there
// is no cache here.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "base/dns.h"
#include "base/ids.h"
#include "base/outbox.h"
#include "base/time.h"

namespace holdfast::engine {

struct DnsReply {
    dns::Question question;
    dns::Answer answer;
    std::set<AccountId> askers;
};

class DnsDesk {
public:
    void ask(Instant now, AccountId account, const dns::Question& question, Outbox& outbox);
    // No askers: nobody waits for it any more.
    DnsReply on_answer(QueryId query, dns::Answer answer);
    // The driver owes an answer within 10 s. One that never came becomes "timed out", so that
    // nobody waits for ever.
    std::vector<DnsReply> on_time(Instant now);
    void forget(AccountId account);
    [[nodiscard]] Deadline next_deadline() const;

private:
    struct Pending {
        dns::Question question;
        std::set<AccountId> askers;
        Instant give_up;
    };
    std::map<QueryId, Pending> pending_;  // in the order of asking, which is the order of giving up
    std::map<dns::Question, QueryId> by_question_;
    QueryId last_;
};

}  // namespace holdfast::engine
