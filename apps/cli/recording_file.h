// The text of a recording, from wherever it comes: a file, a pipe (zstd -dc old.rec.zst | …), a
// device.
#pragma once

#include <cstddef>
#include <expected>
#include <string>

#include "engine/recording.h"

namespace holdfast::cli {

constexpr std::size_t largest_recording = std::size_t{4} << 30;  // octets

// No more than `most` octets are read, and of what does not begin as a recording does only the
// first: who parses it says so. The error is a sentence.
std::expected<std::string, std::string> text_of_recording(const std::string& path,
                                                          std::size_t most = largest_recording);

// The same, taken apart. The error is a sentence that begins with the path.
std::expected<Recording, std::string> read_recording(const std::string& path);

}  // namespace holdfast::cli
