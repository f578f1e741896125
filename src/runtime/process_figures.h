// What this process costs, from /proc: the values of Prometheus' standard process_* metrics.
#pragma once

#include <cstdint>
#include <optional>

namespace holdfast::runtime {

struct ProcessFigures {
    double cpu_seconds = 0;  // user and system
    std::uint64_t resident_bytes = 0;
    std::uint64_t virtual_bytes = 0;
    std::uint64_t open_descriptors = 0;
    std::uint64_t most_descriptors = 0;  // the soft limit
    std::uint64_t threads = 0;
    double start_seconds = 0;  // since 1970
};

// Nothing if /proc is not there. From any thread.
std::optional<ProcessFigures> process_figures();

}  // namespace holdfast::runtime
