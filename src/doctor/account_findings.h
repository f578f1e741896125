// The registration and the bindings, judged: who may register, what the registrar can do, whether
// its nodes share one location service, and which bindings are stale (RFC 3261 §10; B1, B2, B7).
#pragma once

#include <cstddef>
#include <cstdint>

#include "doctor/finding.h"
#include "doctor/seen.h"

namespace holdfast::doctor {

Findings registration_findings(const Seen& seen);
Findings binding_findings(const Seen& seen);

// What the servers' lists of bindings say of each other.
enum class LocationService : std::uint8_t { unknown, one_server, shared, separate };
LocationService location_service(const Seen& seen);

// How many bindings there are, at the server that lists most.
std::size_t most_bindings(const AccountSeen& account);

}  // namespace holdfast::doctor
