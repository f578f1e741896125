#include "apps/cli/media_modules.h"

#include <system_error>

namespace holdfast::cli {

std::vector<std::filesystem::path> media_modules() {
    constexpr const char* name = "libholdfast-media.so";
    std::error_code error;
    const auto here = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
    return {here / name, (here / HOLDFAST_LIBEXEC / name).lexically_normal()};
}

}  // namespace holdfast::cli
