// S3: a hosted fleet sends no more than so many REGISTERs a second, however many accounts want to at once. The
// others wait in line.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "base/ids.h"
#include "base/time.h"
#include "registration/machine.h"

namespace holdfast::engine {

class RegisterPace {
public:
    struct Waiting {
        AccountId account;
        registration::act::Send request;
    };
    explicit RegisterPace(std::uint32_t per_second)
        : spacing_(per_second == 0 ? Duration{0} : Duration{std::chrono::seconds{1}} / per_second) {}

    void push(AccountId account, registration::act::Send request);
    // The next that may go now; each call takes its share of the rate.
    std::optional<Waiting> take(Instant now);
    void forget(AccountId account);
    [[nodiscard]] std::size_t size() const { return line_.size(); }
    [[nodiscard]] Deadline next_deadline() const;

private:
    Duration spacing_;
    Instant next_{};
    std::deque<Waiting> line_;
};

}  // namespace holdfast::engine
