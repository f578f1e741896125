#include "media/quality.h"

#include <algorithm>
#include <cmath>

namespace holdfast::media {

namespace {

constexpr double best_rating = 93.2;      // Ro - Is at the defaults of G.107 table 2
constexpr double delay_that_costs = 100;  // ms; less is not noticed

// Idd: delay as such, beyond 100 ms (G.107 §7.5). Echo is not in it: Idte and Idle are about 0
// where echo is cancelled or nobody makes any, and we do not measure it.
double delay_impairment(double ms) {
    if (ms <= delay_that_costs) return 0;
    const double x = std::log2(ms / delay_that_costs);
    return 25 * (std::pow(1 + std::pow(x, 6), 1.0 / 6) -
                 3 * std::pow(1 + std::pow(x / 3, 6), 1.0 / 6) + 2);
}

// Ie,eff with random loss (BurstR = 1), G.107 §7.6.
double loss_impairment(const Impairment& codec, double loss) {
    const double percent = 100 * std::clamp(loss, 0.0, 1.0);
    return codec.equipment + (95 - codec.equipment) * percent / (percent + codec.robustness);
}

}  // namespace

double rating_of(const PathQuality& quality) {
    const double ms = static_cast<double>(quality.mouth_to_ear.count()) / 1000;
    return best_rating - delay_impairment(ms) - loss_impairment(quality.codec, quality.loss);
}

double mos_of(double rating) {
    if (rating <= 0) return 1;
    if (rating >= 100) return 4.5;
    return std::max(1.0, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6);
}

}  // namespace holdfast::media
