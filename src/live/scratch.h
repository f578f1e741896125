// A fresh directory of this run, removed with all that is in it when its owner goes.
#pragma once

#include <filesystem>

namespace holdfast::live {

class ScratchDirectory {
public:
    ScratchDirectory();  // under the host's directory for such; empty path: there is none to be had
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;
    ~ScratchDirectory();
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace holdfast::live
