// The small words that recordings are written in and read with.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::recording {

constexpr int format_version = 1;

bool is_utf8(std::string_view text);
std::string to_base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);

}  // namespace holdfast::recording
