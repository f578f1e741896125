// The one symbol of libholdfast-media.so. Command and module come from one build: they share C++
// types.
#pragma once

#include "media/engine.h"

namespace holdfast::media {

constexpr const char* module_symbol = "holdfast_media_engine";

// `version` is HOLDFAST_VERSION; null: another version, or GStreamer does not start, and `why` (of
// `why_size` bytes) says so. The caller owns the result.
using MakeEngine = Engine* (*)(const char* version, char* why, unsigned long why_size);

}  // namespace holdfast::media
