// What a server agreed to about keep-alives (RFC 5626 §4.4, RFC 6223 §4). outbound.h reads it from
// responses.
#pragma once

#include <optional>

#include "base/time.h"

namespace holdfast::flow {

struct Agreement {
    bool outbound = false;                 // Require: outbound in a 2xx to REGISTER
    bool keep = false;                     // `keep` came back with a value in our Via
    std::optional<Duration> flow_timer{};  // Flow-Timer, else the value of `keep` if not 0
    [[nodiscard]] bool any() const { return outbound || keep; }
    friend bool operator==(const Agreement&, const Agreement&) = default;
};

}  // namespace holdfast::flow
