// Whom the engine's tests are about.
#pragma once

#include "base/ids.h"

namespace holdfast::engine {

inline constexpr AccountId alice{1};
inline constexpr AccountId bob{2};

}  // namespace holdfast::engine
