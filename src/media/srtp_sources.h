// How many sources of a session SRTP is asked to know. It makes a context for each SSRC before a
// packet of it is authentic, so that whoever guesses the port could have one made for each.
#pragma once

#include <cstdint>
#include <set>

#include "media/limits.h"

namespace holdfast::media {

class SrtpSources {
public:
    // Whether a packet of this source may go on; each new one counts for the session's whole time.
    bool admits(std::uint32_t ssrc) {
        if (known_.contains(ssrc)) return true;
        if (known_.size() >= limits::srtp_sources) return false;
        known_.insert(ssrc);
        return true;
    }

private:
    std::set<std::uint32_t> known_;
};

}  // namespace holdfast::media
