// The engine of media on GStreamer: what libholdfast-media gives (service.h).
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "media/engine.h"

namespace holdfast::media::gst {

// Starts GStreamer, which takes a second on a host's first time: not on a thread that others wait
// for. Or why not, in words.
std::expected<std::unique_ptr<Engine>, std::string> make_engine();

}  // namespace holdfast::media::gst
