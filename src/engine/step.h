// One step of the engine: what every desk is handed while it works. Nothing of it is kept.
#pragma once

#include "base/outbox.h"
#include "base/random.h"
#include "base/time.h"
#include "engine/tidings.h"
#include "location/health.h"

namespace holdfast::engine {

class FlowDesk;

struct Step {
    Instant now;
    Random& random;
    location::Health& health;
    FlowDesk& flows;
    Tidings& tidings;  // what accounts are to be told, in order
    Outbox& outbox;

    template <class T>
    void tell(AccountId account, T&& told) const {
        tidings.push_back({account, std::forward<T>(told)});
    }
};

// Probes, and answers to strangers, need flows too. Their user is the engine itself: no account has
// this number.
constexpr AccountId the_engine{};

}  // namespace holdfast::engine
