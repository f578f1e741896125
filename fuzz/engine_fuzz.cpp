// Any octets as a script (engine/script.h): an engine with one or two accounts among servers, DNS
// and networks that say and do anything, in virtual time. I8: nothing crashes, hangs, or grows
// without bound; and what a peer says never makes us ask an address we were not told of, send what
// cannot be read, show the password, or flood (engine/checks.cpp).
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/engine/script.h"
#include "fuzz/engine/world.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace holdfast::fuzz;
    Reader script{{reinterpret_cast<const char*>(data), size}};
    World world{script};
    world.run(script);
    return 0;
}
