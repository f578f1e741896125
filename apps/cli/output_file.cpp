#include "apps/cli/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace holdfast::cli {

namespace {

constexpr int drafts_tried = 100;  // of other processes that write the same file

std::string sentence(const std::string& path, int code) {
    auto text = path + " cannot be written: " + std::strerror(code);
    if (code == ENOENT) text += " (its folder must be there)";
    return text;
}

}  // namespace

std::unexpected<std::string> OutputFile::failed(int code) const {
    return std::unexpected(sentence(named_, code));
}

std::expected<OutputFile, std::string> OutputFile::open(const std::string& path) {
    OutputFile file;
    file.named_ = path;
    file.place_ = path;
    std::error_code error;
    const auto status = std::filesystem::status(file.place_, error);
    if (std::filesystem::is_directory(status)) return file.failed(EISDIR);
    if (std::filesystem::exists(status)) {
        if (!std::filesystem::is_regular_file(status)) {
            file.descriptor_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
            if (file.descriptor_ < 0) return file.failed(errno);
            return file;
        }
        // Renaming would not ask whether the file itself may be written.
        if (::access(path.c_str(), W_OK) != 0) return file.failed(errno);
        file.place_ = std::filesystem::canonical(file.place_, error);
        if (error) return file.failed(error.value());
    }
    if (!file.place_.has_filename()) return file.failed(EISDIR);
    for (int number = 0; number < drafts_tried; ++number) {
        file.draft_ = file.place_;
        file.draft_.replace_filename("." + file.place_.filename().string() + "." +
                                     std::to_string(::getpid()) + "." + std::to_string(number));
        file.descriptor_ =
            ::open(file.draft_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file.descriptor_ >= 0) return file;
        if (errno != EEXIST) break;
    }
    const int code = errno;
    file.draft_.clear();
    return file.failed(code);
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : named_(std::move(other.named_)),
      place_(std::move(other.place_)),
      draft_(std::exchange(other.draft_, {})),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

OutputFile::~OutputFile() { discard(); }

void OutputFile::discard() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
    if (!draft_.empty()) ::unlink(draft_.c_str());
    draft_.clear();
}

std::expected<void, std::string> OutputFile::commit(std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(descriptor_, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return failed(errno);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    if (!draft_.empty() && ::fsync(descriptor_) != 0) return failed(errno);
    if (::close(std::exchange(descriptor_, -1)) != 0) return failed(errno);
    if (draft_.empty()) return {};
    if (::rename(draft_.c_str(), place_.c_str()) != 0) return failed(errno);
    draft_.clear();
    return {};
}

}  // namespace holdfast::cli
