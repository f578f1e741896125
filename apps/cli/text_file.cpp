#include "apps/cli/text_file.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <vector>

namespace holdfast::cli {

namespace {

constexpr std::size_t read_at_once = std::size_t{64} << 10U;
constexpr std::size_t mebibyte = std::size_t{1} << 20U;

}  // namespace

std::expected<std::string, std::string> read_text_file(const std::filesystem::path& file,
                                                       std::string_view kind,
                                                       std::size_t bytes_most) {
    const auto wrong = [&](const std::string& what) {
        return std::unexpected(file.string() + ": " + what);
    };
    if (std::error_code error; std::filesystem::is_directory(file, error))
        return wrong("this is a directory, not a " + std::string(kind));
    errno = 0;
    std::ifstream stream(file, std::ios::binary);
    std::string text;
    std::vector<char> piece(read_at_once);
    while (stream && text.size() <= bytes_most) {
        stream.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        text.append(piece.data(), static_cast<std::size_t>(stream.gcount()));
    }
    if (!stream.is_open() || stream.bad())
        return wrong("the " + std::string(kind) +
                     " cannot be read: " + std::generic_category().message(errno ? errno : EIO));
    if (text.size() > bytes_most)
        return wrong("this is longer than a " + std::string(kind) + " may be, " +
                     std::to_string(bytes_most / mebibyte) + " MiB");
    return text;
}

}  // namespace holdfast::cli
