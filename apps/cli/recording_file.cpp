#include "apps/cli/recording_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace holdfast::cli {

namespace {

class OpenFile {
public:
    explicit OpenFile(const std::string& path)
        : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    ~OpenFile() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
    // 0: its end; less: errno.
    template <class Buffer>
    ssize_t read(Buffer& buffer) const {
        for (;;) {
            const auto size = ::read(descriptor_, buffer.data(), buffer.size());
            if (size >= 0 || errno != EINTR) return size;
        }
    }

private:
    int descriptor_;
};

std::unexpected<std::string> unreadable(const std::string& path, int code) {
    return std::unexpected(path + " cannot be read: " + std::strerror(code) +
                           ". Name the file that --record has written");
}

}  // namespace

std::expected<std::string, std::string> text_of_recording(const std::string& path,
                                                          std::size_t most) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error))
        return std::unexpected(path + " is a directory: name the file that --record has written");
    const auto too_long = [&] {
        return std::unexpected(path + " has more than " + std::to_string(most >> 20U) +
                               " MiB: no recording that can be read");
    };
    // A file is known to be too long before it is read; a pipe or a device only then.
    if (const auto size = std::filesystem::file_size(path, error); !error && size > most)
        return too_long();
    const OpenFile file(path);
    if (!file.is_open()) return unreadable(path, errno);
    std::string text;
    std::array<char, 65536> buffer{};
    for (;;) {
        const auto size = file.read(buffer);
        if (size < 0) return unreadable(path, errno);
        if (size == 0) return text;
        if (std::cmp_greater(size, most - text.size())) return too_long();
        text.append(buffer.data(), static_cast<std::size_t>(size));
        if (!text.starts_with('{')) return text;
    }
}

std::expected<Recording, std::string> read_recording(const std::string& path) {
    const auto text = text_of_recording(path);
    if (!text) return std::unexpected(text.error());
    auto recording = parse_recording(*text);
    if (!recording)
        return std::unexpected(path + ": " + recording.error() +
                               ". Use the version of Holdfast that has recorded it, or record it "
                               "again (holdfast register --record FILE)");
    return recording;
}

}  // namespace holdfast::cli
