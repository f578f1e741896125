// Where the module with calls' sound is looked for (docs/decisions/0010).
#pragma once

#include <filesystem>
#include <vector>

namespace holdfast::cli {

// Beside us where we were built; in libexec where we are installed.
std::vector<std::filesystem::path> media_modules();

}  // namespace holdfast::cli
