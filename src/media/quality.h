// How a call sounds to its listener, by the E-model (ITU-T G.107): from loss, delay and codec to a
// rating R and a mean opinion score.
#pragma once

#include "base/time.h"

namespace holdfast::media {

// ITU-T G.113 Appendix I: what a codec costs without loss, and how it bears loss.
struct Impairment {
    double equipment = 0;     // Ie
    double robustness = 4.3;  // Bpl, > 0
};

struct PathQuality {
    Duration mouth_to_ear{};  // one way, jitter buffer included
    double loss = 0;          // share of packets that are not played, 0 – 1
    Impairment codec{};
};

// The rating R with all other parameters at their defaults (G.107 §7.7, table 2); 93.2 is the best.
double rating_of(const PathQuality& quality);
// G.107 Annex B; 1 – 4.5.
double mos_of(double rating);

}  // namespace holdfast::media
