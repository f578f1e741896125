// What a bench that has its own main measures with, and how it prints.
#pragma once

#include <malloc.h>

#include <cstddef>
#include <cstdio>
#include <ctime>

namespace holdfast::bench {

// Of the heap, the allocator's own words included.
inline std::size_t bytes_in_use() {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

// Of this process, user and system.
inline double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

inline void show(const char* name, double value) { std::printf("%s %.2f\n", name, value); }

}  // namespace holdfast::bench
