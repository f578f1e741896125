// A file that a command is told to write, whole or not at all: what was there before stays until
// the new one is complete. Opened before the work begins, so that a mistake in its name is said at
// once.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

namespace holdfast::cli {

class OutputFile {
public:
    // A device or a pipe is written as it is. The error is a sentence that begins with the path.
    static std::expected<OutputFile, std::string> open(const std::string& path);
    OutputFile(OutputFile&& other) noexcept;
    OutputFile& operator=(OutputFile&&) = delete;
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile();  // without commit() nothing has been written

    // On disk and in its place when it returns; once.
    std::expected<void, std::string> commit(std::string_view text);

private:
    OutputFile() = default;
    [[nodiscard]] std::unexpected<std::string> failed(int code) const;
    void discard();

    std::string named_;            // as the user did
    std::filesystem::path place_;  // where it will be, symbolic links followed
    std::filesystem::path draft_;  // beside it; "": written as it is
    int descriptor_ = -1;
};

}  // namespace holdfast::cli
