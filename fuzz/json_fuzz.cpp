// Any bytes as JSON of others: a line to the control socket, or a recording that somebody sent (the
// first byte says which). What must hold of each is beside its check in fuzz/json.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/json/readers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace holdfast::fuzz;
    if (size == 0) return 0;
    const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
    if (data[0] % 2 == 0)
        check_control_line(text);
    else
        check_recording(text);
    return 0;
}
