// What outlives the process: account/<aor>/<key>, and of the device its instance-id, its ports (N6)
// and what it knows of targets (F7).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/outbox.h"
#include "base/random.h"
#include "base/time.h"
#include "engine/account_entries.h"
#include "engine/engine.h"
#include "flow/flow.h"
#include "location/health.h"
#include "registration/registration.h"

namespace holdfast::engine {

class Persistence {
public:
    Persistence(State state, Instant started, std::int64_t wall_clock);

    // Seconds since 1970: only to age what is on disk.
    [[nodiscard]] std::int64_t wall_clock(Instant now) const;
    [[nodiscard]] registration::AccountState account_state(std::string_view aor) const;
    void store_account(std::string_view aor, std::string_view key, std::string value,
                       Outbox& outbox);
    // The UUID of this device (RFC 5626 §4.1): drawn once, then for ever the same.
    const std::string& instance_id(Random& random, Outbox& outbox);
    // The same for an account that is a device of its own.
    std::string instance_id(std::string_view aor, Random& random, Outbox& outbox);
    // N6: the next start asks for the same port.
    void remember_port(const flow::Flow& flow, Outbox& outbox);

    // K4: what was learned of the NAT, as its desk writes it; "" : nothing.
    [[nodiscard]] std::string learned_keep_alive(Family family) const;
    void store_learned_keep_alive(Family family, std::string text, Outbox& outbox);

    void restore_health(location::Health& health, Instant now) const;
    void health_may_have_changed(Instant now);
    void store_health(const location::Health& health, Instant now, Outbox& outbox);
    [[nodiscard]] Deadline next_deadline() const {
        return {health_due_, "store what is known of targets"};
    }

private:
    void store(std::string key, std::string value, Outbox& outbox);

    State state_;                                                  // of the device
    std::map<std::string, AccountEntries, std::less<>> accounts_;  // by AOR
    Instant started_;
    std::int64_t wall_clock_;
    std::string instance_id_;
    Instant health_due_ = never;
    Instant health_stored_{};
};

}  // namespace holdfast::engine
