#include "live/scratch.h"

#include <cstdlib>
#include <string>
#include <system_error>

namespace holdfast::live {

ScratchDirectory::ScratchDirectory() {
    std::error_code error;
    const auto parent = std::filesystem::temp_directory_path(error);
    if (error) return;
    auto name = (parent / "holdfast-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;  // 0700
}

ScratchDirectory::~ScratchDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace holdfast::live
