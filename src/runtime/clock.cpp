#include "runtime/clock.h"

#include <sys/random.h>

#include <cerrno>
#include <ctime>

#include "base/check.h"

namespace holdfast::runtime {

namespace {

Duration read_clock(clockid_t clock) {
    timespec value{};
    CHECK(clock_gettime(clock, &value) == 0);
    return std::chrono::duration_cast<Duration>(std::chrono::seconds{value.tv_sec} +
                                                std::chrono::nanoseconds{value.tv_nsec});
}

}  // namespace

Instant boot_time() { return Instant{read_clock(CLOCK_BOOTTIME)}; }

Duration time_asleep() {
    const auto awake = read_clock(CLOCK_MONOTONIC);  // first: the difference is never too small
    return read_clock(CLOCK_BOOTTIME) - awake;
}

std::int64_t wall_clock() { return read_clock(CLOCK_REALTIME).count() / 1'000'000; }

Seed entropy() {
    Seed seed{};
    ssize_t drawn = 0;
    do {
        drawn = getrandom(seed.data(), seed.size(), 0);
    } while (drawn < 0 && errno == EINTR);
    CHECK(drawn == static_cast<ssize_t>(seed.size()));  // up to 256 bytes come whole: random(7)
    return seed;
}

}  // namespace holdfast::runtime
