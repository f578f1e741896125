// holdfast run: many accounts. The work is that of a program of its own beside this one
// (apps/fleet).
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "apps/cli/commands.h"

namespace holdfast::cli {

namespace {

constexpr const char* program_name = "holdfast-fleet";

// Beside us where we were built; in libexec where we are installed.
std::filesystem::path program() {
    std::error_code error;
    const auto here = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
    for (const auto& place : {here / program_name, here / HOLDFAST_LIBEXEC / program_name})
        if (std::filesystem::exists(place, error)) return place;
    return here / HOLDFAST_LIBEXEC / program_name;
}

}  // namespace

ExitCode run_fleet(const std::vector<std::string>&, const std::vector<Setting>& settings) {
    const auto place = program().lexically_normal().string();
    std::vector<std::string> words{place};
    words.reserve(settings.size() + 1);
    for (const auto& setting : settings) words.push_back("--" + setting.key + "=" + setting.value);
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ::execv(place.c_str(), arguments.data());
    return complain(ExitCode::host,
                    place + ": it cannot be started: " + std::generic_category().message(errno) +
                        ". It is installed with this command");
}

}  // namespace holdfast::cli
