// Named limits of session descriptions. Each has a test at the limit and one past it.
#pragma once

#include <cstddef>

#include "base/limits.h"

namespace holdfast::sdp::limits {

using namespace holdfast::limits;

constexpr std::size_t description_bytes = message_bytes;
constexpr std::size_t media = 32;        // m-lines
constexpr std::size_t formats = 64;      // of one m-line
constexpr std::size_t attributes = 512;  // of one level: the session, or one m-line
constexpr std::size_t candidates = 64;   // read of one m-line; further ones are passed over
constexpr std::size_t unreadable = 16;   // lines of no known type that are tolerated

}  // namespace holdfast::sdp::limits
