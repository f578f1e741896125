// CHECK: our own mistakes end the program, in release builds too. A peer's mistakes are values,
// never checks.
#pragma once

namespace holdfast {

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace holdfast

#define CHECK(condition)                    \
    (static_cast<bool>(condition) ? void(0) \
                                  : ::holdfast::check_failed(#condition, __FILE__, __LINE__))
