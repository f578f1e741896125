// The page of `holdfast lab run --html`: what the scenarios came to, for each preset, and how it
// happened. The findings hold a chronicle (RunOptions::chronicle_lines).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "lab/scenario_run.h"

namespace holdfast::cli {

struct PlayedScenario {
    const lab::scenario::Scenario* scenario = nullptr;
    std::vector<lab::scenario::Findings> outcomes;
};

// command: how to see it again.
std::string lab_page_json(std::span<const PlayedScenario> played, const std::string& command);

// So many lines of signalling each run may keep, that a page of so many runs stays one of a few
// megabytes.
std::size_t page_lines_of(std::size_t runs);

}  // namespace holdfast::cli
