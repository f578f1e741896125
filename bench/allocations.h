// Counts every allocation of the program that links allocations.cpp.
#pragma once

#include <cstddef>

namespace holdfast::bench {

// Calls of operator new since the program began.
std::size_t allocations();

}  // namespace holdfast::bench
