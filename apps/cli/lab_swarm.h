// The worlds of `holdfast lab swarm`: who lives them, and what is printed of them.
#pragma once

#include <functional>

#include "apps/cli/exit_code.h"
#include "apps/cli/options.h"
#include "lab/swarm.h"

namespace holdfast::cli {

// A test has its own.
struct SwarmLives {
    using Life = std::function<lab::SwarmResult(const lab::WorldPlan&)>;
    Life once = lab::live;
    Life with_all = lab::live_and_repeat;  // with what needs a life of its own, I3 and I7
};

// What can be typed to live the world again, whole or what is left of it.
std::string command_of(const lab::WorldPlan& plan);

// Options::lab says which worlds. output: a descriptor. Returns ok when every invariant held, host
// when one did not, or when the output cannot be written.
ExitCode run_swarm(const Options& options, const SwarmLives& lives, int output);

}  // namespace holdfast::cli
