// Runs a fuzz target over files instead of under libFuzzer, so that every build checks the corpus.
//   NAME_fuzz FILE-OR-FOLDER…
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

bool run_file(const std::filesystem::path& path) {
    std::ifstream file{path, std::ios::binary};
    if (!file) {
        std::fprintf(stderr, "cannot read %s\n", path.c_str());
        return false;
    }
    const std::vector<char> bytes{std::istreambuf_iterator<char>{file}, {}};
    const std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
    LLVMFuzzerTestOneInput(input.data(), input.size());
    return true;
}

int run(const std::vector<std::filesystem::path>& arguments) {
    std::size_t inputs = 0;
    LLVMFuzzerTestOneInput(nullptr, 0);  // the empty input is in every corpus
    for (const auto& argument : arguments) {
        if (!std::filesystem::is_directory(argument)) {
            if (!run_file(argument)) return 1;
            ++inputs;
            continue;
        }
        for (const auto& entry : std::filesystem::recursive_directory_iterator{argument}) {
            if (!entry.is_regular_file()) continue;
            if (!run_file(entry.path())) return 1;
            ++inputs;
        }
    }
    std::printf("%zu inputs\n", inputs);
    if (inputs == 0) std::fprintf(stderr, "an empty corpus proves nothing\n");
    return inputs == 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
