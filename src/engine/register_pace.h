// S3: a hosted fleet sends no more than so many REGISTERs and own OPTIONS (R1) a second, however
// many accounts want to at once (a start, a lost connection, a changed network, a DNS answer that
// all waited for). What may make an account REGISTER waits in line until the rate has room; what
// turns out to send none costs nothing. A request that is made is never held back, so that patience
// (F3) counts from its writing (F4): one that nobody could hold back, as the answer to a challenge,
// delays the line.
//
// Whose turn is next is drawn among all who wait, each as likely as the other. In the order of
// asking, those who share a server or its DNS answer stand together, and one server would get the
// whole rate and then nothing. Nobody waits for longer than there is a line at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
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

    // True: it may be told now. The rate has room and nobody is before it, or there is no limit.
    [[nodiscard]] bool admits(Instant now, AccountId account) const;
    void wait(AccountId account, const registration::Told& told);
    // One whose turn it is, if the rate has room.
    std::optional<Turn> take(Instant now, Random& random);
    void sent(Instant now);  // a REGISTER or an own OPTIONS went out
    void forget(AccountId account);
    [[nodiscard]] bool is_waiting(AccountId account) const { return waiting_.contains(account); }
    [[nodiscard]] std::size_t size() const { return line_.size(); }
    [[nodiscard]] Deadline next_deadline() const;

private:
    Duration spacing_;
    Instant next_{};  // no REGISTER before
    std::vector<AccountId> line_;
    std::map<AccountId, std::vector<registration::Told>> waiting_;
};

}  // namespace holdfast::engine
