// Asks DNS for the account's servers as a registration does (L1), and then the same questions
// again, to see what the answers have in common.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/outbox.h"
#include "base/time.h"
#include "doctor/seen.h"
#include "engine/input.h"
#include "location/lookup.h"
#include "location/rank.h"
#include "registration/account.h"

namespace holdfast::doctor {

class Inquiry {
public:
    Inquiry(registration::AccountConfig account, location::RankKey key)
        : account_(std::move(account)), key_(key) {}

    void start(Instant now, bool has_ipv4, bool has_ipv6, Outbox& outbox);
    void on_answer(Instant now, const in::DnsAnswer& answer, Outbox& outbox);
    void on_time(Instant now, Outbox& outbox);
    [[nodiscard]] Deadline next_deadline() const { return {again_at_, "ask DNS again"}; }
    [[nodiscard]] bool done() const { return round_ > 0 && asked_.empty() && again_at_ == never; }

    [[nodiscard]] const std::vector<HopSeen>& hops() const { return hops_; }
    // In the order in which a phone of this account would try them, each once; of all hops.
    [[nodiscard]] std::vector<ServerSeen> servers() const;

private:
    struct Asked {
        std::size_t hop;
        dns::Question question;
        bool aside = false;  // for own_addresses alone
    };
    void ask_aside(Outbox& outbox);
    void ask(std::size_t hop, const std::vector<dns::Question>& questions, Outbox& outbox);
    void next_round(Instant now);

    registration::AccountConfig account_;
    location::RankKey key_;
    std::vector<HopSeen> hops_;
    std::vector<location::Lookup> lookups_;  // of the hops
    std::map<QueryId, Asked> asked_;
    QueryId last_query_;
    int round_ = 0;
    Instant again_at_ = never;
};

}  // namespace holdfast::doctor
