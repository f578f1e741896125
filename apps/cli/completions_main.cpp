// Writes the completions of the three shells into a directory, under the names they have there.
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "apps/cli/completion.h"

int main(int count, char** words) {
    using namespace holdfast::cli;
    if (count != 2) {
        std::fprintf(stderr, "usage: holdfast_completions DIRECTORY\n");
        return 2;
    }
    const std::array files{std::pair{"holdfast.bash", bash_completion()},
                           std::pair{"_holdfast", zsh_completion()},
                           std::pair{"holdfast.fish", fish_completion()}};
    for (const auto& [name, text] : files) {
        const auto path = std::filesystem::path(words[1]) / name;
        std::ofstream stream(path);
        stream << text << std::flush;
        if (stream) continue;
        std::fprintf(stderr, "%s cannot be written\n", path.c_str());
        return 1;
    }
    return 0;
}
