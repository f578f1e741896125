#include "bench/allocations.h"

#include <cstdlib>
#include <new>

namespace {

std::size_t count = 0;

}  // namespace

__attribute__((noinline)) void* operator new(std::size_t size) {
    ++count;
    // This is the allocator: NOLINTNEXTLINE(cppcoreguidelines-no-malloc)
    if (void* memory = std::malloc(size)) return memory;
    std::abort();
}
__attribute__((noinline)) void operator delete(void* memory) noexcept {
    std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc): this is the allocator
}
__attribute__((noinline)) void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc): this is the allocator
}

std::size_t holdfast::bench::allocations() { return count; }
