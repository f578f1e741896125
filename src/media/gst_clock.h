// The host's monotonic clock, as media's machines are told the time.
#pragma once

#include <glib.h>

#include "base/time.h"

namespace holdfast::media::gst {

inline Instant present() { return Instant{Duration{g_get_monotonic_time()}}; }

}  // namespace holdfast::media::gst
