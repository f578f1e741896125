// Named limits of location, besides those of base/limits.h. Each has a test at the limit and one
// past it.
#pragma once

#include <cstddef>

#include "base/limits.h"
#include "base/time.h"

namespace holdfast::location::limits {

using namespace holdfast::limits;

constexpr std::size_t lookup_questions =
    192;  // of one lookup: 64 records in two families, and some CNAMEs
constexpr std::size_t addresses_per_name =
    targets;  // of each family; more are cut after ranking (L2)
constexpr std::size_t naptr_services = 8;
constexpr std::size_t problem_bytes = 1000;  // words for people, not a dump
constexpr std::size_t listed_targets = 128;
constexpr std::size_t health_targets = 512;
constexpr std::size_t health_account_targets = 2048;
constexpr std::size_t health_line_bytes = 128;
constexpr Duration longest_rtt = std::chrono::seconds{8};  // more is not a round trip, but a stall
constexpr std::size_t last_good_bytes = 64 * 1024;

}  // namespace holdfast::location::limits
