// A recording (--record) as a file.
#pragma once

#include <expected>
#include <string>

#include "engine/recording.h"

namespace holdfast::cli {

// The error is a sentence that begins with the path.
std::expected<Recording, std::string> read_recording(const std::string& path);

}  // namespace holdfast::cli
