// S3: a hosted fleet sends no more than so many REGISTERs a second, however many accounts want to
// at once (a start, a lost connection, a changed network). What may make an account REGISTER waits
// in line until it is the account's turn; a request that is made is never held back, so that
// patience (F3) counts from its writing (F4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "registration/machine.h"

namespace holdfast::engine {

// Whether being told this may make a registration send a REGISTER of its own accord.
bool may_start_register(const registration::Told& told);

class RegisterPace {
public:
    struct Turn {
        AccountId account;
        std::vector<registration::Told> tidings;
    };
    // 0: no limit.
    explicit RegisterPace(std::uint32_t per_second)
        : spacing_(per_second == 0 ? Duration{0} : Duration{std::chrono::seconds{1}} / per_second) {
    }

    // True: it may be told now. Its turn has come, or there is no limit.
    [[nodiscard]] bool admits(Instant now, AccountId account) const;
    void wait(AccountId account, const registration::Told& told);
    // The next whose turn it is. Each turn takes its share of the rate, used or not.
    std::optional<Turn> take(Instant now);
    // A REGISTER went out: the first of a turn is paid for, others (an answered challenge) delay
    // the line.
    void sent(Instant now, AccountId account);
    void forget(AccountId account);
    [[nodiscard]] bool is_waiting(AccountId account) const { return waiting_.contains(account); }
    [[nodiscard]] std::size_t size() const { return line_.size(); }
    [[nodiscard]] Deadline next_deadline() const;

private:
    struct Admitted {
        Instant until;
        bool paid = true;
    };
    Duration spacing_;
    Instant next_{};
    std::deque<AccountId> line_;
    std::map<AccountId, std::vector<registration::Told>> waiting_;
    std::map<AccountId, Admitted> admitted_;
};

}  // namespace holdfast::engine
