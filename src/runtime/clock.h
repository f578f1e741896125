// The host's clocks and its entropy: read here and handed down, never asked for below
// (docs/architecture.md).
#pragma once

#include <cstdint>

#include "base/random.h"
#include "base/time.h"

namespace holdfast::runtime {

// CLOCK_BOOTTIME: goes on while the host sleeps, so that a refresh is not missed by the length of
// the sleep (K5).
Instant boot_time();
// How long the host has slept since it was started: CLOCK_BOOTTIME less CLOCK_MONOTONIC.
Duration time_asleep();
std::int64_t wall_clock();  // seconds since 1970
Seed entropy();             // getrandom

}  // namespace holdfast::runtime
