#include "apps/cli/recording_file.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace holdfast::cli {

namespace {

constexpr std::uintmax_t largest_recording_file = std::uintmax_t{4} << 30;  // octets

std::expected<std::string, std::string> content_of_recording(const std::string& path) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error))
        return std::unexpected(path + " is a directory: name the file that --record has written");
    const auto size = std::filesystem::file_size(path, error);
    if (!error && size > largest_recording_file)
        return std::unexpected(path + " has more than 4 GiB: no recording that can be read");
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file.is_open() || file.bad())
        return std::unexpected(path +
                               " cannot be read: " + std::strerror(errno != 0 ? errno : EIO) +
                               ". Name the file that --record has written");
    return text;
}

}  // namespace

std::expected<Recording, std::string> read_recording(const std::string& path) {
    const auto text = content_of_recording(path);
    if (!text) return std::unexpected(text.error());
    auto recording = parse_recording(*text);
    if (!recording)
        return std::unexpected(path + ": " + recording.error() +
                               ". Use the version of Holdfast that has recorded it, or record it "
                               "again (holdfast register --record FILE)");
    return recording;
}

}  // namespace holdfast::cli
