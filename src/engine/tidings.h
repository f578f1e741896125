// What a desk has to tell accounts: returned upwards, and handed to their registrations by the
// engine, one after the other, so that nothing re-enters.
#pragma once

#include <utility>
#include <vector>

#include "base/ids.h"
#include "registration/machine.h"

namespace holdfast::engine {

struct Tiding {
    AccountId account;
    registration::Told told;
};
using Tidings = std::vector<Tiding>;

}  // namespace holdfast::engine
