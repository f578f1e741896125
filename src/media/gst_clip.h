// A sound file in memory.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "media/waveform.h"

namespace holdfast::media::gst {

// The file as mono at `rate`, whatever format the installed plug-ins read; longer than limits::clip
// is an error. Or why not, in words.
std::expected<std::shared_ptr<const Clip>, std::string> load_clip(const std::string& path,
                                                                  std::uint32_t rate);

}  // namespace holdfast::media::gst
