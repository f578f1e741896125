// What reads JSON that others wrote, and what must hold of it (json_fuzz.cpp).
#pragma once

#include <string_view>

namespace holdfast::fuzz {

void check_control_line(std::string_view line);
void check_recording(std::string_view text);

}  // namespace holdfast::fuzz
