// error: could not convert
// The host's clock does not mix with the engine's.
#include "base/time.h"

holdfast::Instant ask() { return std::chrono::steady_clock::time_point{}; }
