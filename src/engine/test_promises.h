// What an engine owes whatever its host did to it: watched while it lives, and demanded in the end.
// For the test driver (test_driver.h).
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/test_host_fault.h"
#include "engine/engine.h"
#include "sip/message.h"

namespace holdfast::engine {

class Promises {
public:
    // Every input, before the engine has it.
    void on_input(const Input& input) {
        if (const auto* const add = std::get_if<in::AddAccount>(&input)) {
            // A direct account promises no registration.
            if (!shut_down_ && add->config.direct_to.empty()) accounts_.insert(add->account);
        } else if (const auto* const remove = std::get_if<in::RemoveAccount>(&input)) {
            accounts_.erase(remove->account);
        } else if (std::holds_alternative<in::ShutDown>(input)) {
            accounts_.clear();
            shut_down_ = true;
        } else if (const auto* const network = std::get_if<in::NetworkChanged>(&input)) {
            has_network_ = !network->addresses.empty();
        }
    }
    // After every step: whoever is not shut down has something to wait for, and it lies ahead.
    void after_step(Instant now, const Input& input, const Engine& engine) {
        const auto deadline = engine.next_deadline();
        if (std::holds_alternative<in::Time>(input) && deadline.at <= now)
            complain("a deadline stays due: " + std::string(deadline.reason));
        if (deadline.at == never && has_network_ && !accounts_.empty())
            complain("an account is alive, and nothing will ever happen to it");
        if (!std::exchange(has_sent_, false)) return;
        for (const AccountId id : accounts_)
            if (const auto status = engine.status(id)) check_outstanding(*status);
    }
    // Every datagram or writing; repetitions are the same octets.
    void on_send(Instant now, const Target& target, const std::string& bytes) {
        if (!bytes.starts_with("REGISTER ") || !seen_.insert(bytes).second) return;
        has_sent_ = true;
        const auto message = sip::Message::parse(bytes);
        if (!message) return complain("a REGISTER that cannot be read: " + bytes);
        auto& highest = cseq_[std::string(message->call_id())];
        if (message->cseq().number <= highest)
            complain("I4: CSeq " + std::to_string(message->cseq().number) + " after " +
                     std::to_string(highest));
        highest = std::max(highest, message->cseq().number);
        registers_[std::string(message->from().uri.text)].push_back({now, target});
    }
    void on_event(Instant now, const Event& event) {
        if (event.kind == EventKind::resolved) {
            targets_ = std::max(targets_, event.targets.size());
            if (event.targets.empty()) {
                without_dns_.insert(event.account);
            } else {
                without_dns_.erase(event.account);
            }
        }
        if (!tells_why(event)) return;
        auto& until = excused_until_[event.account][event.reg_id];
        until = event.expires ? now + *event.expires : std::max(until, now);
    }

    [[nodiscard]] const std::set<AccountId>& accounts() const { return accounts_; }
    [[nodiscard]] bool is_shut_down() const { return shut_down_; }
    // I1 is of those who have had one DNS answer ever. The others ask again after L6's 300 s at
    // most, when the last question, SRV and then the address, has taken its 24 s.
    void on_heal(Instant now) {
        for (const AccountId id : without_dns_)
            excused_until_[id][0] = now + std::chrono::seconds(300 + 24);
    }
    // Until when it has said that it waits; what it said last counts, for each of its bindings.
    [[nodiscard]] Instant excused_until(AccountId id) const {
        Instant latest{};
        if (const auto found = excused_until_.find(id); found != excused_until_.end())
            for (const auto& [reg_id, until] : found->second) latest = std::max(latest, until);
        return latest;
    }

    // I5, for each account; n is what was listed at most.
    void check_rates() const {
        for (const auto& [aor, sent] : registers_) {
            check_window(aor, sent, std::chrono::seconds(10), 2 * targets_ + 8);
            check_window(aor, sent, std::chrono::minutes(10), 6 * targets_ + 60);
        }
    }

private:
    struct Register {
        Instant at;
        Target target;
    };
    // Events that say what is wrong and that it is tried again later (F5, L6, S1).
    static bool tells_why(const Event& event) {
        return event.kind == EventKind::refused || event.kind == EventKind::waiting ||
               event.kind == EventKind::auth_failed ||
               (event.kind == EventKind::resolved && event.targets.empty());
    }
    // I4: one REGISTER outstanding for each flow.
    static void check_outstanding(const AccountStatus& status) {
        std::set<FlowId> flows;
        for (const auto& one : status.outstanding)
            if (!flows.insert(one.flow).second)
                complain("I4: two REGISTERs are outstanding on one flow, to " +
                         one.target.to_string());
    }
    static void check_window(const std::string& aor, const std::vector<Register>& sent,
                             Duration window, std::size_t most) {
        for (std::size_t i = most; i < sent.size(); ++i)
            if (sent[i].at - sent[i - most].at < window)
                return complain("I5: " + aor + " sent more than " + std::to_string(most) +
                                " REGISTERs in " + std::to_string(seconds_of(window)) + " s");
    }

    std::set<AccountId> accounts_;  // not removed, not shut down
    bool shut_down_ = false;
    bool has_network_ = false;
    bool has_sent_ = false;  // a REGISTER in this step
    std::set<std::string> seen_;
    std::map<std::string, std::uint32_t> cseq_;  // by Call-ID
    std::map<std::string, std::vector<Register>> registers_;
    std::size_t targets_ = 1;
    std::map<AccountId, std::map<int, Instant>> excused_until_;  // by reg_id
    std::set<AccountId> without_dns_;                            // and they have said so
};

}  // namespace holdfast::engine
