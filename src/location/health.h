// What is remembered of a target (F7): silence, refusal and round-trip time, shared by all accounts
// and kept across restarts; Retry-After, status codes and certificate errors per account. A penalty
// only lowers the rank.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/time.h"
#include "location/lookup.h"

namespace holdfast::location {

class Health {
public:
    struct Penalties {
        Duration first = std::chrono::seconds{5};
        Duration longest = std::chrono::minutes{10};
    };
    Health() : Health(Penalties{}) {}
    explicit Health(Penalties penalties) : penalties_(penalties) {}

    // Per target, shared by accounts.
    void on_silence(const Target& target, Instant now, Random& random);
    void on_refusal(const Target& target, Instant now,
                    Random& random);  // refused, reset, TLS failure, ICMP
    // Any answer, also a probe's: ends a penalty for silence. The doubling goes on until
    // on_success: some servers answer OPTIONS and nothing else. rtt: nothing if the request was
    // repeated (it is unknown which copy was answered).
    void on_answer(const Target& target, Instant now, std::optional<Duration> rtt);
    void on_success(const Target& target, Instant now);  // it registered us: all is forgiven

    [[nodiscard]] bool penalised(const Target& target, Instant now) const;
    [[nodiscard]] bool silent(const Target& target, Instant now) const;  // penalised for silence
    [[nodiscard]] std::optional<Instant> penalised_until(const Target& target, Instant now) const;
    [[nodiscard]] bool all_penalised(const std::vector<Candidate>& candidates, Instant now) const;
    [[nodiscard]] std::optional<Duration> rtt(const Target& target) const;  // smoothed
    // F3: max(base, 4·RTT). Other waits follow the same pattern with their own factor (F4 2·RTT,
    // F9 1.5·RTT).
    [[nodiscard]] Duration patience_for(const Target& target, Duration base,
                                        double round_trips = 4.0) const;
    // The same candidates, penalised ones behind all others; otherwise in order.
    [[nodiscard]] std::vector<Candidate> lowered(std::vector<Candidate> ranked, Instant now) const;

    // Per (account, target).
    void bar(AccountId account, const Target& target,
             Instant until);  // Retry-After (F5); a later end wins
    [[nodiscard]] std::optional<Instant> barred_until(AccountId account, const Target& target,
                                                      Instant now) const;
    void note_status(AccountId account, const Target& target, int status);  // 0: none
    [[nodiscard]] int last_status(AccountId account, const Target& target) const;
    void note_certificate_error(AccountId account, const Target& target,
                                std::string words);  // "": it is good again
    [[nodiscard]] std::string_view certificate_error(AccountId account, const Target& target) const;
    void forget(AccountId account);  // removed, a changed password, or the user said so

    // Kept across restarts: the part that is per target. wall_clock is the second since 1970 that
    // `now` is.
    [[nodiscard]] std::string encode(Instant now, std::int64_t wall_clock) const;
    // Times that cannot be true are capped (B3). On an error nothing is changed.
    std::expected<void, std::string> decode(std::string_view text, Instant now,
                                            std::int64_t wall_clock);

private:
    struct Penalty {
        std::uint32_t count = 0;  // how often in a row
        Instant until{};          // not later than now: none
    };
    struct Memory {
        Penalty silence;
        Penalty refusal;
        std::optional<Duration> rtt;
        Instant touched{};
    };
    struct AccountMemory {
        Instant barred_until{};
        int status = 0;
        std::string certificate_error;
    };
    using AccountTarget = std::pair<AccountId, Target>;

    Memory& memory_of(const Target& target);
    AccountMemory& memory_of(AccountId account, const Target& target);
    [[nodiscard]] const Memory* find(const Target& target) const;
    void punish(Penalty& penalty, Instant last_touched, Instant now, Random& random) const;

    Penalties penalties_;
    std::map<Target, Memory> targets_;
    std::map<AccountTarget, AccountMemory> accounts_;
};

}  // namespace holdfast::location
