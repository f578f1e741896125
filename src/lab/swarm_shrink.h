// A world that breaks an invariant, made as small as it goes (delta debugging, Zeller and
// Hildebrandt's ddmin): a shorter time, fewer faults, phones, servers and troubles of the link,
// until nothing can be left out without the complaint going away.
//
//     const auto plan = draw_world(17, 10min);
//     const auto small = shrink(plan, "I1", [](const WorldPlan& p) { return live(p).complaints; });
//     … parts_of(small.plan), small.plan.ends
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "lab/invariants.h"
#include "lab/swarm_plan.h"

namespace holdfast::lab {

constexpr std::size_t most_tries = 600;                      // worlds that are run to shrink one
constexpr Duration shortest_time = std::chrono::seconds(3);  // steps in which the time is shortened

struct Shrunk {
    WorldPlan plan;
    Complaints complaints;  // of that world
    std::size_t tries = 0;
    bool is_minimal = false;  // false: the limit of tries came first
};

// "I1" of "I1: phone1 is not registered …": what kind of failure it is. A smaller world must fail
// in the same way.
std::string_view kind_of(std::string_view complaint);

// `run` is a whole life of a world. The plan itself has failed, with this kind of complaint.
Shrunk shrink(const WorldPlan& plan, std::string_view kind,
              const std::function<Complaints(const WorldPlan&)>& run,
              std::size_t tries = most_tries);

}  // namespace holdfast::lab
