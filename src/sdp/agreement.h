// What both sides of a call agreed on for now: one AgreedStream for each m-line, in order.
#pragma once

#include <vector>

#include "sdp/stream.h"

namespace holdfast::sdp {

struct Agreement {
    std::vector<AgreedStream> streams;
    friend bool operator==(const Agreement&, const Agreement&) = default;
};

}  // namespace holdfast::sdp
