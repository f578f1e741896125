// A file of the user's that is read as a whole: configurations, scenarios.
#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

namespace holdfast::cli {

// kind: what errors call it, "configuration file"; bytes_most: how long it may be. The error is
// "FILE: " and a sentence: it is a directory, it is too long, or what the system says.
std::expected<std::string, std::string> read_text_file(const std::filesystem::path& file,
                                                       std::string_view kind,
                                                       std::size_t bytes_most);

}  // namespace holdfast::cli
