// A scenario as a file (docs/lab.md): TOML becomes values once, or a list of everything that is
// wrong with it, each with its line and key.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "lab/scenario.h"

namespace holdfast::cli {

// The error has a line for each mistake: "FILE:LINE: KEY: what is wrong, and what to write".
std::expected<lab::scenario::Scenario, std::string> read_scenario_file(
    const std::filesystem::path& file);
// The text alone; `name` is what errors call it.
std::expected<lab::scenario::Scenario, std::string> parse_scenario(std::string_view text,
                                                                   const std::string& name);

// Those that come with Holdfast, by name: of the source tree in a build, else as installed.
std::vector<std::filesystem::path> shipped_scenarios();

}  // namespace holdfast::cli
